"""Locks between real processes, and between handles and threads of one process."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.support.journals import ID, INFO, append, bytes_of, cancelled, completed, memory_home, started
from wfrun.errors import ConflictError
from wfrun.journal.driver import is_driven
from wfrun.journal.home import Home
from wfrun.journal.journal import Journal
from wfrun.journal.verify import verify

ROOT = Path(__file__).parent.parent.parent.parent
PRELUDE = f"""
import sys
from tests.support.journals import *
home = Home(sys.argv[1])
journal = Journal.open(home, {ID!r})
"""
DRIVER = """
journal.drive({"host": "there", "pid": 7, "wfrun": "0.0"})
journal.sync()
print("driving", flush=True)
sys.stdin.read()
"""
VISITOR = """
print("ready", flush=True)
sys.stdin.readline()
for number in range(25):
    append(journal, cancelled(sys.argv[2]))
journal.close()
"""


@contextmanager
def process(code: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A process that has said its first word."""
    command = [sys.executable, "-c", PRELUDE + code, *arguments]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        try:
            assert child.stdout is not None
            assert child.stdout.readline()
            yield child
        finally:
            child.kill()


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "home")
    Journal.create(home, ID, started()).close()
    return home


def test_a_driver_in_another_process_is_named_and_outlived(home: Home) -> None:
    with process(DRIVER, home.path) as child, closing(Journal.open(home, ID)) as journal:
        assert is_driven(home, ID)
        with pytest.raises(ConflictError, match=r"process 7 on there \(epoch 1\)"):
            journal.drive(INFO)
        append(journal, cancelled())
        child.kill()
        child.wait()
        assert not is_driven(home, ID)
        assert journal.drive(INFO) == 2
        append(journal, completed(1))
    assert verify(bytes_of(home)) == []


def test_many_processes_append_to_one_journal(home: Home) -> None:
    names = ["one", "two", "three"]
    with process(VISITOR, home.path, names[0]) as one, process(VISITOR, home.path, names[1]) as two:
        with process(VISITOR, home.path, names[2]) as three:
            for child in (one, two, three):
                child.communicate("go\n")
                assert child.returncode == 0
    records = Journal.read(home, ID)
    assert [record["seq"] for record in records] == list(range(1, 77))
    assert {name: sum(record.get("by") == name for record in records) for name in names} == dict.fromkeys(names, 25)
    assert verify(bytes_of(home)) == []


@pytest.mark.parametrize("where", ["memory", "disk"])
def test_many_threads_append_to_one_journal(where: str, home: Home) -> None:
    if where == "memory":
        home = memory_home()
        Journal.create(home, ID, started()).close()

    def work() -> None:
        with closing(Journal.open(home, ID)) as journal:
            for number in range(10):
                append(journal, completed(number))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [record["seq"] for record in Journal.read(home, ID)] == list(range(1, 82))


def test_one_of_many_starters_wins(tmp_path: Path) -> None:
    home = Home(tmp_path / "other")
    outcomes: list[str] = []

    def start() -> None:
        try:
            Journal.create(home, ID, started()).close()
            outcomes.append("won")
        except ConflictError as error:
            outcomes.append(error.code)

    threads = [threading.Thread(target=start) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["execution.exists"] * 15 + ["won"]

"""F12: an input and a result of 100 MB, 100,000 records in one execution, 10,000 open ones. Each is killed once."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections import Counter
from hashlib import sha256
from pathlib import Path

import pytest

from tests.support.broken import HASTY, LAVISH, broken
from tests.support.shell import environment, shell
from tests.support.tally import Tally
from wfrun.journal.home import Home
from wfrun.journal.journal import Journal

SECONDS = 300
AT_ONCE = 50
MOST_MB = 100
HUGE = """
name: huge
input: { text: string }
services: { s: { adapter: python, module: huge } }
steps:
  - { name: fetch, service: s, action: fetch, output: found }
  - { name: pause, service: s, action: pause }
  - { name: weigh, service: s, action: weigh, input: $.found, output: weight }
  - { name: weigh-input, service: s, action: weigh, input: $.text, output: given }
output: { weight: $.weight, given: $.given }
"""
HUGE_SERVICE = """
import hashlib, os, time

def fetch(input):
    with open("fetched", "a") as file:
        file.write(".")
    return "0123456789abcdef" * SIXTEENS

def pause(input):
    if not os.path.exists("paused"):
        open("paused", "w").close()
        time.sleep(600)

def weigh(input):
    return hashlib.sha256(input.encode()).hexdigest()
"""
LOOP = """
name: loop
services: { s: { adapter: mock, default: { result: 1 } } }
steps:
  - type: foreach
    items: "${range(COUNT)}"
    concurrency: 50
    steps:
      - { name: each, service: s, action: do, input: $.index }
"""
OPEN = """
name: open
input: { n: integer }
services: { s: { adapter: mock } }
steps:
  - { name: approval, type: human-task, assignee: { groups: [staff] } }
  - { name: after, service: s, action: do, input: $.n }
"""


# Peaks are inherited from whoever starts a process, so that has to be a small one.
MEASURE = """
import resource, subprocess, sys
code = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL).returncode
print(code, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


def begin(folder: Path, *arguments: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "wfrun", *arguments]
    return subprocess.Popen(command, cwd=folder, env=environment(), stdout=subprocess.DEVNULL)


def measured(folder: Path, *arguments: str, **env: str) -> tuple[int, float]:
    """The exit code of a command, and the peak of its memory in MB."""
    command = [sys.executable, "-c", MEASURE, sys.executable, "-m", "wfrun", *arguments]
    code, peak = subprocess.check_output(command, cwd=folder, env=environment(**env), timeout=SECONDS).split()
    return int(code), int(peak) / 1000


def kill_when(process: subprocess.Popen[bytes], ready: Path, size: int = 0) -> None:
    """As soon as a file is there and has grown to so many bytes."""
    deadline = time.monotonic() + SECONDS
    while not (ready.exists() and ready.stat().st_size >= size):
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.02)
    process.kill()
    assert process.wait() == -signal.SIGKILL


def huge(folder: Path, sixteens: int, resumer: str = "") -> None:
    """An input and a result of so many times 16 bytes, killed when both are there: they are whole for what goes on.

    Whoever resumes it may be `broken`.
    """
    (folder / "huge.yaml").write_text(HUGE)
    (folder / "huge.py").write_text(HUGE_SERVICE.replace("SIXTEENS", str(sixteens)))
    (folder / "huge.json").write_text(f'{{"text": "{"fedcba9876543210" * sixteens}"}}')
    kill_when(begin(folder, "run", "huge.yaml", "--id", "huge", "--input", "huge.json"), folder / "paused")
    assert shell("wfrun resume huge --json > out.json", folder, **broken(folder, resumer)).code == 0
    (completed,) = (
        record for record in Journal.read(Home(folder / ".wfrun"), "huge") if record["type"] == "execution.ended"
    )
    assert completed["output"] == {
        "weight": sha256(b"0123456789abcdef" * sixteens).hexdigest(),
        "given": sha256(b"fedcba9876543210" * sixteens).hexdigest(),
    }
    assert (folder / "fetched").read_text() == "."
    assert Path(Home(folder / ".wfrun").journal_path("huge")).stat().st_size < 10_000
    assert shell("wfrun audit verify --all", folder).code == 0


@pytest.mark.slow
def test_an_input_and_a_result_of_100_megabytes(tmp_path: Path, tally: Tally) -> None:
    tally.add("F12")
    huge(tmp_path, 6_250_000)


def loop(folder: Path, count: int, until: int, resumer: str = "") -> None:
    """A loop over so many items, killed when the journal has so many bytes: none of it is done again."""
    (folder / "loop.yaml").write_text(LOOP.replace("COUNT", str(count)))
    path = Path(Home(folder / ".wfrun").journal_path("loop"))
    kill_when(begin(folder, "run", "loop.yaml", "--id", "loop", "--quiet"), path, until)
    assert measured(folder, "resume", "loop", "--quiet", **broken(folder, resumer))[0] == 0
    counts: Counter[str] = Counter()
    completed: set[str] = set()
    for record in Journal.read(Home(folder / ".wfrun"), "loop"):
        counts[record["type"]] += 1
        if record["type"] == "step.completed":
            completed.add(record["step"])
        assert record["type"] != "step.started" or record["step"] not in completed
    assert counts["step.completed"] == len(completed) == count
    assert counts.total() > 2 * count
    # What was under way when the runner died was begun once more, and nothing else.
    assert counts["step.started"] <= count + AT_ONCE


@pytest.mark.slow
def test_100_000_records_in_one_execution(tmp_path: Path, tally: Tally) -> None:
    tally.add("F12")
    loop(tmp_path, 50_000, 10_000_000)


@pytest.mark.slow
def test_who_reads_only_the_beginning_is_found(tmp_path: Path) -> None:
    """The control of both."""
    with pytest.raises(AssertionError):
        huge(tmp_path, 20_000, HASTY)
    with pytest.raises(AssertionError):
        loop(tmp_path, 4_000, 1_000_000, HASTY)


@pytest.mark.slow
def test_10_000_open_executions(tmp_path: Path, tally: Tally) -> None:
    (tmp_path / "open.yaml").write_text(OPEN)
    (tmp_path / "inputs.jsonl").write_text("".join(f'{{"n": {number}}}\n' for number in range(10_000)))
    batch = ("batch", "open.yaml", "--inputs", "inputs.jsonl", "--id", "e-${$.n}", "--quiet")
    home = Home(tmp_path / ".wfrun")
    kill_when(begin(tmp_path, *batch), Path(home.journal_path("e-5000")))
    tally.add("F12")
    code, memory_mb = measured(tmp_path, *batch)
    assert code == 4
    assert memory_mb <= MOST_MB
    assert len(set(home.ids())) == 10_000
    for number in (0, 4_999, 9_999):
        code, memory_mb = measured(tmp_path, "approve", f"e-{number}")
        assert code == 0
        assert memory_mb <= MOST_MB
        assert [record["type"] for record in Journal.read(home, f"e-{number}")].count("step.completed") == 1


def test_memory_that_grows_is_seen(tmp_path: Path) -> None:
    """The control of what is measured."""
    assert measured(tmp_path, "--version")[1] <= MOST_MB
    assert measured(tmp_path, "--version", **broken(tmp_path, LAVISH))[1] > MOST_MB

"""F1 on a real disk: a real process is killed at every named point of the journal; another one takes over."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.journals import INFO, append, completed
from tests.support.tally import Tally
from wfrun.errors import NotFoundError
from wfrun.journal.crash import POINTS
from wfrun.journal.driver import is_driven
from wfrun.journal.home import Home
from wfrun.journal.journal import Journal
from wfrun.journal.verify import verify

ROOT = Path(__file__).parent.parent.parent
# Those of the engine are not in the life of a journal alone; that of a failed sync needs one that fails.
ELSEWHERE = {
    "driver.before-sync",
    "driver.after-sync",
    "journal.sync-failed",
    "blob.written",
    "gc.listed",
    "gc.removed",
    "gc.swept",
}


def run(home: Path, point: str) -> tuple[int, dict[str, int]]:
    """The exit code, and how many records of each execution the process had said to be durable."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.journal_child", str(home)],
        cwd=ROOT,
        env={**os.environ, "WFRUN_CRASH_AT": point},
        capture_output=True,
        text=True,
        check=False,
    )
    told = {}
    for line in done.stdout.splitlines():
        execution_id, count = line.split()
        told[execution_id] = int(count)
    return done.returncode, told


def go_on(home: Home, execution_id: str, told: int) -> None:
    assert not is_driven(home, execution_id)
    try:
        before = Journal.read(home, execution_id)
    except NotFoundError:
        assert told == 0
        return
    assert len(before) >= told
    with closing(Journal.open(home, execution_id)) as journal:
        journal.drive(INFO)
        append(journal, completed(99))
    assert Journal.read(home, execution_id)[: len(before)] == before
    assert verify(Path(home.journal_path(execution_id)).read_bytes()) == []


@pytest.mark.parametrize("point", sorted(POINTS - ELSEWHERE))
def test_killed_at_a_point(point: str, tmp_path: Path, tally: Tally) -> None:
    tally.add("F1")
    code, told = run(tmp_path / "home", point)
    assert code == -signal.SIGKILL
    home = Home(tmp_path / "home")
    for execution_id in list(home.ids()):
        go_on(home, execution_id, told.get(execution_id, 0))
    assert set(told) <= set(home.ids())


def test_without_a_point_the_process_lives(tmp_path: Path) -> None:
    """The control: what killed it above was the point."""
    code, told = run(tmp_path / "home", "")
    assert (code, told) == (0, {"k7m2x9qd": 11, "left": 5, "right": 5})

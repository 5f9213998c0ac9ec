"""F4 by the kernel: calls of a real `wfrun run` to files of its state directory fail, one at a time, through strace."""

from __future__ import annotations

import random
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from itertools import count, groupby
from pathlib import Path

import pytest

from tests.support.broken import DENIED, broken
from tests.support.ledger import Ledger
from tests.support.shell import environment, shell
from tests.support.tally import FULL, Tally, seed

WORKFLOW = """
name: two
services: { s: { adapter: python, module: ledger } }
steps:
  - { name: one, service: s, action: note }
  - { name: two, service: s, action: note }
"""
CALLS = ["openat", "write", "fdatasync", "fsync", "rename", "mkdir", "flock", "fchmod", "pread64"]
ERRORS = ["EIO", "ENOSPC", "EINTR", "EMFILE"]


def traces() -> bool:
    strace = shutil.which("strace")
    if strace is None:
        return False
    return subprocess.run([strace, "-o", "/dev/null", "true"], stderr=subprocess.DEVNULL).returncode == 0


pytestmark = [pytest.mark.slow, pytest.mark.skipif(not traces(), reason="strace is not here, or may not trace")]


def run(folder: Path, home: str, *options: str, **env: str) -> tuple[int, str]:
    command = ["strace", "-f", "-qq", "-o", str(folder / "trace"), *options]
    command += [sys.executable, "-m", "wfrun", "run", "two.yaml", "--id", "e", "--home", home]
    done = subprocess.run(command, cwd=folder, env=environment(**env), capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout + done.stderr


def places(folder: Path) -> list[tuple[str, str, int]]:
    """The calls of a run that nothing happens to: which, of what file in the home, and for the how many-th time."""
    code, output = run(folder, "whole", "-y", "-e", f"trace={','.join(CALLS)}")
    assert code == 0, output
    home = str(folder / "whole")
    times: Counter[tuple[str, str]] = Counter()
    found = []
    for line in (folder / "trace").read_text().splitlines():
        call = re.match(r"\d+ +(\w+)\(", line)
        path = re.search(rf'[<"]{re.escape(home)}(/[^>"]*)?[>"]', line)
        if call and path and "index.sqlite" not in line and "/cache" not in line:
            place = (call[1], path[1] or "")
            times[place] += 1
            found.append((*place, times[place]))
    return found


class Trials:
    """Runs of which one call fails, and their judge."""

    def __init__(self, folder: Path, ledger: Ledger, **env: str) -> None:
        self._folder = folder
        self._ledger = ledger
        self._env = env
        self._homes = count()
        self.stopped = 0

    def survives(self, place: tuple[str, str, int], error: str) -> None:
        """It says so and stops, or does not need the call; and then all is done, once and in order."""
        (call, path, nth), home = place, f"home-{next(self._homes)}"
        before = len(self._ledger.calls())
        inject = f"inject={call}:error={error}:when={nth}"
        code, output = run(self._folder, home, "-P", f"{self._folder}/{home}{path}", "-e", inject, **self._env)
        self.stopped += code != 0
        assert code in (0, 2, 6), (place, error, output)
        assert "Traceback" not in output, (place, error, output)
        again = shell(f"wfrun run two.yaml --id e --home {home}", self._folder)
        assert again.code == 0, (place, error, again.out)
        calls = self._ledger.calls()[before:]
        assert [key for key, _ in groupby(each.key for each in calls)] == ["e/one", "e/two"], (place, error)
        assert shell(f"wfrun audit prove e --home {home}", self._folder).code == 0


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger() as ledger:
        (tmp_path / "ledger.py").write_text(ledger.module)
        (tmp_path / "two.yaml").write_text(WORKFLOW)
        yield ledger


def test_a_call_that_fails(tmp_path: Path, ledger: Ledger, tally: Tally) -> None:
    chance = random.Random(seed())
    faults = [(place, error) for place in places(tmp_path) for error in ERRORS]
    trials = Trials(tmp_path, ledger)
    for place, error in faults if FULL else chance.sample(faults, 12):
        tally.add("F4")
        trials.survives(place, error)
    assert trials.stopped > 0


def test_a_write_that_failed_and_is_told_to_be_done(tmp_path: Path, ledger: Ledger) -> None:
    """The control: who ignores what the kernel says about writes to the journal does not survive all of these."""
    writes = [place for place in places(tmp_path) if place[0] == "write" and place[1].endswith("/e.jsonl")]
    assert writes
    trials = Trials(tmp_path, ledger, **broken(tmp_path, DENIED))
    found = 0
    for place in writes:
        try:
            trials.survives(place, "ENOSPC")
        except AssertionError:
            found += 1
    assert found > 0

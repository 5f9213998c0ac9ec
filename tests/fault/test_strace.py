"""F4 by the kernel: calls of a real `wfrun run` to files of its state directory fail, one at a time, through strace."""

from __future__ import annotations

import random
import re
import shutil
import subprocess
import sys
from collections import Counter
from itertools import groupby
from pathlib import Path

import pytest

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


def run(folder: Path, home: str, *options: str) -> tuple[int, str]:
    command = ["strace", "-f", "-qq", "-o", str(folder / "trace"), *options]
    command += [sys.executable, "-m", "wfrun", "run", "two.yaml", "--id", "e", "--home", home]
    done = subprocess.run(command, cwd=folder, env=environment(), capture_output=True, text=True, timeout=60)
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


def test_a_call_that_fails(tmp_path: Path, tally: Tally) -> None:
    chance = random.Random(seed())
    with Ledger() as ledger:
        (tmp_path / "ledger.py").write_text(ledger.module)
        (tmp_path / "two.yaml").write_text(WORKFLOW)
        faults = [(place, error) for place in places(tmp_path) for error in ERRORS]
        stopped = 0
        for number, ((call, path, nth), error) in enumerate(faults if FULL else chance.sample(faults, 12)):
            home, before = f"home-{number}", len(ledger.calls())
            inject = f"inject={call}:error={error}:when={nth}"
            code, output = run(tmp_path, home, "-P", f"{tmp_path}/{home}{path}", "-e", inject)
            tally.add("F4")
            stopped += code != 0
            assert code in (0, 2, 6), (call, path, nth, error, output)
            assert "Traceback" not in output, (call, path, nth, error, output)
            again = shell(f"wfrun run two.yaml --id e --home {home}", tmp_path)
            assert again.code == 0, (call, path, nth, error, again.out)
            assert [key for key, _ in groupby(each.key for each in ledger.calls()[before:])] == ["e/one", "e/two"]
            assert shell(f"wfrun audit prove e --home {home}", tmp_path).code == 0
        assert stopped > 0

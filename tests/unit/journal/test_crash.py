"""Crash points: each is named once in the registry and stands in the source, and they cost nothing unarmed."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from wfrun.errors import UsageError
from wfrun.journal.crash import POINTS, Crash, crashing, reach

PACKAGE = Path(__file__).parent.parent.parent.parent / "wfrun"


def test_every_point_stands_in_the_source() -> None:
    source = "\n".join(path.read_text() for path in PACKAGE.rglob("*.py") if path.name != "crash.py")
    assert set(re.findall(r'\breach\("([^"]+)"\)', source)) == POINTS


def test_nothing_happens_unarmed() -> None:
    for point in POINTS:
        reach(point)


def test_the_n_th_time_counts() -> None:
    with crashing("journal.appended:3"):
        reach("journal.appended")
        reach("journal.synced")
        reach("journal.appended")
        with pytest.raises(Crash):
            reach("journal.appended")
        reach("journal.appended")
    reach("journal.appended")


@pytest.mark.parametrize("text", ["journal.nowhere", "journal.appended:x"])
def test_unknown_points_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match=r"journal\.appended"), crashing(text):
        pass


@pytest.mark.parametrize(("point", "code"), [("journal.synced:2", -signal.SIGKILL), ("journal.synced:3", 0)])
def test_the_environment_arms_a_process(point: str, code: int) -> None:
    program = 'from wfrun.journal.crash import reach; reach("journal.synced"); reach("journal.synced")'
    environment = {**os.environ, "WFRUN_CRASH_AT": point}
    done = subprocess.run([sys.executable, "-c", program], env=environment, cwd=PACKAGE.parent, check=False)
    assert done.returncode == code


def test_reading_a_journal_imports_little() -> None:
    heavy = ["asyncio", "ctypes", "dataclasses", "pathlib", "subprocess", "threading", "datetime", "re"]
    program = f"""
import sys, json, hashlib, typing
before = set(sys.modules)
from wfrun.journal.home import Home
from wfrun.journal.journal import Journal
print([name for name in {heavy!r} if name in set(sys.modules) - before])
"""
    done = subprocess.run(
        [sys.executable, "-S", "-c", program], cwd=PACKAGE.parent, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"

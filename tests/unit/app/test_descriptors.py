"""How many executions at a time the limit of open files allows, in processes that have other limits than ours."""

from __future__ import annotations

import subprocess
import sys

import pytest


def affordable(executions: int, soft: int, hard: int) -> tuple[int, int]:
    """The answer, and the soft limit afterwards."""
    code = (
        "import resource as r\nfrom wfrun.app.descriptors import affordable\n"
        f"r.setrlimit(r.RLIMIT_NOFILE, ({soft}, {hard}))\nprint(affordable({executions}))\n"
        "print(r.getrlimit(r.RLIMIT_NOFILE)[0])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    answer, limit = done.stdout.split()
    return int(answer), int(limit)


def test_what_fits_changes_nothing() -> None:
    assert affordable(50, 1000, 2000) == (50, 1000)


def test_the_limit_is_raised_as_far_as_needed() -> None:
    answer, limit = affordable(100, 256, 2000)
    assert answer == 100
    assert 256 < limit < 1000


@pytest.mark.parametrize("executions", [500, 10**8, 10**30])
def test_no_more_than_the_hard_limit_allows(executions: int) -> None:
    answer, limit = affordable(executions, 256, 512)
    assert (answer, limit) == (64, 512)


def test_one_is_always_tried() -> None:
    assert affordable(50, 20, 20)[0] == 1


@pytest.mark.parametrize("executions", range(1, 60, 7))
def test_what_was_raised_for_is_afforded(executions: int) -> None:
    assert affordable(executions, 30, 2000)[0] == executions

"""`wfrun doctor` and `wfrun gc` as they are typed."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.acceptance.conftest import Shell


@pytest.fixture
def used(shell: Shell) -> Shell:
    shell.wfrun("run", shell.slow(), "--id", "good")
    shell.wfrun("run", shell.failing("closed"), "--id", "bad")
    return shell


def test_a_doctor_has_little_to_say_if_all_is_well(used: Shell) -> None:
    done = used.wfrun("doctor")
    assert done.code == 0
    assert "2 executions" in done.lines[-1]
    assert used.wfrun("doctor", "--json").json("doctor")["executions"] == 2


def test_errors_exit_6_until_they_are_fixed(used: Shell) -> None:
    os.chmod(used.folder / ".wfrun", 0o777)
    assert used.wfrun("list").code == 6
    done = used.wfrun("doctor")
    assert done.code == 6
    assert "error[state.mode]" in done.out
    assert "`wfrun doctor --fix` does it" in done.out
    assert used.wfrun("doctor", "--fix").code == 0
    assert used.wfrun("list").code == 0


def test_what_ended_long_ago_is_removed_and_accounted_for(used: Shell) -> None:
    used.wfrun("audit", "anchor", "--out", "heads.txt")
    assert used.wfrun("gc", "--json").json("gc")["executions"] == []
    dry = used.wfrun("gc", "--older-than", "0s", "--dry-run")
    assert (dry.code, dry.lines[-1].endswith("would be removed")) == (0, True)
    collected = used.wfrun("gc", "--older-than", "0s", "--json").json("gc")
    assert [each["execution"] for each in collected["executions"]] == ["good"]
    listed = used.wfrun("list", "--json").json("list")["executions"]
    assert [each["execution"] for each in listed] == ["bad"]
    assert used.wfrun("audit", "compare", "heads.txt").code == 0
    assert used.wfrun("audit", "verify", "--all").code == 0
    again = used.wfrun("run", used.slow(), "--id", "good")
    assert again.code == 2
    assert "error[execution.removed]" in again.err


@pytest.mark.parametrize("point", ["gc.listed", "gc.removed", "gc.removed:2"])
def test_killed_in_the_middle_it_ends_well(used: Shell, point: str) -> None:
    used.wfrun("audit", "anchor", "--out", "heads.txt")
    everything = ("gc", "--older-than", "0s", "--status", "completed,failed")
    assert used.wfrun(*everything, WFRUN_CRASH_AT=point).code == -signal.SIGKILL
    assert used.wfrun("audit", "compare", "heads.txt").code == 0
    assert used.wfrun("doctor").code == 0
    assert used.wfrun(*everything).code == 0
    assert used.wfrun("list", "--json").json("list")["executions"] == []
    assert used.wfrun("audit", "compare", "heads.txt").code == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("gc", "--older-than", "soon"), "neither an age nor an instant"),
        (("gc", "--status", "running"), "cannot be removed"),
        (("gc", "--status", ""), "cannot be removed"),
    ],
)
def test_what_cannot_be_meant_is_refused(used: Shell, arguments: tuple[str, ...], words: str) -> None:
    done = used.wfrun(*arguments)
    assert done.code == 2
    assert words in done.err

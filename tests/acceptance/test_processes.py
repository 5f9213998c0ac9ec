"""Signals, pipes that close, logs that are followed, terminals."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from typing import TYPE_CHECKING

import pexpect
import pytest

if TYPE_CHECKING:
    from tests.acceptance.conftest import Shell, Start


PLAIN = {"NO_COLOR": "1"}


def wait_for(runner: subprocess.Popen[str], words: str) -> None:
    assert runner.stdout is not None
    while words not in (line := runner.stdout.readline()):
        assert line, "the process ended"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_a_signal_leaves_it_to_be_resumed(shell: Shell, start: Start, number: signal.Signals) -> None:
    runner = start("run", shell.slow("30s"), "--id", "s")
    wait_for(runner, "second →")
    runner.send_signal(number)
    out, err = runner.communicate(timeout=10)
    assert runner.returncode == 130
    assert "wfrun resume s" in out
    assert "Traceback" not in err
    assert shell.wfrun("status", "s", "--json").json("status")["status"] == "interrupted"
    resumed = shell.wfrun("resume", "s", "--json", "--services", "quick.yaml")
    assert resumed.code == 0
    view = resumed.json("resume")
    assert (view["status"], view["output"], view["driver"]["epoch"]) == ("completed", {"said": "done at last"}, 2)
    calls = (shell.folder / "calls.jsonl").read_text()
    assert calls.count('"s/first"') == 2  # begun and ended, once


def test_a_killed_run_can_be_resumed(shell: Shell, start: Start) -> None:
    runner = start("run", shell.slow("30s"), "--id", "s")
    wait_for(runner, "second →")
    runner.kill()
    runner.wait()
    assert shell.wfrun("list", "--status", "interrupted", "--json").json("list")["executions"][0]["execution"] == "s"
    assert shell.wfrun("resume", "s", "--services", "quick.yaml").code == 0


def test_only_one_drives(shell: Shell, start: Start) -> None:
    runner = start("run", shell.slow("30s"), "--id", "s")
    wait_for(runner, "second →")
    assert shell.wfrun("status", "s", "--json").json("status")["status"] == "running"
    second = shell.wfrun("resume", "s", "--json")
    assert (second.code, second.error()["code"]) == (2, "execution.held")
    assert f"process {runner.pid}" in second.error()["message"]


def test_a_run_whose_reader_leaves_goes_on(shell: Shell, start: Start) -> None:
    runner = start("run", shell.slow("1s"), "--id", "s")
    wait_for(runner, "second →")
    assert runner.stdout is not None
    runner.stdout.close()
    assert runner.wait(timeout=20) == 0
    assert shell.wfrun("status", "s", "--json").json("status")["status"] == "completed"


def test_a_log_whose_reader_leaves_ends_quietly(shell: Shell) -> None:
    assert shell.wfrun("run", shell.slow("0s"), "--id", "s").code == 0
    read, write = os.pipe()
    os.close(read)
    command = shell.command("log", "s")
    done = subprocess.run(
        command, cwd=shell.folder, env=shell.variables(), stdout=write, stderr=subprocess.PIPE, check=False
    )
    os.close(write)
    assert (done.returncode, done.stderr) == (141, b"")


def test_following_shows_what_happens_until_the_end(shell: Shell, start: Start) -> None:
    runner = start("run", shell.slow("1s"), "--id", "s")
    wait_for(runner, "second →")
    follower = start("log", "s", "--follow", "--json")
    out, err = follower.communicate(timeout=20)
    assert (follower.returncode, err) == (0, "")
    assert out.splitlines()[-1].count("execution.ended") == 1
    assert len(out.splitlines()) == len(shell.wfrun("log", "s").lines)


def terminal(
    shell: Shell, *arguments: str, variables: dict[str, str] | None = None, size: tuple[int, int] = (30, 100)
) -> tuple[str, int | None]:
    """What is drawn on a terminal of so many lines and columns, and the exit code."""
    command, *rest = shell.command(*arguments)
    environment = shell.variables(**{"TERM": "xterm-256color", **(variables or {})})
    child = pexpect.spawn(
        command, rest, cwd=str(shell.folder), env=environment, encoding="utf-8", timeout=30, dimensions=size
    )
    child.expect(pexpect.EOF)
    drawn = child.before or ""
    child.close()
    return drawn, child.exitstatus


def test_on_a_terminal_the_steps_move_and_the_end_stays(shell: Shell) -> None:
    drawn, code = terminal(shell, "run", shell.slow("600ms"), "--id", "s")
    assert code == 0
    assert "\x1b[?25l" in drawn  # the cursor is hidden while something moves,
    assert "\x1b[?25h" in drawn  # and shown again
    assert "running · 1/3 steps" in drawn
    assert "second →" not in drawn
    assert "3/3 steps" in drawn.rpartition("\x1b[?25h")[2]
    assert "\x1b[32m✓" in drawn


@pytest.mark.parametrize("variables", [{"CI": "true"}, {"TERM": "dumb"}])
def test_where_nothing_should_move_there_are_lines(shell: Shell, variables: dict[str, str]) -> None:
    drawn, code = terminal(shell, "run", shell.slow("0s"), variables=variables)
    assert code == 0
    assert "\x1b[?25l" not in drawn
    assert "second →" in drawn


def test_no_color(shell: Shell) -> None:
    terminal(shell, "run", shell.slow("0s"), "--id", "s", variables=PLAIN)
    drawn, _ = terminal(shell, "status", "s", variables=PLAIN)
    assert "\x1b[" not in drawn
    coloured, _ = terminal(shell, "status", "s")
    assert "\x1b[32m✓" in coloured


def test_lines_are_cut_at_the_width_of_a_terminal_and_nowhere_else(shell: Shell) -> None:
    shell.wfrun("run", shell.failing("long " * 60), "--id", "s")
    drawn, _ = terminal(shell, "status", "s", variables=PLAIN)
    row = next(line for line in drawn.splitlines() if "✗" in line)
    assert len(row) <= 100
    assert row.endswith("…")
    assert any(len(line) > 200 for line in shell.wfrun("status", "s").lines)


def test_a_terminal_that_does_not_say_how_large_it_is(shell: Shell) -> None:
    drawn, code = terminal(shell, "run", shell.slow("0s"), size=(0, 0), variables=PLAIN)
    assert code == 0
    assert "  ✓  second" in drawn.rpartition("3/3 steps · started")[2]


def test_completion_offers_commands_and_executions(shell: Shell) -> None:
    shell.wfrun("run", shell.slow("0s"), "--id", "slow-1")
    offered = shell.wfrun(_WFRUN_COMPLETE="complete_bash", COMP_WORDS="wfrun stat", COMP_CWORD="1")
    assert offered.lines == ["status"]
    offered = shell.wfrun(_WFRUN_COMPLETE="complete_bash", COMP_WORDS="wfrun status sl", COMP_CWORD="2")
    assert offered.lines == ["slow-1"]


def test_a_live_execution_is_seen_within_a_moment(shell: Shell, start: Start) -> None:
    runner = start("run", shell.slow("30s"), "--id", "s")
    wait_for(runner, "execution s")
    deadline = time.monotonic() + 10
    while shell.wfrun("status", "s", "--json").json("status")["current"] != ["second"]:
        assert time.monotonic() < deadline


def test_cancelling_what_another_process_drives(shell: Shell, start: Start) -> None:
    runner = start("run", shell.slow("30s"), "--id", "s")
    wait_for(runner, "second →")
    done = shell.wfrun("cancel", "s", "--reason", "wrong order")
    assert done.code == 0
    assert "is being run by process" in done.out
    assert runner.wait(timeout=10) == 7
    assert shell.wfrun("status", "s", "--json").json("status")["status"] == "cancelled"

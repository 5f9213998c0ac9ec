"""Where output goes, and what happens when it cannot go there."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.acceptance.conftest import Shell

# A service that writes to standard output in every way there is, and one that closes it.
LOUD = """
import os, subprocess

def say(input):
    print("printed")
    os.write(1, b"written\\n")
    subprocess.run(["echo", "said by a child"], check=True)
    return 1

def close(input):
    os.close(1)
    os.open(os.devnull, os.O_RDONLY)
    return 2
"""
LOUD_WORKFLOW = """
name: loud
services: { loud: { adapter: python, module: loud } }
steps:
  - { name: say, service: loud, action: say }
  - { name: close, service: loud, action: close }
"""
UNWRITABLE = [(">/dev/full", "No space left on device"), (">&-", "Bad file descriptor")]


@pytest.fixture
def loud(shell: Shell) -> Shell:
    shell.write("loud.py", LOUD)
    shell.write("loud.yaml", LOUD_WORKFLOW)
    return shell


def status_of(shell: Shell, execution: str) -> str:
    return str(shell.wfrun("status", execution, "--json").json("status")["status"])


@pytest.mark.parametrize(("redirection", "words"), UNWRITABLE)
@pytest.mark.parametrize("option", ["", "--json", "--quiet"])
def test_a_run_goes_on_when_its_output_is_lost(shell: Shell, redirection: str, words: str, option: str) -> None:
    done = shell.typed(f"wfrun run {shell.slow()} --id s {option} {redirection}")
    assert (done.code, done.err) == (0, f"error[output.io] standard output cannot be written: {words}\n")
    assert status_of(shell, "s") == "completed"


@pytest.mark.parametrize("redirection", ["2>/dev/full", "2>&-", ">/dev/full 2>/dev/full", "<&- >&- 2>&-"])
def test_a_failed_execution_keeps_its_exit_code(shell: Shell, redirection: str) -> None:
    done = shell.typed(f"wfrun run {shell.failing('closed')} --id s {redirection}")
    assert done.code == 1
    assert ("shop.closed" in done.out) == redirection.startswith("2>")
    assert status_of(shell, "s") == "failed"


@pytest.mark.parametrize(("redirection", "words"), UNWRITABLE)
@pytest.mark.parametrize("command", ["list", "list --json", "log s", "log s --json", "status s", "--help", "run -h"])
def test_a_command_that_looks_fails_when_it_cannot_say(
    ordered: tuple[Shell, object], redirection: str, words: str, command: str
) -> None:
    shell, _ = ordered
    done = shell.typed(f"wfrun {command.replace(' s', ' order-1')} {redirection}")
    assert (done.code, done.err) == (74, f"error[output.io] standard output cannot be written: {words}\n")


def test_an_error_keeps_its_exit_code_when_it_cannot_be_told(shell: Shell) -> None:
    assert shell.typed("wfrun status nothing --json >/dev/full 2>/dev/full").code == 2


def test_an_input_that_cannot_be_read(shell: Shell) -> None:
    done = shell.typed(f"wfrun run {shell.slow()} --input - <&-")
    assert (done.code, done.err) == (2, "error[file.unreadable] <stdin> cannot be read: Bad file descriptor\n")


def test_a_batch_goes_on_when_its_output_is_lost(shell: Shell) -> None:
    shell.write("in.jsonl", "{}\n" * 5)
    done = shell.typed(f"wfrun batch {shell.slow()} --inputs in.jsonl >/dev/full")
    assert (done.code, done.err.count("\n")) == (0, 1)
    assert len(shell.wfrun("list", "--json").json("list")["executions"]) == 5


def test_services_do_not_reach_standard_output(loud: Shell) -> None:
    done = loud.wfrun("run", "loud.yaml", "--id", "s", "--json")
    assert (done.code, done.json("run")["status"]) == (0, "completed")
    assert done.err.splitlines() == ["printed", "written", "said by a child"]
    assert loud.wfrun("run", "loud.yaml", "--quiet", "--id", "t").out == "t\n"
    loud.write("in.jsonl", "{}\n{}\n")
    assert len(loud.wfrun("batch", "loud.yaml", "--inputs", "in.jsonl", "--json").json_lines("batch")) == 3


def test_a_thread_that_outlives_its_timeout_does_not_reach_it_either(loud: Shell) -> None:
    slow = "import time\n\ndef say(input):\n    for _ in range(40):\n        time.sleep(0.01)\n        print('late')\n"
    loud.write("loud.py", slow)
    loud.write(
        "loud.yaml",
        "name: loud\nservices: { loud: { adapter: python, module: loud } }\n"
        "steps: { name: say, service: loud, action: say, timeout: 50ms }\n",
    )
    done = loud.wfrun("run", "loud.yaml", "--json")
    assert done.json("run")["error"]["type"] == "timeout"
    assert "late" in done.err


@pytest.mark.parametrize("variables", [{"CI": "1"}, {}], ids=["lines", "live"])
def test_a_run_goes_on_when_its_terminal_is_gone(shell: Shell, variables: dict[str, str]) -> None:
    master, terminal = pty.openpty()
    command = shell.command("run", shell.slow("1s"), "--id", "s")
    runner = subprocess.Popen(
        command,
        cwd=shell.folder,
        env=shell.variables(TERM="xterm", **variables),
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN),
    )
    os.close(terminal)
    assert os.read(master, 100)
    os.close(master)
    assert runner.wait(timeout=20) == 0
    assert status_of(shell, "s") == "completed"


def read_all(master: int) -> str:
    text = b""
    with suppress(OSError):  # EIO is how a terminal ends
        while part := os.read(master, 4096):
            text += part
    os.close(master)
    return text.decode()


def on_a_terminal(shell: Shell, *arguments: str, **streams: int) -> tuple[str, int]:
    """What a terminal shows to which every stream goes that is not given."""
    master, terminal = pty.openpty()
    runner = subprocess.Popen(
        shell.command(*arguments),
        cwd=shell.folder,
        env=shell.variables(TERM="xterm"),
        stdin=terminal,
        stdout=streams.get("stdout", terminal),
        stderr=streams.get("stderr", terminal),
    )
    os.close(terminal)
    drawn = read_all(master)
    return drawn, runner.wait(timeout=20)


def test_on_a_terminal_what_services_print_stands_above_the_steps(loud: Shell) -> None:
    drawn, code = on_a_terminal(loud, "run", "loud.yaml", "--id", "s")
    assert code == 0
    assert all(words in drawn for words in ("printed", "written", "said by a child", "2/2 steps"))


def test_what_services_print_goes_where_standard_error_was_sent(loud: Shell) -> None:
    with (loud.folder / "err.txt").open("w") as file:
        drawn, code = on_a_terminal(loud, "run", "loud.yaml", "--id", "s", stderr=file.fileno())
    assert code == 0
    assert "printed" not in drawn
    assert (loud.folder / "err.txt").read_text().split("\n")[0] == "printed"


def test_colours_are_for_the_terminal_alone(shell: Shell) -> None:
    """Standard error on a terminal does not make a file of standard output one; nor does its bar take lines away."""
    shell.write("in.jsonl", "{}\n{}\n")
    with (shell.folder / "out.txt").open("w") as file:
        on_a_terminal(shell, "run", shell.slow(), "--id", "s", stdout=file.fileno())
        drawn, _ = on_a_terminal(shell, "batch", "slow.yaml", "--inputs", "in.jsonl", stdout=file.fileno())
    text = (shell.folder / "out.txt").read_text()
    assert "\x1b" not in text
    assert "second →" in text
    assert sorted(line.split()[1] for line in text.splitlines() if line.startswith("line ")) == ["1", "2"]
    assert "2/2" in drawn


BYTE = "$'\\xff'"


@pytest.mark.parametrize(
    "line",
    [
        f"run --set a={BYTE} slow.yaml",
        f"run o{BYTE}.yaml",
        f"status {BYTE} --json",
        f"list --workflow {BYTE}",
        f"approve x --comment {BYTE}",
        f"cancel x --reason {BYTE} --as {BYTE}",
        f"graph {BYTE}",
        f"st{BYTE}",
    ],
)
def test_arguments_that_are_no_text_are_refused(shell: Shell, line: str) -> None:
    done = shell.typed(f"wfrun {line}")
    assert done.code == 2
    assert done.err.startswith("error[usage.encoding] `")
    assert done.err.count("\n") == 2
    assert "--json" not in line or done.error()["code"] == "usage.encoding"


def test_a_login_name_that_is_no_text_is_replaced(shell: Shell) -> None:
    assert shell.typed(f"LOGNAME={BYTE} wfrun run {shell.slow()} --id s").code == 0
    assert shell.wfrun("status", "s", "--json").json("status")["initiator"] == "?"


def test_a_folder_whose_name_is_no_text(shell: Shell) -> None:
    shell.slow()
    shell.write("in.jsonl", "{}\n")
    enter = f"mkdir d{BYTE} && cp slow.yaml in.jsonl d{BYTE} && cd d{BYTE} && "
    refused = shell.typed(f"{enter} wfrun run slow.yaml --json")
    assert (refused.code, refused.error()["code"]) == (2, "usage.encoding")
    assert shell.typed(f"cd d{BYTE} && wfrun batch slow.yaml --inputs in.jsonl").code == 2
    elsewhere = shell.typed(f"cd d{BYTE} && wfrun run ../slow.yaml --id s -q && wfrun reindex && wfrun list --json")
    assert elsewhere.code == 0
    assert json.loads(elsewhere.out.partition("execution.\n")[2])["executions"][0]["execution"] == "s"
    assert r"d\udcff" in shell.typed(f"cd d{BYTE} && wfrun status nothing").err


def test_a_log_that_is_followed_ends_with_its_reader(shell: Shell) -> None:
    runner = shell.start("run", shell.slow("30s"), "--id", "s")
    try:
        while "second →" not in shell.wfrun("log", "s").out:
            time.sleep(0.05)
        done = shell.typed("wfrun log s --follow | head -n 1; exit ${PIPESTATUS[0]}")
    finally:
        runner.send_signal(signal.SIGINT)
        runner.communicate(timeout=10)
    assert (done.code, len(done.lines)) == (141, 1)

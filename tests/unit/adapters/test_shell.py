from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest

from tests.unit.adapters.support import ROOT, SECRET, a_call, alive, ask, config, pool, until
from wfrun.adapters import shell
from wfrun.adapters.registry import open_service
from wfrun.core.values import Json
from wfrun.errors import InvalidError, ServiceError


def entry(command: list[Any], **more: Any) -> dict[str, Any]:
    return {"adapter": "shell", "actions": {"go": {"command": command, **more}}}


def run(command: list[Any], input: Json = None, *, folder: Path = Path("/"), **more: Any) -> Json:
    return ask(entry(command, **more), "go", input, folder=folder)


def failure(command: list[Any], input: Json = None, *, folder: Path = Path("/"), **more: Any) -> ServiceError:
    with pytest.raises(ServiceError) as caught:
        run(command, input, folder=folder, **more)
    return caught.value


SHOW = "import sys, json; print(json.dumps(sys.argv[1:]))"


def test_standard_input_has_the_input_and_standard_output_the_result() -> None:
    assert run(["cat"], {"a": [1, "Zoë"]}) == {"a": [1, "Zoë"]}


def test_a_large_input_needs_no_reader() -> None:
    assert run(["true"], "x" * 3_000_000) is None
    assert run(["wc", "-c"], "x" * 3_000_000, output="json") == 3_000_002


def test_without_standard_input_there_is_nothing_to_read() -> None:
    assert run(["cat"], {"a": 1}, stdin="none") is None


@pytest.mark.parametrize(
    "value",
    ["a b", "$(touch pwned)", "`x`", "; rm -rf /", "'\"", "-rf", "*", "two\nlines", "${HOME}", "", "Zoë"],
)
def test_a_value_of_data_is_one_argument_as_it_is(value: str) -> None:
    command = [sys.executable, "-c", SHOW, "$.x", "<${$.x}>"]
    assert run(command, {"x": value}) == [value, f"<{value}>"]


def test_what_is_not_text_becomes_json() -> None:
    command = [sys.executable, "-c", SHOW, "$.n", "$.b", "$.o", 7]
    assert run(command, {"n": 1.5, "b": True, "o": {"b": 1, "a": None}}) == ["1.5", "true", '{"a":null,"b":1}', "7"]


def test_a_nul_character_cannot_be_an_argument() -> None:
    assert failure(["echo", "$.x"], {"x": "a\0b"}).type == "shell.argument"


def test_an_argument_that_the_input_lacks_is_an_error() -> None:
    error = failure(["echo", "$.nmae"], {"name": 1})
    assert (error.type, error.retryable) == ("expression.undefined", False)


def test_the_environment_has_the_key_and_what_the_entry_adds() -> None:
    script = 'echo "$WFRUN_IDEMPOTENCY_KEY $WFRUN_EXECUTION $WFRUN_STEP $WFRUN_ATTEMPT $REGION $WHO"; test -n "$PATH"'
    env = {"REGION": "${env.REGION}", "WHO": "$.who"}
    result = run(["sh", "-c", script], {"who": "a b"}, env=env, output="text")
    assert result == "k7m2x9qd/pay k7m2x9qd pay 1 eu-west a b"


def test_relative_paths_are_those_of_the_entry(tmp_path: Path) -> None:
    (tmp_path / "tool").write_text("#!/bin/sh\npwd\n")
    (tmp_path / "tool").chmod(0o755)
    (tmp_path / "sub").mkdir()
    assert run(["./tool"], folder=tmp_path, output="text") == str(tmp_path)
    assert run(["../tool"], folder=tmp_path, output="text", cwd="sub") == str(tmp_path / "sub")


def test_text_loses_its_last_newlines() -> None:
    assert run(["printf", " a\\nb\\n\\n"], output="text") == " a\nb"


@pytest.mark.parametrize(("command", "output"), [(["echo", "hello"], "json"), (["printf", "\\377"], "text")])
def test_output_of_another_kind_is_an_error(command: list[Any], output: str) -> None:
    assert failure(command, output=output).type == "shell.output"


def test_an_exit_code_is_an_error_with_the_end_of_standard_error() -> None:
    error = failure(["sh", "-c", "echo first >&2; echo disk full >&2; exit 3"])
    assert (error.type, error.retryable) == ("shell.exit-3", None)
    assert error.message == "sh ended with exit code 3: disk full"
    assert error.details == {"stderr": "first\ndisk full\n"}


def test_a_signal_is_an_error() -> None:
    error = failure(["sh", "-c", "kill -9 $$$$"])
    assert error.type == "shell.signal-SIGKILL"
    assert "SIGKILL" in error.message


def test_only_whole_lines_at_the_end_of_standard_error_are_kept() -> None:
    error = failure(["sh", "-c", "seq 1 20000 >&2; exit 1"])
    assert isinstance(error.details, dict)
    lines = str(error.details["stderr"]).splitlines()
    assert lines[-1] == "20000"
    assert len(lines[0]) == 5
    assert 7_000 < len(str(error.details["stderr"])) <= 8_192


def test_a_command_can_state_its_error() -> None:
    stated = {"error": {"type": "payment.declined", "message": "no funds", "retryable": False}}
    error = failure(["sh", "-c", "cat; exit 1"], stated)  # type: ignore[arg-type]
    assert (error.type, error.message, error.retryable) == ("payment.declined", "no funds", False)


@pytest.mark.parametrize("command", [["no-such-program-anywhere"], ["./missing"], ["/etc/hostname"]])
def test_a_program_that_cannot_be_started(command: list[Any]) -> None:
    error = failure(command)
    assert (error.type, error.retryable) == ("shell.start", False)


def test_a_folder_that_is_missing_is_named() -> None:
    assert "/missing-folder" in failure(["true"], cwd="/missing-folder").message


def test_output_that_is_too_large_ends_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shell, "MAX_OUTPUT", 100_000)
    assert failure(["yes"], output="text").type == "shell.too-large"


def test_a_secret_reaches_the_command_and_does_not_come_back() -> None:
    script = 'echo "token $TOKEN $1" >&2; printf %s "$TOKEN" | base64 >&2; exit 1'
    error = failure(["sh", "-c", script, "sh", "--token=${secret.TOKEN}"], env={"TOKEN": "${secret.TOKEN}"})
    assert isinstance(error.details, dict)
    stderr = str(error.details["stderr"])
    assert stderr.startswith("token *** --token=***\n***")
    assert b64encode(SECRET.encode()).decode()[:8] not in stderr
    assert run(["sh", "-c", "echo $1", "sh", "${secret.TOKEN}"], output="text") == "***"


# What is left behind ------------------------------------------------------------------------------------------------

TREE = """
    {trap}
    sleep 60 & echo $! >> pids
    (sleep 60 & echo $! >> pids; sleep 60) &
    echo $! >> pids
    echo $$$$ >> pids
    {end}
"""


def tree(*, trap: str = ":", end: str = "wait") -> dict[str, Any]:
    """A process with children and a grandchild, all of which write their numbers to a file."""
    return entry(["sh", "-c", TREE.format(trap=trap, end=end)], output="text")


def written(folder: Path) -> list[int]:
    file = folder / "pids"
    return [int(line) for line in file.read_text().split()] if file.exists() else []


async def cancel_once_it_runs(settings: dict[str, Any], folder: Path, *, again: bool = False) -> float:
    async with pool(settings, folder) as services:
        task = asyncio.create_task(services.call(a_call("go")))
        await until(lambda: len(written(folder)) == 4)
        began = time.monotonic()
        task.cancel()
        if again:
            await asyncio.sleep(0.1)
            task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return time.monotonic() - began


def assert_all_gone(folder: Path) -> None:
    pids = written(folder)
    assert len(pids) == 4
    asyncio.run(until(lambda: not any(map(alive, pids))))


def test_a_cancelled_call_leaves_no_process(tmp_path: Path) -> None:
    assert asyncio.run(cancel_once_it_runs(tree(), tmp_path)) < 1
    assert_all_gone(tmp_path)
    assert zombies() == []


def test_a_cancelled_command_can_clean_up(tmp_path: Path) -> None:
    asyncio.run(cancel_once_it_runs(tree(trap="trap 'echo bye > said; exit' TERM"), tmp_path))
    assert (tmp_path / "said").read_text() == "bye\n"


def test_a_command_that_ignores_term_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from wfrun.adapters import process

    monkeypatch.setattr(process, "GRACE", 0.3)
    seconds = asyncio.run(cancel_once_it_runs(tree(trap="trap '' TERM", end="wait; wait; wait"), tmp_path))
    assert 0.3 <= seconds < 1.5
    assert_all_gone(tmp_path)


def test_a_second_cancellation_kills_at_once(tmp_path: Path) -> None:
    settings = tree(trap="trap '' TERM", end="wait; wait; wait")
    assert asyncio.run(cancel_once_it_runs(settings, tmp_path, again=True)) < 1
    assert_all_gone(tmp_path)


def test_what_a_command_leaves_running_is_ended(tmp_path: Path) -> None:
    assert ask(tree(end="echo done"), "go", folder=tmp_path) == "done"
    assert_all_gone(tmp_path)


def zombies() -> list[str]:
    """Our own children that nobody has reaped."""
    listing = subprocess.run(["ps", "-o", "stat=,args=", "--ppid", str(os.getpid())], capture_output=True, text=True)
    return [line for line in listing.stdout.splitlines() if line.startswith("Z")]


def test_processes_of_a_killed_runner_are_killed(tmp_path: Path) -> None:
    script = f"""
        from pathlib import Path
        from tests.unit.adapters.support import ask
        ask({tree()!r}, "go", folder=Path({str(tmp_path)!r}))
    """
    runner = subprocess.Popen([sys.executable, "-c", textwrap.dedent(script)], cwd=ROOT)
    asyncio.run(until(lambda: len(written(tmp_path)) == 4))
    time.sleep(0.05)
    runner.send_signal(signal.SIGKILL)
    runner.wait()
    assert_all_gone(tmp_path)


def test_nobody_that_we_start_has_our_standard_output(tmp_path: Path) -> None:
    """Neither a command nor its children nor the guard can write between what we print."""
    look = "sleep 60 & sleep 0.2; find /proc/[0-9]*/fd -printf '%p %l\\n' > seen 2> errors; kill $!"
    script = f"""
        import os
        from pathlib import Path
        from tests.unit.adapters.support import ask
        folder = Path({str(tmp_path)!r})
        print(os.getpid(), os.readlink("/proc/self/fd/1"))
        ask({entry(["sh", "-c", look], stdin="none", output="text")!r}, "go", folder=folder)
    """
    runner = [sys.executable, "-c", textwrap.dedent(script)]
    done = subprocess.run(runner, cwd=ROOT, capture_output=True, text=True, check=True)
    pid, ours = done.stdout.split()
    holders = [line.split("/")[2] for line in (tmp_path / "seen").read_text().splitlines() if line.endswith(f" {ours}")]
    assert set(holders) - {str(os.getpid())} == {pid}


def test_the_guard_spares_what_has_ended(tmp_path: Path) -> None:
    from wfrun.adapters.guard import Guard

    processes = [subprocess.Popen(["sleep", "60"], start_new_session=True) for _ in range(3)]
    guard = Guard()
    for process in processes:
        guard.add(process.pid)
    guard.remove(processes[1].pid)
    guard.close()
    codes = [process.poll() if process is processes[1] else process.wait(5) for process in processes]
    processes[1].kill()
    processes[1].wait()
    assert codes == [-9, None, -9]


def test_many_commands_side_by_side() -> None:
    async def scenario() -> list[Any]:
        async with pool(entry(["sh", "-c", "sleep 0.3; cat"])) as services:
            return await asyncio.gather(*(services.call(a_call("go", number)) for number in range(30)))

    began = time.monotonic()
    assert asyncio.run(scenario()) == list(range(30))
    assert time.monotonic() - began < 3


def test_without_pidfd_the_end_is_noticed_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "pidfd_open")
    assert run(["cat"], [1]) == [1]
    asyncio.run(cancel_once_it_runs(tree(), tmp_path))
    assert_all_gone(tmp_path)


@pytest.mark.parametrize(
    ("action", "path"),
    [
        ("echo hi", "services.svc.actions.go"),
        ({}, "services.svc.actions.go.command"),
        ({"command": "echo hi"}, "services.svc.actions.go.command"),
        ({"command": []}, "services.svc.actions.go.command"),
        ({"command": [["echo"]]}, "services.svc.actions.go.command"),
        ({"command": ["$.program"]}, "services.svc.actions.go.command[0]"),
        ({"command": ["echo", "${ 1 +"]}, "services.svc.actions.go.command[1]"),
        ({"command": ["echo"], "stdin": "yaml"}, "services.svc.actions.go"),
        ({"command": ["echo"], "shell": True}, "services.svc.actions.go.shell"),
        ({"command": ["echo"], "env": ["A=1"]}, "services.svc.actions.go.env"),
        ({"command": ["echo"], "cwd": "$.folder"}, "services.svc.actions.go.cwd"),
    ],
)
def test_a_wrong_entry_is_refused_with_its_place(action: Any, path: str) -> None:
    with pytest.raises(InvalidError) as caught:
        open_service(config({"adapter": "shell", "actions": {"go": action}}))
    assert caught.value.place.path == path


@pytest.mark.parametrize(
    "command",
    [
        ["sh", "-c", "echo ${$.name}"],
        ["/bin/bash", "-euo", "pipefail", "-c", "$.script"],
        ["python3", "-W", "ignore", "-c", "print(${$.n})"],
        ["ssh", "host", "sh", "-lc", "echo ${$.name}"],
        ["perl", "-e", "$.code"],
    ],
)
def test_data_never_becomes_part_of_a_program(command: list[str]) -> None:
    with pytest.raises(InvalidError) as caught:
        open_service(config(entry(command)))
    assert caught.value.code == "shell.injection"


@pytest.mark.parametrize(
    "command", [["python3", "tool.py", "-e", "$.x"], ["tar", "-c", "$.file"], ["sh", "-c", "echo $1", "sh", "$.x"]]
)
def test_data_may_be_an_argument_of_a_script(command: list[str]) -> None:
    open_service(config(entry(command)))


def test_the_result_of_a_command_is_plain_json() -> None:
    assert failure(["echo", json.dumps({"a": "\ud800"})]).type == "adapter.result"

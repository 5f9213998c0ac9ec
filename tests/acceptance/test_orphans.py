"""Processes that outlived their killed runner are ended before their step is begun again (C10)."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.acceptance.conftest import Shell, Start

# Leaves its group and its parent behind, as a daemon does; TERM does not impress it. It notes its number and works on.
DAEMON = """
import json, os, signal, sys, time

def work():
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    with open("daemons", "a") as file:
        file.write(f"{os.getpid()}\\n")
    for _ in range(600):
        time.sleep(0.1)
    os._exit(0)

def alive():
    for line in open("daemons") if os.path.exists("daemons") else ():
        try:
            os.kill(int(line), 0)
            if open(f"/proc/{line.strip()}/stat").read().rpartition(")")[2].split()[0] != "Z":
                return True
        except (ProcessLookupError, FileNotFoundError):
            pass
    return False

def begin(wait):
    overlap = alive()
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            work()
        os._exit(0)
    if wait:
        time.sleep(60)
    return {"overlap": overlap}
"""
SHELL = f"""{{ adapter: shell, actions: {{ go: {{ command: [{sys.executable}, go.py, $.wait] }} }} }}"""
PYTHON = """{ adapter: python, module: daemon, isolate: true }"""

WORKFLOW = """
name: orphans
input: { wait: boolean }
services: { s: SERVICE }
steps:
  - { name: go, service: s, action: go, input: "$", output: done }
output: $.done
"""


def until(happens: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + 20
    while not (found := happens()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return found


def is_alive(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def daemons(shell: Shell) -> list[int]:
    path = shell.folder / "daemons"
    return [int(line) for line in path.read_text().splitlines()] if path.exists() else []


@pytest.mark.parametrize("service", [SHELL, PYTHON], ids=["shell", "python"])
def test_a_daemon_of_a_killed_runner_is_ended_before_its_step_is_begun_again(
    service: str, shell: Shell, start: Start
) -> None:
    _write(shell, service)
    runner = start("run", "orphans.yaml", "--set", "wait=true", "--id", "e1")
    (daemon,) = until(lambda: daemons(shell))
    runner.send_signal(signal.SIGKILL)
    runner.wait()
    time.sleep(0.3)
    assert is_alive(daemon), "it must outlive its runner, or this shows nothing"
    assert list((shell.folder / ".wfrun/running").iterdir())
    (shell.folder / "quick").touch()
    done = shell.wfrun("resume", "e1", "--json").json("resume")
    assert done["output"] == {"overlap": False}
    assert not is_alive(daemon)
    assert not list((shell.folder / ".wfrun/running").iterdir())
    # What a call that completed was there to start may stay.
    assert is_alive(daemons(shell)[-1])
    os.kill(daemons(shell)[-1], signal.SIGKILL)


@pytest.mark.parametrize("service", [SHELL, PYTHON], ids=["shell", "python"])
def test_a_call_that_takes_too_long_is_stopped_with_its_daemons(service: str, shell: Shell) -> None:
    _write(shell, service, timeout="2s")
    done = shell.wfrun("run", "orphans.yaml", "--set", "wait=true", "--id", "e1", "--json")
    assert done.json("run")["error"]["type"] == "timeout"
    assert [is_alive(each) for each in daemons(shell)] == [False]
    assert not list((shell.folder / ".wfrun/running").iterdir())


@pytest.mark.parametrize("policy", ["fail", "ask"])
def test_nobody_is_at_work_any_more_when_a_person_is_asked(policy: str, shell: Shell, start: Start) -> None:
    _write(shell, SHELL, onCrash=policy)
    runner = start("run", "orphans.yaml", "--set", "wait=true", "--id", "e1")
    (daemon,) = until(lambda: daemons(shell))
    runner.send_signal(signal.SIGKILL)
    runner.wait()
    assert shell.wfrun("resume", "e1").code == {"fail": 1, "ask": 4}[policy]
    assert not is_alive(daemon)


def _write(shell: Shell, service: str, **step: str) -> None:
    """A service that waits for a minute, unless there is a file `quick`."""
    wait = 'input["wait"] and not os.path.exists("quick")'
    shell.write("daemon.py", f"{DAEMON}\ndef go(input):\n    return begin({wait})\n")
    main = "import json, sys\nfrom daemon import go\nprint(json.dumps(go({'wait': sys.argv[1] == 'true'})))\n"
    shell.write("go.py", main)
    more = "".join(f", {key}: {value}" for key, value in step.items())
    shell.write(
        "orphans.yaml", WORKFLOW.replace("SERVICE", service).replace("output: done }", f"output: done{more} }}")
    )

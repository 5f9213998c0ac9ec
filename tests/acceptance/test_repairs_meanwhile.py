"""What is typed while a repair undoes something, by its process or after that was killed."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

from tests.acceptance.test_unknown import until

if TYPE_CHECKING:
    from tests.acceptance.conftest import Shell, Start

UNDOING = """
name: undoing
services:
  m: { adapter: mock, record: calls.jsonl, default: { result: 1 }, actions: { slow: { delay: 1m } } }
steps:
  - { name: x, service: m, action: x, compensate: { service: m, action: undo-x } }
  - { name: y, service: m, action: y, compensate: { service: m, action: undo-y } }
  - { name: z, service: m, action: z, compensate: { service: m, action: slow } }
"""


def status(shell: Shell, id: str) -> str:
    return str(shell.wfrun("status", id, "--json").json("status")["status"])


@pytest.mark.parametrize("command", [("compensate", "u1", "--to", "x"), ("rewind", "u1", "x")])
def test_what_is_cancelled_while_a_repair_undoes_something_is_cancelled(
    shell: Shell, start: Start, command: tuple[str, ...]
) -> None:
    shell.write("undoing.yaml", UNDOING)
    shell.wfrun("run", "undoing.yaml", "--id", "u1")
    process = start(*command)
    until(lambda: "slow" in (shell.folder / "calls.jsonl").read_text())
    process.send_signal(signal.SIGKILL)
    process.wait()
    shell.write("quick.yaml", "m: { adapter: mock }")
    done = shell.wfrun("cancel", "u1", "--services", "quick.yaml")
    assert (done.code, status(shell, "u1")) == (0, "cancelled")
    assert shell.wfrun("cancel", "u1").code == 2
    assert shell.wfrun("audit", "prove", "u1").code == 0


def test_whoever_drives_the_repair_hears_it(shell: Shell, start: Start) -> None:
    shell.write("undoing.yaml", UNDOING.replace("1m", "2s"))
    shell.wfrun("run", "undoing.yaml", "--id", "u1")
    process = start("compensate", "u1", "--to", "x")
    until(lambda: "slow" in (shell.folder / "calls.jsonl").read_text())
    assert shell.wfrun("cancel", "u1").code == 0
    assert process.wait(timeout=20) == 7
    assert status(shell, "u1") == "cancelled"

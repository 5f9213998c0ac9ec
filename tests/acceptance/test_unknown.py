"""A call whose runner died, and everything that can be typed about it."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.acceptance.conftest import Shell, Start

PAYOUT = """
name: payout
services:
  bank: { adapter: mock, record: calls.jsonl, default: { result: {} }, actions: { pay: { delay: 1m } } }
steps:
  - name: pay
    service: bank
    action: pay
    output: paid
    onCrash: ask
    compensate: { service: bank, action: refund }
  - { name: note, service: bank, action: note, input: $.paid }
output: $.paid
"""


def begun(shell: Shell) -> list[str]:
    """The actions that the bank was asked for."""
    path = shell.folder / "calls.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    return [line["action"] for line in lines if line["phase"] == "begin"]


def until(happens: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not happens():
        assert time.monotonic() < deadline
        time.sleep(0.05)


HELD = "{ name: hold, service: bank, action: hold, compensate: { service: bank, action: release } }"


@pytest.fixture
def lost(shell: Shell, start: Start) -> Shell:
    """An execution whose runner was killed while it paid, and that somebody has taken over."""
    shell.write("payout.yaml", PAYOUT)
    process = start("run", "payout.yaml", "--id", "p1")
    until(lambda: len(begun(shell)) == 1)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert shell.wfrun("resume", "p1").code == 4
    return shell


def test_a_cancellation_waits_for_a_word_about_its_undoing(shell: Shell, start: Start) -> None:
    slow = PAYOUT.replace("pay: { delay: 1m }", "refund: { delay: 1m }").replace(
        "action: refund }", "action: refund, onCrash: ask }"
    )
    slow = slow.replace("service: bank, action: note, input: $.paid", "type: wait, for: 1h")
    shell.write("payout.yaml", slow.replace("steps:\n", f"steps:\n  - {HELD}\n"))
    shell.wfrun("run", "payout.yaml", "--id", "p1")
    process = start("cancel", "p1")
    until(lambda: begun(shell) == ["hold", "pay", "refund"])
    process.send_signal(signal.SIGKILL)
    process.wait()
    done = shell.wfrun("resume", "p1", "--json")
    assert (done.code, done.json("resume")["status"]) == (4, "waiting")
    assert shell.wfrun("status", "p1", "--json").json("status")["status"] == "waiting"
    looked = shell.wfrun("set-output", "p1", "compensate:pay", "null", "--dry-run", "--json").json("set-output")
    assert (looked["step"], looked["values"], looked["undo"]) == ("compensate:pay", [None], ["hold"])
    assert shell.wfrun("set-output", "p1", "compensate:pay", "null").code == 7
    assert begun(shell) == ["hold", "pay", "refund", "release"]


def test_everybody_can_see_it(lost: Shell) -> None:
    view = lost.wfrun("status", "p1", "--json").json("status")
    (call,) = view["unknown"]
    assert view["status"] == "waiting"
    assert (call["step"], call["attempt"], call["key"]) == ("pay", 1, "p1/pay")
    text = lost.wfrun("status", "p1").out
    assert "pay: begun at" in text
    assert "wfrun retry-now p1 pay" in text
    assert "p1" in lost.wfrun("list", "--status", "waiting").out
    assert lost.wfrun("list", "--json").json("list")["executions"][0]["unknown"] == ["pay"]
    assert "wfrun status p1" in lost.wfrun("tasks").out
    assert [row["execution"] for row in lost.wfrun("tasks", "--json").json("tasks")["unknown"]] == ["p1"]
    assert "somebody is to say" in lost.wfrun("log", "p1").out
    assert [each["what"] for each in lost.wfrun("explain", "p1", "pay", "--json").json("explain")["reasons"]][
        -1
    ] == "unknown"


@pytest.mark.parametrize("command", [("set-output", "p1", "pay", "7"), ("skip", "p1", "pay", "--output", "7")])
def test_looking_first_at_what_becomes_of_a_word(lost: Shell, command: tuple[str, ...]) -> None:
    looked = lost.wfrun(*command, "--dry-run")
    assert looked.lines == [
        f"p1: {command[0]} pay (nothing has been written)",
        "",
        "Would be recorded  output 7",
        "It would go on from where it stopped.",
    ]
    preview = lost.wfrun(*command, "--dry-run", "--json").json(command[0])
    assert (preview["setAside"], preview["undo"], preview["values"]) == ([], [], [7])
    assert [call["step"] for call in lost.wfrun("status", "p1", "--json").json("status")["unknown"]] == ["pay"]


def test_it_happened(lost: Shell) -> None:
    done = lost.wfrun("set-output", "p1", "pay", '{"id": "T-9"}', "--as", "kim", "--reason", "it is on the statement")
    assert done.code == 0
    assert done.lines[0] == "p1: set-output pay: recording what the lost call has given; going on"
    assert '"id": "T-9"' in done.out
    (repair,) = lost.wfrun("status", "p1", "--json").json("status")["repairs"]
    assert (repair["action"], repair["step"], repair["by"], repair["done"]) == ("set-output", "pay", "kim", True)
    assert "says kim: it is on the statement" in lost.wfrun("log", "p1").out
    late = lost.wfrun("fail", "p1", "pay", "--as", "lee")
    assert late.code == 2


def test_nobody_knows(lost: Shell) -> None:
    done = lost.wfrun("fail", "p1", "pay", "--as", "kim", "--json")
    assert done.code == 5
    assert done.json("fail")["error"]["type"] == "crash.unknown-outcome"
    assert begun(lost) == ["pay", "refund"]


def test_called_again_while_it_is_driven(lost: Shell, start: Start) -> None:
    """Whoever waits for the word goes on at once; the second to speak is told so."""
    waiting = start("resume", "p1", "--wait")
    until(lambda: lost.wfrun("log", "p1").out.count("driven by process") == 3)
    assert lost.wfrun("retry-now", "p1", "pay", "--as", "kim").code == 0
    until(lambda: begun(lost) == ["pay", "pay"])
    refused = lost.wfrun("fail", "p1", "pay", "--as", "lee")
    assert refused.code == 2
    assert "kim said at" in refused.err
    waiting.send_signal(signal.SIGKILL)
    waiting.wait()


def test_a_repair_of_another_step_does_not_call_it_again(shell: Shell, start: Start) -> None:
    shell.write("payout.yaml", PAYOUT.replace("steps:\n", f"steps:\n  - {HELD}\n"))
    process = start("run", "payout.yaml", "--id", "p1")
    until(lambda: begun(shell) == ["hold", "pay"])
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert shell.wfrun("rewind", "p1", "hold", "--keep").code == 2
    assert shell.wfrun("resume", "p1").code == 4
    refused = shell.wfrun("rewind", "p1", "hold", "--keep")
    assert refused.code == 2
    assert "repair.unknown-call" in refused.err
    assert "`retry-now pay`" in refused.err
    assert shell.wfrun("rewind", "p1", "hold", "--dry-run").code == 0
    assert begun(shell) == ["hold", "pay"]
    assert shell.wfrun("set-output", "p1", "pay", "7").code == 0
    assert shell.wfrun("audit", "prove", "p1").code == 0


def test_a_repair_waits_for_a_word_about_its_undoing(shell: Shell, start: Start) -> None:
    undoing = PAYOUT.replace("pay: { delay: 1m }", "refund: { delay: 1m }").replace(
        "action: refund }", "action: refund, onCrash: ask }"
    )
    shell.write("payout.yaml", undoing.replace("steps:\n", f"steps:\n  - {HELD}\n"))
    assert shell.wfrun("run", "payout.yaml", "--id", "p1").code == 0
    process = start("rewind", "p1", "hold")
    until(lambda: begun(shell)[-1] == "refund")
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert shell.wfrun("resume", "p1").code == 4
    assert shell.wfrun("status", "p1", "--json").json("status")["status"] == "waiting"
    rows = shell.wfrun("list", "--where", "status == waiting", "--json").json("list")["executions"]
    assert [row["execution"] for row in rows] == ["p1"]
    assert shell.wfrun("set-output", "p1", "compensate:pay", "null").code == 0
    assert begun(shell).count("refund") == 1
    assert begun(shell)[-2:] == ["pay", "note"]
    assert shell.wfrun("audit", "prove", "p1").code == 0


@pytest.mark.parametrize("asked", [False, True], ids=["rewound", "and cancelled"])
def test_a_repair_waits_for_a_word_about_the_undoing_of_its_child(shell: Shell, start: Start, *, asked: bool) -> None:
    slow = PAYOUT.replace("pay: { delay: 1m }", "refund: { delay: 1m }")
    shell.write("payout.yaml", slow.replace("action: refund }", "action: refund, onCrash: ask }"))
    shell.write("whole.yaml", "name: whole\nsteps:\n  - { name: kid, type: workflow, workflow: ./payout.yaml }\n")
    assert shell.wfrun("run", "whole.yaml", "--id", "w1").code == 0
    process = start("rewind", "w1", "kid")
    until(lambda: begun(shell)[-1] == "refund")
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not asked or shell.wfrun("cancel", "w1").code == 4
    done = shell.wfrun("resume", "w1", "--json")
    assert (done.code, done.json("resume")["status"]) == (4, "waiting")
    (row,) = shell.wfrun("list", "--where", "parent == null", "--json").json("list")["executions"]
    assert (row["execution"], row["status"], row["children"]) == ("w1", "waiting", ["w1.kid"])
    assert shell.wfrun("set-output", "w1.kid", "compensate:pay", "null").code == (7 if asked else 0)
    assert begun(shell) == ["pay", "note", "refund", *([] if asked else ["pay", "note"])]
    assert shell.wfrun("audit", "prove", "w1").code == 0

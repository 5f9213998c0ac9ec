"""Whatever people type about an execution, in any order, and whichever of it is killed with SIGKILL: nothing is lost,
nothing is done under a key that was undone, what happened can be proved, and it can always be brought to an end.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.support.ledger import Ledger, Noted
from tests.support.shell import ROOT
from tests.support.tally import Tally, seed, size
from tests.support.zygote import Ended, Zygote

UNDO = "compensate: { service: s, action: note, input: undo }"
CHILD = f"""
name: child
services: {{ s: {{ adapter: python, module: ledger }} }}
steps:
  - {{ name: pack, service: s, action: note, {UNDO} }}
  - {{ name: label, service: s, action: slow, {UNDO} }}
"""
PARENT = f"""
name: trip
services: {{ s: {{ adapter: python, module: ledger }} }}
errorHandling: {{ onFailure: pause }}
steps:
  - {{ name: a, service: s, action: note, input: 1, output: a, {UNDO} }}
  - type: parallel
    steps:
      - {{ name: b, service: s, action: slow, {UNDO} }}
      - {{ name: refused, service: s, action: refuse, input: 1, output: refused, {UNDO} }}
  - type: foreach
    items: [1, 2, 3]
    concurrency: 2
    steps: {{ name: each, service: s, action: note, input: $.item, {UNDO} }}
  - {{ name: kid, type: workflow, workflow: child }}
  - name: doubt
    service: s
    action: late
    input: $.a.noted
    retry: {{ policy: fixed, maxRetries: 1, initialDelay: 60ms }}
    {UNDO}
  - {{ name: ask, type: human-task, assignee: bob }}
  - {{ name: last, service: s, action: note, {UNDO} }}
"""
# What nobody knows the end of is asked with something else.
OTHER = PARENT.replace("input: $.a.noted", "input: 4")
ACTION = PARENT.replace("action: late", "action: later")
# Nobody waits for its next attempt.
HOURLY = PARENT.replace("initialDelay: 60ms", "initialDelay: 1h, maxDelay: 1h").replace(
    "action: refuse", "action: note"
)
STEPS = ("a", "b", "refused", "each@0", "each@2", "kid", "doubt", "ask", "last")
LONGEST_S = 0.12
OVER = ("completed", "failed", "compensated", "cancelled", "partly-compensated")
# What leaves effects where they are, on purpose.
LEAVING = ("--keep",)


def anything(chance: random.Random, id: str) -> list[str]:
    step = chance.choice(STEPS)
    return chance.choice(
        [
            ["resume", id],
            ["skip", id, chance.choice(["refused", step])],
            ["resume", id, "--with", chance.choice(["other.yaml", "action.yaml"])],
            ["set-output", id, "refused", "1"],
            ["set-output", id, "a", json.dumps({"noted": chance.randrange(1, 4)})],
            ["set-output", id, "doubt", "1"],
            ["set-input", id, chance.choice(["refused", "doubt", step]), str(chance.randrange(3))],
            ["rewind", id, step],
            ["rewind", id, step, "--keep"],
            ["compensate", id],
            ["compensate", id, "--to", step],
            ["cancel", id],
            ["approve", f"{id}/ask", "--as", "bob"],
            ["reject", f"{id}/ask", "--as", "bob"],
            ["retry-now", id],
        ]
    )


def onward(view: Any) -> list[str]:
    """What somebody types who wants to see the end of it."""
    id = view["execution"]
    if view["status"] == "waiting":
        return ["approve", f"{id}/ask", "--as", "bob"]
    if view["status"] == "paused":
        return ["compensate", id]
    return ["resume", id]


def undone_and_done_again(calls: Iterable[Noted]) -> list[str]:
    """Keys that were called although what they had done was undone before."""
    undone: set[str] = set()
    found = []
    for call in calls:
        execution, _, step = call.key.partition("/")
        if step.startswith("compensate:"):
            undone.add(f"{execution}/{step.removeprefix('compensate:')}")
        elif call.key in undone:
            found.append(call.key)
    return found


def left_of(calls: Sequence[Noted]) -> list[str]:
    """Keys under which something was done that nobody has undone."""
    keys = {call.key for call in calls}
    done = [key for key in keys if "/compensate:" not in key]
    return sorted(key for key in done if key.replace("/", "/compensate:", 1) not in keys)


@pytest.fixture
def ledger() -> Iterator[Ledger]:
    with Ledger() as ledger:
        yield ledger


@pytest.fixture
def world(tmp_path: Path, ledger: Ledger) -> Iterator[Zygote]:
    for name, text in (
        ("ledger.py", ledger.module),
        ("child.yaml", CHILD),
        ("trip.yaml", PARENT),
        ("other.yaml", OTHER),
        ("action.yaml", ACTION),
        ("hourly.yaml", HOURLY),
    ):
        (tmp_path / name).write_text(text)
    with Zygote(tmp_path, {"WFRUN_HOME": str(tmp_path / "home"), "PYTHONPATH": str(ROOT)}) as zygote:
        yield zygote


def typed(world: Zygote, line: list[str], kill_after: float | None = None) -> Ended:
    ended = world.run(*line, kill_after=kill_after)
    assert ended.code in (0, 1, 2, 3, 4, 5, 6, 7, -9), (line, ended)
    assert "Traceback" not in ended.output, ended.output
    return ended


def status(world: Zygote, id: str) -> Any:
    for look in (["audit", "verify", id], ["audit", "prove", id], ["explain", id]):
        assert typed(world, look).code == 0
    return json.loads(typed(world, ["status", id, "--json"]).output)


@pytest.mark.slow
def test_whatever_is_typed(world: Zygote, ledger: Ledger, tally: Tally) -> None:
    chance = random.Random(seed())
    for number in range(size(12, 300)):
        id = f"e{number}"
        typed(world, ["run", "trip.yaml", "--id", id, "--quiet"])
        lines = []
        for _ in range(chance.randrange(1, 7)):
            lines.append(anything(chance, id))
            killed = chance.uniform(0, LONGEST_S) if chance.random() < 0.4 else None
            tally.add("F1", typed(world, lines[-1], killed).code == -9)
            status(world, id)
        view = brought_to_an_end(world, id, lines)
        own = [call for call in ledger.calls() if re.match(rf"{id}[./]", call.key)]
        assert undone_and_done_again(own) == [], lines
        if view["status"] in ("compensated", "cancelled") and not any(
            word in line for line in lines for word in LEAVING
        ):
            assert left_of(own) == [], lines


@pytest.mark.slow
@pytest.mark.parametrize(
    "line",
    [
        "skip e doubt",
        "set-input e doubt 2",
        'set-output e a {"noted":2}',
        "rewind e doubt",
        "compensate e --to kid",
        "resume e --with other.yaml",
        "resume e --with action.yaml",
        "cancel e",
    ],
)
def test_what_waits_for_its_next_attempt_when_its_runner_is_killed(world: Zygote, ledger: Ledger, line: str) -> None:
    typed(world, ["run", "hourly.yaml", "--id", "e", "--quiet"], 0.4)
    while "doubt tries again" not in typed(world, ["log", "e", "--json"]).output:
        typed(world, ["resume", "e", "--quiet"], 0.4)
    typed(world, line.split(), 2)
    view = status(world, "e")
    if view["status"] not in OVER:
        typed(world, ["compensate" if view["status"] in ("paused", "completed") else "cancel", "e"])
    assert brought_to_an_end(world, "e", [line.split()])["status"] in ("compensated", "cancelled")
    assert (left_of(ledger.calls()), undone_and_done_again(ledger.calls())) == ([], [])


def brought_to_an_end(world: Zygote, id: str, lines: list[list[str]]) -> Any:
    for _ in range(8):
        view = status(world, id)
        if view["status"] in OVER:
            return view
        ended = typed(world, onward(view))
        assert ended.code != 2, (lines, ended)
    pytest.fail(f"it is {view['status']} for ever: {lines} {ended}")


@pytest.mark.parametrize(
    ("keys", "again", "left"),
    [
        (["e/a", "e/compensate:a"], [], []),
        (["e/a", "e/compensate:a", "e/a~2"], [], ["e/a~2"]),
        (["e/a", "e/compensate:a", "e/a"], ["e/a"], []),
        (["e/a", "e/b", "e/compensate:b"], [], ["e/a"]),
        (["e/a~2", "e/compensate:a~2", "e.kid/a"], [], ["e.kid/a"]),
    ],
)
def test_the_judge(keys: list[str], again: list[str], left: list[str]) -> None:
    """The positive control."""
    calls = [Noted(0.0, key, None) for key in keys]
    assert (undone_and_done_again(calls), left_of(calls)) == (again, left)

"""A workflow with a bit of everything is killed with SIGKILL at random moments, and ends as if it had not been.

The ledger of its service is the judge: each key has its effect once, what was undone was undone once, and no step that
had completed is called again, in the child execution neither.
"""

from __future__ import annotations

import json
import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.fault.test_kill_order import _no_completed_step_ran_again
from tests.support.shell import ROOT
from tests.support.tally import Tally, seed, size
from tests.support.zygote import Zygote
from wfrun.journal.home import Home
from wfrun.journal.journal import Journal

LONGEST_S = 0.25

SERVICE = """
import sqlite3, time

def note(input, call):
    with sqlite3.connect("ledger.sqlite", timeout=30) as db:
        db.execute("CREATE TABLE IF NOT EXISTS effects (key TEXT PRIMARY KEY, input TEXT)")
        db.execute("INSERT OR IGNORE INTO effects VALUES (?, ?)", (call.idempotency_key, str(input)))
    return {"noted": input}

def slow(input, call):
    time.sleep(0.1)
    return note(input, call)

def flaky(input, call):
    if call.attempt < 3:
        raise TimeoutError("not yet")
    return note(input, call)

def refuse(input, call):
    raise ValueError("never")
"""

CHILD = """
name: child
input: { n: integer }
services: { s: { adapter: python, module: ledger } }
steps:
  - { name: pack, service: s, action: note, input: $.n, compensate: { service: s, action: note, input: unpack } }
  - { name: dry, type: wait, for: 30ms }
  - { name: label, service: s, action: note, input: label }
output: { packed: $.n }
"""

PARENT = """
name: everything
input: { fail: boolean }
services: { s: { adapter: python, module: ledger } }
steps:
  - type: foreach
    items: "${range(6)}"
    concurrency: 3
    output: reserved
    steps:
      - { name: reserve, service: s, action: note, input: $.item, output: r, compensate: { service: s, action: note } }
      - { name: check, service: s, action: note, input: $.index }
  - { name: ship, type: workflow, workflow: child, input: { n: 7 }, output: shipped }
  - type: parallel
    complete: any
    steps:
      - { name: fast, service: s, action: note, input: fast, output: quick }
      - { name: slow, service: s, action: slow, input: slow, output: tardy, compensate: { service: s, action: note } }
  - type: repeat
    until: $.index == 2
    maxIterations: 5
    delay: 10ms
    output: polled
    steps: { name: poll, service: s, action: note, input: $.index, output: answer }
  - { name: tell, type: emit, event: told, data: { n: 1 } }
  - { name: hear, type: wait, event: told, output: heard }
  - name: flaky
    service: s
    action: flaky
    retry: { policy: fixed, maxRetries: 3, initialDelay: 20ms }
    output: third
  - type: try
    steps: { name: refused, service: s, action: refuse }
    catch: [{ error: "python.*", steps: { name: handled, service: s, action: note, input: handled } }]
  - { name: last, service: s, action: refuse, condition: $.fail }
output: { reserved: $.reserved, shipped: $.shipped, polled: $.polled, heard: $.heard.data, third: $.third }
"""


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Zygote]:
    for name, text in (("ledger.py", SERVICE), ("child.yaml", CHILD), ("everything.yaml", PARENT)):
        (tmp_path / name).write_text(text)
    with Zygote(tmp_path, {"WFRUN_HOME": str(tmp_path / "home"), "PYTHONPATH": str(ROOT)}) as zygote:
        yield zygote


@pytest.mark.slow
@pytest.mark.parametrize("fail", [False, True])
def test_it_ends_as_if_it_had_not_been_killed(fail: bool, world: Zygote, tmp_path: Path, tally: Tally) -> None:
    chance = random.Random(seed())
    home = Home(tmp_path / "home")
    start = ["run", "everything.yaml", "--set", f"fail={json.dumps(fail)}"]
    assert world.run(*start, "--id", "whole").code == (5 if fail else 0)
    whole, expected = _effects(tmp_path, "whole"), _ending(home, "whole")
    kills, tallied, number = 0, 0, 0
    while kills < size(60, 1_000):
        id = f"x{number}"
        number += 1
        kills += _to_the_end(world, [*start, "--id", id], id, chance)
        assert _ending(home, id) == expected
        # Whether the slower branch of the race had its effect before it was stopped is a matter of timing.
        assert _effects(tmp_path, id) - _RACE == whole - _RACE
        tally.add("F1", kills - tallied)
        tallied = kills
        for execution in (id, f"{id}.ship"):
            _no_completed_step_ran_again(home, execution)


_RACE = {"slow", "compensate:slow"}


def _to_the_end(world: Zygote, start: list[str], id: str, chance: random.Random) -> int:
    kills = 0
    ended = world.run(*start, kill_after=chance.uniform(0, LONGEST_S))
    while ended.code == -9:
        kills += 1
        again = chance.uniform(0, LONGEST_S) if chance.random() < 0.5 else None
        ended = world.run("resume", id, kill_after=again)
        if ended.code == 2 and "no execution" in ended.output:
            ended = world.run(*start, kill_after=again)
    assert ended.code in (0, 5), ended.output
    return kills


def _effects(folder: Path, id: str) -> set[str]:
    """What the service has noted for an execution and its child: the keys, without the execution."""
    with closing(sqlite3.connect(folder / "ledger.sqlite")) as db:
        keys = [key for (key,) in db.execute("SELECT key FROM effects")]
    return {step for execution, _, step in (key.partition("/") for key in keys) if execution in (id, f"{id}.ship")}


def _ending(home: Home, id: str) -> Any:
    (ended,) = [record for record in Journal.read(home, id) if record["type"] == "execution.ended"]
    error = ended.get("error", {})
    return ended["status"], ended.get("output"), error.get("type"), error.get("step")

"""Turns of an execution: what is written down before it is done, and only once."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.support.world import EPOCH, World, call, plan_of
from wfrun.core import unknown
from wfrun.core.events import Event, Record
from wfrun.core.instants import format_instant
from wfrun.core.run import Run
from wfrun.engines.turns import Turns


class Journal:
    """What a runner finds, and what it adds in its turns."""

    def __init__(self, world: World) -> None:
        self.run = Run(world.plan)
        self.records = list(world.records)
        self.turns = Turns(self.run, self.add, lambda: EPOCH)
        self.turns.fold_history(self.records)

    def add(self, event: Event) -> Record:
        at = format_instant(EPOCH + timedelta(seconds=len(self.records)))
        self.records.append({**event, "seq": len(self.records) + 1, "at": at, "prev": ""})
        return self.records[-1]


def asked() -> World:
    """The runner that called was killed, and another one has asked what became of that."""
    world = World(plan_of(call("pay", onCrash="ask")))
    return World.resumed(world, world.records, None)


@pytest.mark.parametrize("others", ["before it looked", "since it looked"])
def test_a_word_has_a_call_made_once(others: str) -> None:
    world = asked()
    word = unknown.call_again(world.run, "pay", "kim")
    if others == "before it looked":
        world.records.append({**word, "seq": len(world.records) + 1, "at": format_instant(EPOCH), "prev": ""})
    found = Journal(world)
    found.turns.learn({"type": "driver.started", "epoch": 2, "host": "h", "pid": 1, "wfrun": "0"})
    if others == "since it looked":
        found.turns.fold([found.add(word)])
    assert [intent.event["type"] for intent in found.turns.take() if intent.event is not None] == ["step.started"]
    assert found.turns.take() == []


def test_whoever_cancels_before_a_repair_has_its_first_turn_is_heard() -> None:
    world = World(plan_of(call("a", compensate={"service": "svc", "action": "undo"}), call("b"))).finish()
    found = Journal(world)
    found.turns.learn({"type": "driver.started", "epoch": 1, "host": "h", "pid": 1, "wfrun": "0"})
    found.turns.learn(world.propose("compensate", step="a").request("kim"))
    found.turns.fold([found.add({"type": "cancel.requested", "by": "lee", "reason": ""})])
    told = [intent.event for intent in found.turns.take() if intent.event is not None]
    assert told[0].get("cancelled") is True
    assert [each["type"] for each in told] == ["execution.repaired", "compensation.started", "step.started"]

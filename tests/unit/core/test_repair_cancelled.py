"""Whoever cancels while a repair undoes something is heard, whatever the repair was for."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.world import World, call, plan_of
from tests.unit.core.test_repair import PAUSE, assert_folds_again
from tests.unit.core.test_steps_crews import UNDO
from wfrun.core.events import Repair
from wfrun.core.plan import Plan
from wfrun.core.run import Run
from wfrun.errors import ServiceError

CANCEL: dict[str, Any] = {"type": "cancel.requested", "by": "joe", "reason": ""}


def plan(last: int = 1) -> Plan:
    first = (call(name, output=name, compensate=UNDO) for name in "ab")
    return plan_of(*first, call("c", input={"b": "$.b", "n": last}, compensate=UNDO), errorHandling=PAUSE)


WISHES: dict[str, dict[str, Any]] = {
    "skip": {"action": "skip", "step": "c"},
    "set-output": {"action": "set-output", "step": "b", "value": 2},
    "set-input": {"action": "set-input", "step": "a", "value": 2},
    "set-input of what failed": {"action": "set-input", "step": "c", "value": 2},
    "rewind": {"action": "rewind", "step": "a"},
    "compensate": {"action": "compensate", "step": "a"},
    "replace": {"action": "replace", "replacement": plan(2)},
}


def paused() -> World:
    """Nobody knows whether `c` has happened: every repair but a mere `resume` undoes that."""

    def lost(step: str, attempt: int, value: Any) -> Any:
        if step == "c" and attempt == 1:
            raise ServiceError("timeout", "no answer")
        return {"of": step}

    return World(plan(), script=lost)


@pytest.mark.parametrize("wish", WISHES.values(), ids=WISHES)
def test_it_ends_as_cancelled_with_everything_undone(wish: dict[str, Any]) -> None:
    moments = 0
    while not (world := _repairing(wish, moments)).of_type("execution.repaired"):
        world.add(CANCEL)
        assert world.finish().status == "cancelled"
        assert not world.run.interpreter.undos
        assert_folds_again(world)
        moments += 1
    assert moments


def _repairing(wish: dict[str, Any], moments: int) -> World:
    world = paused().finish().repair(**wish)
    for _ in range(moments):
        world.step()
    return world


@pytest.mark.parametrize("action", ["rewind", "resume"])
def test_so_it_is_if_the_repair_keeps_what_is_done(action: Repair) -> None:
    kept = {"step": "a", "keep": True} if action == "rewind" else {}
    world = paused().finish().repair(action, **kept)
    world.add(CANCEL)
    assert world.finish().status == "cancelled"
    assert not world.run.interpreter.undos


@pytest.mark.parametrize("action", ["skip", "compensate"])
def test_so_it_is_if_all_was_undone_and_that_was_not_written_down_yet(action: Repair) -> None:
    world = paused().finish().repair(action, step="c" if action == "skip" else "a").finish()
    done = _repaired(world)
    told: Any = {**CANCEL, "seq": done, "at": world.records[done]["at"], "prev": ""}
    after = World.resumed(world, [*world.records[:done], told], None).finish()
    assert after.status == "cancelled"


def test_the_repair_says_that_it_was_cancelled_meanwhile() -> None:
    world = paused().finish().repair("compensate", step="a")
    world.add(CANCEL)
    (repaired,) = world.finish().of_type("execution.repaired")
    assert repaired["cancelled"] is True
    assert len(world.of_type("execution.paused")) == 1
    assert world.of_type("compensation.started")[-1]["reason"] == "cancel"


def test_a_journal_of_a_version_that_did_not_hear_it_comes_to_what_it_came_to() -> None:
    """It was paused, heard no further cancellation either, and went on."""
    world = paused().finish().repair("compensate", step="a")
    world.add(CANCEL)
    world.finish()
    old = World.resumed(world, world.records[: _repaired(world)], None)
    del old.records[_repaired(world) :]
    old.run = Run(world.plan)
    for record in old.records:
        old.run.apply(record)
    old.add({"type": "execution.repaired", "request": world.of_type("repair.requested")[0]["seq"]})
    old.add(CANCEL)
    assert old.run.is_paused
    assert old.repair("resume").finish().status == "completed"


def _repaired(world: World) -> int:
    return next(seq for seq, record in enumerate(world.records) if record["type"] == "execution.repaired")

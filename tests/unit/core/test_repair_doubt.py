"""Calls that may have had an effect when somebody repairs their execution: it is undone, or asked for once more as it
was, and never forgotten.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.world import World, call, plan_of
from tests.unit.core.test_repair import PAUSE, Services, assert_folds_again, keys, paused, since
from tests.unit.core.test_repair_replace import new
from tests.unit.core.test_steps_crews import UNDO, foreach, parallel
from wfrun.core.plan import Plan
from wfrun.core.repair_history import COMPENSATE

HOURLY = {"policy": "fixed", "maxRetries": 3, "initialDelay": "1h", "maxDelay": "1h"}
X, Z = call("x", output="x", compensate=UNDO), call("z", compensate=UNDO)
PAY = call("pay", compensate=UNDO, retry=HOURLY, input="$.x")
SLOW = call("slow", compensate=UNDO)


def waiting(*steps: Any, type: str = "timeout", **more: Any) -> World:
    """One whose call of `pay` has timed out, and waits for its next attempt, which would be answered."""
    services = Services("pay", "pay@1", type=type)
    world = World(plan_of(*steps, **more), script=services)
    while not any(record["type"] == "timer.started" for record in world.records):
        assert world.step()
    services.repaired()
    return world


def in_force(world: World) -> World:
    """Until what is to be undone first has been."""
    while world.run.repairing is not None:
        assert world.step()
    return world


def undo_all(world: World) -> World:
    """Undo what is done by now, however far it has come."""
    if world.run.ended is None and not world.run.is_paused:
        world.add({"type": "cancel.requested", "by": "ann", "reason": ""})
    elif world.status in ("open", "completed"):
        world.add({"type": "compensation.requested", "by": "ann", "reason": ""})
    return world.finish()


def left(world: World) -> list[str]:
    """Keys under which something was asked for that nobody has taken back."""
    asked = {record["key"] for record in world.of_type("step.started")}
    done = {key for key in asked if COMPENSATE not in key}
    return sorted(key for key in done if key.replace("/", f"/{COMPENSATE}", 1) not in asked)


def undone_in_vain(world: World) -> list[str]:
    """What was undone although nothing was asked for under its key, or more than once."""
    done = {record["key"] for record in world.of_type("step.started")}
    undone = [key for key in keys_of_compensations(world)]
    return sorted(key for key in undone if key.replace(COMPENSATE, "") not in done or undone.count(key) > 1)


def keys_of_compensations(world: World) -> list[str]:
    return [record["key"] for record in world.of_type("step.started") if record["step"].startswith(COMPENSATE)]


PLACES = {
    "one after the other": [X, PAY, Z],
    "branch": [X, parallel(PAY, Z)],
    "loop": [X, foreach([0, 1], {**PAY, "input": "$.x"}), Z],
    "try": [X, {"type": "try", "steps": PAY, "catch": [{"error": "boom", "steps": Z}], "finally": call("last")}],
    "block": [X, {"type": "sequential", "name": "block", "steps": [PAY, Z], "timeout": "2h"}],
}
REPAIRS: dict[str, list[tuple[str, dict[str, Any]]]] = {
    "skip": [("skip", {"step": "pay"})],
    "set-output": [("set-output", {"step": "pay", "value": 1})],
    "set-input": [("set-input", {"step": "pay", "value": {"amount": 90}})],
    "what it reads": [("set-output", {"step": "x", "value": 7})],
    "what comes before it": [("set-input", {"step": "x", "value": 7})],
    "rewind": [("rewind", {"step": "pay"})],
    "rewind before it": [("rewind", {"step": "x"})],
    "rewind twice, and keep": [("rewind", {"step": "pay", "keep": True}), ("skip", {"step": "pay"})],
    "keep, then hold": [("rewind", {"step": "pay", "keep": True}), ("compensate", {"step": "x"})],
    "hold": [("compensate", {"step": "x"})],
    "hold and go on": [("compensate", {"step": "x"}), ("resume", {})],
    "hold and skip": [("compensate", {"step": "x"}), ("rewind", {"step": "x"})],
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("repairs", REPAIRS)
@pytest.mark.parametrize("steps", [0, 1, 100])
def test_what_waits_for_its_next_attempt_is_not_forgotten(place: str, repairs: str, steps: int) -> None:
    world = waiting(*PLACES[place])
    for action, wish in REPAIRS[repairs]:
        if place == "loop" and wish.get("step") == "pay":
            wish = {**wish, "step": world.steps()[-1]}
        in_force(world.repair(action, **wish))  # type: ignore[arg-type]
    assert_folds_again(world)
    for _ in range(steps):
        world.step()
    undo_all(world)
    assert world.status in ("compensated", "cancelled")
    assert (left(world), undone_in_vain(world)) == (["e1/last"] if "e1/last" in keys(world, "last") else [], [])
    assert_folds_again(world)

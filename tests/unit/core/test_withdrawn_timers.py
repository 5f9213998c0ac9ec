"""A retry or the delay of a loop that is not waited for any more is told; in journals of 0.1 it was not."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.world import World, call, plan_of
from wfrun.core.run import Run
from wfrun.errors import ServiceError
from wfrun.views.status import status_of

RETRY = {"policy": "fixed", "initialDelay": "1h", "maxDelay": "1h", "jitter": 0, "maxRetries": 3}
SLOW = call("slow", retry=RETRY)
LOOP = {"type": "repeat", "until": "$.index == 5", "maxIterations": 9, "delay": "1h", "steps": [call("again")]}


def race(loser: dict[str, Any]) -> World:
    """One branch wins while the other waits for its time."""
    plan = plan_of({"type": "parallel", "complete": "any", "steps": [loser, call("fast")]}, call("last"))
    world = World(plan, script=refuse_slow)
    while not world.of_type("timer.started"):
        world.step()
    (fast,) = (effect for effect in world.open.values() if effect.id == "fast#1")
    del world.open[fast.id]
    world._answer(fast)
    return world.finish()


def refuse_slow(step: str, attempt: int, value: Any) -> Any:
    if step == "slow":
        raise ServiceError("busy", "not now")


@pytest.mark.parametrize(("loser", "timer"), [(SLOW, "slow#1!retry"), (LOOP, "steps[0].steps[0]@1!delay")])
def test_it_is_told_once_and_before_what_it_led_to(loser: dict[str, Any], timer: str) -> None:
    world = race(loser)
    (told,) = world.of_type("wait.withdrawn")
    (last,) = (record for record in world.of_type("step.started") if record["step"] == "last")
    assert told["wait"] == timer
    assert told["seq"] < last["seq"]
    assert world.status == "completed"
    assert not world.of_type("timer.fired")


def test_a_step_that_lost_a_race_between_two_attempts_is_cancelled() -> None:
    (slow,) = (row for row in status_of(race(SLOW).records)["steps"] if row["step"] == "slow")
    assert (slow["status"], slow["attempts"], slow["nextAttemptAt"]) == ("cancelled", 1, None)
    assert slow["error"] == {"type": "busy", "message": "not now"}


def test_the_time_of_a_block_is_not_told() -> None:
    block = {"type": "sequential", "timeout": "1h", "steps": [call("a")]}
    world = World(plan_of(block)).finish()
    assert world.of_type("timer.started")
    assert not world.of_type("wait.withdrawn")


@pytest.mark.parametrize("loser", [SLOW, LOOP])
def test_a_journal_without_it_leads_to_the_same(loser: dict[str, Any]) -> None:
    world = race(loser)
    run = Run(world.plan)
    for record in world.records:
        if record["type"] != "wait.withdrawn":
            run.apply(record)
    assert run.ended == world.run.ended
    assert list(run.pending) == list(world.run.pending) == ["recall"]


@pytest.mark.parametrize("loser", [SLOW, LOOP])
def test_and_is_told_when_such_a_journal_is_gone_on_with(loser: dict[str, Any]) -> None:
    world = race(loser)
    ends = len(world.records) - 1
    told = [record for record in world.records[:ends] if record["type"] != "wait.withdrawn"]
    resumed = World.resumed(world, told, None).finish()
    assert len(resumed.of_type("wait.withdrawn")) == 1
    assert resumed.status == "completed"

"""What a repair makes of calls that were stopped before anything had been called."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.support.world import World, call, plan_of
from tests.unit.core.test_repair import Services, assert_folds_again
from tests.unit.core.test_steps_crews import UNDO, parallel
from wfrun.core.proof_repairs import check_repair
from wfrun.core.run import Run

BOOM = {"type": "fail", "name": "f", "error": "boom"}


def stopped(*, called: bool = False) -> World:
    """An execution whose only call was stopped, as a branch beside it fails at once."""
    world = World(plan_of(parallel(call("pay", compensate=UNDO), BOOM)))
    return stop(world, called=called)


def stop(world: World, *, called: bool) -> World:
    attempt = world.of_type("step.started")[-1]["attempt"]
    world.add({"type": "step.cancelled", "step": "pay", "attempt": attempt, **({} if called else {"begun": False})})
    return world.finish()


def as_earlier_versions(world: World) -> World:
    """Have it resumed by a repair that leaves what says that the call begins."""
    proposal = world.propose("resume")
    begun = {record["seq"] for record in world.of_type("step.started")}
    world.add(replace(proposal, dropped=tuple(seq for seq in proposal.dropped if seq not in begun)).request("ann"))
    return world


@pytest.mark.parametrize("times", [1, 2])
def test_one_that_never_was_called_is_not_undone(times: int) -> None:
    world = stopped()
    for _ in range(times):
        assert world.status == "failed"
        stop(world.repair("resume"), called=False)
    assert world.status == "failed"
    assert "compensate:pay" not in world.steps()
    assert_folds_again(world)


@pytest.mark.parametrize("called", [(True, False), (False, True)])
def test_one_that_may_have_been_called_once_is_undone(called: tuple[bool, bool]) -> None:
    first, second = called
    world = stopped(called=first)
    assert ("compensate:pay" in world.steps()) == first
    if not first:
        stop(world.repair("resume"), called=second)
    assert world.status == "compensated"
    assert world.steps()[-1] == "compensate:pay"


def test_what_failed_before_it_counts_as_before() -> None:
    retry = {"policy": "fixed", "maxRetries": 1}
    late = {"type": "sequential", "steps": [call("wait"), BOOM]}
    world = World(plan_of(parallel(call("pay", compensate=UNDO, retry=retry), late)), script=Services("pay"))
    world.step()
    world.add({"type": "timer.fired", "timer": "pay#1!retry"})
    world.add({"type": "step.completed", "step": "wait", "attempt": 1, "result": 1})
    stop(world, called=False)
    world.repair("resume")
    assert [record["attempt"] for record in world.of_type("step.started") if record["step"] == "pay"] == [1, 2, 2]
    assert_folds_again(world)


def test_journals_of_earlier_versions_mean_what_they_meant() -> None:
    """There it was begun a second time, and looked as if its first runner had died."""
    world = stop(as_earlier_versions(stopped()), called=False)
    assert world.status == "compensated"
    assert_folds_again(world)


def test_and_are_proved() -> None:
    world = as_earlier_versions(stopped())
    request = world.of_type("repair.requested")[-1]
    run = Run(world.plan)
    for record in world.records[: request["seq"]]:
        run.apply(record)
    check_repair(run, request, world.plans.__getitem__)

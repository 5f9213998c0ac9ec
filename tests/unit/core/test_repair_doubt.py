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
from wfrun.core.interventions import waive
from wfrun.core.repair_history import COMPENSATE

HOURLY = {"policy": "fixed", "maxRetries": 3, "initialDelay": "1h", "maxDelay": "1h"}
X, Z = call("x", output="x", compensate=UNDO), call("z", compensate=UNDO)
PAY = call("pay", compensate=UNDO, retry=HOURLY, input="$.x")
SLOW = call("slow", compensate=UNDO)


def waiting(*steps: Any, type: str = "timeout", **more: Any) -> World:
    """One whose call of `pay` has timed out, and waits for its next attempt, which would be answered."""
    services = Services("pay", "pay@1", type=type)
    world = World(plan_of(*steps, **more), script=services)
    while not any(record["timer"].endswith("!retry") for record in world.of_type("timer.started")):
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
    asked = [record["key"] for record in world.of_type("step.started")]
    undone = [key for key in asked if COMPENSATE in key]
    return sorted(key for key in undone if key.replace(COMPENSATE, "") not in asked or undone.count(key) > 1)


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
    "hold and go back": [("compensate", {"step": "x"}), ("rewind", {"step": "x"})],
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


@pytest.mark.parametrize(("stop", "status"), [("cancel", "cancelled"), ("time", "compensated")])
def test_nor_by_whatever_else_ends_the_wait(stop: str, status: str) -> None:
    block = {"type": "sequential", "name": "block", "steps": [PAY, Z], "timeout": "2h"}
    world = waiting(X, block)
    if stop == "cancel":
        undo_all(world)
    else:
        world.add({"type": "timer.fired", "timer": "block!timeout"})
        world.finish()
    assert (world.status, left(world), undone_in_vain(world)) == (status, [], [])


def test_a_refusal_has_had_no_effect_and_is_not_undone() -> None:
    world = waiting(X, PAY, Z, type="boom")
    world.repair("skip", step="pay").finish()
    assert world.steps() == ["x", "pay", "z"]


def test_but_it_may_be_of_what_had_been_kept() -> None:
    """The first call has been answered, the second one refused, and a third is to come when somebody skips it."""
    services = Services()
    world = World(plan_of(X, PAY, Z), script=services).finish()
    services.broken["pay"] = "boom"
    world.repair("rewind", step="pay", keep=True)
    while "pay#2!retry" not in world.run.recorded:
        assert world.step()
    assert world.propose("replace", replacement=plan_of(X, PAY, call("z2"))).undo == ()
    assert world.propose("skip", step="pay").undo == ("pay",)


def test_what_goes_on_beside_a_repair_is_not_undone() -> None:
    retried = call("y", output="y", retry=HOURLY)
    services = Services("pay", type="timeout")
    services.broken["y"] = "boom"
    world = World(plan_of(X, parallel(PAY, retried), Z), script=services)
    while len(world.of_type("timer.started")) < 2:
        assert world.step()
    services.repaired()
    world.repair("skip", step="y").finish()
    assert (world.status, keys(world, "pay")) == ("completed", ["e1/pay", "e1/pay"])
    assert left(undo_all(world)) == ["e1/y"]


def test_but_with_the_rest_of_what_is_held() -> None:
    """It waits beside the step to which the execution is undone, and goes on with it, or is undone with it."""
    for action in ("resume", "compensate"):
        world = waiting(parallel([X, Z], call("pay", compensate=UNDO, retry=HOURLY)))
        while world.steps("step.completed")[-1:] != ["z"]:
            assert world.step()
        in_force(world.repair("compensate", step="x"))
        assert since(world, 0)[-1] == "compensate:z"
        if action == "resume":
            world.repair("resume").finish()
            assert keys(world, "pay") == ["e1/pay", "e1/pay"]
        undo_all(world)
        assert (world.status, left(world), undone_in_vain(world)) == ("compensated", [], [])
        assert_folds_again(world)


OTHERS: dict[str, tuple[dict[str, Any], str]] = {
    "key": ({"idempotencyKey": "k-${$.execution.id}"}, "k-e1~2"),
    "action": ({"action": "do2"}, "e1/pay~2"),
    "service": ({"service": "other"}, "e1/pay~2"),
}


class TestAnotherRequest:
    """What another file asks for under another key, or of another service or action, is not what is in doubt."""

    @pytest.mark.parametrize("other", OTHERS)
    @pytest.mark.parametrize("state", ["paused", "waiting", "out"])
    def test_what_was_asked_for_before_is_undone(self, other: str, state: str) -> None:
        pay = call("pay", compensate=UNDO)
        change, key = OTHERS[other]
        if state == "paused":
            world, _ = paused(X, pay, Z, broken=("pay",), type="timeout")
        elif state == "waiting":
            world, pay = waiting(X, PAY, Z, errorHandling=PAUSE), PAY
        else:
            world = World(plan_of(X, pay, Z, errorHandling=PAUSE))
            while "pay" not in world.steps():
                assert world.step()
        assert world.propose("replace", replacement=new(X, pay, call("z2"))).undo == ()
        replacement = new(X, {**pay, **change}, Z)
        assert world.propose("replace", replacement=replacement).reasons == ()
        world.repair("replace", replacement=replacement).finish()
        assert world.steps() == ["x", "pay", "compensate:pay", "pay", "z"]
        assert keys(world, "pay")[-1] == key
        assert world.status == "completed"
        undo_all(world)
        assert world.steps()[-3:] == ["compensate:z", "compensate:pay", "compensate:x"]
        assert_folds_again(world)

    @pytest.mark.parametrize(("other", "key"), [("key", "k-e1"), ("action", "e1/pay~2"), ("service", "e1/pay~2")])
    def test_what_has_nothing_to_undo_it_does_not_answer_for_another(self, other: str, key: str) -> None:
        world, services = paused(call("pay"), broken=("pay",))
        services.broken["pay"] = "boom"
        changed = new(call("pay", **OTHERS[other][0]))
        world.repair("replace", replacement=changed).finish()
        services.repaired()
        world.repair("resume").finish()
        assert keys(world, "pay") == ["e1/pay", key, key]
        assert_folds_again(world)

    @pytest.mark.parametrize("action", ["set-output", "set-input"])
    @pytest.mark.parametrize("state", ["paused", "waiting"])
    def test_nor_is_what_another_step_makes_of_its_key(self, action: Any, state: str) -> None:
        """Nothing but the key depends on what the other one gives."""
        pay = {**PAY, "idempotencyKey": "k-${$.x}", "input": 1}
        if state == "paused":
            pay.pop("retry")
        services = Services("pay", type="timeout")
        services.results["x"] = 1
        world = World(plan_of(X, pay, errorHandling=PAUSE), script=services)
        while not (world.run.is_paused or "pay#1!retry" in world.run.recorded):
            assert world.step()
        services.repaired()
        services.results["x"] = 2
        world.repair(action, step="x", value=2).finish()
        assert keys(world, "pay") == ["k-1", "k-2~2"]
        assert world.steps().count("compensate:pay") == 1

    def test_what_is_done_may_have_been_another(self) -> None:
        """It does not run again, and is undone by what the new file says."""
        world, _ = paused(X, call("b"), broken=("b",))
        world.repair("replace", replacement=new({**X, "action": "do2"}, call("b"))).finish()
        assert world.steps() == ["x", "b", "b"]

    def test_nor_does_it_matter_of_what_a_race_has_stopped(self) -> None:
        race: Any = {**parallel(PAY, call("fast")), "complete": "any"}
        services = Services("pay", type="timeout")
        services.broken["z"] = "boom"
        world = World(plan_of(X, race, call("z"), errorHandling=PAUSE), script=services).finish()
        assert world.run.is_paused
        assert world.steps().count("compensate:pay") == 1
        services.repaired()
        other: Any = {**parallel({**PAY, "action": "do2"}, call("fast")), "complete": "any"}
        assert world.propose("replace", replacement=new(X, other, call("z"))).reasons == ()
        world.repair("replace", replacement=new(X, other, call("z"))).finish()
        assert world.steps().count("pay") == 1
        assert world.status == "completed"


class TestUndoingInDoubt:
    """Nobody knows whether a call that undoes a step has had its effect: the step may be undone, and is not done."""

    def in_doubt(self, error: str = "timeout") -> tuple[World, Services]:
        """A repair was to undo `x` first."""
        world = World(plan_of(X, Z), script=(services := Services())).finish()
        services.broken["compensate:x"] = error
        assert world.repair("rewind", step="x").finish().status == "needs-attention"
        services.repaired()
        return world, services

    def test_of_a_branch_that_ends_it_is_undone_to_its_end_by_whatever_runs_it_again(self) -> None:
        race = parallel(*[call(name, compensate=UNDO) for name in "bca"], complete=2)
        absent = {"type": "wait", "name": "w", "event": "never", "condition": "false"}
        services = Services("compensate:a@0")
        services.broken["compensate:b@0"] = "timeout"
        plan = plan_of(foreach([0, 1], race, absent, complete="any"), errorHandling=PAUSE)
        world = World(plan, script=services).finish()
        assert world.run.is_paused
        services.repaired()
        proposal = world.propose("resume")
        assert {"a@0", "b@0"} <= set(proposal.undo)
        assert proposal.kept == ()
        world.repair("resume").finish()
        assert (world.status, keys(world, "b@0")) == ("completed", ["e1/b@0", "e1/b@0~2"])
        assert_folds_again(world)

    def test_let_stand_it_runs_again_as_another_request(self) -> None:
        world, _ = self.in_doubt()
        world.add(waive(world.run, "compensate:x", "kim"))
        assert world.finish().status == "completed"
        assert keys(world, "x") == ["e1/x", "e1/x~2"]
        assert_folds_again(world)

    def test_what_has_failed_for_sure_keeps_its_key(self) -> None:
        world, _ = self.in_doubt("boom")
        world.add(waive(world.run, "compensate:x", "kim"))
        assert world.finish().status == "completed"
        assert keys(world, "x") == ["e1/x", "e1/x"]

    def test_given_an_output_it_is_undone_first(self) -> None:
        world, _ = self.in_doubt()
        assert world.propose("set-output", step="x", value=7).undo == ("x",)
        world.repair("set-output", step="x", value=7).finish()
        assert (world.status, keys(world, "compensate:x")) == ("completed", ["e1/compensate:x"] * 2)
        undo_all(world)
        assert keys(world, "compensate:x")[2:] == ["e1/compensate:x~2"]
        assert_folds_again(world)

    def test_to_keep_it_does_not_keep_what_may_be_gone(self) -> None:
        world, _ = self.in_doubt()
        assert world.propose("rewind", step="x", keep=True).undo == ("x",)
        world.repair("rewind", step="x", keep=True).finish()
        assert keys(world, "x") == ["e1/x", "e1/x~2"]

    def test_once_it_is_undone_there_is_no_doubt_about_the_next(self) -> None:
        world, _ = self.in_doubt()
        world.add({"type": "execution.resumed", "by": "kim"})
        assert world.finish().status == "completed"
        assert world.propose("rewind", step="x", keep=True).undo == ()
        world.repair("rewind", step="x", keep=True).finish()
        assert keys(world, "x") == ["e1/x", "e1/x~2", "e1/x~2"]

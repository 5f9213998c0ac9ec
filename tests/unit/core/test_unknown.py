"""Calls whose runner died: what is made of them, and what people say of them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.world import World, call, plan_of
from wfrun.core import unknown
from wfrun.core.plan import Plan
from wfrun.errors import ConflictError, NotFoundError, ServiceError

UNDO = {"service": "svc", "action": "undo"}


def cut_off(plan: Plan, *, script: Any = None) -> World:
    """Taken over by somebody who finds the first call begun, and no more."""
    world = World(plan, script=script) if script else World(plan)
    started = next(index for index, record in enumerate(world.records) if record["type"] == "step.started")
    return World.resumed(world, world.records[: started + 1], None)


def charge(**more: Any) -> Plan:
    return plan_of(call("charge", output="paid", compensate=UNDO, **more), call("ship", input="$.paid"))


def test_retry_is_the_default() -> None:
    world = cut_off(charge()).finish()
    assert world.steps() == ["charge", "charge", "ship"]
    assert [record["attempt"] for record in world.of_type("step.started")] == [1, 1, 1]


class TestFail:
    def test_nothing_is_called_again_and_what_may_have_happened_is_undone(self) -> None:
        world = cut_off(charge(onCrash="fail")).finish()
        assert world.steps() == ["charge", "compensate:charge"]
        assert world.status == "compensated"
        (failed,) = world.of_type("step.failed")
        assert failed["error"]["type"] == "crash.unknown-outcome"

    @pytest.mark.parametrize("on", ["crash.*", "*"])
    def test_no_retry_policy_makes_it_a_second_call(self, on: str) -> None:
        retry = {"policy": "fixed", "maxRetries": 3, "on": [on]}
        world = cut_off(charge(onCrash="fail", retry=retry)).finish()
        assert world.steps().count("charge") == 1

    def test_a_handler_can_see_to_it(self) -> None:
        handler = {"error": "crash.unknown-outcome", "steps": call("look")}
        world = cut_off(plan_of(call("charge", onCrash="fail", onError=handler), call("ship"))).finish()
        assert world.steps() == ["charge", "look", "ship"]

    def test_it_is_inherited_unless_a_step_says_otherwise(self) -> None:
        steps = (call("a", onCrash="retry"), call("b"))
        plan = plan_of({"type": "parallel", "steps": steps}, errorHandling={"onCrash": "fail"})
        world = World(plan)
        after = World.resumed(world, world.records, None).finish()
        assert (after.steps().count("a"), after.steps().count("b")) == (2, 1)

    def test_a_compensation_that_was_lost_is_for_a_person(self) -> None:
        def declined(step: str, attempt: int, value: Any) -> Any:
            if step == "ship":
                raise ServiceError("boom", "no")
            return {}

        plan = plan_of(call("charge", compensate={**UNDO, "onCrash": "fail"}), call("ship"))
        world = World(plan, script=declined).finish()
        begun = next(i for i, record in enumerate(world.records) if record.get("step") == "compensate:charge")
        after = World.resumed(world, world.records[: begun + 1], None).finish()
        assert after.status == "needs-attention"
        assert after.steps().count("compensate:charge") == 1
        after.add({"type": "execution.resumed", "by": "kim"})
        assert after.finish().status == "compensated"


class TestAsk:
    @pytest.fixture
    def world(self) -> World:
        return cut_off(charge(onCrash="ask", deadline="1s"))

    def test_it_is_asked_once_and_waits(self, world: World) -> None:
        assert not world.step()
        (asked,) = world.of_type("step.unknown")
        started = world.of_type("step.started")[0]
        assert (asked["step"], asked["attempt"], asked["key"]) == ("charge", 1, "e1/charge")
        assert asked["since"] == started["at"]
        again = World.resumed(world, world.records, None)
        assert not again.step()
        assert len(again.of_type("step.unknown")) == 1

    def test_called_again_it_is_the_same_attempt_with_the_same_key(self, world: World) -> None:
        world.add(unknown.call_again(world.run, "charge", "kim", "the bank knows nothing"))
        first, second, _ = world.finish().of_type("step.started")
        assert (first["key"], first["attempt"]) == (second["key"], second["attempt"])
        assert world.status == "completed"

    def test_a_word_counts_for_one_call(self, world: World) -> None:
        """Killed behind the word, it is called without a further one; killed once more behind the call, it is asked."""
        word = unknown.call_again(world.run, "charge", "kim")
        records = world.records[:]
        world.add(word)
        told = World.resumed(world, [*records, world.records[len(records)]], None)
        assert told.steps().count("charge") == 2
        again = World.resumed(told, told.records, None)
        assert again.steps().count("charge") == 2
        assert unknown.is_asked(again.run, "charge")

    def test_it_happened(self, world: World) -> None:
        world.add(unknown.it_happened(world.run, "charge", {"id": 7}, "kim", "it is on the statement"))
        world.finish()
        assert world.calls == [("ship", {"id": 7})]
        assert world.status == "completed"

    def test_what_happened_is_undone_with_its_result(self) -> None:
        undo = {**UNDO, "input": "$.result.id"}
        plan = plan_of(call("charge", compensate=undo, onCrash="ask"), {"type": "fail"})
        world = cut_off(plan)
        world.add(unknown.it_happened(world.run, "charge", {"id": 7}, "kim"))
        world.finish()
        assert world.calls == [("compensate:charge", 7)]

    def test_given_up_it_fails_and_is_undone(self, world: World) -> None:
        world.add(unknown.give_up(world.run, "charge", "kim", "nobody picks up"))
        world.finish()
        assert world.steps() == ["charge", "compensate:charge"]
        assert world.status == "compensated"
        assert world.run.ended is not None
        assert world.run.ended["error"]["type"] == "crash.unknown-outcome"

    def test_cancelled_while_asked_it_is_undone(self, world: World) -> None:
        world.add({"type": "cancel.requested", "by": "kim", "reason": ""})
        world.finish()
        assert world.steps() == ["charge", "compensate:charge"]
        assert world.status == "cancelled"

    def test_skipped_what_it_may_have_done_is_undone(self, world: World) -> None:
        world.repair("skip", step="charge")
        world.finish()
        assert world.steps()[:2] == ["charge", "compensate:charge"]

    def test_the_first_word_counts(self, world: World) -> None:
        world.add(unknown.it_happened(world.run, "charge", {"id": 7}, "kim"))
        with pytest.raises(ConflictError, match=r"kim said at .* what became of 'charge'"):
            unknown.call_again(world.run, "charge", "lee")

    def test_nobody_is_asked_about_anything_else(self, world: World) -> None:
        with pytest.raises(NotFoundError, match="nobody is asked what became of 'ship'"):
            unknown.give_up(world.run, "ship", "kim")

    def test_other_branches_go_on_meanwhile(self) -> None:
        branches = [call("a", onCrash="ask"), [call("b"), call("c")]]
        world = World(plan_of({"type": "parallel", "steps": branches}))
        after = World.resumed(world, world.records, None).finish()
        assert after.status == "open"
        assert after.steps("step.completed") == ["b", "c"]

    def test_in_a_loop_the_iteration_has_to_be_said(self) -> None:
        loop = {"type": "foreach", "items": [1, 2], "concurrency": 2, "steps": call("a", onCrash="ask")}
        world = World(plan_of(loop))
        after = World.resumed(world, world.records, None)
        with pytest.raises(ConflictError, match=r"'a' could be a@0, a@1"):
            unknown.call_again(after.run, "a", "kim")
        after.add(unknown.call_again(after.run, "a@1", "kim"))
        assert after.calls == [("a@1", None)]

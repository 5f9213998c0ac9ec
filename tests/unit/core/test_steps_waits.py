"""Timers, events, and child executions."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest

from tests.support.world import World, an_event, call, plan_of
from tests.unit.core.test_interpreter import fail_at
from tests.unit.core.test_steps_blocks import error_of
from tests.unit.core.test_steps_crews import UNDO, foreach, parallel


def wait(name: str, event: Any = "paid", **more: Any) -> dict[str, Any]:
    return {"type": "wait", "name": name, "event": event, **more}


class TestTimes:
    def test_for_counts_from_when_it_begins(self) -> None:
        world = World(plan_of(call("a"), {"type": "wait", "name": "w", "for": "1h"})).finish()
        (timer,) = world.of_type("timer.started")
        assert (timer["due"], timer["reason"]) == ("2026-01-01T01:00:02.000000Z", "wait")
        assert world.status == "completed"

    @pytest.mark.parametrize("until", ["2030-01-31T09:30:00+01:00", "$.x", "${instant($.x)}"])
    def test_until_is_an_instant(self, until: str) -> None:
        step = {"type": "wait", "name": "w", "until": until}
        world = World(plan_of(step), {"x": "2030-01-31T08:30:00Z"}).finish()
        assert world.of_type("timer.started")[0]["due"] == "2030-01-31T08:30:00.000000Z"

    @pytest.mark.parametrize("time", [{"until": "$.x"}, {"for": "$.x"}, {"for": "${-$.x[0]}"}])
    def test_what_is_no_time_fails_the_step(self, time: dict[str, str]) -> None:
        world = World(plan_of({"type": "wait", "name": "w", **time}), {"x": [1]}).finish()
        assert world.status == "failed"
        assert error_of(world)["type"].startswith("expression.")


class TestEvents:
    def test_an_event_becomes_a_key(self) -> None:
        plan = plan_of(wait("w", output="got"), output="$.got.data.n")
        assert World(plan, events=[an_event("paid", "1", {"n": 7})]).finish().output == 7

    def test_match_chooses_and_is_judged_once(self) -> None:
        plan = plan_of(wait("w", match="$.event.data == $.order", output="got"), output="$.got.id")
        events = [an_event("paid", "1", 6), an_event("other", "2", 7), an_event("paid", "3", 7)]
        world = World(plan, {"order": 7}, events=events).finish()
        assert world.output == "3"
        assert [(record["event"], record["value"]) for record in world.of_type("event.matched")] == [
            ("1", False),
            ("3", True),
        ]

    @pytest.mark.parametrize("seed", range(10))
    def test_an_event_that_comes_early_is_kept(self, seed: int) -> None:
        plan = plan_of(call("a"), call("b"), wait("w", output="got"), output="$.got.id")
        assert World(plan, seed=seed, events=[an_event("paid", "1")]).finish().output == "1"

    def test_unless_it_is_to_be_ignored(self) -> None:
        world = World(plan_of(call("a"), wait("w", early="ignore", output="got"), output="$.got.id"))
        world.add({"type": "event.received", "event": an_event("paid", "1")})
        world.finish()
        assert world.status == "open"
        world.add({"type": "event.received", "event": an_event("paid", "2")})
        assert world.output == "2"

    @pytest.mark.parametrize("seed", range(20))
    def test_branches_share_an_event_and_later_steps_wait_for_the_next(self, seed: int) -> None:
        branches = parallel(wait("w1", output="one"), [call("a"), wait("w2", output="two")])
        plan = plan_of(branches, wait("w3", output="three"), output="${[$.one.id, $.two.id, $.three.id]}")
        events = [an_event("paid", "1"), an_event("paid", "2")]
        assert World(plan, seed=seed, events=events).finish().output == ["1", "1", "2"]

    @pytest.mark.parametrize("seed", range(10))
    def test_each_round_of_a_loop_takes_the_next_event(self, seed: int) -> None:
        loop = foreach([0, 1, 2], wait("w", output="got"), output={"ids": "$.got.id"})
        events = [an_event("paid", str(n)) for n in range(4)]
        assert World(plan_of(loop, output="$.ids"), seed=seed, events=events).finish().output == ["0", "1", "2"]

    @pytest.mark.parametrize("seed", range(20))
    @pytest.mark.parametrize(("complete", "expected"), [("all", ["1", "2"]), ("any", "1"), (1, ["1"])])
    def test_several_events(self, complete: Any, expected: Any, seed: int) -> None:
        step = wait("w", [{"event": "a"}, "b"], complete=complete, output="got")
        output = "$.got.id" if complete == "any" else "$.got[*].id"
        world = World(plan_of(step, output=output), seed=seed, events=[an_event("a", "1"), an_event("b", "2")])
        assert world.finish().output == expected

    def test_what_does_not_come_in_time_is_an_error(self) -> None:
        world = World(plan_of(wait("w", timeout="2d"))).finish()
        assert error_of(world) == {"type": "timeout", "message": "not done within 172800 s", "step": "w"}

    def test_or_none_if_the_flow_is_to_go_on(self) -> None:
        plan = plan_of(wait("w", timeout="2d", onTimeout="continue", output="got"), output="${has($.got)}")
        assert World(plan).finish().output is False

    def test_a_match_without_a_value_fails_the_step(self) -> None:
        world = World(plan_of(wait("w", match="$.event.data.x == 1")), events=[an_event("paid", "1", {})]).finish()
        assert error_of(world)["type"] == "expression.undefined"

    def test_a_step_publishes_under_an_id_of_its_own(self) -> None:
        world = World(
            plan_of({"type": "emit", "name": "tell", "event": "done", "data": {"n": "$.n"}}), {"n": 1}
        ).finish()
        (emitted,) = world.of_type("event.emitted")
        assert emitted["event"]["id"] == "e1/tell"
        assert emitted["event"]["data"] == {"n": 1}
        assert world.status == "completed"


class TestChildren:
    CHILD: ClassVar[dict[str, Any]] = {
        "type": "workflow",
        "name": "ship",
        "workflow": "shipping",
        "input": {"n": "$.n"},
        "output": "shipped",
    }

    def test_a_child_gets_its_input_and_gives_its_output(self) -> None:
        world = World(plan_of(self.CHILD, output="$.shipped.of"), {"n": 3}).finish()
        (started,) = world.of_type("child.started")
        assert (started["child"], started["input"]) == ("e1.ship", {"n": 3})
        assert world.output == "ship"

    def test_a_failed_child_fails_its_step_under_the_same_type(self) -> None:
        def children(step: str, value: Any) -> Any:
            return {"status": "compensated", "error": {"type": "stock.none", "message": "nothing left"}}

        block = {"type": "try", "steps": self.CHILD, "catch": [{"error": "stock.*", "steps": call("h")}]}
        world = World(plan_of(block, call("boom")), {"n": 1}, fail_at("boom"), children=children).finish()
        assert world.steps() == ["h", "boom"]
        (decision,) = [record for record in world.records if record["type"] == "child.ended"]
        assert decision["status"] == "compensated"

    def test_a_completed_child_is_undone_with_its_parent(self) -> None:
        world = World(plan_of(call("a", compensate=UNDO), self.CHILD, call("b")), {"n": 1}, fail_at("b")).finish()
        assert world.status == "compensated"
        order = [record["step"] for record in world.of_type("child.recalled", "step.started")]
        assert order == ["a", "b", "compensate:ship", "compensate:a"]

    def test_cancelling_stops_the_child(self) -> None:
        world = World(plan_of(self.CHILD), {"n": 1})
        world.add({"type": "cancel.requested", "by": "ann", "reason": ""})
        world.finish()
        assert world.status == "cancelled"
        assert [record["status"] for record in world.of_type("child.ended")] == ["cancelled"]

    def test_ids_of_children_in_loops_differ_and_are_never_too_long(self) -> None:
        child = {**self.CHILD, "name": "Ship" + "x" * 80}
        world = World(plan_of(foreach([1, 2], child, **{"as": "n"}))).finish()
        ids = [record["child"] for record in world.of_type("child.started")]
        assert len(set(ids)) == 2
        assert all(len(id) <= 64 and id == id.lower() for id in ids)

    def test_its_input_must_be_an_object(self) -> None:
        world = World(plan_of({**self.CHILD, "input": "$.n"}), {"n": 1}).finish()
        assert error_of(world)["type"] == "expression.type"


class TestSaga:
    def test_several_calls_undo_a_step_in_the_order_written(self) -> None:
        plan = plan_of(call("a", compensate=[UNDO, {**UNDO, "action": "tell"}]), call("b"))
        world = World(plan, script=fail_at("b")).finish()
        assert world.steps()[2:] == ["compensate:a", "compensate:a/2"]

    def test_a_block_has_a_compensation_of_its_own_before_those_inside(self) -> None:
        block = {"type": "sequential", "name": "block", "steps": [call("a", compensate=UNDO)], "compensate": UNDO}
        world = World(plan_of(block, call("b")), script=fail_at("b")).finish()
        assert world.steps()[2:] == ["compensate:block", "compensate:a"]

    def test_after_a_pivot_nothing_is_undone(self) -> None:
        plan = plan_of(call("a", compensate=UNDO), call("b", pivot=True), call("c"))
        world = World(plan, script=fail_at("c")).finish()
        assert world.status == "open"
        assert world.records[-1]["type"] == "execution.paused"
        assert world.records[-1]["error"]["step"] == "c"

    def test_on_failure_pause_keeps_everything_until_it_is_asked_to_be_undone(self) -> None:
        plan = plan_of(call("a", compensate=UNDO), call("b"), errorHandling={"onFailure": "pause"})
        world = World(plan, script=fail_at("b")).finish()
        assert world.records[-1]["type"] == "execution.paused"
        world.add({"type": "compensation.requested", "by": "ann", "reason": ""})
        assert world.finish().status == "compensated"

    def test_a_paused_execution_can_be_cancelled(self) -> None:
        plan = plan_of(call("a", compensate=UNDO), call("b"), errorHandling={"onFailure": "pause"})
        world = World(plan, script=fail_at("b")).finish()
        world.add({"type": "cancel.requested", "by": "ann", "reason": ""})
        assert world.finish().status == "cancelled"
        assert world.steps()[-1] == "compensate:a"

    def test_a_completed_execution_can_be_undone(self) -> None:
        world = World(plan_of(call("a", compensate=UNDO), call("b"))).finish()
        world.add({"type": "compensation.requested", "by": "ann", "reason": "recalled"})
        assert world.finish().status == "compensated"
        assert world.of_type("compensation.started")[0]["reason"] == "request"

    def test_each_retrier_counts_for_itself(self) -> None:
        retry = [{"on": ["a"], "policy": "fixed", "maxRetries": 1}, {"policy": "fixed", "maxRetries": 2}]
        errors = iter(["a", "b", "b", "a"])

        def script(step: str, attempt: int, value: Any) -> Any:
            from wfrun.errors import ServiceError

            raise ServiceError(next(errors), "no")

        world = World(plan_of(call("x", retry=retry)), script=script).finish()
        assert len(world.steps()) == 4

    @pytest.mark.parametrize(
        ("step", "of"),
        [
            ({"type": "human-task", "name": "a", "assignee": "bob"}, "$.result.by"),
            (wait("a"), "$.result.id"),
            ({**TestChildren.CHILD, "name": "a", "input": {}}, "$.result.of"),
        ],
    )
    def test_a_compensation_sees_the_result_of_whatever_it_undoes(self, step: Any, of: str) -> None:
        undoing = {**step, "compensate": {**UNDO, "input": of}}
        people = {"decision": "approved", "by": "bob", "data": {}}
        events = [an_event("paid", "bob")]
        plan = plan_of(undoing, call("b"))
        world = World(plan, script=fail_at("b"), people=lambda task: people, events=events).finish()
        assert world.calls[-1] == ("compensate:a", "a" if of.endswith("of") else "bob")

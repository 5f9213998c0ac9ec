"""Branches at the same time: which of them count, what becomes of their keys, and that timing decides neither."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.world import World, call, plan_of
from tests.unit.core.test_interpreter import fail_at
from wfrun.errors import ServiceError

UNDO = {"service": "svc", "action": "undo"}


def parallel(*steps: Any, **more: Any) -> dict[str, Any]:
    return {"type": "parallel", "steps": list(steps), **more}


def foreach(items: Any, *steps: Any, **more: Any) -> dict[str, Any]:
    return {"type": "foreach", "name": "each", "items": items, "steps": list(steps), **more}


class TestGraph:
    PLAN = plan_of(
        parallel(
            call("d", needs=["b", "c"], input="$", output="d"),
            call("b", needs="a", input="$", output="b"),
            call("c", needs="a", output="c"),
            call("a", output="a"),
        ),
        call("end", input="$"),
    )

    @pytest.mark.parametrize("seed", range(20))
    def test_a_branch_runs_after_those_it_needs_and_sees_what_they_see(self, seed: int) -> None:
        world = World(self.PLAN, seed=seed).finish()
        inputs = dict(world.calls)
        assert list(inputs) in (["a", "b", "c", "d", "end"], ["a", "c", "b", "d", "end"])
        assert set(inputs["b"]) == {"a"}
        assert set(inputs["d"]) == {"a", "b", "c"}
        assert list(inputs["end"]) == ["d", "b", "c", "a"]

    def test_what_needs_a_branch_that_was_allowed_to_fail_does_not_run(self) -> None:
        plan = plan_of(parallel(call("a"), call("b", needs="a"), call("c"), tolerate=1), call("end"))
        world = World(plan, script=fail_at("a")).finish()
        assert world.status == "completed"
        assert world.steps("step.completed") == ["c", "end"]


class TestHowManyCount:
    @pytest.mark.parametrize("seed", range(20))
    def test_any_takes_the_first_and_cancels_and_undoes_the_others(self, seed: int) -> None:
        branches = [
            [call(f"{n}1", compensate=UNDO, output=f"{n}1"), call(f"{n}2", compensate=UNDO, output=f"{n}2")]
            for n in "abc"
        ]
        plan = plan_of(parallel(*branches, complete="any"), call("end", input="$"))
        world = World(plan, seed=seed).finish()
        assert world.status == "completed"
        winner = world.calls[-1][1]
        assert len(winner) == 2
        undone = {step.removeprefix("compensate:") for step in world.steps("step.completed") if ":" in step}
        begun_elsewhere = {step for step in world.steps("step.completed") if ":" not in step} - {*winner, "end"}
        assert begun_elsewhere <= undone
        assert not undone & set(winner)

    def test_two_of_three_are_enough_and_one_may_fail(self) -> None:
        plan = plan_of(parallel(*(call(n, output=n) for n in "abc"), complete=2), call("end", input="$"))
        world = World(plan, script=fail_at("a")).finish()
        assert set(world.calls[-1][1]) == {"b", "c"}

    def test_more_failures_than_can_be_afforded_fail_it_with_the_last(self) -> None:
        plan = plan_of(parallel(*(call(n) for n in "abc"), complete=2))
        world = World(plan, script=fail_at("a", "b")).finish()
        assert world.status == "failed"
        assert world.run.ended is not None
        assert world.run.ended["error"]["step"] == "b"
        assert world.steps("step.cancelled") == ["c"]

    def test_the_tasks_of_those_that_are_not_needed_are_withdrawn(self) -> None:
        task = {"type": "human-task", "name": "ask", "assignee": "bob"}
        world = World(plan_of(parallel(task, call("a"), complete="any"))).finish()
        assert [record["task"] for record in world.of_type("task.withdrawn")] == ["e1/ask"]
        assert world.status == "completed"

    @pytest.mark.parametrize(("tolerate", "status"), [(0, "failed"), (1, "completed"), ("50%", "completed")])
    def test_tolerated_failures_are_undone_and_leave_no_keys(self, tolerate: Any, status: str) -> None:
        failing = [call("a1", output="a1", compensate=UNDO), call("a2")]
        plan = plan_of(parallel(failing, call("b", output="b"), tolerate=tolerate), call("end", input="$"))
        world = World(plan, script=fail_at("a2")).finish()
        assert world.status in (status, "compensated")
        if status == "completed":
            assert set(world.calls[-1][1]) == {"b"}
        assert "compensate:a1" in world.steps("step.completed")

    def test_what_cannot_be_undone_at_the_join_fails_the_execution(self) -> None:
        failing = [call("a1", compensate=UNDO), call("a2")]
        plan = plan_of(parallel(failing, call("b"), tolerate=1), call("end"))
        world = World(plan, script=fail_at("a2", "compensate:a1")).finish()
        assert world.status == "needs-attention"
        assert "end" not in world.steps()


class TestThatFailWhileStopped:
    """The call that is told to stop answers with an error: it had failed in the same moment, or does not like it."""

    def fail(self, world: World, step: str) -> World:
        while f"{step}#1!stop" not in world.run.pending:
            assert world.step()
        error = {"type": "boom", "message": "no"}
        world.add({"type": "step.failed", "step": step, "attempt": 1, "error": error, "random": 0.5})
        return world.finish()

    def test_another_was_enough(self) -> None:
        plan = plan_of(parallel(call("a", output="a"), call("b"), complete="any"), output="$.a")
        world = self.fail(World(plan), "b")
        assert (world.status, world.output) == ("completed", {"of": "a"})
        assert world.steps("step.completed") == ["a"]

    def test_another_has_ended_everything(self) -> None:
        plan = plan_of(parallel([call("a"), {"type": "end", "output": 1}], call("b")))
        world = self.fail(World(plan), "b")
        assert (world.status, world.output) == ("completed", 1)

    def test_another_has_failed(self) -> None:
        plan = plan_of(parallel(call("a"), call("b")))
        world = self.fail(World(plan, script=fail_at("a")), "b")
        assert world.run.ended is not None
        assert (world.status, world.run.ended["error"]["step"]) == ("failed", "a")

    def test_the_block_has_taken_too_long(self) -> None:
        block = {"type": "sequential", "name": "s", "steps": call("b"), "timeout": "1s"}
        handled = {"type": "try", "steps": block, "catch": [{"error": "timeout", "steps": call("c")}]}
        world = World(plan_of(handled))
        world.add({"type": "timer.fired", "timer": "s!timeout"})
        assert self.fail(world, "b").steps() == ["b", "c"]

    def test_somebody_has_cancelled(self) -> None:
        world = World(plan_of(call("z", compensate=UNDO), parallel(call("a"), call("b"))))
        world.step()
        world.add({"type": "cancel.requested", "by": "ann", "reason": ""})
        assert self.fail(world, "b").status == "cancelled"


class TestForeach:
    @pytest.mark.parametrize("concurrency", [1, 2, 5])
    @pytest.mark.parametrize("seed", range(5))
    def test_results_come_by_index_whatever_the_order(self, concurrency: int, seed: int) -> None:
        body = call("ship", input="${$.item * 10 + $.index}", output="shipped")
        plan = plan_of(foreach("$.xs", body, concurrency=concurrency, output="all"), output="$.all")
        world = World(plan, {"xs": [3, 1, 2]}, lambda step, attempt, value: value, seed).finish()
        assert world.output == [{"shipped": 30}, {"shipped": 11}, {"shipped": 22}]
        assert sorted(world.steps()) == ["ship@0", "ship@1", "ship@2"]

    def test_as_names_the_item_and_nested_loops_number_on(self) -> None:
        step = call("do", input="${$.row[0] + $.cell}")
        inner = {"type": "foreach", "items": "$.row", "as": "cell", "steps": step}
        plan = plan_of(foreach("$.rows", inner, **{"as": "row"}))
        world = World(plan, {"rows": [[1, 2], [3]]}).finish()
        assert world.calls == [("do@0.0", 2), ("do@0.1", 3), ("do@1.0", 6)]

    def test_an_output_of_templates_gives_a_list_for_each_key(self) -> None:
        body = call("ship", output="shipped", input="$.item")
        output = {"results": "$.shipped", "doubled": "${$.item * 2}"}
        plan = plan_of(foreach("$.xs", body, output=output), output="$")
        world = World(plan, {"xs": [1, 2]}, lambda step, attempt, value: value).finish()
        assert world.output == {"xs": [1, 2], "results": [1, 2], "doubled": [2, 4]}

    def test_the_keys_of_the_body_stay_inside(self) -> None:
        plan = plan_of(foreach([1, 2], call("a", output="inside")), call("end", input="$"))
        assert World(plan).finish().calls[-1] == ("end", {})

    def test_tolerated_failures_are_told_by_index(self) -> None:
        body = call("a", output="a", input="$.item")

        def script(step: str, attempt: int, value: Any) -> Any:
            if value == 2:
                raise ServiceError("odd", "not this one")
            return value

        plan = plan_of(foreach([1, 2, 3], body, tolerate="40%", output="all"), output="$.all")
        world = World(plan, script=script).finish()
        assert [row.get("a") for row in world.output] == [1, None, 3]
        assert world.output[1]["error"]["type"] == "odd"

    @pytest.mark.parametrize("items", ["text", {"a": 1}, 3, None])
    def test_anything_but_a_list_is_an_error(self, items: Any) -> None:
        world = World(plan_of(foreach("$.xs", call("a"))), {"xs": items}).finish()
        assert world.status == "failed"
        assert world.run.ended is not None
        assert world.run.ended["error"]["type"] == "expression.type"

    def test_nothing_to_do_is_done(self) -> None:
        plan = plan_of(foreach([], call("a"), output="all"), output="$.all")
        assert World(plan).finish().output == []

    def test_a_failure_undoes_the_iterations_before_it_last_first(self) -> None:
        plan = plan_of(foreach([0, 1, 2], call("a", compensate=UNDO), call("b")))
        world = World(plan, script=fail_at("b@2")).finish()
        assert world.status == "compensated"
        undone = [step for step in world.steps() if ":" in step]
        assert undone == ["compensate:a@2", "compensate:a@1", "compensate:a@0"]

    def test_enough_items_end_the_others(self) -> None:
        plan = plan_of(foreach([0, 1, 2, 3], call("a", output="a"), concurrency=4, complete=2, output="all"))
        world = World(plan).finish()
        assert len(world.steps("step.cancelled")) == 2
        assert world.status == "completed"

    def test_cancelling_the_execution_begins_no_further_item(self) -> None:
        plan = plan_of(foreach(list(range(10)), call("a"), concurrency=2))
        world = World(plan)
        world.step()
        world.add({"type": "cancel.requested", "by": "ann", "reason": ""})
        world.finish()
        assert world.status == "cancelled"
        assert len(world.steps()) == 3

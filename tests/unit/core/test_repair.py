"""What each repair does to an execution, told in journals."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.world import World, an_event, call, plan_of
from tests.unit.core.test_steps_crews import UNDO, foreach, parallel
from wfrun.core.run import Run
from wfrun.errors import ServiceError

PAUSE = {"onFailure": "pause"}


class Services:
    """A script whose faults can be repaired. Steps in `broken` fail, with the type that they are broken with."""

    def __init__(self, *broken: str, type: str = "boom") -> None:
        self.broken = dict.fromkeys(broken, type)
        self.results: dict[str, Any] = {}

    def __call__(self, step: str, attempt: int, value: Any) -> Any:
        if step in self.broken:
            raise ServiceError(self.broken[step], f"{step} failed")
        return self.results.get(step, {"of": step})

    def repaired(self) -> None:
        self.broken.clear()


def paused(*steps: Any, broken: tuple[str, ...], type: str = "boom", **more: Any) -> tuple[World, Services]:
    """An execution that waits for a repair because these steps failed; they work from now on."""
    services = Services(*broken, type=type)
    world = World(plan_of(*steps, errorHandling=PAUSE, **more), script=services).finish()
    assert world.run.is_paused
    services.repaired()
    return world, services


def since(world: World, records: int) -> list[str]:
    """The calls begun since then."""
    return [record["step"] for record in world.records[records:] if record["type"] == "step.started"]


def keys(world: World, step: str) -> list[str]:
    return [record["key"] for record in world.of_type("step.started") if record["step"] == step]


def is_open(world: World, task: str) -> bool:
    return world.run.tasks[task].closed is None


def assert_folds_again(world: World) -> None:
    """Another process that reads the journal knows the same."""
    run = Run(world.plan, world.plans.__getitem__)
    for record in world.records:
        run.apply(record)
    assert list(run.pending) == list(world.run.pending)
    assert run.ended == world.run.ended


class TestResume:
    def test_what_failed_is_tried_again_under_its_key_and_the_rest_follows(self) -> None:
        plan = [call("a", output="a"), call("b", input="$.a", output="b"), call("c", input="$")]
        world, _ = paused(*plan, broken=("b",))
        before = len(world.records)
        world.repair("resume").finish()
        assert world.status == "completed"
        assert since(world, before) == ["b", "c"]
        assert keys(world, "b") == ["e1/b", "e1/b"]
        assert world.calls[-1] == ("c", {"a": {"of": "a"}, "b": {"of": "b"}})
        assert_folds_again(world)

    def test_attempts_are_numbered_on_and_retries_counted_anew(self) -> None:
        world, services = paused(call("a", retry={"policy": "fixed", "maxRetries": 1}), broken=("a",))
        services.broken["a"] = "boom"
        world.repair("resume").finish()
        assert [record["attempt"] for record in world.of_type("step.started")] == [1, 2, 3, 4]
        services.repaired()
        assert world.repair("resume").finish().status == "completed"
        assert [record["attempt"] for record in world.of_type("step.started")] == [1, 2, 3, 4, 5]

    def test_a_failed_execution_without_anything_to_undo_can_be_resumed(self) -> None:
        services = Services("b")
        world = World(plan_of(call("a"), call("b")), script=services).finish()
        assert world.status == "failed"
        services.repaired()
        assert world.repair("resume").finish().status == "completed"

    @pytest.mark.parametrize("seed", range(20))
    def test_branches_that_were_stopped_go_on(self, seed: int) -> None:
        ask = {"type": "human-task", "name": "ask", "assignee": "bob", "output": "ask"}
        steps = parallel(
            [call("a"), call("a2")], [call("b"), call("b2")], ask, {"type": "wait", "name": "w", "for": "1h"}
        )
        services = Services("b")
        plan = plan_of(steps, errorHandling=PAUSE)

        def people(step: str) -> dict[str, Any]:
            return {"decision": "approved", "by": "bob", "data": {}}

        world = World(plan, script=services, seed=seed, people=people).finish()
        done = set(world.steps("step.completed"))
        services.repaired()
        before = len(world.records)
        assert world.repair("resume").finish().status == "completed"
        assert not done & set(since(world, before))
        assert {key for step in ("a", "a2", "b", "b2") for key in keys(world, step)} == {
            "e1/a",
            "e1/a2",
            "e1/b",
            "e1/b2",
        }
        assert_folds_again(world)

    def test_a_stopped_call_is_begun_again_as_the_same_attempt(self) -> None:
        world, _ = paused(parallel(call("a"), call("b")), broken=("a",))
        assert world.steps("step.cancelled") == ["b"]
        world.repair("resume")
        assert [(r["step"], r["attempt"]) for r in world.of_type("step.started")[2:]] == [("a", 2), ("b", 1)]

    def test_a_task_is_open_again_with_the_votes_it_had(self) -> None:
        ask = {"type": "human-task", "name": "ask", "assignee": {"groups": ["g"], "quorum": 2}}
        services = Services("a")
        world = World(plan_of(parallel(ask, call("a")), errorHandling=PAUSE), script=services)
        vote = {"type": "task.decided", "task": "e1/ask", "decision": "approved", "comment": "", "data": {}}
        world.add({**vote, "by": "bob"})
        world.finish()
        assert not is_open(world, "e1/ask")
        services.repaired()
        world.repair("resume").finish()
        assert is_open(world, "e1/ask")
        world.add({**vote, "by": "eve"})
        assert world.status == "completed"
        assert len(world.of_type("task.created")) == 1

    def test_a_task_that_has_a_due_time_is_asked_anew(self) -> None:
        ask = {"type": "human-task", "name": "ask", "assignee": "bob", "timeout": "1h"}
        services = Services("a")
        plan = plan_of(parallel(ask, call("a")), errorHandling=PAUSE)
        world = World(plan, script=services)
        world.finish()
        services.repaired()
        world.repair("resume").finish()
        assert len(world.of_type("task.created")) == 2
        assert world.run.tasks["e1/ask"].created is world.of_type("task.created")[1]

    def test_the_time_of_a_block_counts_anew(self) -> None:
        block = {"type": "sequential", "name": "block", "steps": [call("a"), call("b")], "timeout": "1m"}
        world, _ = paused(block, broken=("b",))
        world.repair("resume").finish()
        first, second = world.of_type("timer.started")
        repaired = world.of_type("execution.repaired")[0]["at"]
        assert first["timer"] == second["timer"] == "block!timeout"
        assert second["due"] == repaired.replace("00:00:", "00:01:")
        assert world.status == "completed"

    def test_a_block_that_took_too_long_goes_on_where_it_was(self) -> None:
        slow = {"type": "wait", "name": "w", "event": "go"}
        block = {"type": "sequential", "name": "block", "steps": [call("a"), slow, call("b")], "timeout": "1m"}
        world, _ = paused(block, broken=())
        assert world.run.interpreter.failure is not None
        before = len(world.records)
        world.repair("resume")
        world.add({"type": "event.received", "event": an_event("go", "1")})
        assert world.finish().status == "completed"
        assert since(world, before) == ["b"]

    @pytest.mark.parametrize("seed", range(20))
    def test_two_that_failed_are_both_tried_again(self, seed: int) -> None:
        services = Services("a", "b")
        plan = plan_of(parallel(call("a"), call("b"), onFailure="wait"), errorHandling=PAUSE)
        world = World(plan, script=services, seed=seed).finish()
        services.repaired()
        assert world.repair("resume").finish().status == "completed"

    @pytest.mark.parametrize("seed", range(20))
    def test_so_is_one_whose_finally_was_stopped_because_of_the_other(self, seed: int) -> None:
        services = Services("a", "b")
        cleaning = {"type": "try", "steps": call("a"), "finally": call("c")}
        world = World(plan_of(parallel(cleaning, call("b")), errorHandling=PAUSE), script=services, seed=seed).finish()
        services.repaired()
        assert world.repair("resume").finish().status == "completed"
        assert_folds_again(world)

    def test_a_failed_finally_is_tried_again_after_what_it_follows(self) -> None:
        block = {"type": "try", "steps": call("a"), "finally": call("b")}
        world, _ = paused(block, call("c"), broken=("a", "b"))
        before = len(world.records)
        assert world.repair("resume").finish().status == "completed"
        assert since(world, before) == ["a", "b", "c"]

    def test_a_failed_handler_is_tried_again_as_a_handler(self) -> None:
        block = {"type": "try", "steps": call("a"), "catch": [{"steps": call("h", input="$.error.type")}]}
        world, _ = paused(block, broken=("a", "h"))
        before = len(world.records)
        assert world.repair("resume").finish().status == "completed"
        assert since(world, before) == ["h"]
        assert world.calls[-1] == ("h", "boom")

    def test_only_the_failed_iteration_is_tried_again(self) -> None:
        loop = foreach([0, 1, 2], call("a", output="a"), call("b", input="$.item"), concurrency=3, output="all")
        world, _ = paused(loop, broken=("b@1",))
        done = set(world.steps("step.completed"))
        before = len(world.records)
        assert world.repair("resume").finish().status == "completed"
        assert not done & set(since(world, before))

    @pytest.mark.parametrize("concurrency", [1, 2, 3])
    @pytest.mark.parametrize("seed", range(5))
    def test_iterations_that_had_their_turn_because_another_failed_keep_it(self, concurrency: int, seed: int) -> None:
        loop = foreach(list(range(6)), call("a"), concurrency=concurrency, onFailure="wait")
        services = Services("a@0")
        world = World(plan_of(loop, errorHandling=PAUSE), script=services, seed=seed).finish()
        services.repaired()
        before = len(world.records)
        assert world.repair("resume").finish().status == "completed"
        assert since(world, before) == ["a@0"]
        assert_folds_again(world)

    def test_unless_which_event_they_took_depends_on_it(self) -> None:
        wait = {"type": "wait", "name": "w", "event": "go", "output": "got"}
        loop = foreach([0, 1], wait, call("a"), onFailure="wait", output={"ids": "$.got.id"})
        services = Services("a@0")
        events = [an_event("go", "1"), an_event("go", "2")]
        plan = plan_of(loop, errorHandling=PAUSE, output="$.ids")
        world = World(plan, script=services, events=events).finish()
        services.repaired()
        assert world.repair("resume").finish().output == ["1", "2"]
        assert world.steps() == ["a@0", "a@1", "a@0", "a@1"]

    def test_one_with_an_unknown_outcome_is_repeated_and_not_undone(self) -> None:
        world, _ = paused(call("a", compensate=UNDO), broken=("a",), type="timeout")
        world.repair("resume").finish()
        assert world.steps() == ["a", "a"]
        assert keys(world, "a") == ["e1/a", "e1/a"]

    def test_and_stays_in_doubt_if_it_fails_for_sure_then(self) -> None:
        world, services = paused(call("a", compensate=UNDO), broken=("a",), type="timeout")
        services.broken["a"] = "http.422"
        world.repair("resume").finish()
        world.add({"type": "compensation.requested", "by": "ann", "reason": ""})
        assert world.finish().steps()[-1] == "compensate:a"

    def test_an_output_without_a_value_is_worked_out_again(self) -> None:
        world, _ = paused(call("a", output="a"), broken=(), output="$.a.missing")
        world.repair("set-output", step="a", value={"missing": 7}).finish()
        assert (world.status, world.output) == ("completed", 7)

    def test_a_child_that_was_stopped_runs_again_as_another_execution(self) -> None:
        child = {"type": "workflow", "name": "ship", "workflow": "shipping"}
        world, _ = paused(parallel(call("a"), child), broken=("a",))
        world.repair("resume").finish()
        assert [record["child"] for record in world.of_type("child.started")] == ["e1.ship", "e1.ship..r2"]
        assert world.status == "completed"

    def test_a_child_that_failed_is_asked_again(self) -> None:
        statuses = iter(["failed", "completed"])
        child = {"type": "workflow", "name": "ship", "workflow": "shipping"}
        plan = plan_of(child, errorHandling=PAUSE)
        world = World(plan, children=lambda step, value: {"status": next(statuses)}).finish()
        world.repair("resume").finish()
        assert [record["child"] for record in world.of_type("child.started")] == ["e1.ship"] * 2
        assert world.status == "completed"

    def test_a_cancellation_after_the_pivot_is_forgotten(self) -> None:
        plan = plan_of(call("a", pivot=True), call("b"), call("c"))
        world = World(plan)
        world.step()
        world.add({"type": "cancel.requested", "by": "ann", "reason": ""})
        world.finish()
        assert world.run.is_paused
        assert world.repair("resume").finish().status == "completed"


class TestSkip:
    def test_a_failed_step_counts_as_done_without_its_output(self) -> None:
        plan = [call("a"), call("b", output="b"), call("c", input="${default($.b, 'none')}")]
        world, _ = paused(*plan, broken=("b",))
        assert world.repair("skip", step="b").finish().calls[-1] == ("c", "none")
        assert world.steps().count("b") == 1
        assert_folds_again(world)

    def test_or_with_one(self) -> None:
        world, _ = paused(call("b", output="b"), call("c", input="$.b"), broken=("b",))
        assert world.repair("skip", step="b", value=3).finish().calls[-1] == ("c", 3)

    def test_it_has_nothing_to_undo_then(self) -> None:
        plan = [call("b", output="b", compensate=UNDO), call("c")]
        world, _ = paused(*plan, broken=("b",))
        world.repair("skip", step="b", value=3).finish()
        world.add({"type": "compensation.requested", "by": "ann", "reason": ""})
        world.finish()
        assert "compensate:b" not in world.steps()

    def test_one_with_an_unknown_outcome_is_undone_first(self) -> None:
        world, _ = paused(call("b", compensate=UNDO), call("c"), broken=("b",), type="timeout")
        before = len(world.records)
        world.repair("skip", step="b").finish()
        assert since(world, before) == ["compensate:b", "c"]

    def test_a_wait_that_nobody_will_end(self) -> None:
        world = World(plan_of({"type": "wait", "name": "w", "event": "never"}, call("a"))).finish()
        assert world.repair("skip", step="w").finish().status == "completed"

    def test_an_open_task(self) -> None:
        ask = {"type": "human-task", "name": "ask", "assignee": "bob", "output": "ask"}
        world = World(plan_of(ask, call("a", input="$.ask.decision"))).finish()
        world.repair("skip", step="ask", value={"decision": "approved"}).finish()
        assert world.calls == [("a", "approved")]
        assert not is_open(world, "e1/ask")

    @pytest.mark.parametrize(("kind", "test"), [("while", "condition"), ("repeat", "until")])
    def test_a_loop_that_has_had_enough_iterations_is_gone_on_without(self, kind: str, test: str) -> None:
        """Nothing in it has failed, and it fails again as soon as anybody looks at it."""
        body = call("a", compensate=UNDO)
        loop = {"type": kind, "name": "poll", test: f"{kind == 'while'}".lower(), "maxIterations": 2, "steps": body}
        world, _ = paused(loop, call("b"), broken=())
        world.repair("skip", step="poll").finish()
        assert world.status == "completed"
        assert world.steps() == ["a@0", "a@1", "compensate:a@1", "compensate:a@0", "b"]

    def test_a_block_with_all_that_is_in_it(self) -> None:
        block = {"type": "sequential", "name": "block", "steps": [call("a", compensate=UNDO), call("b")]}
        world, _ = paused(block, call("c"), broken=("b",))
        before = len(world.records)
        world.repair("skip", step="block").finish()
        assert since(world, before) == ["compensate:a", "c"]

    def test_one_iteration(self) -> None:
        world, _ = paused(foreach([0, 1, 2], call("a", output="a"), output="all"), broken=("a@1",))
        before = len(world.records)
        world.repair("skip", step="a@1").finish()
        assert since(world, before) == ["a@2"]
        assert world.status == "completed"

    def test_it_holds_for_later_repairs_until_the_step_is_rewound(self) -> None:
        world, services = paused(call("a"), call("b"), call("c"), broken=("b",))
        services.broken["c"] = "boom"
        world.repair("skip", step="b").finish()
        services.repaired()
        world.repair("resume").finish()
        assert world.steps() == ["a", "b", "c", "c"]
        proposal = world.propose("rewind", step="a")
        assert proposal.again == ("a", "b", "c")
        world.repair("rewind", step="a").finish()
        assert world.steps()[4:] == ["a", "b", "c"]
        assert_folds_again(world)

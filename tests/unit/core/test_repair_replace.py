"""Going on with another workflow, what is refused and why, and not waiting any longer."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.world import World, an_event, call, plan_of
from tests.unit.core.test_interpreter import fail_at
from tests.unit.core.test_repair import PAUSE, Services, assert_folds_again, paused, since
from tests.unit.core.test_steps_crews import UNDO, foreach, parallel
from wfrun.core.interventions import fire_now
from wfrun.core.plan import Plan
from wfrun.core.repair_refusals import reasons_not_to_undo
from wfrun.core.run import Run
from wfrun.errors import ConflictError, DivergenceError, NotFoundError


def new(*steps: Any, **more: Any) -> Plan:
    return plan_of(*steps, errorHandling=PAUSE, **more)


def reasons(world: World, action: Any, **wish: Any) -> dict[str, str]:
    proposal = world.propose(action, **wish)
    return {reason.code: f"{reason.message} ({reason.hint})" for reason in proposal.reasons}


class TestReplace:
    def test_what_is_done_stays_and_the_rest_follows_the_new_file(self) -> None:
        world, _ = paused(call("a", output="a"), call("b", input="$.wrong"), call("c"), broken=())
        fixed = new(call("a", output="a"), call("b", input="$.a"), call("d"), output="$.a.of")
        before = len(world.records)
        world.repair("replace", replacement=fixed).finish()
        assert since(world, before) == ["b", "d"]
        assert (world.status, world.output) == ("completed", "a")
        assert world.run.plan is fixed
        assert_folds_again(world)

    def test_a_waiting_execution_can_be_moved_too(self) -> None:
        wait = {"type": "wait", "name": "w", "event": "go"}
        world = World(plan_of(call("a"), wait)).finish()
        world.repair("replace", replacement=plan_of(call("a"), wait, call("b")))
        world.add({"type": "event.received", "event": an_event("go", "1")})
        assert world.finish().steps() == ["a", "b"]

    def test_an_open_task_that_asks_something_else_is_asked_anew(self) -> None:
        ask = {"type": "human-task", "name": "ask", "assignee": "bob"}
        world = World(plan_of(ask))
        world.repair("replace", replacement=plan_of({**ask, "assignee": "eve"}))
        assert world.run.tasks["e1/ask"].assignee == {"names": ["eve"]}

    def test_a_loop_that_went_round_too_often_goes_on(self) -> None:
        loop = {"type": "while", "name": "loop", "condition": "$.index < 3", "steps": [call("a")]}
        world, _ = paused({**loop, "maxIterations": 2}, broken=())
        before = len(world.records)
        world.repair("replace", replacement=new({**loop, "maxIterations": 9})).finish()
        assert since(world, before) == ["a@2"]
        assert world.status == "completed"

    def test_what_was_stopped_and_is_called_with_something_else_now_is_undone_first(self) -> None:
        world, _ = paused(parallel(call("a"), call("b", input=1, compensate=UNDO)), broken=("a",))
        fixed = new(parallel(call("a"), call("b", input=2, compensate=UNDO)))
        world.repair("replace", replacement=fixed).finish()
        assert world.calls[2:] == [("compensate:b", None), ("a", None), ("b", 2)]

    def test_what_undoes_a_step_that_is_done_is_corrected(self) -> None:
        wrong, right = {**UNDO, "input": "$.result.nothing"}, {**UNDO, "input": "$.result.of"}
        world, _ = paused(call("a", compensate=wrong), call("b"), broken=("b",))
        before = len(world.records)
        fixed = plan_of(call("a", compensate=right, action="another"), call("b"), {"type": "fail", "name": "no"})
        world.repair("replace", replacement=fixed).finish()
        assert since(world, before) == ["b", "compensate:a"]
        assert (world.calls[-1], world.status) == (("compensate:a", "a"), "compensated")

    def test_a_step_that_has_run_must_be_there(self) -> None:
        world, _ = paused(call("a"), call("b"), broken=("b",))
        told = reasons(world, "replace", replacement=new(call("b")))
        assert told == {
            "repair.step-gone": "'a' has run, and the new file does not have it "
            "(leave it in the file, or `rewind` to where 'a' has not run)"
        }

    def test_and_where_it_was(self) -> None:
        world, _ = paused(call("a"), call("b"), call("c"), broken=("c",))
        told = reasons(world, "replace", replacement=new(call("a"), call("n"), call("b"), call("c")))
        assert told["repair.step-moved"].startswith("'b' has run; it comes after 'n', which has not run")

    @pytest.mark.parametrize(
        ("before", "after", "told"),
        [
            (call("a", input=1), call("a", input=2), "'a' has run with another input than the new file has for it"),
            (call("a", input=1), call("a", input="$.none"), "$.none"),
            (
                {"type": "conditional", "condition": "$.x > 3", "then": call("a")},
                {"type": "conditional", "condition": "$.x > 9", "then": call("a")},
                "'steps[0]': it was true then, and would be false now",
            ),
            (
                foreach([1, 2], call("a")),
                foreach([1], call("a")),
                "'each' went through 2 items, and would go through 1",
            ),
            (
                {"type": "set", "values": {"k": 1}},
                {"type": "set", "values": {"k": 2}},
                "'steps[0]' came to something else than it would now",
            ),
        ],
    )
    def test_what_is_done_must_come_out_the_same(self, before: Any, after: Any, told: str) -> None:
        world = World(new(before, call("z")), {"x": 5}, Services("z")).finish()
        proposal = world.propose("replace", replacement=new(after, call("z")))
        assert [reason.code for reason in proposal.reasons] == ["repair.step-differs"]
        assert told in proposal.reasons[0].message
        assert str(proposal.reasons[0].place).startswith("test.yaml")

    def test_an_answered_task_must_have_asked_the_same(self) -> None:
        ask = {"type": "human-task", "name": "ask", "assignee": "bob"}

        def people(step: str) -> dict[str, Any]:
            return {"decision": "approved", "by": "bob", "data": {}}

        world = World(new(ask, call("z")), script=fail_at("z"), people=people).finish()
        told = reasons(world, "replace", replacement=new({**ask, "title": "Other"}, call("z")))
        assert told["repair.step-differs"].startswith("'ask' has been decided, and the new file asks something else")

    def test_the_new_workflow_has_to_be_at_hand(self) -> None:
        world, _ = paused(call("a"), broken=("a",))
        world.repair("replace", replacement=new(call("a"), call("b"))).finish()
        run = Run(world.plan)
        *before, repaired = world.records[: world.of_type("execution.repaired")[0]["seq"] + 1]
        for record in before:
            run.apply(record)
        with pytest.raises(DivergenceError, match="not at hand"):
            run.apply(repaired)


class TestRefusals:
    def test_resume_needs_something_that_stopped(self) -> None:
        world = World(plan_of({"type": "wait", "name": "w", "event": "go"}))
        assert reasons(world, "resume").keys() == {"repair.running"}
        world.add({"type": "event.received", "event": an_event("go", "1")})
        assert "`rewind STEP`" in reasons(world, "resume")["repair.completed"]

    def test_resume_does_not_take_up_what_was_undone(self) -> None:
        world = World(plan_of(call("a", compensate=UNDO), call("b")), script=fail_at("b")).finish()
        assert reasons(world, "resume").keys() == {"repair.undone"}
        world = World(plan_of(call("a", compensate=UNDO), call("b")), script=fail_at("b", "compensate:a")).finish()
        told = reasons(world, "replace", replacement=world.plan)
        assert told.keys() == {"repair.needs-attention"}
        assert told["repair.needs-attention"].startswith("'a' could not be undone (`resume` tries that again")
        assert [reason.message for reason in reasons_not_to_undo(world.run)] == ["'a' could not be undone"]

    @pytest.mark.parametrize("action", ["skip", "set-output", "set-input", "rewind", "compensate"])
    def test_the_step_must_be_there_and_have_run(self, action: Any) -> None:
        world = World(plan_of(call("ship", output="s"), call("b", output="b")), script=fail_at("ship")).finish()
        assert reasons(world, action, step="shop", value=1) == {
            "repair.unknown-step": "there is no step 'shop' (did you mean 'ship'?)"
        }
        assert reasons(world, action, step="b", value=1).keys() == {"repair.not-run"}
        assert reasons(world, action, value=1).keys() == {"repair.unknown-step"}

    @pytest.mark.parametrize("action", ["skip", "set-output", "set-input"])
    def test_one_iteration_is_named(self, action: Any) -> None:
        world = World(plan_of(foreach([1], call("a", output="a")))).finish()
        assert "a@0" in reasons(world, action, step="a", value=1)["repair.iteration"]
        assert reasons(world, action, step="a@0", value=1).keys() == (
            {"repair.step-completed"} if action == "skip" else set()
        )

    @pytest.mark.parametrize("action", ["skip", "set-output", "set-input"])
    def test_in_loops_in_loops_one_of_each(self, action: Any) -> None:
        inner = foreach([1, 2], call("a", output="a"), name="inner")
        world = World(plan_of(foreach([1, 2], inner)), script=fail_at("a@1.0")).finish()
        assert "a@0.0 " in reasons(world, action, step="a", value=1)["repair.iteration"]
        assert "a@1.0 " in reasons(world, action, step="a@1", value=1)["repair.iteration"]
        assert reasons(world, action, step="a@1.0", value=1) == {}
        assert reasons(world, action, step="a@1.1", value=1).keys() == {"repair.not-run"}
        assert reasons(world, action, step="a@1.0.0", value=1).keys() == {"repair.not-run"}
        assert reasons(world, "skip", step="inner@1") == {}

    @pytest.mark.parametrize("action", ["skip", "set-output", "set-input", "rewind", "compensate"])
    @pytest.mark.parametrize(
        ("step", "why"),
        [
            ("a@2.0", "'each' goes through 2 items, 0 to 1"),
            ("a@x.0", "'each' goes through 2 items, 0 to 1"),
            ("a@0.3", "'each.steps[0]@0' goes through 1 item, number 0"),
            ("a@1.0", "'each.steps[0]@1' goes through no items"),
        ],
    )
    def test_a_foreach_has_so_many_items(self, action: Any, step: str, why: str) -> None:
        inner = {"type": "foreach", "items": "$.item", "steps": [call("a", output="a")]}
        world = World(plan_of(foreach([[1], []], inner))).finish()
        told = reasons(world, action, step=step, value=1)
        assert told == {"repair.iteration": f"there is no {step!r}: {why} ()"}

    @pytest.mark.parametrize("action", ["set-input", "rewind", "compensate"])
    def test_what_undoes_a_step_is_no_step_of_its_own(self, action: Any) -> None:
        world = World(plan_of(call("a", compensate=UNDO), call("b")), script=fail_at("b")).finish()
        told = reasons(world, action, step="compensate:a", value=1)["repair.unknown-step"]
        assert told.startswith("'compensate:a' undoes a step, and is none (name 'a'; ")
        assert reasons(world, action, step="compensate:x", value=1).keys() == {"repair.unknown-step"}

    def test_what_undoes_a_step_is_given_a_result_if_somebody_asks_for_it(self) -> None:
        world = World(plan_of(call("a", compensate=UNDO), call("b")), script=fail_at("b")).finish()
        told = reasons(world, "set-output", step="compensate:a", value=1)["repair.not-asked"]
        assert told.startswith("nobody is asked what became of 'compensate:a'")

    @pytest.mark.parametrize("action", ["skip", "set-output", "set-input", "rewind", "compensate"])
    def test_an_iteration_has_a_number(self, action: Any) -> None:
        world = World(plan_of(call("a", output="a"), foreach([1], call("b", output="b"))), script=fail_at("b@0"))
        world.finish()
        for step in ("a", "b"):
            told = reasons(world, action, step=f"{step}@", value=1)
            assert told == {"repair.unknown-step": f"there is no step '{step}@' (did you mean '{step}'?)"}

    def test_values_where_they_make_sense(self) -> None:
        world = World(plan_of(call("a"))).finish()
        assert reasons(world, "set-output", step="a", value=1).keys() == {"repair.output"}
        assert reasons(world, "skip", step="a", value=1).keys() == {"repair.output"}
        assert reasons(world, "set-input", step="a").keys() == {"repair.value"}

    @pytest.mark.parametrize("more", [{"compensate": UNDO}, {"pivot": True}])
    def test_a_step_without_output_can_have_been_done_by_hand_if_that_matters(self, more: Any) -> None:
        world = World(plan_of(call("a", **more)), script=fail_at("a")).finish()
        assert reasons(world, "set-output", step="a", value=1).keys() == set()
        assert reasons(world, "skip", step="a", value=1).keys() == {"repair.output"}

    def test_inputs_where_they_make_sense(self) -> None:
        ask = {"type": "human-task", "name": "ask", "assignee": "bob"}
        world = World(plan_of({"type": "workflow", "name": "w", "workflow": "x"}, ask)).finish()
        assert reasons(world, "set-input", step="ask", value=1).keys() == {"repair.input"}
        assert reasons(world, "set-input", step="w", value=1).keys() == {"repair.input"}

    def test_another_workflow_has_to_be_there(self) -> None:
        world = World(plan_of(call("a")), script=fail_at("a")).finish()
        assert reasons(world, "replace").keys() == {"repair.replacement"}

    def test_nothing_is_undone_after_the_pivot(self) -> None:
        world = World(
            plan_of(call("a", compensate=UNDO), call("b", pivot=True), call("c")), script=fail_at("c")
        ).finish()
        assert reasons(world, "rewind", step="a").keys() == {"repair.pivot"}
        assert reasons(world, "compensate", step="a").keys() == {"repair.pivot"}
        assert [reason.code for reason in reasons_not_to_undo(world.run)] == ["repair.pivot"]
        assert reasons(world, "rewind", step="a", keep=True) == {}
        assert reasons(world, "rewind", step="b") == {}
        assert reasons(world, "resume") == {}

    def test_a_call_that_is_out_is_waited_for(self) -> None:
        world = World(plan_of(parallel(call("a"), call("b"))))
        world.step()
        told = reasons(world, "rewind", step="a", driven=True)
        assert told["repair.call-running"].startswith("'b' is being called")
        assert reasons(world, "rewind", step="a") == {}

    def test_a_child_is_not_left_to_itself(self) -> None:
        world = World(plan_of(call("a"), {"type": "workflow", "name": "ship", "workflow": "x"}))
        world.step()
        told = reasons(world, "rewind", step="a")
        assert told["repair.child-running"].startswith("'ship' runs as execution e1.ship (cancel that one")

    def test_one_repair_after_the_other(self) -> None:
        world = World(plan_of(call("a", compensate=UNDO))).finish()
        world.repair("rewind", step="a")
        assert reasons(world, "rewind", step="a").keys() == {"repair.in-progress"}

    def test_back_to_a_step_that_has_completed(self) -> None:
        world, _ = paused(call("a"), call("b"), broken=("b",))
        assert reasons(world, "compensate", step="b").keys() == {"repair.not-completed"}
        world = World(plan_of(call("a", compensate=UNDO), call("b")), script=fail_at("b")).finish()
        assert reasons(world, "compensate", step="a").keys() == {"repair.not-completed"}

    def test_undoing_all_of_it_is_for_what_completed_or_waits(self) -> None:
        assert reasons_not_to_undo(World(plan_of(call("a"))).finish().run) == []
        assert [reason.code for reason in reasons_not_to_undo(World(plan_of(call("a"))).run)] == ["repair.running"]
        failed = World(plan_of(call("a")), script=fail_at("a")).finish()
        assert [reason.code for reason in reasons_not_to_undo(failed.run)] == ["repair.undone"]

    def test_a_proposal_changes_nothing(self) -> None:
        world, _ = paused(call("a", compensate=UNDO), call("b"), broken=("b",))
        before = (len(world.records), list(world.run.pending), dict(world.run.interpreter.undos))
        world.propose("rewind", step="a")
        assert before == (len(world.records), list(world.run.pending), dict(world.run.interpreter.undos))


class TestFireNow:
    def test_a_retry_is_made_at_once(self) -> None:
        world = World(plan_of(call("a", retry={"policy": "fixed", "maxRetries": 1})), script=fail_at("a"))
        world.step()
        fired = fire_now(world.run, "a", "ann", "the service is back")
        assert fired == {"type": "timer.fired", "timer": "a#1!retry", "by": "ann", "reason": "the service is back"}
        world.add(fired)
        assert len(world.steps()) == 2

    def test_a_wait_and_the_delay_of_a_loop_are_over(self) -> None:
        loop = {"type": "repeat", "name": "loop", "until": "$.index == 1", "maxIterations": 3, "delay": "1h"}
        world = World(plan_of({"type": "wait", "name": "w", "for": "1h"}, {**loop, "steps": [call("a")]}))
        world.add(fire_now(world.run, "w", "ann"))
        world.step()
        world.add(fire_now(world.run, "loop@1", "ann"))
        assert world.finish().status == "completed"

    def test_a_timeout_is_no_wait(self) -> None:
        world = World(plan_of({"type": "wait", "name": "w", "event": "go", "timeout": "1h"}))
        with pytest.raises(NotFoundError, match="'w' does not wait for a time"):
            fire_now(world.run, "w", "ann")

    def test_one_of_several_iterations_is_named(self) -> None:
        wait = {"type": "wait", "name": "w", "for": "1h"}
        world = World(plan_of(foreach([1, 2], wait, concurrency=2)))
        with pytest.raises(ConflictError, match="w@0, w@1"):
            fire_now(world.run, "w", "ann")
        world.add(fire_now(world.run, "w@1", "ann"))
        world.add(fire_now(world.run, "w", "ann"))
        assert world.status == "completed"

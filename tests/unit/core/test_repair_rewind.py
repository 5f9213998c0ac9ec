"""Running steps again, and undoing a part: what is undone first, and which keys are used then."""

from __future__ import annotations

from itertools import count
from typing import Any

import pytest

from tests.support.world import World, an_event, call, plan_of
from tests.unit.core.test_interpreter import fail_at
from tests.unit.core.test_repair import PAUSE, Services, assert_folds_again, is_open, keys, paused, since
from tests.unit.core.test_steps_crews import UNDO, foreach, parallel
from wfrun.core.repair_refusals import reasons_not_to_undo
from wfrun.errors import DivergenceError
from wfrun.views.status import status_of


class TestRewind:
    def test_what_came_after_is_undone_last_first_and_runs_again_under_new_keys(self) -> None:
        steps = [call(name, compensate=UNDO) for name in "abc"]
        world = World(plan_of(*steps)).finish()
        before = len(world.records)
        world.repair("rewind", step="b").finish()
        assert since(world, before) == ["compensate:c", "compensate:b", "b", "c"]
        assert [keys(world, name)[-1] for name in "abc"] == ["e1/a", "e1/b~2", "e1/c~2"]
        assert world.status == "completed"
        assert_folds_again(world)

    @pytest.mark.parametrize(("step", "keep"), [("a", True), ("b", False)])
    def test_what_is_behind_the_pivot_stays_there(self, step: str, keep: bool) -> None:
        """It has happened, and does not become undone by being asked for once more and failing then."""
        services = Services("c")
        plan = plan_of(call("a", compensate=UNDO), call("b", pivot=True), call("c"))
        world = World(plan, script=services).finish()
        services.broken["b"] = "boom"
        assert world.repair("rewind", step=step, keep=keep).finish().run.is_paused
        assert reasons_not_to_undo(world.run)[0].code == "repair.pivot"
        services.repaired()
        assert world.repair("resume").finish().status == "completed"
        assert_folds_again(world)

    def test_each_round_has_keys_of_its_own_also_for_undoing(self) -> None:
        world = World(plan_of(call("a", compensate=UNDO))).finish()
        for _ in range(2):
            world.repair("rewind", step="a").finish()
        assert keys(world, "a") == ["e1/a", "e1/a~2", "e1/a~3"]
        assert keys(world, "compensate:a") == ["e1/compensate:a", "e1/compensate:a~2"]

    def test_the_authors_key_is_told_apart_too(self) -> None:
        step = call("a", compensate=UNDO, idempotencyKey="order-${$.id}", input={"ref": "${uuid()}"})
        world = World(plan_of(step), {"id": 7}).finish()
        world.repair("rewind", step="a").finish()
        assert keys(world, "a") == ["order-7", "order-7~2"]
        inputs = [value["ref"] for name, value in world.calls if name == "a"]
        assert inputs[0] != inputs[1]

    def test_what_cannot_be_undone_keeps_its_key(self) -> None:
        world = World(plan_of(call("a"), call("b"))).finish()
        world.repair("rewind", step="a").finish()
        assert keys(world, "a") == ["e1/a", "e1/a"]

    def test_keep_undoes_nothing_and_keeps_the_keys(self) -> None:
        world = World(plan_of(call("a", compensate=UNDO), call("b"))).finish()
        world.repair("rewind", step="a", keep=True).finish()
        assert world.steps() == ["a", "b", "a", "b"]
        assert keys(world, "a") == ["e1/a", "e1/a"]

    @pytest.mark.parametrize("keep", [True, False])
    def test_called_with_something_else_it_is_another_request(self, keep: bool) -> None:
        steps = [call("a", output="a"), call("b", input={"was": "$.a", "ref": "${uuid()}"}), call("c")]
        services, times = Services(), count()
        world = World(plan_of(*steps), script=lambda *asked: [services(*asked), next(times)]).finish()
        services.broken["b"] = "http.422"
        world.repair("rewind", step="a", keep=keep).finish()
        services.repaired()
        world.repair("resume").finish()
        assert keys(world, "b") == ["e1/b", "e1/b~2", "e1/b~2"]
        first, second, third = (value for name, value in world.calls if name == "b")
        assert first["ref"] != second["ref"]
        assert second == third
        assert keys(world, "c") == ["e1/c", "e1/c"]
        assert_folds_again(world)

    def test_what_it_did_as_another_request_is_undone_as_such(self) -> None:
        times = count()
        steps = [call("a", output="a"), call("b", compensate=UNDO, input="$.a")]
        world = World(plan_of(*steps), script=lambda *_: next(times)).finish()
        world.repair("rewind", step="a", keep=True).finish()
        world.repair("rewind", step="b").finish()
        assert keys(world, "b") == ["e1/b", "e1/b~2", "e1/b~3"]
        assert keys(world, "compensate:b") == ["e1/compensate:b~2"]

    def test_what_comes_after_it_is_told_apart_from_what_was_undone(self) -> None:
        services = Services()
        steps = [call("a", compensate=UNDO, input={"ref": "${uuid()}"}), call("b")]
        world = World(plan_of(*steps, errorHandling=PAUSE), script=services).finish()
        world.repair("rewind", step="a").finish()
        services.broken["b"] = "http.422"
        world.repair("rewind", step="b").finish()
        assert world.propose("replace", replacement=world.plan).reasons == ()
        skipped = world.propose("skip", step="b")
        assert (skipped.undo, skipped.again) == ((), ())

    def test_what_was_kept_and_fails_when_it_runs_again_is_undone_all_the_same(self) -> None:
        services = Services()
        world = World(plan_of(call("a", compensate=UNDO)), script=services).finish()
        services.broken["a"] = "http.422"
        world.repair("rewind", step="a", keep=True).finish()
        assert world.steps() == ["a", "a", "compensate:a"]
        assert world.status == "compensated"

    def test_a_compensated_execution_runs_again_from_the_first_that_was_undone(self) -> None:
        services = Services("c")
        steps = [call("zero"), *(call(name, compensate=UNDO) for name in "ab"), call("c")]
        world = World(plan_of(*steps), script=services).finish()
        assert world.status == "compensated"
        services.repaired()
        proposal = world.propose("rewind", step="c")
        assert (proposal.undo, proposal.again) == ((), ("a", "b", "c"))
        before = len(world.records)
        world.repair("rewind", step="c").finish()
        assert since(world, before) == ["a", "b", "c"]
        assert [keys(world, name)[-1] for name in "abc"] == ["e1/a~2", "e1/b~2", "e1/c"]
        assert world.status == "completed"
        assert_folds_again(world)

    def test_a_cancelled_execution_too(self) -> None:
        world = World(plan_of(call("a", compensate=UNDO), call("b")))
        world.step()
        world.add({"type": "cancel.requested", "by": "ann", "reason": ""})
        assert world.finish().status == "cancelled"
        assert world.repair("rewind", step="b").finish().status == "completed"
        assert keys(world, "a") == ["e1/a", "e1/a~2"]

    @pytest.mark.parametrize("seed", range(20))
    def test_branches_beside_it_stay_as_they_are(self, seed: int) -> None:
        plan = plan_of(parallel([call("a"), call("a2")], [call("b"), call("b2")]), call("c"))
        world = World(plan, seed=seed).finish()
        before = len(world.records)
        world.repair("rewind", step="a2").finish()
        assert since(world, before) == ["a2", "c"]

    def test_an_iteration_or_all_of_them(self) -> None:
        world = World(plan_of(foreach([0, 1, 2], call("a", input="$.item"), concurrency=3))).finish()
        before = len(world.records)
        world.repair("rewind", step="a@1").finish()
        assert since(world, before) == ["a@1"]
        before = len(world.records)
        world.repair("rewind", step="a").finish()
        assert since(world, before) == ["a@0", "a@1", "a@2"]

    def test_iterations_one_after_the_other_come_after_it(self) -> None:
        world = World(plan_of(foreach([0, 1, 2], call("a")))).finish()
        world.repair("rewind", step="a@1").finish()
        assert world.steps() == ["a@0", "a@1", "a@2", "a@1", "a@2"]

    def test_a_loop_one_after_the_other_goes_on_from_there(self) -> None:
        loop = {"type": "repeat", "name": "loop", "until": "$.index == 2", "maxIterations": 5, "steps": [call("a")]}
        world = World(plan_of(loop, call("b"))).finish()
        before = len(world.records)
        world.repair("rewind", step="a@1").finish()
        assert since(world, before) == ["a@1", "a@2", "b"]
        before = len(world.records)
        world.repair("rewind", step="loop").finish()
        assert since(world, before) == ["a@0", "a@1", "a@2", "b"]

    def test_a_block_that_ran_out_of_time_has_it_again(self) -> None:
        slow = {
            "type": "sequential",
            "name": "slow",
            "timeout": "1m",
            "steps": [call("a"), {"type": "wait", "name": "w", "event": "go"}],
        }
        world = World(plan_of({**slow, "onError": "continue"}, call("b"))).finish()
        assert world.status == "completed"
        world.repair("rewind", step="a")
        world.step()
        world.add({"type": "event.received", "event": an_event("go", "1")})
        world.finish()
        assert world.steps() == ["a", "b", "a", "b"]
        assert len(world.of_type("timer.fired")) == 1

    def test_a_wait_for_a_time_is_waited_again(self) -> None:
        world = World(plan_of({"type": "wait", "name": "w", "for": "1h"})).finish()
        world.repair("rewind", step="w").finish()
        first, second = [record["due"] for record in world.of_type("timer.started")]
        assert first < second

    def test_a_task_is_asked_again_and_the_old_answer_does_not_count(self) -> None:
        ask = {"type": "human-task", "name": "ask", "assignee": "bob"}
        world = World(plan_of(ask))
        vote = {
            "type": "task.decided",
            "task": "e1/ask",
            "decision": "approved",
            "comment": "",
            "data": {},
            "by": "bob",
        }
        world.add(vote)
        assert world.status == "completed"
        world.repair("rewind", step="ask")
        assert world.run.tasks["e1/ask"].votes == []
        world.add(vote)
        assert world.status == "completed"

    def test_a_loser_of_a_race_that_was_undone_runs_again_as_another(self) -> None:
        plan = plan_of(parallel(call("a", compensate=UNDO), call("b", compensate=UNDO), complete="any"), call("c"))
        world = World(plan).finish()
        assert world.steps() == ["a", "b", "compensate:b", "c"]
        before = len(world.records)
        world.repair("rewind", step="a").finish()
        assert since(world, before)[0] == "compensate:a"
        assert keys(world, "b")[-1] == "e1/b~2"
        assert world.status == "completed"
        assert_folds_again(world)

    def test_and_stays_undone_if_the_race_stands(self) -> None:
        plan = plan_of(parallel(call("a"), call("b", compensate=UNDO), complete="any"), call("c"))
        world = World(plan).finish()
        before = len(world.records)
        world.repair("rewind", step="c").finish()
        assert since(world, before) == ["c"]

    def test_a_child_is_undone_and_runs_again_as_another_execution(self) -> None:
        world = World(plan_of({"type": "workflow", "name": "ship", "workflow": "shipping"})).finish()
        world.repair("rewind", step="ship").finish()
        assert [record["child"] for record in world.of_type("child.started")] == ["e1.ship", "e1.ship..r2"]
        assert [record["child"] for record in world.of_type("child.recalled")] == ["e1.ship"]
        world.add({"type": "compensation.requested", "by": "ann", "reason": ""})
        assert world.finish().of_type("child.recalled")[-1]["child"] == "e1.ship..r2"

    def test_a_child_with_another_input_is_another_execution(self) -> None:
        failed = {"status": "failed", "error": {"type": "boom", "message": "no"}}
        step = {"type": "workflow", "name": "ship", "workflow": "shipping", "input": {"to": "$.to"}}
        world = World(plan_of(step), {"to": "nowhere"}, children=lambda *asked: failed).finish()
        world.repair("resume").finish()
        world.repair("set-input", step="ship", value={"to": "Rome"}).finish()
        assert [record["child"] for record in world.of_type("child.started")] == ["e1.ship", "e1.ship", "e1.ship..r2"]

    def test_a_call_that_a_dead_runner_had_begun_is_undone_before_it_is_called_with_something_else(self) -> None:
        world = World(plan_of(call("a", compensate=UNDO, input=1), call("b")))
        world.repair("set-input", step="a", value=2).finish()
        assert world.calls == [("a", 1), ("compensate:a", None), ("a", 2), ("b", None)]
        assert keys(world, "a") == ["e1/a", "e1/a~2"]

    def test_deadlines_count_anew(self) -> None:
        world, _ = paused(call("a", deadline="1m"), broken=("a",))
        world.repair("resume")
        (effect,) = world.run.pending.values()
        assert world.run.deadline(effect) is not None  # type: ignore[arg-type]
        again = world.of_type("step.started")[-1]["at"]
        assert world.run.interpreter.begun == {"a": again}


class TestWhileItUndoes:
    def world(self, *broken: str) -> tuple[World, Services]:
        services = Services()
        world = World(plan_of(call("a", compensate=UNDO), call("b", compensate=UNDO)), script=services).finish()
        services.broken.update(dict.fromkeys(broken, "boom"))
        return world, services

    def test_what_cannot_be_undone_needs_attention_and_is_tried_again(self) -> None:
        world, services = self.world("compensate:b")
        world.repair("rewind", step="a").finish()
        assert world.status == "needs-attention"
        assert world.steps()[2:] == ["compensate:b", "compensate:a"]
        services.repaired()
        world.add({"type": "execution.resumed", "by": "ann"})
        assert world.finish().status == "completed"
        assert world.steps()[4:] == ["compensate:b", "a", "b"]
        assert_folds_again(world)

    def test_or_another_repair_takes_its_place(self) -> None:
        world, services = self.world("compensate:b")
        world.repair("rewind", step="a").finish()
        services.repaired()
        proposal = world.propose("rewind", step="b")
        assert (proposal.undo, proposal.again) == (("b",), ("a", "b"))
        world.repair("rewind", step="b").finish()
        assert world.status == "completed"
        assert [keys(world, name)[-1] for name in "ab"] == ["e1/a~2", "e1/b~2"]
        assert_folds_again(world)

    def test_events_and_cancellations_meanwhile_are_not_lost(self) -> None:
        wait = {"type": "wait", "name": "w", "event": "go"}
        world = World(plan_of(call("a", compensate=UNDO), wait, call("b")))
        world.step()
        world.repair("rewind", step="a")
        world.add({"type": "event.received", "event": an_event("go", "1")})
        world.finish()
        assert world.status == "completed"
        world.repair("rewind", step="a")
        world.add({"type": "cancel.requested", "by": "ann", "reason": ""})
        assert world.finish().status == "cancelled"
        assert_folds_again(world)

    def test_tasks_are_closed_until_it_is_in_force(self) -> None:
        ask = {"type": "human-task", "name": "ask", "assignee": "bob"}
        world = World(plan_of(parallel(ask, call("a", compensate=UNDO))))
        world.step()
        world.repair("rewind", step="a")
        assert not is_open(world, "e1/ask")
        with pytest.raises(DivergenceError):
            world.add({"type": "task.expired", "task": "e1/ask"})
        world.finish()
        assert is_open(world, "e1/ask")
        assert len(world.of_type("task.created")) == 1

    def test_nothing_can_be_undone_that_was_not_done(self) -> None:
        world, _ = self.world()
        request: Any = {**world.propose("rewind", step="a").request("ann"), "undo": ["c"]}
        with pytest.raises(DivergenceError, match="nothing of c"):
            world.add(request)


class TestCompensate:
    def test_what_came_after_a_step_is_undone_and_then_it_waits(self) -> None:
        world = World(plan_of(*(call(name, compensate=UNDO) for name in "abc"))).finish()
        world.repair("compensate", step="a").finish()
        assert world.steps()[3:] == ["compensate:c", "compensate:b"]
        assert world.run.is_paused
        assert world.records[-1]["type"] == "execution.paused"
        assert_folds_again(world)
        assert world.repair("resume").finish().status == "completed"
        assert world.steps()[5:] == ["b", "c"]
        assert [keys(world, name)[-1] for name in "abc"] == ["e1/a", "e1/b~2", "e1/c~2"]

    def test_nobody_decides_about_anything_while_it_waits(self) -> None:
        ask = {"type": "human-task", "name": "ask", "assignee": "bob"}
        world = World(plan_of(parallel(ask, [call("a"), call("b")])))
        world.finish()
        world.repair("compensate", step="a").finish()
        assert world.run.is_paused
        assert [task for task in world.run.tasks.values() if task.closed is None] == []
        assert status_of(world.records)["tasks"] == []
        world.repair("resume")
        assert [id for id, task in world.run.tasks.items() if task.closed is None] == ["e1/ask"]
        assert [task["step"] for task in status_of(world.records)["tasks"]] == ["ask"]

    def test_the_rest_can_be_undone_then_or_the_execution_be_cancelled(self) -> None:
        for how, status in (("compensation.requested", "compensated"), ("cancel.requested", "cancelled")):
            world = World(plan_of(*(call(name, compensate=UNDO) for name in "ab"))).finish()
            world.repair("compensate", step="a").finish()
            world.add({"type": how, "by": "ann", "reason": ""})
            assert world.finish().status == status
            assert world.steps()[-1] == "compensate:a"

    def test_branches_beside_it_stay(self) -> None:
        plan = plan_of(parallel(call("a", compensate=UNDO), call("b", compensate=UNDO)), call("c", compensate=UNDO))
        world = World(plan).finish()
        world.repair("compensate", step="a").finish()
        assert world.steps()[3:] == ["compensate:c"]

    def test_a_paused_execution_is_undone_in_part(self) -> None:
        world, _ = paused(*(call(name, compensate=UNDO) for name in "abc"), broken=("c",))
        world.repair("compensate", step="a").finish()
        assert world.steps()[3:] == ["compensate:b"]
        assert world.repair("resume").finish().status == "completed"

    def test_events_that_come_meanwhile_are_kept(self) -> None:
        wait = {"type": "wait", "name": "w", "event": "go"}
        world = World(plan_of(call("a"), wait)).finish()
        world.repair("compensate", step="a").finish()
        world.add({"type": "event.received", "event": an_event("go", "1")})
        assert world.run.is_paused
        assert world.repair("resume").finish().status == "completed"


def test_a_failure_after_a_repair_is_undone_as_ever() -> None:
    steps = [call("a", compensate=UNDO), call("b"), call("c")]
    world = World(plan_of(*steps, errorHandling=PAUSE), script=fail_at("b", "c")).finish()
    world.repair("skip", step="b").finish()
    world.add({"type": "compensation.requested", "by": "ann", "reason": ""})
    assert world.finish().status == "compensated"
    assert world.steps() == ["a", "b", "c", "compensate:a"]

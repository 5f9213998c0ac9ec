"""What each kind of step means, told in journals."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest

from tests.support.world import World, answer_all, call, document, plan_of
from wfrun.core.plan import compile_plan
from wfrun.core.run import Run
from wfrun.errors import DivergenceError, ServiceError
from wfrun.load.definition import load_definition


def fail_at(*steps: str, type: str = "boom") -> Any:
    def script(step: str, attempt: int, value: Any) -> Any:
        if step in steps:
            raise ServiceError(type, f"{step} failed")
        return answer_all(step, attempt, value)

    return script


def fail_first(times: int, step: str, type: str = "boom") -> Any:
    def script(name: str, attempt: int, value: Any) -> Any:
        if name == step and attempt <= times:
            raise ServiceError(type, "again")
        return {"attempt": attempt}

    return script


class TestSequence:
    def test_runs_in_order_and_hands_results_on(self) -> None:
        plan = plan_of(
            call("a", input="$.x", output="first"),
            call("b", input={"of": "$.first.of", "x": "${$.x + 1}"}),
            output={"answer": "$.first.of"},
        )
        world = World(plan, {"x": 1}).finish()
        assert world.calls == [("a", 1), ("b", {"of": "a", "x": 2})]
        assert world.status == "completed"
        assert world.output == {"answer": "a"}

    def test_an_intent_is_recorded_before_its_outcome(self) -> None:
        world = World(plan_of(call("a"))).finish()
        assert [record["type"] for record in world.records] == [
            "execution.started",
            "step.started",
            "step.completed",
            "execution.ended",
        ]

    def test_the_key_does_not_depend_on_the_attempt(self) -> None:
        plan = plan_of(call("a", retry={"policy": "fixed", "maxRetries": 2}))
        world = World(plan, script=fail_first(2, "a")).finish()
        assert {record["key"] for record in world.of_type("step.started")} == {"e1/a"}
        assert [record["attempt"] for record in world.of_type("step.started")] == [1, 2, 3]

    def test_the_authors_key_replaces_the_derived_one(self) -> None:
        world = World(plan_of(call("a", idempotencyKey="order-${$.id}")), {"id": 7}).finish()
        assert world.of_type("step.started")[0]["key"] == "order-7"


class TestConditions:
    @pytest.mark.parametrize(("x", "expected"), [(1, ["low"]), (10, ["high"])])
    def test_a_conditional_takes_one_branch(self, x: int, expected: list[str]) -> None:
        step = {"type": "conditional", "condition": "$.x > 5", "then": call("high"), "else": [call("low")]}
        world = World(plan_of(step), {"x": x}).finish()
        assert world.steps() == expected
        (decision,) = world.of_type("decision.made")
        assert decision["value"] is (x > 5)
        assert decision["operands"] == {"$.x": x}

    def test_a_step_whose_condition_is_false_is_skipped_and_sets_nothing(self) -> None:
        plan = plan_of(call("a", condition="$.x > 5", output="a"), call("b", input="${default($.a, 'none')}"))
        world = World(plan, {"x": 1}).finish()
        assert world.calls == [("b", "none")]

    def test_a_condition_without_a_value_fails_the_execution(self) -> None:
        world = World(plan_of(call("a", condition="$.missing > 5"))).finish()
        assert world.status == "failed"
        assert world.run.ended is not None
        assert world.run.ended["error"]["type"] == "expression.undefined"
        assert "$.missing" in world.run.ended["error"]["message"]


class TestParallel:
    def test_all_branches_are_begun_before_any_is_answered(self) -> None:
        plan = plan_of({"type": "parallel", "steps": [call("a"), call("b"), call("c")]})
        assert [step for step, _ in World(plan).calls] == ["a", "b", "c"]

    def test_concurrency_bounds_what_is_open(self) -> None:
        plan = plan_of({"type": "parallel", "concurrency": 2, "steps": [call(n) for n in "abcd"]})
        world = World(plan)
        assert [step for step, _ in world.calls] == ["a", "b"]
        world.step()
        assert [step for step, _ in world.calls] == ["a", "b", "c"]
        assert world.finish().status == "completed"

    @pytest.mark.parametrize("seed", range(20))
    def test_what_comes_after_sees_all_branches_whatever_the_order(self, seed: int) -> None:
        branches = [call("a", output="a"), [call("b", output="b"), call("b2", input="$.b", output="b2")]]
        plan = plan_of({"type": "parallel", "steps": branches}, call("c", input="$"))
        world = World(plan, seed=seed).finish()
        assert list(world.calls[-1][1]) == ["a", "b", "b2"]

    def test_the_first_failure_stops_the_others_and_waits_until_they_have(self) -> None:
        plan = plan_of({"type": "parallel", "steps": [call("a"), [call("b"), call("b2")]]})
        world = World(plan, script=fail_at("a")).finish()
        assert world.steps("step.cancelled") == ["b"]
        assert "b2" not in world.steps()
        assert world.status == "failed"
        assert world.run.ended is not None
        assert world.run.ended["error"]["step"] == "a"

    def test_with_wait_the_others_go_on_to_their_end(self) -> None:
        plan = plan_of({"type": "parallel", "onFailure": "wait", "steps": [call("a"), [call("b"), call("b2")]]})
        world = World(plan, script=fail_at("a")).finish()
        assert world.steps("step.completed") == ["b", "b2"]
        assert world.status == "failed"

    def test_a_failure_withdraws_the_tasks_of_other_branches(self) -> None:
        task = {"type": "human-task", "name": "ask", "assignee": "bob"}
        plan = plan_of({"type": "parallel", "steps": [task, call("a")]})
        world = World(plan, script=fail_at("a")).finish()
        assert [record["task"] for record in world.of_type("task.withdrawn")] == ["e1/ask"]
        assert world.status == "failed"


class TestRetries:
    def test_a_step_is_retried_and_then_succeeds(self) -> None:
        plan = plan_of(
            call("a", retry={"policy": "exponential", "maxRetries": 3, "jitter": 0}, output="a"), output="$.a"
        )
        world = World(plan, script=fail_first(2, "a", "timeout")).finish()
        assert world.output == {"attempt": 3}
        timers = [record["due"] for record in world.of_type("timer.started")]
        failures = [record["at"] for record in world.of_type("step.failed")]
        assert [due[17:19] for due in timers] == [
            f"{int(at[17:19]) + wait:02}" for at, wait in zip(failures, (1, 2), strict=True)
        ]

    def test_retries_are_exhausted(self) -> None:
        plan = plan_of(call("a"), errorHandling={"retryPolicy": "fixed", "maxRetries": 2})
        world = World(plan, script=fail_at("a")).finish()
        assert world.steps("step.failed") == ["a"] * 3
        assert world.run.ended is not None
        assert world.run.ended["error"] == {"type": "boom", "message": "a failed", "step": "a", "attempt": 3}

    def test_nothing_is_retried_unless_the_author_says_so(self) -> None:
        assert World(plan_of(call("a")), script=fail_at("a")).finish().steps() == ["a"]

    def test_a_hopeless_error_is_not_retried(self) -> None:
        plan = plan_of(call("a"), errorHandling={"maxRetries": 5})
        assert World(plan, script=fail_at("a", type="http.404")).finish().steps() == ["a"]

    def test_a_wait_beyond_the_deadline_is_not_begun(self) -> None:
        retry = {"policy": "fixed", "initialDelay": "10s", "maxRetries": 5, "jitter": 0}
        world = World(plan_of(call("a", retry=retry, deadline="15s")), script=fail_at("a")).finish()
        assert len(world.steps()) < 3


class TestSaga:
    undo: ClassVar[dict[str, Any]] = {
        "a": {"service": "svc", "action": "undo", "input": {"a": "$.a", "result": "$.result", "why": "$.error.type"}}
    }

    def test_what_completed_is_undone_last_first(self) -> None:
        steps = [call(n, output=n, compensate={"service": "svc", "action": "un"}) for n in "abc"]
        world = World(plan_of(*steps, call("d")), script=fail_at("d")).finish()
        assert world.steps()[-3:] == ["compensate:c", "compensate:b", "compensate:a"]
        assert world.status == "compensated"

    def test_a_compensation_sees_the_past_the_result_and_the_error(self) -> None:
        plan = plan_of(call("a", output="a"), call("b", output="later"), call("c"), compensations=self.undo)
        world = World(plan, script=fail_at("c")).finish()
        assert world.calls[-1] == ("compensate:a", {"a": {"of": "a"}, "result": {"of": "a"}, "why": "boom"})

    def test_the_whole_context_of_a_compensation_is_that_of_its_step(self) -> None:
        undo = {"a": {"service": "svc", "action": "undo", "input": "$"}}
        plan = plan_of(call("a", output="a"), call("b", output="later"), call("c"), compensations=undo)
        assert World(plan, {"x": 1}, script=fail_at("c")).finish().calls[-1][1] == {"x": 1, "a": {"of": "a"}}

    def test_with_nothing_to_undo_it_has_failed(self) -> None:
        plan = plan_of(call("a", output="a"), compensations=self.undo)
        assert World(plan, script=fail_at("a")).finish().status == "failed"

    def test_a_compensation_that_fails_does_not_keep_the_others_from_it(self) -> None:
        steps = [call(n, compensate={"service": "svc", "action": "un"}) for n in "ab"]
        world = World(plan_of(*steps, call("c")), script=fail_at("c", "compensate:b")).finish()
        assert world.steps()[-2:] == ["compensate:b", "compensate:a"]
        assert world.status == "needs-attention"
        assert world.run.ended is not None
        assert [failure["step"] for failure in world.run.ended["failures"]] == ["compensate:b"]

    def test_a_compensation_is_retried_like_any_call(self) -> None:
        undo = {"service": "svc", "action": "un", "retry": {"policy": "fixed", "maxRetries": 3}}
        plan = plan_of(call("a", compensate=undo), call("b"))

        def script(step: str, attempt: int, value: Any) -> Any:
            if step == "b" or (step == "compensate:a" and attempt < 3):
                raise ServiceError("boom", "no")

        assert World(plan, script=script).finish().status == "compensated"

    def test_a_step_in_doubt_is_undone_too(self) -> None:
        plan = plan_of(
            call("a", compensate={"service": "svc", "action": "un", "input": "${default($.result, 'unknown')}"})
        )
        world = World(plan, script=fail_at("a", type="timeout")).finish()
        assert world.calls[-1] == ("compensate:a", "unknown")
        assert world.status == "compensated"

    def test_completed_branches_of_a_failed_parallel_are_undone(self) -> None:
        undo = {"service": "svc", "action": "un"}
        plan = plan_of({"type": "parallel", "steps": [call("a", compensate=undo), call("b", compensate=undo)]})
        world = World(plan, script=fail_at("b")).finish()
        assert world.steps()[-1] == "compensate:a"
        assert world.status == "compensated"


class TestHumanTasks:
    ask: ClassVar[dict[str, Any]] = {
        "type": "human-task",
        "name": "ask",
        "assignee": {"groups": ["managers"]},
        "output": "answer",
    }

    @staticmethod
    def yes(step: str) -> dict[str, Any]:
        return {"decision": "approved", "by": "bob", "data": {"rate": 3}}

    @staticmethod
    def no(step: str) -> dict[str, Any]:
        return {"decision": "rejected", "by": "bob", "data": {}}

    def test_an_approval_becomes_data(self) -> None:
        world = World(plan_of(self.ask, call("a", input="$.answer.data.rate")), people=self.yes).finish()
        assert world.calls == [("a", 3)]

    def test_a_rejection_fails_the_step(self) -> None:
        world = World(plan_of(self.ask, call("a")), people=self.no).finish()
        assert world.status == "failed"
        assert world.run.ended is not None
        assert world.run.ended["error"]["type"] == "task.rejected"
        assert world.calls == []

    def test_a_rejection_can_be_data_too(self) -> None:
        plan = plan_of({**self.ask, "onReject": "continue"}, call("a", input="$.answer.decision"))
        assert World(plan, people=self.no).finish().calls == [("a", "rejected")]

    def test_a_quorum_takes_as_many_people(self) -> None:
        plan = plan_of({**self.ask, "assignee": {"groups": ["managers"], "quorum": 2}})
        world = World(plan)
        vote = {"type": "task.decided", "task": "e1/ask", "decision": "approved", "comment": "", "data": {}}
        world.add({**vote, "by": "bob"})
        assert world.run.ended is None
        world.add({**vote, "by": "eve"})
        assert world.status == "completed"
        assert world.run.tasks["e1/ask"].closed is not None

    def test_an_expired_task_fails_and_never_approves(self) -> None:
        world = World(plan_of({**self.ask, "timeout": "1h"}, call("a")))
        world.add({"type": "task.expired", "task": "e1/ask"})
        assert world.status == "failed"
        assert world.run.ended is not None
        assert world.run.ended["error"]["type"] == "task.timeout"

    def test_an_expired_task_escalates_along_its_chain(self) -> None:
        chain = [{"assignee": "boss", "timeout": "2h"}]
        world = World(plan_of({**self.ask, "timeout": "1h", "onTimeout": "escalate", "escalation": chain}))
        world.add({"type": "task.expired", "task": "e1/ask"})
        assert world.of_type("task.escalated")[0]["assignee"] == {"names": ["boss"]}
        world.add({"type": "task.expired", "task": "e1/ask"})
        assert world.status == "failed"

    def test_in_the_journal_of_an_older_version_the_first_quorum_goes_on(self) -> None:
        """It did not say of an escalation what holds for the others, and counted the earlier votes."""
        chain = [{"assignee": "boss"}]
        more = {"timeout": "1h", "onTimeout": "escalate", "escalation": chain}
        plan = plan_of({**self.ask, **more, "assignee": {"groups": ["managers"], "quorum": 2}})
        world = World(plan)
        vote = {"type": "task.decided", "task": "e1/ask", "decision": "approved", "comment": "", "data": {}}
        world.add({**vote, "by": "bob"})
        world.add({"type": "task.expired", "task": "e1/ask"})
        assert world.of_type("task.escalated")[0]["quorum"] == 1
        older = Run(plan)
        for record in world.records:
            new = ("quorum", "excludeInitiator") if record["type"] == "task.escalated" else ()
            older.apply({name: value for name, value in record.items() if name not in new})
        assert (len(older.tasks["e1/ask"].votes), len(world.run.tasks["e1/ask"].votes)) == (1, 0)
        assert older.ended is None
        older.apply({**world.records[-1], **vote, "seq": len(world.records) + 1, "by": "eve"})
        assert older.tasks["e1/ask"].closed is not None

    def test_without_a_chain_it_stays_open(self) -> None:
        world = World(plan_of({**self.ask, "timeout": "1h", "onTimeout": "escalate"}))
        world.add({"type": "task.expired", "task": "e1/ask"})
        assert world.of_type("task.escalated")[0]["assignee"] == {"groups": ["managers"]}
        world.add({"type": "task.decided", "task": "e1/ask", "comment": "", **self.yes("ask")})
        assert world.status == "completed"


class TestCancel:
    def test_it_stops_the_call_and_undoes_what_was_done(self) -> None:
        world = World(plan_of(call("a", compensate={"service": "svc", "action": "un"}), call("b"), call("c")))
        world.step()
        world.add({"type": "cancel.requested", "by": "ann", "reason": ""})
        world.finish()
        assert world.steps("step.cancelled") == ["b"]
        assert world.steps()[-1] == "compensate:a"
        assert world.status == "cancelled"

    def test_it_ends_a_wait_for_a_retry(self) -> None:
        world = World(plan_of(call("a", retry={"policy": "fixed", "maxRetries": 5})), script=fail_at("a"))
        world.step()
        world.add({"type": "cancel.requested", "by": "ann", "reason": ""})
        assert world.status == "cancelled"

    def test_it_withdraws_an_open_task(self) -> None:
        world = World(plan_of({"type": "human-task", "name": "ask", "assignee": "bob"}))
        world.add({"type": "cancel.requested", "by": "ann", "reason": ""})
        assert world.of_type("task.withdrawn")
        assert world.status == "cancelled"

    def test_a_call_that_completes_all_the_same_counts_and_nothing_follows(self) -> None:
        world = World(plan_of(call("a", compensate={"service": "svc", "action": "un"}), call("b")))
        world.add({"type": "cancel.requested", "by": "ann", "reason": ""})
        world.add({"type": "step.completed", "step": "a", "attempt": 1, "result": {}})
        world.finish()
        assert "b" not in world.steps()
        assert world.steps()[-1] == "compensate:a"

    def test_compensation_cannot_be_cancelled(self) -> None:
        plan = plan_of(call("a", compensate={"service": "svc", "action": "un"}), call("b"))
        world = World(plan, script=fail_at("b"))
        while "compensate:a" not in world.steps():
            world.step()
        world.add({"type": "cancel.requested", "by": "ann", "reason": ""})
        assert world.finish().status == "compensated"


class TestRefusal:
    def test_a_fact_that_nothing_asked_for(self) -> None:
        with pytest.raises(DivergenceError, match="nothing had asked for b#1") as caught:
            World(plan_of(call("a"))).add({"type": "step.completed", "step": "b", "attempt": 1, "result": 1})
        assert caught.value.code == "journal.divergence"

    def test_an_unknown_type(self) -> None:
        with pytest.raises(DivergenceError, match="does not know"):
            World(plan_of(call("a"))).add({"type": "step.dreamt"})

    def test_anything_after_the_end(self) -> None:
        world = World(plan_of(call("a"))).finish()
        with pytest.raises(DivergenceError, match="ended"):
            world.add({"type": "step.completed", "step": "a", "attempt": 1, "result": 1})

    def test_a_journal_that_does_not_begin_with_the_start(self) -> None:
        plan, _ = compile_plan(document({"name": "x", "steps": [call("a")]}))
        with pytest.raises(DivergenceError, match="begins"):
            Run(plan).apply({"type": "step.started", "step": "a", "attempt": 1, "seq": 0, "at": ""})


def test_an_expression_without_a_value_is_told_with_its_place_in_the_file() -> None:
    source = b"""name: t
steps:
  - name: a
    service: s
    action: do
    input:
      fine: 1
      wrong: $.order.costumer
"""
    plan, _ = compile_plan(load_definition(source, "t.yaml"))
    world = World(plan, {"order": {"customer": "ann"}}).finish()
    assert world.run.ended is not None
    message = world.run.ended["error"]["message"]
    assert message.startswith("t.yaml:8:14: ")
    assert "$.order.customer" in message


class TestRepair:
    undo: ClassVar[dict[str, Any]] = {"service": "svc", "action": "un", "retry": {"policy": "fixed", "maxRetries": 1}}

    def test_what_could_not_be_undone_is_tried_again_and_nothing_else(self) -> None:
        broken = {"compensate:b"}

        def script(step: str, attempt: int, value: Any) -> Any:
            if step == "c" or step in broken:
                raise ServiceError("boom", "no")

        plan = plan_of(call("a", compensate=self.undo), call("b", compensate=self.undo), call("c"))
        world = World(plan, script=script).finish()
        assert world.status == "needs-attention"
        broken.clear()
        before = len(world.calls)
        world.add({"type": "execution.resumed", "by": "ann"})
        world.finish()
        assert world.calls[before:] == [("compensate:b", None)]
        assert world.of_type("step.started")[-1]["attempt"] == 3
        assert world.status == "compensated"

    def test_of_several_calls_those_that_completed_are_not_made_again(self) -> None:
        broken = {"compensate:a/2"}

        def script(step: str, attempt: int, value: Any) -> Any:
            if step == "b" or step in broken:
                raise ServiceError("boom", "no")

        world = World(plan_of(call("a", compensate=[self.undo] * 3), call("b")), script=script).finish()
        assert world.status == "needs-attention"
        broken.clear()
        before = len(world.calls)
        world.add({"type": "execution.resumed", "by": "ann"})
        world.finish()
        assert [step for step, _ in world.calls[before:]] == ["compensate:a/2", "compensate:a/3"]
        assert world.status == "compensated"

    def test_it_can_be_tried_again_and_again(self) -> None:
        plan = plan_of(call("a", compensate=self.undo), call("b"))
        world = World(plan, script=fail_at("b", "compensate:a")).finish()
        for _ in range(3):
            assert world.status == "needs-attention"
            world.add({"type": "execution.resumed", "by": "ann"})
            world.finish()
        assert len({(r["step"], r["attempt"]) for r in world.of_type("step.started")}) == len(
            world.of_type("step.started")
        )

    def test_only_what_needs_attention_can_be_repaired(self) -> None:
        with pytest.raises(DivergenceError):
            World(plan_of(call("a"))).finish().add({"type": "execution.resumed", "by": "ann"})
        with pytest.raises(DivergenceError):
            World(plan_of(call("a"))).add({"type": "execution.resumed", "by": "ann"})

    def test_a_decision_between_an_expiry_and_its_escalation_is_refused(self) -> None:
        ask = {"type": "human-task", "name": "ask", "assignee": "bob", "timeout": "1h", "onTimeout": "escalate"}
        world = World(plan_of(ask))
        run = Run(world.plan)
        for record in world.records:
            run.apply(record)
        last = world.records[-1]
        run.apply({**last, "type": "task.expired", "task": "e1/ask"})
        with pytest.raises(DivergenceError, match="on its way to others"):
            run.apply(
                {
                    **last,
                    "type": "task.decided",
                    "task": "e1/ask",
                    "decision": "approved",
                    "by": "bob",
                    "data": {},
                    "comment": "",
                }
            )


class TestDoubt:
    undo: ClassVar[dict[str, Any]] = {"service": "svc", "action": "un"}

    def test_a_call_that_was_cut_off_and_then_refused_is_undone(self) -> None:
        """The runner died while the call was out: whatever the repeated one says, that one may have had effect."""
        world = World(plan_of(call("pay", compensate=self.undo)), script=fail_at("pay", type="payment.declined"))
        after = World.resumed(world, world.records, None).finish()
        assert after.steps()[-1] == "compensate:pay"
        assert after.status == "compensated"

    def test_a_refusal_of_the_only_attempt_is_certain(self) -> None:
        world = World(
            plan_of(call("pay", compensate=self.undo)), script=fail_at("pay", type="payment.declined")
        ).finish()
        assert world.status == "failed"

    @pytest.mark.parametrize("type", ["timeout", "http.connection", "http.body", "adapter.result", "shell.signal-kill"])
    def test_an_answer_that_could_not_be_taken_leaves_a_doubt(self, type: str) -> None:
        world = World(plan_of(call("pay", compensate=self.undo)), script=fail_at("pay", type=type)).finish()
        assert world.status == "compensated"

    def test_key_and_input_are_the_same_for_all_attempts_whatever_they_are_made_of(self) -> None:
        step = call(
            "a",
            idempotencyKey="k-${now()}-${uuid()}",
            input={"id": "${uuid()}", "at": "${now()}"},
            retry={"policy": "fixed", "maxRetries": 2},
        )
        world = World(plan_of(step), script=fail_first(2, "a")).finish()
        assert len({record["key"] for record in world.of_type("step.started")}) == 1
        assert len({record["inputHash"] for record in world.of_type("step.started")}) == 1
        assert len(world.calls) == 3


def test_a_service_cannot_ask_for_more_than_a_week() -> None:
    world = World(plan_of(call("a", retry={"policy": "fixed", "maxRetries": 1})))
    error = {"type": "x", "message": "", "retryAfterMs": 10**18}
    world.add({"type": "step.failed", "step": "a", "attempt": 1, "error": error, "random": 0.5})
    assert world.of_type("timer.started")[0]["due"].startswith("2026-01-08")

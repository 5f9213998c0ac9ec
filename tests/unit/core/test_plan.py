"""What is found wrong before anything runs, and where."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest

from tests.support.world import World, call, document, plan_of
from wfrun.core.plan import build_plan, check_services, compile_plan
from wfrun.core.plan.nodes import Call, walk
from wfrun.core.retry import Retry
from wfrun.errors import InvalidError, Problem
from wfrun.load.definition import load_definition


def problems_of(*steps: Any, **more: Any) -> list[Problem]:
    with pytest.raises(InvalidError) as raised:
        plan_of(*steps, **more)
    return list(raised.value.problems)


def problem_of(*steps: Any, **more: Any) -> Problem:
    (problem,) = problems_of(*steps, **more)
    return problem


class TestIds:
    def test_a_name_is_the_id_and_blocks_without_one_have_their_place(self) -> None:
        plan = plan_of(call("a"), {"type": "parallel", "steps": [call("b"), [call("c")]]})
        assert [step.id for step in walk(plan.root)] == [
            "$",
            "a",
            "steps[1]",
            "b",
            "steps[1].steps[1]",
            "c",
        ]

    def test_progress_counts_what_acts_or_asks(self) -> None:
        task = {"type": "human-task", "name": "ask", "assignee": "bob"}
        plan = plan_of(call("a"), {"type": "conditional", "condition": "$.x == 1", "then": task})
        assert plan.step_names == ["a", "ask"]

    def test_a_name_given_twice(self) -> None:
        problem = problem_of(call("a"), call("a"))
        assert problem.code == "plan.duplicate-name"
        assert "'a'" in problem.message


class TestPaths:
    def test_a_key_that_nothing_sets_with_the_nearest_that_exists(self) -> None:
        problem = problem_of(call("a", input="$.oder.id"), input={"order": "object"})
        assert problem.code == "plan.unknown-path"
        assert "$.oder.id" in problem.message
        assert "$.order" in problem.hint

    def test_a_key_that_is_only_set_later(self) -> None:
        problem = problem_of(call("a", input="$.later"), call("b", output="later"))
        assert "'b'" in problem.hint

    def test_a_key_of_a_sibling_branch(self) -> None:
        branches = [call("a", output="x"), call("b", input="$.x")]
        assert problem_of({"type": "parallel", "steps": branches}).code == "plan.unknown-path"

    def test_after_the_join_all_branches_are_seen(self) -> None:
        branches = [call("a", output="x"), call("b", output="y")]
        plan_of({"type": "parallel", "steps": branches}, call("c", input=["$.x", "$.y"]))

    def test_a_default_opts_out(self) -> None:
        plan_of(call("a", input="${default($.maybe, 1)}"), input={"x": "integer"})

    def test_without_declared_input_any_other_key_may_be_input(self) -> None:
        plan_of(call("a", input="$.whatever"))

    def test_an_execution_has_only_its_own_keys(self) -> None:
        assert "startedAt" in problem_of(call("a", input="$.execution.started")).hint

    def test_a_compensation_sees_its_steps_result_and_the_error(self) -> None:
        undo = {"service": "s", "action": "u", "input": ["$.result", "$.error.type", "$.own"]}
        plan_of(call("a", output="own", compensate=undo), input={})

    def test_a_compensation_does_not_see_what_comes_later(self) -> None:
        undo = {"service": "s", "action": "u", "input": "$.later"}
        problem = problem_of(call("a", compensate=undo), call("b", output="later"))
        assert problem.code == "plan.unknown-path"

    def test_the_output_sees_everything(self) -> None:
        plan_of(call("a", output="x"), output={"x": "$.x"}, input={})


class TestKeys:
    def test_two_steps_that_can_both_run_may_not_write_the_same(self) -> None:
        assert problem_of(call("a", output="x"), call("b", output="x")).code == "plan.duplicate-output"

    def test_nor_may_a_step_write_over_the_input(self) -> None:
        assert "input" in problem_of(call("a", output="x"), input={"x": "string"}).message

    def test_two_branches_of_a_conditional_may(self) -> None:
        plan_of(
            {
                "type": "conditional",
                "condition": "$.y == 1",
                "then": call("a", output="x"),
                "else": call("b", output="x"),
            },
            call("c", input="$.x"),
        )


class TestConditions:
    def test_one_that_is_always_false_is_advice(self) -> None:
        _, advice = compile_plan(document({"name": "t", "steps": [call("a", condition="1 > 2")]}))
        assert [(problem.code, problem.severity) for problem in advice] == [("plan.unreachable", "warning")]

    def test_one_that_is_neither_true_nor_false(self) -> None:
        assert problem_of(call("a", condition="'yes'")).code == "expression.type"

    def test_several_mistakes_are_told_at_once(self) -> None:
        found = problems_of(call("a", condition="$.x >"), call("b", input="${1 +}"), call("b"))
        assert sorted(problem.code for problem in found) == [
            "expression.syntax",
            "expression.syntax",
            "plan.duplicate-name",
        ]


class TestCompensations:
    def test_for_a_step_that_does_not_exist(self) -> None:
        problem = problem_of(call("payment"), compensations={"paiment": {"service": "s", "action": "refund"}})
        assert problem.code == "plan.unknown-step"
        assert problem.hint == "did you mean 'payment'?"

    def test_every_step_can_have_them_and_several(self) -> None:
        undo = {"service": "s", "action": "u", "input": "$.x"}
        block = {"name": "both", "type": "parallel", "steps": [call("a", output="x"), call("b")]}
        plan = plan_of(
            block, {"type": "set", "values": {"y": 1}, "compensate": undo}, compensations={"both": [undo, undo]}
        )
        both, values = plan.root.steps
        assert [undo.id for undo in (*both.compensation, *values.compensation)] == ["both", "both", "steps[1]"]
        assert [undo.path for undo in both.compensation] == [("compensations", "both", 0), ("compensations", "both", 1)]

    def test_said_twice(self) -> None:
        undo = {"service": "s", "action": "u"}
        assert problem_of(call("a", compensate=undo), compensations={"a": undo}).code == "plan.two-compensations"


class TestHumanTasks:
    def test_escalation_needs_a_timeout(self) -> None:
        task = {"type": "human-task", "name": "ask", "assignee": "bob", "onTimeout": "escalate"}
        assert problem_of(task).code == "plan.no-timeout"

    def test_a_chain_that_is_never_followed(self) -> None:
        task = {"type": "human-task", "name": "ask", "assignee": "bob", "escalation": [{"assignee": "eve"}]}
        assert problem_of(task).code == "plan.no-escalation"


class TestServices:
    plan = staticmethod(lambda: plan_of({"name": "a", "service": "payments", "action": "chrage"}))

    def test_a_service_that_is_not_configured(self) -> None:
        (problem,) = check_services(self.plan(), {"payment": None})
        assert problem.code == "plan.unknown-service"
        assert problem.hint == "did you mean 'payment'?"

    def test_an_action_that_does_not_exist(self) -> None:
        (problem,) = check_services(self.plan(), {"payments": frozenset({"charge", "refund"})})
        assert problem.code == "plan.unknown-action"
        assert problem.hint == "did you mean 'charge'?"

    def test_actions_that_cannot_be_known(self) -> None:
        assert check_services(self.plan(), {"payments": None}) == []

    def test_compensations_are_calls_too(self) -> None:
        plan = plan_of({"name": "a", "service": "s", "action": "do", "compensate": {"service": "gone", "action": "u"}})
        assert [problem.code for problem in check_services(plan, {"s": None})] == ["plan.unknown-service"]


class TestRetries:
    @staticmethod
    def retry_of(step: dict[str, Any], **more: Any) -> Retry:
        (found,) = (s for s in walk(plan_of(step, **more).root) if isinstance(s, Call))
        (retry,) = found.retries
        return retry

    def test_steps_inherit_from_the_workflow(self) -> None:
        retry = self.retry_of(call("a"), errorHandling={"retryPolicy": "linear", "maxRetries": 7})
        assert (retry.policy, retry.max_retries) == ("linear", 7)

    def test_what_a_step_says_comes_first_and_the_rest_is_inherited(self) -> None:
        handling = {"retryPolicy": {"policy": "linear", "maxDelay": "5s"}, "maxRetries": 7}
        retry = self.retry_of(call("a", retry={"maxRetries": 1}), errorHandling=handling)
        assert (retry.policy, retry.max_retries, retry.max_delay) == ("linear", 1, 5_000)

    def test_the_users_own_words(self) -> None:
        handling = {"retryPolicy": "exponential", "maxRetries": 3, "timeout": 30000}
        plan = plan_of(call("a"), errorHandling=handling)
        (found,) = (s for s in walk(plan.root) if isinstance(s, Call))
        assert [(retry.policy, retry.max_retries) for retry in found.retries] == [("exponential", 3)]
        assert found.timeout == 30_000

    def test_a_step_can_opt_out(self) -> None:
        assert self.retry_of(call("a", retry="none"), errorHandling={"maxRetries": 7}).policy == "none"

    def test_nothing_is_retried_unless_somebody_says_so(self) -> None:
        assert self.retry_of(call("a")) == Retry()

    def test_no_retries_are_no_retries_for_steps_with_a_policy_of_their_own(self) -> None:
        assert self.retry_of(call("a", retry="linear"), errorHandling={"maxRetries": 0}).max_retries == 0

    def test_several_retriers_each_with_what_the_workflow_says(self) -> None:
        written = [{"on": ["http.429"], "maxRetries": 10}, {"policy": "none", "on": ["declined"]}, "linear"]
        plan = plan_of(call("a", retry=written), errorHandling={"maxRetries": 7, "retryPolicy": "fixed"})
        (found,) = (s for s in walk(plan.root) if isinstance(s, Call))
        assert [(retry.policy, retry.max_retries, retry.on) for retry in found.retries] == [
            ("fixed", 10, ("http.429",)),
            ("none", 7, ("declined",)),
            ("linear", 7, ()),
        ]

    def test_a_bad_delay_of_one_of_several(self) -> None:
        problem = problem_of(call("a", retry=["linear", {"maxDelay": "soon"}]))
        assert (problem.code, problem.place.path) == ("plan.duration", "steps[0].retry[1].maxDelay")


def test_a_problem_names_file_line_and_column() -> None:
    source = b"""name: t
steps:
  - name: a
    service: s
    action: do
    input: { x: $.nope }
input: { yes: string }
"""
    with pytest.raises(InvalidError) as raised:
        compile_plan(load_definition(source, "t.yaml"))
    assert str(raised.value.problems[0].place) == "t.yaml:6:17"


class TestBuilding:
    definition: ClassVar[dict[str, Any]] = {
        "name": "t",
        "steps": [call("a", input={"x": "$.y"}), call("b", input="$.z.q")],
    }

    def test_a_definition_that_was_checked_runs_as_it_did(self) -> None:
        checked = World(compile_plan(document(self.definition))[0], {"y": 1, "z": {"q": 2}}).finish()
        built = World(build_plan(document(self.definition)), {"y": 1, "z": {"q": 2}}).finish()
        assert built.calls == checked.calls == [("a", {"x": 1}), ("b", 2)]

    def test_what_later_checks_would_refuse_still_runs(self) -> None:
        definition = {
            "name": "t",
            "input": {},
            "steps": [call("a", input="${default($.gone, 1)}"), call("b", input="$.gone")],
        }
        with pytest.raises(InvalidError):
            compile_plan(document(definition))
        assert World(build_plan(document(definition)), {"gone": 3}).finish().calls == [("a", 3), ("b", 3)]

    def test_a_template_that_cannot_be_compiled_any_more_fails_its_step(self) -> None:
        definition = {"name": "t", "steps": [call("a", input="${1 +}")]}
        world = World(build_plan(document(definition))).finish()
        assert world.run.ended is not None
        assert world.run.ended["error"]["type"] == "expression.syntax"

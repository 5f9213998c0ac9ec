"""Paths that lead nowhere, or may: against declared input, forms and steps that may be skipped."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest

from tests.support.world import call
from tests.unit.core.plan_support import of_input, problem, problems, task

CUSTOMER = {"type": "object", "properties": {"name": {"type": "string"}, "tags": {"items": {"type": "string"}}}}
INPUT = {
    "amount": "number",
    "note": "string?",
    "rate": {"type": "number?", "default": 5},
    "order": {"type": "object", "properties": {"id": {"type": "string"}, "customer": CUSTOMER}},
    "strict": {"type": "object", "properties": {"id": {"type": "string"}}, "additionalProperties": False},
    "loose": {"type": "object", "properties": {"id": {"type": "string"}}, "additionalProperties": True},
    "either": {"properties": {"id": {"type": "string"}}, "anyOf": [{"required": ["id"]}, {"required": ["name"]}]},
    "lines": {"type": "array", "items": {"type": "object", "properties": {"sku": {}}, "additionalProperties": False}},
}


class TestDeclaredInput:
    @pytest.mark.parametrize(
        "path",
        ["$.order.customer.name", "$.loose.other", "$.either.name", "$.lines[0].sku", "$.order.customer.tags[0]", "$"],
    )
    def test_what_may_be_there(self, path: str) -> None:
        assert of_input(path, input=INPUT) == []

    @pytest.mark.parametrize(
        ("path", "severity", "message", "hint"),
        [
            ("$.order.custmer.name", "warning", "$.order declares no key 'custmer'", "$.order.customer.name?"),
            ("$.order.customer.nme", "warning", "$.order.customer declares no key 'nme'", "$.order.customer.name?"),
            ("$.strict.idd", "error", "$.strict has no key 'idd'", "did you mean $.strict.id?"),
            ("$.strict.zzz", "error", "$.strict has no key 'zzz'", "it has id"),
            ("$.lines[0].sk", "error", "$.lines[0] has no key 'sk'", "did you mean $.lines[0].sku?"),
            ("$.amount.value", "error", "$.amount is a number", ""),
            ("$.lines.sku", "error", "$.lines is a list", ""),
            ("$.order[0]", "error", "$.order is an object", ""),
            ("${default($.strict.idd, 1)}", "warning", "$.strict has no key 'idd'", "did you mean $.strict.id?"),
        ],
    )
    def test_what_is_not_there(self, path: str, severity: str, message: str, hint: str) -> None:
        (found,) = of_input(path, input=INPUT)
        assert (found.code, found.severity) == ("plan.unknown-path", severity)
        assert message in found.message
        assert hint in found.hint

    def test_what_may_be_left_out(self) -> None:
        (found,) = of_input("$.note", input=INPUT)
        assert (found.code, found.severity) == ("plan.may-be-missing", "warning")
        assert "the input may leave it out" in found.message
        assert "${default($.note, …)}" in found.hint

    @pytest.mark.parametrize("path", ["$.rate", "${ $.note ?? '' }", "${ has($.note) ? $.note : '' }"])
    def test_what_has_a_default(self, path: str) -> None:
        assert of_input(path, input=INPUT) == []

    def test_a_condition_answers_for_its_step(self) -> None:
        assert problems(call("a", condition="has($.note)", input="$.note"), input=INPUT) == []


class TestStepsThatMayBeSkipped:
    skipped = staticmethod(lambda: call("a", condition="$.amount > 5", output="x"))

    @pytest.mark.parametrize("more", [{"input": "$.x.y"}, {"input": "${ $.x.y + 1 }"}, {"condition": "$.x.y == 1"}])
    def test_its_output_used_unconditionally(self, more: dict[str, Any]) -> None:
        found = problem(self.skipped(), call("b", **more), input=INPUT)
        assert (found.code, found.severity) == ("plan.may-be-missing", "warning")
        assert "'a' is skipped when its condition is false" in found.message

    @pytest.mark.parametrize(
        "more",
        [
            {"input": "${default($.x.y, 1)}"},
            {"input": "${ $.amount > 5 ? $.x.y : 0 }"},
            {"input": "$.x.y", "condition": "$.amount > 5"},
            {"condition": "$.amount > 5 and $.x.y == 1"},
        ],
    )
    def test_its_output_used_with_care(self, more: dict[str, Any]) -> None:
        assert problems(self.skipped(), call("b", **more), input=INPUT) == []

    def test_the_output_of_the_workflow(self) -> None:
        assert problem(self.skipped(), input=INPUT, output={"x": "$.x"}).code == "plan.may-be-missing"

    def test_what_one_branch_sets(self) -> None:
        one = {
            "type": "conditional",
            "condition": "$.amount > 5",
            "then": [call("a", output="x"), call("b", input="$.x")],
        }
        assert "one branch only" in problem(one, call("c", input="$.x"), input=INPUT).message

    def test_what_both_branches_set_is_there(self) -> None:
        both = {
            "type": "conditional",
            "condition": "$.amount > 5",
            "then": call("a", output="x"),
            "else": call("b", output="x"),
        }
        assert problems(both, call("c", input="$.x"), input=INPUT) == []

    def test_every_step_of_a_parallel_block_is_done_after_it(self) -> None:
        block = {"type": "parallel", "steps": [call("a", output="x"), self.skipped() | {"name": "b", "output": "y"}]}
        found = problem(block, call("c", input=["$.x", "$.y"]), input=INPUT)
        assert "$.y" in found.message

    def test_a_block_with_a_condition(self) -> None:
        block = {"type": "sequential", "condition": "$.amount > 5", "steps": [call("a", output="x")]}
        assert "'steps[0]' is skipped" in problem(block, call("b", input="$.x"), input=INPUT).message

    def test_its_own_compensation_is_not_skipped_with_it(self) -> None:
        undo = {"service": "s", "action": "u", "input": "$.x"}
        found = problem(self.skipped() | {"compensate": undo}, input=INPUT)
        assert "is skipped" not in found.message


class TestForms:
    FORM: ClassVar = {"costCentre": "string", "why": "string?"}

    @pytest.mark.parametrize(
        ("path", "severity"),
        [("$.ask.data.costCentr", "error"), ("${default($.ask.data.costCentr, 'x')}", "warning")],
    )
    def test_a_misspelt_field(self, path: str, severity: str) -> None:
        found = problem(task(form=self.FORM), call("a", input=path))
        assert (found.code, found.severity) == ("plan.unknown-path", severity)
        assert found.hint == "did you mean $.ask.data.costCentre?"

    def test_a_misspelt_field_of_a_task_that_may_be_skipped(self) -> None:
        asked = task(form=self.FORM, condition="$.amount > 5")
        found = problem(asked, call("a", input="$.ask.data.costCentr"), input=INPUT)
        assert (found.code, found.severity) == ("plan.unknown-path", "error")

    def test_a_field_that_may_be_left_out(self) -> None:
        assert problem(task(form=self.FORM), call("a", input="$.ask.data.why")).code == "plan.may-be-missing"

    def test_what_a_decision_is_made_of(self) -> None:
        used = ["$.ask.decision", "$.ask.by", "$.ask.at", "$.ask.comment", "$.ask.data.costCentre", "$.ask.votes[0].by"]
        assert problems(task(form=self.FORM), call("a", input=used)) == []
        assert problem(task(), call("a", input="$.ask.decison")).hint == "did you mean $.ask.decision?"

    def test_without_a_form_any_data_may_come(self) -> None:
        assert problems(task(), call("a", input="$.ask.data.anything")) == []

    def test_a_rejection_that_goes_on_may_come_without_its_form(self) -> None:
        found = problem(task(form=self.FORM, onReject="continue"), call("a", input="$.ask.data.costCentre"))
        assert (found.code, found.severity) == ("plan.may-be-missing", "warning")
        found = problem(task(form=self.FORM, onReject="continue"), call("a", input="$.ask.data.costCentr"))
        assert (found.code, found.severity) == ("plan.unknown-path", "warning")


class TestWordsOfOtherTools:
    @pytest.mark.parametrize(
        ("path", "hint"),
        [
            ("$.input.amount", "a key of the input is written $.amount"),
            ("$.inputs.amount", "a key of the input is written $.amount"),
            ("$.steps.a.output", "the result of 'a' is $.x"),
            ("$.steps.a.output.id", "the result of 'a' is $.x.id"),
            ("$.steps.quiet.output", "give step 'quiet' an `output: key`, and write $.key"),
        ],
    )
    def test_where_data_is(self, path: str, hint: str) -> None:
        found = problem(call("a", output="x"), call("quiet"), call("b", input=path), input=INPUT)
        assert (found.code, found.severity, found.hint) == ("plan.unknown-path", "error", hint)

    def test_without_declared_input_it_is_advice(self) -> None:
        (found,) = of_input("$.input.amount")
        assert (found.severity, found.hint) == ("warning", "a key of the input is written $.amount")


def test_a_key_set_twice_is_told_without_the_one_that_is_missing_for_it() -> None:
    found = problem(call("a", output="x"), call("b", output="x"), call("c", input="$.second"), input={})
    assert found.code == "plan.duplicate-output"

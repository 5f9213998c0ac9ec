"""Which keys are known where: on several ways, of which one is gone, or all at once."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.world import call
from tests.unit.core.plan_support import FIELDS, advice, block, errors, problem, problems, use
from wfrun.core.values import is_error_type


class TestSwitch:
    @staticmethod
    def switch(*bodies: Any, **more: Any) -> dict[str, Any]:
        cases = [{"condition": f"$.amount == {number}", "steps": body} for number, body in enumerate(bodies)]
        return {"type": "switch", "cases": cases, **more}

    def test_a_case_does_not_see_the_keys_of_another(self) -> None:
        assert errors(self.switch(call("a", output="x"), use("$.x"))) == ["$.x is not set here"]

    def test_what_every_case_sets_is_there(self) -> None:
        every = call("a", output="x"), call("b", output="x")
        assert advice(self.switch(*every, **{"else": call("c", output="x")}), use("$.x")) == []

    def test_without_else_one_of_the_cases_has_fitted(self) -> None:
        assert advice(self.switch(call("a", output="x"), call("b", output="x")), use("$.x")) == []

    @pytest.mark.parametrize(
        ("bodies", "otherwise", "reason"),
        [
            ((call("a", output="x"), call("b")), call("c"), "it is set in one branch only"),
            ((call("a", output="x"), call("b", output="x")), call("c"), "it is not set in every branch"),
        ],
    )
    def test_what_some_set_may_be_missing(self, bodies: Any, otherwise: Any, reason: str) -> None:
        assert advice(self.switch(*bodies, **{"else": otherwise}), use("$.x")) == [f"$.x may be missing here: {reason}"]

    def test_a_way_that_ends_does_not_count(self) -> None:
        ended = [call("b"), {"type": "end"}]
        assert advice(self.switch(call("a", output="x"), ended, **{"else": {"type": "fail"}}), use("$.x")) == []

    def test_the_conditions_are_checked(self) -> None:
        cases = [{"condition": "$.amount", "steps": call("a")}, {"condition": "$.nope", "steps": call("b")}]
        found = problems({"type": "switch", "cases": cases}, input=FIELDS)
        assert [each.code for each in found] == ["expression.type", "plan.unknown-path"]

    def test_a_condition_may_be_about_a_key(self) -> None:
        assert advice({"type": "switch", "cases": [{"condition": "has($.note)", "steps": use("$.note")}]}) == []


class TestConditionals:
    def test_a_side_that_ends_does_not_count(self) -> None:
        choice = {"type": "conditional", "condition": "$.amount > 3", "then": call("a", output="x")}
        assert advice({**choice, "else": {"type": "fail"}}, use("$.x")) == []
        assert advice({**choice, "else": call("b")}, use("$.x")) == [
            "$.x may be missing here: it is set in one branch only"
        ]

    def test_a_key_is_certain_only_of_what_was_asked_before_it_was_set(self) -> None:
        then = [call("a", output="x", condition="$.amount > 9"), use("$.x", "$.note")]
        assert advice({"type": "conditional", "condition": "$.amount > 3", "then": then}) == [
            "$.x may be missing here: 'a' is skipped when its condition is false"
        ]


class TestTry:
    @staticmethod
    def attempt(*steps: Any, **more: Any) -> dict[str, Any]:
        return block("try", *steps, **more)

    def test_without_handlers_everything_is_there(self) -> None:
        assert advice(self.attempt(call("a", output="x"), **{"finally": call("b")}), use("$.x")) == []

    def test_what_was_tried_may_be_missing_afterwards_and_in_handlers(self) -> None:
        step = self.attempt(call("a", output="x"), catch=[{"steps": use("$.x", name="h")}])
        reason = "'steps[0].steps' may have failed before it was set"
        assert advice(step, use("$.x")) == [f"$.x may be missing here: {reason}"] * 2

    def test_a_handler_can_set_it_instead(self) -> None:
        handler = {"steps": {"type": "set", "values": {"x": None}}}
        assert advice(self.attempt(call("a", output="x"), catch=[handler]), use("$.x")) == []

    def test_a_handler_that_ends_does_not_count(self) -> None:
        handler = {"steps": [call("tell"), {"type": "fail", "error": "other"}]}
        assert advice(self.attempt(call("a", output="x"), catch=[handler]), use("$.x")) == []

    def test_what_only_a_handler_sets(self) -> None:
        step = self.attempt(call("a"), catch=[{"steps": call("h", output="x")}])
        assert advice(step, use("$.x")) == ["$.x may be missing here: it is set in one branch only"]

    def test_the_error(self) -> None:
        used = use("$.error.type", "$.error.message", "$.error.step", "$.error", name="h")
        assert advice(self.attempt(call("a"), catch=[{"condition": "$.error.type == 'x'", "steps": used}])) == []
        catch = [{"steps": use("$.error.mesage", name="h")}]
        assert advice(self.attempt(call("a"), catch=catch)) == ["$.error.mesage: $.error declares no key 'mesage'"]

    @pytest.mark.parametrize("key", ["status", "attempt"])
    @pytest.mark.parametrize("error", ["*", "http.*", ["http.5*", "timeout"]])
    def test_not_every_error_has_a_status_or_an_attempt(self, error: Any, key: str) -> None:
        step = self.attempt(call("a"), catch=[{"error": error, "condition": f"$.error.{key} > 1", "steps": call("h")}])
        assert advice(step) == [f"$.error.{key} may be missing here: not every error has it"]

    @pytest.mark.parametrize("error", ["http.404", ["http.5*", "http.429"]])
    def test_but_the_answer_of_a_server_has(self, error: Any) -> None:
        handler = {"error": error, "steps": use("$.error.status", "$.error.attempt", name="h")}
        assert advice(self.attempt(call("a"), catch=[handler])) == []

    @pytest.mark.parametrize(
        "step", [{"type": "fail", "error": "http.404"}, {"type": "workflow", "name": "c", "workflow": "child.yaml"}]
    )
    def test_what_only_has_the_type_of_such_an_answer_has_no_status(self, step: dict[str, Any]) -> None:
        handler = {"error": "http.404", "steps": use("$.error.status", name="h")}
        missing = ["$.error.status may be missing here: not every error has it"]
        assert advice(self.attempt([call("a"), step], catch=[handler])) == missing

    def test_the_error_by_another_name(self) -> None:
        step = self.attempt(call("a"), catch=[{"as": "e", "steps": use("$.e.message", name="h")}])
        assert errors(step, use("$.e")) == ["$.e is never set"]
        step = self.attempt(call("a"), catch=[{"as": "e", "steps": use("$.error.message", name="h")}])
        assert errors(step) == ["$.error.message has no meaning here"]
        assert problem(step).hint == "the error is called $.e.message here"

    def test_what_comes_last_also_runs_after_an_error(self) -> None:
        step = self.attempt(call("a", output="x"), **{"finally": call("f", input="$.x", output="y")})
        assert advice(step, use("$.y")) == ["$.x may be missing here: `finally` also runs after an error"]

    def test_a_step_that_may_fail_has_perhaps_no_output(self) -> None:
        failing = call("a", output="x", onError="continue")
        assert advice(failing, use("$.x.id")) == ["$.x.id may be missing here: 'a' may have failed before it was set"]
        assert advice(failing, use("${ default($.x.id, 1) }", condition="$.amount > 1")) == []

    def test_a_fallback_for_one_step(self) -> None:
        handler = {"steps": {"type": "set", "values": {"x": {"id": "${$.error.type}"}}}}
        assert advice(call("a", output="x", onError=handler), use("$.x.id")) == []


class TestParallel:
    def test_branches_see_what_they_need_and_what_that_sees(self) -> None:
        branches = [
            use("$.x", "$.y", name="c", needs="b"),
            call("a", output="x"),
            use("$.x", name="b", needs=["a"], output="y"),
        ]
        assert advice(block("parallel", *branches)) == []

    def test_and_no_others(self) -> None:
        branches = [call("a", output="x"), call("b", output="y"), use("$.x", "$.y", name="c", needs="a")]
        assert errors(block("parallel", *branches)) == ["$.y is not set here"]

    def test_keys_that_may_be_missing_stay_so(self) -> None:
        branches = [call("a", output="x", condition="$.amount > 1"), use("$.x", name="b", needs="a")]
        assert advice(block("parallel", *branches)) == [
            "$.x may be missing here: 'a' is skipped when its condition is false"
        ]

    @pytest.mark.parametrize("more", [{"complete": 2}, {"tolerate": 1}, {"tolerate": "50%"}])
    def test_keys_of_branches_that_may_not_count(self, more: dict[str, Any]) -> None:
        step = block("parallel", call("a", output="x"), call("b", output="y"), call("c"), **more)
        assert advice(step, use("$.x")) == ["$.x may be missing here: 'a' may be one that is done without"]

    @pytest.mark.parametrize("complete", ["any", 1])
    def test_of_a_race_one_branch_counts(self, complete: Any) -> None:
        branches = [call("a", output="x"), [call("b", output="x"), call("b2", output="y")]]
        step = block("parallel", *branches, complete=complete)
        assert advice(step, use("$.x")) == []
        assert advice(step, use("$.y")) == ["$.y may be missing here: it is set in one branch only"]

    @pytest.mark.parametrize("more", [{"complete": 2}, {"complete": "all"}, {"tolerate": 0}, {"onFailure": "wait"}])
    def test_keys_of_branches_that_all_count(self, more: dict[str, Any]) -> None:
        assert advice(block("parallel", call("a", output="x"), call("b", output="y"), **more), use("$.x", "$.y")) == []

    def test_what_a_branch_needs_is_there_even_if_others_may_fail(self) -> None:
        branches = [call("a", output="x"), use("$.x", name="b", needs="a")]
        assert advice(block("parallel", *branches, tolerate=1)) == []


@pytest.mark.parametrize(("type", "good"), [("order.too-large", True), ("a b", False), ('{"a": 1}', False)])
def test_the_type_of_an_error_is_a_dotted_name(type: str, good: bool) -> None:
    found = errors({"type": "fail", "error": type})
    assert found == ([] if good else [f"{type!r} is no type of an error"])
    assert is_error_type(type) == good

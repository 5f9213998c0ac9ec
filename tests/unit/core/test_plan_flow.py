"""Which keys are known where: through branches, loops, errors and waits."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.world import call
from tests.unit.core.plan_support import problem, problems, task, told

INPUT = {
    "amount": "number",
    "note": "string?",
    "items": "array",
    "lines": {"type": "array", "items": {"type": "object", "properties": {"sku": {"type": "string"}}}},
    "order": "object",
}


def block(type: str, *steps: Any, **more: Any) -> dict[str, Any]:
    return {"type": type, "steps": list(steps), **more}


def use(*paths: Any, name: str = "use", **more: Any) -> dict[str, Any]:
    return call(name, input=list(paths), **more)


def errors(*steps: Any, **more: Any) -> list[str]:
    return [message for severity, message in told(*steps, **{"input": INPUT, **more}) if severity == "error"]


def advice(*steps: Any, **more: Any) -> list[str]:
    found = told(*steps, **{"input": INPUT, **more})
    assert [severity for severity, _ in found] == ["warning"] * len(found)
    return [message for _, message in found]


class TestReservedNames:
    @pytest.mark.parametrize(
        ("name", "where"),
        [
            ("item", "inside of a `foreach`"),
            ("index", "inside of a loop"),
            ("error", "where an error is handled"),
            ("result", "in the compensation of a call"),
            ("event", "in the `match` of a `wait`"),
        ],
    )
    @pytest.mark.parametrize("declared", [{}, {"input": INPUT}])
    def test_where_they_have_no_meaning(self, name: str, where: str, declared: dict[str, Any]) -> None:
        found = problem(use(f"$.{name}.id"), **declared)
        assert (found.code, found.severity) == ("plan.unknown-path", "error")
        assert found.message == f"$.{name}.id has no meaning here"
        assert where in found.hint

    def test_a_loop_with_a_guard_has_no_items(self) -> None:
        loop = block("repeat", use("$.item"), until="$.index > 2", maxIterations=3)
        assert errors(loop) == ["$.item has no meaning here"]

    def test_those_of_a_loop_around(self) -> None:
        inner = block("repeat", use("$.item", "$.index"), until="$.index > 2", maxIterations=3)
        assert advice(block("foreach", inner, items="$.items")) == []

    def test_they_end_with_the_loop(self) -> None:
        assert errors(block("foreach", call("a"), items="$.items"), use("$.index")) == ["$.index has no meaning here"]


class TestForeach:
    def test_the_item_has_the_shape_that_the_list_declares(self) -> None:
        used = use("$.item.sku", "$.line.sku", "$.index", "$.order")
        assert advice(block("foreach", used, items="$.lines", **{"as": "line"})) == []
        (found,) = problems(block("foreach", use("$.item.sk"), items="$.lines"), input=INPUT)
        assert (found.severity, found.hint) == ("warning", "did you mean $.item.sku?")
        assert errors(block("foreach", use("$.item.sku.x"), items="$.lines")) == ["$.item.sku.x: $.item.sku is text"]

    def test_literal_items(self) -> None:
        assert errors(block("foreach", use("$.item.x"), items=[1, 2])) == ["$.item.x: $.item is a number"]
        assert advice(block("foreach", use("$.item.x"), items=[1, {"x": 1}])) == []

    @pytest.mark.parametrize(
        ("items", "message"),
        [
            ("$.order", "`items` must be a list, and $.order is an object"),
            ("${ $.amount }", "`items` must be a list, and ${ $.amount } is a number"),
            ("a,b", "`items` must be a list, and a,b is text"),
            ("${$.amount} pieces", "`items` must be a list, and ${$.amount} pieces is text"),
            ({"a": 1}, "`items` must be a list, and this is an object"),
        ],
    )
    def test_items_that_are_no_list(self, items: Any, message: str) -> None:
        found = problem(block("foreach", call("a"), items=items), input=INPUT)
        assert (found.code, found.severity, found.message) == ("expression.type", "error", message)

    @pytest.mark.parametrize(
        "items", ["$.items", "$.order.lines", "$.lines[*].sku", "${split('a,b', ',')}", [], "$", "$.lines[*]"]
    )
    def test_items_that_may_be_a_list(self, items: Any) -> None:
        assert advice(block("foreach", call("a"), items=items)) == []

    def test_the_items_are_known_before_the_loop(self) -> None:
        assert errors(block("foreach", call("a", output="x"), items="$.x")) == ["$.x is not set here"]

    def test_keys_belong_to_the_iteration(self) -> None:
        loop = block("foreach", call("a", output="x"), use("$.x", name="b"), items="$.items")
        (found,) = problems(loop, use("$.x"), input=INPUT)
        assert (found.severity, found.message) == ("error", "$.x is not set here")
        assert "in 'steps[0]' and not before this place; what outlives a loop is in its `output`" in found.hint

    def test_an_undeclared_input_may_have_the_name_of_such_a_key(self) -> None:
        found = problem(block("foreach", call("a", output="x"), items="$.items"), use("$.x"))
        assert (found.code, found.severity) == ("plan.unknown-path", "warning")

    def test_an_iteration_does_not_see_the_one_before(self) -> None:
        assert errors(block("foreach", use("$.x", name="a"), call("b", output="x"), items="$.items")) == [
            "$.x is not set here"
        ]

    def test_what_is_handed_on_under_a_key(self) -> None:
        body = [call("a", output="x"), call("b", output="y", condition="$.index > 0")]
        loop = block("foreach", *body, items="$.items", output="all")
        assert advice(loop, use("$.all", "$.all[0].x.id", "$.all[*].x")) == []
        assert errors(loop, use("$.all[0].z")) == ["$.all[0].z: $.all[0] has no key 'z'"]
        assert errors(loop, use("$.all.x")) == ["$.all.x: $.all is a list"]
        assert advice(loop, use("$.all[0].y")) == [
            "$.all[0].y may be missing here: 'b' is skipped when its condition is false"
        ]

    def test_what_is_handed_on_by_templates(self) -> None:
        written = {"ids": "$.x.id", "skus": "$.item.sku", "texts": "no ${$.index}"}
        loop = block("foreach", call("a", output="x"), items="$.lines", output=written)
        assert advice(loop, use("$.ids[0].any", "$.skus[0]", "$.texts")) == []
        assert errors(loop, use("$.texts[0].x")) == ["$.texts[0].x: $.texts[0] is text"]
        assert errors(block("foreach", call("a"), items="$.items", output={"k": "$.nope"})) == ["$.nope is never set"]

    @pytest.mark.parametrize("more", [{"tolerate": 1}, {"tolerate": "5%"}, {"complete": "any"}, {"complete": 1}])
    def test_iterations_that_may_not_count_are_not_what_they_should_be(self, more: dict[str, Any]) -> None:
        loop = block("foreach", call("a", output="x"), items="$.items", output="all", **more)
        assert advice(loop, use("$.all[0].error.type")) == []
        assert errors(loop, use("$.all.x")) == ["$.all.x: $.all is a list"]


class TestLoops:
    @staticmethod
    def loop(*steps: Any, **more: Any) -> dict[str, Any]:
        return block("repeat", *steps, **{"until": "$.index > 2", "maxIterations": 3, **more})

    def test_a_key_of_the_round_before_may_be_missing_in_the_first(self) -> None:
        body = [use("$.page.next", name="read"), call("fetch", output="page")]
        assert advice(self.loop(*body)) == ["$.page.next may be missing here: the first round has none before it"]

    @pytest.mark.parametrize("path", ["${default($.page.next, null)}", "${ $.index > 0 ? $.page.next : null }"])
    def test_unless_the_first_round_is_thought_of(self, path: str) -> None:
        assert advice(self.loop(use(path, name="read"), call("fetch", output="page"))) == []

    def test_or_the_key_is_there_before_the_loop(self) -> None:
        first = {"type": "set", "values": {"page": 1}}
        again = {"type": "set", "values": {"page": "${ $.page + 1 }"}}
        assert advice(first, self.loop(again), use("$.page")) == []

    def test_a_key_that_is_set_on_one_way_only_is_still_there_from_before(self) -> None:
        first = {"type": "set", "values": {"page": 1}}
        maybe = {"type": "set", "condition": "$.amount > 3", "values": {"page": {"next": 2}}}
        assert advice(first, self.loop(maybe, use("$.page", "$.page.next"))) == []

    def test_the_end_is_decided_by_what_the_round_has_set(self) -> None:
        assert advice(self.loop(call("a", output="job"), until="$.job.done")) == []
        maybe = call("a", output="job", condition="$.index > 1")
        assert advice(self.loop(maybe, until="$.job.done")) == [
            "$.job.done may be missing here: the first round has none before it"
        ]

    def test_the_condition_is_asked_before_the_first_round(self) -> None:
        loop = block("while", call("a", output="job"), condition="$.job.status != 'done'", maxIterations=9)
        (found,) = problems(loop, input=INPUT)
        assert (found.code, found.severity) == ("plan.unknown-path", "error")
        assert found.message == "$.job.status is not set when this is first asked"
        assert found.hint == "set it before the loop, or say what then: default($.job.status, …)"
        assert [each.severity for each in problems(loop)] == ["warning"]

    @pytest.mark.parametrize(
        "condition", ["default($.job.status, '') != 'done'", "$.index == 0 or $.job.status != 'done'", "$.index < 3"]
    )
    def test_unless_it_is_thought_of(self, condition: str) -> None:
        assert advice(block("while", call("a", output="job"), condition=condition, maxIterations=9)) == []

    def test_or_there_before(self) -> None:
        loop = block("while", call("b", output="job"), condition="$.job.status != 'done'", maxIterations=9)
        assert advice(call("a", output="job"), loop) == []

    def test_keys_do_not_outlive_the_loop(self) -> None:
        assert errors(self.loop(call("a", output="x")), use("$.x")) == ["$.x is not set here"]

    def test_what_is_handed_on_under_a_key(self) -> None:
        loop = self.loop(call("a", output="x"), output="last")
        assert advice(loop, use("$.last.x.id")) == []
        assert errors(loop, use("$.last.y")) == ["$.last.y: $.last has no key 'y'"]

    def test_perhaps_no_round_has_run(self) -> None:
        loop = block("while", call("a", output="x"), condition="$.amount > 3", maxIterations=3)
        assert advice({**loop, "output": "last"}, use("$.last", "$.last.x")) == [
            "$.last.x may be missing here: it may be that no round runs"
        ]
        assert advice({**loop, "output": {"x": "$.x"}}) == ["$.x may be missing here: it may be that no round runs"]

    def test_what_is_handed_on_by_templates(self) -> None:
        loop = self.loop(call("a", output="x"), output={"id": "$.x.id", "rounds": "$.index"})
        assert advice(loop, use("$.id.any", "$.rounds")) == []

    def test_loops_within_loops(self) -> None:
        inner = self.loop(call("a", output="x"), output={"found": "$.x.id"})
        outer = self.loop(use("$.x", name="early"), inner, use("$.found", name="late"), output={"all": "$.found"})
        assert errors(outer, use("$.all")) == ["$.x is not set here"]


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
        found = problems({"type": "switch", "cases": cases}, input=INPUT)
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
        used = use("$.error.type", "$.error.message", "$.error.step", "$.error.attempt", "$.error", name="h")
        assert advice(self.attempt(call("a"), catch=[{"condition": "$.error.type == 'x'", "steps": used}])) == []
        catch = [{"steps": use("$.error.mesage", name="h")}]
        assert advice(self.attempt(call("a"), catch=catch)) == ["$.error.mesage: $.error declares no key 'mesage'"]

    @pytest.mark.parametrize("error", ["*", "http.*", ["http.5*", "timeout"]])
    def test_not_every_error_has_a_status(self, error: Any) -> None:
        step = self.attempt(call("a"), catch=[{"error": error, "condition": "$.error.status > 1", "steps": call("h")}])
        assert advice(step) == ["$.error.status may be missing here: not every error has it"]

    @pytest.mark.parametrize("error", ["http.404", ["http.5*", "http.429"]])
    def test_but_the_answer_of_a_server_has(self, error: Any) -> None:
        handler = {"error": error, "steps": use("$.error.status", name="h")}
        assert advice(self.attempt(call("a"), catch=[handler])) == []

    def test_the_error_by_another_name(self) -> None:
        step = self.attempt(call("a"), catch=[{"as": "e", "steps": use("$.e.message", name="h")}])
        assert errors(step, use("$.e")) == ["$.e is never set"]
        step = self.attempt(call("a"), catch=[{"as": "e", "steps": use("$.error.message", name="h")}])
        assert errors(step) == ["$.error.message has no meaning here"]

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

    @pytest.mark.parametrize("more", [{"complete": "any"}, {"complete": 1}, {"tolerate": 1}, {"tolerate": "50%"}])
    def test_keys_of_branches_that_may_not_count(self, more: dict[str, Any]) -> None:
        step = block("parallel", call("a", output="x"), call("b", output="y"), **more)
        assert advice(step, use("$.x")) == ["$.x may be missing here: 'a' may be one that is done without"]

    @pytest.mark.parametrize("more", [{"complete": 2}, {"complete": "all"}, {"tolerate": 0}, {"onFailure": "wait"}])
    def test_keys_of_branches_that_all_count(self, more: dict[str, Any]) -> None:
        assert advice(block("parallel", call("a", output="x"), call("b", output="y"), **more), use("$.x", "$.y")) == []

    def test_what_a_branch_needs_is_there_even_if_others_may_fail(self) -> None:
        branches = [call("a", output="x"), use("$.x", name="b", needs="a")]
        assert advice(block("parallel", *branches, tolerate=1)) == []


class TestWaits:
    @staticmethod
    def wait(**more: Any) -> dict[str, Any]:
        return {"type": "wait", "name": "w", "event": "paid", "output": "got", **more}

    def test_an_event(self) -> None:
        used = use("$.got.id", "$.got.type", "$.got.source", "$.got.time", "$.got.data.anything")
        assert advice(self.wait(match="$.event.data.order == $.order.id"), used) == []
        (found,) = problems(self.wait(), use("$.got.dta"), input=INPUT)
        assert (found.severity, found.hint) == ("error", "did you mean $.got.data?")

    @pytest.mark.parametrize("more", [{}, {"complete": 1}, {"complete": 2}])
    def test_several_events_are_a_list(self, more: dict[str, Any]) -> None:
        step = self.wait(event=["a", {"event": "b", "match": "$.event.data.x == 1"}], **more)
        assert advice(step, use("$.got[0].data.x", "$.got[1].id")) == []
        assert errors(step, use("$.got.data")) == ["$.got.data: $.got is a list"]

    def test_any_of_several_is_one(self) -> None:
        assert errors(self.wait(event=["a", "b"], complete="any"), use("$.got[0]")) == ["$.got[0]: $.got is an object"]

    def test_it_may_not_come(self) -> None:
        step = self.wait(timeout="1h", onTimeout="continue")
        assert advice(step, use("$.got.id")) == ["$.got.id may be missing here: 'w' goes on when no event came in time"]
        assert advice(self.wait(timeout="1h"), use("$.got.id")) == []

    def test_the_event_is_known_only_where_it_is_matched(self) -> None:
        assert errors(self.wait(), use("$.event.data")) == ["$.event.data has no meaning here"]
        assert errors(self.wait(match="$.event.dta == 1")) == ["$.event.dta: $.event has no key 'dta'"]
        assert errors(self.wait(event=[{"event": "a", "match": "$.evnt.id == 1"}])) == ["$.evnt.id is never set"]

    def test_a_match_that_never_is_one(self) -> None:
        assert advice(self.wait(match="1 == 2")) == ["the condition is always false: no event is ever taken"]

    @pytest.mark.parametrize(
        ("time", "message"),
        [
            ({"for": "$.order"}, "`for` must be a duration, and $.order is an object"),
            ({"until": "$.amount"}, "`until` must be an instant, and $.amount is a number"),
            ({"until": "$.nope"}, "$.nope is never set"),
        ],
    )
    def test_times_that_are_none(self, time: dict[str, Any], message: str) -> None:
        assert errors({"type": "wait", "name": "w", **time}) == [message]

    @pytest.mark.parametrize("time", [{"for": "$.amount"}, {"for": "${$.amount}s"}, {"until": "${ now() }"}])
    def test_times_that_may_be(self, time: dict[str, Any]) -> None:
        assert advice({"type": "wait", "name": "w", **time}) == []


class TestValues:
    @staticmethod
    def values(**values: Any) -> dict[str, Any]:
        return {"type": "set", "values": values}

    def test_they_are_seen_from_the_next_step_on(self) -> None:
        assert errors(self.values(a=1, b="$.a")) == ["$.a is not set here"]
        assert advice(self.values(a=1), self.values(b="$.a"), use("$.b")) == []

    @pytest.mark.parametrize(
        ("value", "path", "message"),
        [
            (1, "$.v.x", "$.v is a number"),
            (None, "$.v.x", "$.v is null"),
            (True, "$.v.x", "$.v is true or false"),
            ("text", "$.v.x", "$.v is text"),
            ("${$.amount} euros", "$.v.x", "$.v is text"),
            ("$$5", "$.v.x", "$.v is text"),
            ({"a": {"b": 1}}, "$.v.a.c", "$.v.a has no key 'c'"),
            ([1, 2], "$.v[0].x", "$.v[0] is a number"),
            ("$.amount", "$.v.x", "$.v is a number"),
            ("${ $.amount }", "$.v.x", "$.v is a number"),
            ({"deep": ["$.order"]}, "$.v.deep[0][0]", "$.v.deep[0] is an object"),
            ("$.lines[*].sku", "$.v.x", "$.v is a list"),
        ],
    )
    def test_their_shapes(self, value: Any, path: str, message: str) -> None:
        assert errors(self.values(v=value), use(path)) == [f"{path}: {message}"]

    @pytest.mark.parametrize(
        "value", ["${ $.amount + 1 }", "${ $.order ?? 1 }", "$.order.x", "$", "${$.order}${$.order}"]
    )
    def test_where_nothing_can_be_known(self, value: str) -> None:
        assert advice(self.values(v=value), use("$.v.x.y")) == []

    def test_a_word_that_is_a_key_too_is_no_mistake(self) -> None:
        assert advice(self.values(status="note", other="items")) == []
        assert advice(self.values(status="order.id")) == ["'order.id' is plain text here"]


class TestOthers:
    def test_an_emitted_event(self) -> None:
        assert errors({"type": "emit", "name": "e", "event": "x", "data": {"id": "$.nope"}}) == ["$.nope is never set"]

    @pytest.mark.parametrize("value", ["$.amount", "text", [1]])
    def test_a_workflow_gets_an_object(self, value: Any) -> None:
        (message,) = errors({"type": "workflow", "name": "w", "workflow": "o", "input": value})
        assert message.startswith("the input of a workflow must be an object, and ")

    @pytest.mark.parametrize("more", [{}, {"input": "$.order"}, {"input": {"a": "$.amount"}}, {"input": "$"}])
    def test_and_gives_its_output(self, more: dict[str, Any]) -> None:
        assert advice({"type": "workflow", "name": "w", "workflow": "o", "output": "got", **more}, use("$.got.x")) == []

    def test_unless_nobody_waits_for_it(self) -> None:
        (found,) = problems({"type": "workflow", "name": "w", "workflow": "o", "output": "x", "detach": True})
        assert (found.code, found.severity, found.place.path) == ("plan.detached", "warning", "steps[0].output")

    def test_what_a_failure_says(self) -> None:
        step = {"type": "fail", "error": "order.invalid", "message": "no ${$.nope}", "details": {"a": "order.id"}}
        assert sorted(told(step, input=INPUT)) == [
            ("error", "$.nope is never set"),
            ("warning", "'order.id' is plain text here"),
        ]

    def test_what_an_end_gives(self) -> None:
        assert errors({"type": "end", "output": "$.nope"}) == ["$.nope is never set"]


class TestCompensations:
    UNDO = staticmethod(lambda *paths: {"service": "s", "action": "u", "input": list(paths)})

    def test_that_of_a_block_sees_what_the_block_has_set(self) -> None:
        step = block("parallel", call("a", output="x"), call("b", output="y"))
        assert advice({**step, "compensate": self.UNDO("$.x", "$.y", "$.error.type")}) == []

    def test_but_a_block_has_no_result(self) -> None:
        step = block("sequential", call("a"), compensate=[self.UNDO("$.amount"), self.UNDO("$.result")])
        (found,) = problems(step, input=INPUT)
        assert (found.message, found.place.path) == ("$.result has no meaning here", "steps[0].compensate[1].input[0]")

    @pytest.mark.parametrize(
        "step",
        [
            call("a"),
            task(),
            {"type": "wait", "name": "w", "event": "e"},
            {"type": "workflow", "name": "w", "workflow": "o"},
        ],
    )
    def test_what_has_a_result(self, step: dict[str, Any]) -> None:
        assert advice({**step, "compensate": self.UNDO("$.result.id")}) == []

    def test_that_of_a_step_in_a_loop_knows_the_item(self) -> None:
        assert advice(block("foreach", call("a", compensate=self.UNDO("$.item", "$.index")), items="$.items")) == []

"""Which keys are known where: in loops and after them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.world import call
from tests.unit.core.plan_support import FIELDS, advice, block, errors, problem, problems, use


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
    @pytest.mark.parametrize("declared", [{}, {"input": FIELDS}])
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
        (found,) = problems(block("foreach", use("$.item.sk"), items="$.lines"), input=FIELDS)
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
        found = problem(block("foreach", call("a"), items=items), input=FIELDS)
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
        (found,) = problems(loop, use("$.x"), input=FIELDS)
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
        (found,) = problems(loop, input=FIELDS)
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

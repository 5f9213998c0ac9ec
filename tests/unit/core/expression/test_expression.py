"""What an expression tells about itself, its conditions, and the operands of a decision."""

from __future__ import annotations

from typing import Any

import pytest

from wfrun.core.expression import DictContext, parse
from wfrun.errors import ExpressionError


def told(text: str) -> list[tuple[str, bool]]:
    return [(found.text, found.optional) for found in parse(text).references]


def test_references_in_the_order_written() -> None:
    expression = parse("$.a.b > 1 and $ != $.items[*].qty or $['odd key'][0] in $.a.b")
    assert expression.references == (
        ("$.a.b", ("a", "b"), True, False, 1, False),
        ("$", (), True, False, 15, True),
        ("$.items[*].qty", ("items",), False, False, 20, True),
        ("$['odd key'][0]", ("odd key", 0), True, False, 38, True),
        ("$.a.b", ("a", "b"), True, False, 57, True),
    )
    assert expression.text.startswith("$.a.b > 1")


def test_references_inside_a_filter() -> None:
    assert [tuple(found) for found in parse("1 + $.items[?@.qty > $.limit.low]").references] == [
        ("$.items[?@.qty > $.limit.low]", ("items",), False, False, 5, False),
        ("$.limit.low", ("limit", "low"), True, False, 22, False),
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$.a ?? $.b", [("$.a", True), ("$.b", False)]),
        ("$.a ?? $.b ?? $.c", [("$.a", True), ("$.b", True), ("$.c", False)]),
        ("$.a + $.b ?? $.c", [("$.a", True), ("$.b", True), ("$.c", False)]),
        ("$.z == 1 and ($.a ?? $.b)", [("$.z", False), ("$.a", True), ("$.b", False)]),
        ("default($.a, $.b)", [("$.a", True), ("$.b", False)]),
        ("default($.a ?? $.b, $.c)", [("$.a", True), ("$.b", True), ("$.c", False)]),
        ("has($.a)", [("$.a", True)]),
        ("has($.a.b) and $.a.b > $.c", [("$.a.b", True), ("$.a.b", True), ("$.c", False)]),
        ("$.a.b > 1 and has($.a)", [("$.a.b", True), ("$.a", True)]),
        ("has($.a.b) and $.a > 1", [("$.a.b", True), ("$.a", False)]),
        ("has($.items[*].a) and $.items", [("$.items[*].a", True), ("$.items", False)]),
        ("any($.a, i, i.b > $.c)", [("$.a", False), ("$.c", False)]),
    ],
)
def test_optional_references(text: str, expected: list[tuple[str, bool]]) -> None:
    assert told(text) == expected


@pytest.mark.parametrize(
    ("text", "always", "sometimes"),
    [
        ("$.a + $.b", ["$.a", "$.b"], []),
        ("$.a or $.b and $.c", ["$.a"], ["$.b", "$.c"]),
        ("($.a or $.b) == $.c", ["$.a", "$.c"], ["$.b"]),
        ("$.a ? $.b : $.c", ["$.a"], ["$.b", "$.c"]),
        ("default($.a, $.b)", ["$.a"], ["$.b"]),
        ("$.a ?? $.b", ["$.a"], ["$.b"]),
        ("any($.a, i, i.x == $.b)", ["$.a"], ["$.b"]),
    ],
)
def test_references_that_are_not_always_asked_for(text: str, always: list[str], sometimes: list[str]) -> None:
    references = parse(text).references
    assert [found.text for found in references if not found.conditional] == always
    assert [found.text for found in references if found.conditional] == sometimes


@pytest.mark.parametrize(
    ("text", "comparisons"),
    [
        ("$.a.b > 1", [("$.a.b", ("a", "b"), ">", 1)]),
        ("'x' != $.a and 1.5 == $.b", [("$.a", ("a",), "!=", "x"), ("$.b", ("b",), "==", 1.5)]),
        ("$.a == $.b", []),
        ("$.a[*].b == 1", []),
        ("$.a + 1 == 2", []),
        ("$.a == null", []),
    ],
)
def test_comparisons_with_constants(text: str, comparisons: list[Any]) -> None:
    assert list(parse(text).comparisons) == comparisons


@pytest.mark.parametrize(
    ("text", "constant"),
    [
        ("1 + size('abc')", True),
        ("instant('2030-01-01')", True),
        ("map([1], i, i + 1)", True),
        ("$", False),
        ("now()", False),
        ("[today()]", False),
        ("map([1], i, uuid())", False),
    ],
)
def test_constant(text: str, constant: bool) -> None:
    assert parse(text).constant is constant


def test_a_condition_is_true_or_false(host: Any) -> None:
    context = DictContext({"score": 700})
    assert parse("$.score >= 680").test(context, host) is True
    assert parse("$.score < 680").test(context, host) is False
    for text, kind in [("$.score", "a number"), ("'true'", "a string"), ("null", "null"), ("[]", "an array")]:
        with pytest.raises(ExpressionError) as caught:
            parse(text).test(context, host)
        assert caught.value.code == "expression.type"
        assert f"true or false, not {kind}" in caught.value.message


def test_operands() -> None:
    data: dict[str, Any] = {"a": {"b": 1}, "items": [{"q": 1}, {"q": 2}], "none": None, "limit": 1, "big": "x" * 2000}
    expression = parse(
        "$.a.b > 0 and $.a.b < $.items[?@.q > $.limit].q[0] or $.none == $.nowhere or $.big == ''"
        " or any($.items, i, i.q > 1)"
    )
    assert expression.operands(DictContext(data)) == {
        "$.a.b": 1,
        "$.items[?@.q > $.limit].q[0]": [],
        "$.limit": 1,
        "$.none": None,
        "$.big": "(a string of 2000, 2002 characters as JSON)",
        "$.items": [{"q": 1}, {"q": 2}],
    }


def test_operands_never_fail() -> None:
    """Even where an evaluation would be refused: a path over too much data is left out."""
    data: dict[str, Any] = {"a": [[[1] * 100] * 100] * 100}
    expression = parse("size($..*..*) > 1")
    assert expression.operands(DictContext(data)) == {}


def test_data_is_neither_changed_nor_copied(host: Any) -> None:
    data: dict[str, Any] = {"list": [3, 1, 2], "object": {"a": {"b": 1}}}
    context = DictContext(data)
    for text in ["sort($.list)", "reverse($.list)", "$.list + [4]", "merge($.object, {a: 1})", "unique($.list)"]:
        parse(text).evaluate(context, host)
    assert data == {"list": [3, 1, 2], "object": {"a": {"b": 1}}}
    assert parse("$.object").evaluate(context, host) is data["object"]


def test_one_expression_serves_many_evaluations(host: Any) -> None:
    expression = parse("map($.items, i, i.n * $.factor)")
    for factor in range(5):
        assert expression.evaluate(DictContext({"items": [{"n": 1}, {"n": 2}], "factor": factor}), host) == [
            factor,
            2 * factor,
        ]

"""Missing and null: two things. What is missing is an error that helps, unless someone waits for it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from wfrun.core.expression import MISSING, DictContext, parse
from wfrun.errors import ExpressionError


def test_missing_is_falsy_and_names_itself() -> None:
    assert not MISSING
    assert repr(MISSING) == "MISSING"
    assert DictContext({}).get("a") is MISSING


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("has($.order.total)", True),
        ("has($.order.note)", True),
        ("has($.order.notes)", False),
        ("has($.nowhere.at.all)", False),
        ("has($.items[2])", True),
        ("has($.items[3])", False),
        ("has($.items[*].sku)", True),
        ("has($.items[*].colour)", False),
        ("has(first($.empty))", False),
        ("has($.rates[$.country])", True),
        ("has($.rates['it'])", False),
        ("any($.items, i, has(i.colour))", False),
        ("default($.order.discount, 5)", 5),
        ("default($.order.discount, $.nowhere ?? 6)", 6),
        ("default($.order.total, 5)", 100),
        ("default($.nowhere + 1, 5)", 5),
        ("default(upper($.nowhere), 'x')", "x"),
        ("default($.items[*].colour, 'none')", []),
        ("default(sum(map($.items, i, i.weight)), 0)", 0),
        ("$.nowhere ?? 1", 1),
        ("$.order.note ?? 1", 1),
        ("$.order.total ?? 1", 100),
        ("$.nowhere ?? $.order.note", None),
        ("$.nowhere ?? $.neither ?? 'c'", "c"),
        ("$.nowhere ?? $.order.total ?? 'c'", 100),
        ("($.nowhere ?? 1) + 1", 2),
        ("first($.empty) ?? 'nobody'", "nobody"),
        ("max($.empty) ?? 0", 0),
        ("$.order.note == null", True),
        ("has($.discount) and $.discount > 0", False),
        ("map($.items, i, i.colour ?? 'grey')", ["grey", "grey", "grey"]),
    ],
)
def test_someone_waits_for_it(evaluate: Callable[..., Any], text: str, expected: Any) -> None:
    assert evaluate(text) == expected


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("$.ordr.total", "$.ordr.total is not there: $ has no key 'ordr'", "did you mean $.order.total?"),
        (
            "$.order.custmer.name",
            "$.order.custmer.name is not there: $.order has no key 'custmer'",
            "did you mean $.order.customer.name?",
        ),
        (
            "$.order.oddkey",
            "$.order.oddkey is not there: $.order has no key 'oddkey'",
            "did you mean $.order['odd key']?",
        ),
        ("$.rates.xyz", "$.rates.xyz is not there: $.rates has no key 'xyz'", "$.rates has: de, fr"),
        ("$.items[3]", "$.items[3] is not there: $.items has 3 elements", ""),
        ("$.items[-4].sku", "$.items[-4].sku is not there: $.items has 3 elements", ""),
        ("$.items.sku", "$.items.sku is not there: $.items is an array", ""),
        ("$.order.total.x", "$.order.total.x is not there: $.order.total is a number", ""),
        ("$.order.note.x", "$.order.note.x is not there: $.order.note is null", ""),
        ("$[0]", "$[0] is not there: $ is an object", ""),
        ("first($.empty)", "first() of an empty list is not there", ""),
        ("first($.items).skuu", "key 'skuu' is not there: the value has no key 'skuu'", "did you mean 'sku'?"),
        ("$.numbers[(5)]", "element 5 is not there: the value has 3 elements", ""),
        ("$.rates[$.order.id]", "key 'A-7' is not there: the value has no key 'A-7'", "it has: de, fr"),
        ("default(1 + 1, 0) + $.nowhere", "$.nowhere is not there: $ has no key 'nowhere'", None),
        ("$.order.total ?? $.nowhere ? 1 : $.nowhere", None, None),
        ("$.nowhere ?? $.neither", "$.neither is not there: $ has no key 'neither'", None),
        ("default($.nowhere, $.neither)", "$.neither is not there: $ has no key 'neither'", None),
    ],
)
def test_nobody_waits_for_it(
    failure: Callable[..., ExpressionError], text: str, message: str | None, hint: str | None
) -> None:
    error = failure(text)
    if message is not None:
        assert (error.code, error.message) == ("expression.undefined", message)
    if hint is not None:
        assert error.hint == hint


def test_an_empty_context_has_no_hint(failure: Callable[..., ExpressionError]) -> None:
    error = failure("$.a", {})
    assert (error.message, error.hint) == ("$.a is not there: $ is empty", "")


def test_a_hint_is_cheap_on_large_data(failure: Callable[..., ExpressionError]) -> None:
    data: dict[str, Any] = {f"key{number:06}": number for number in range(50_000)}
    assert failure("$.ky000001", data).hint == "did you mean $.key000001?"
    assert "…" in failure(f"$.{'z' * 5000}", data).hint


class Reserved:
    """A context whose whole lacks the reserved names."""

    def get(self, name: str) -> Any:
        return {"execution": {"id": "k7m2x9qd", "tags": ["a"]}, "total": 1}.get(name, MISSING)

    def whole(self) -> Any:
        return {"total": 1}

    def names(self) -> Any:
        return ["execution", "total", "total"]


def test_reserved_names_are_reached_but_not_part_of_the_whole(host: Any) -> None:
    context = Reserved()
    assert parse("$.execution.id").evaluate(context, host) == "k7m2x9qd"
    assert parse("$['execution'].tags[*]").evaluate(context, host) == ["a"]
    assert parse("$['execution', 'total']").evaluate(context, host) == [{"id": "k7m2x9qd", "tags": ["a"]}, 1]
    assert parse("$").evaluate(context, host) == {"total": 1}
    assert parse("$[*]").evaluate(context, host) == [1]
    assert parse("$..id").evaluate(context, host) == []
    assert parse("[{id: 'k7m2x9qd'}] == $.execution.tags[?@ == $.execution.id]").evaluate(context, host) is False
    assert parse("$.execution.tags[?$.execution.id == 'k7m2x9qd']").evaluate(context, host) == ["a"]
    with pytest.raises(ExpressionError, match=r"did you mean \$\.execution\.id\?"):
        parse("$.exection.id").evaluate(context, host)
    with pytest.raises(ExpressionError) as caught:
        parse("$.xyz").evaluate(context, host)
    assert caught.value.hint == "$ has: execution, total"


# Variables of services: FixedHost knows all but ABSENT.


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("env.ABSENT ?? 'x'", "x"),
        ("env.HOME ?? 'x'", "env HOME"),
        ("secret.ABSENT ?? env.ABSENT ?? env.HOME", "env HOME"),
        ("secret.ABSENT ?? env.ABSENT ?? null", None),
        ("default(env.ABSENT, 'x')", "x"),
        ("default(env.HOME, 'x')", "env HOME"),
        ("default('v' + upper(env.ABSENT), 'x')", "x"),
        ("default(env.ABSENT, env.HOME)", "env HOME"),
        ("has(env.ABSENT)", False),
        ("has(secret.KEY)", True),
        ("has(env.ABSENT) ? env.ABSENT : 'x'", "x"),
        ("has(env.ABSENT) and env.ABSENT == 'on'", False),
        ("default($.nowhere, env.HOME)", "env HOME"),
    ],
)
def test_a_variable_that_is_not_set_is_missing(evaluate: Callable[..., Any], text: str, expected: Any) -> None:
    assert evaluate(text, variables=True) == expected


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("env.ABSENT", 1),
        ("'x' + env.ABSENT", 7),
        ("env.ABSENT == null", 1),
        ("env.ABSENT ?? secret.ABSENT", 15),
        ("default(env.ABSENT, secret.ABSENT)", 21),
        ("has(env.ABSENT) ? 1 : env.ABSENT", 23),
    ],
)
def test_without_anything_else_said_that_is_an_error(
    failure: Callable[..., ExpressionError], text: str, column: int
) -> None:
    error = failure(text, variables=True)
    assert (error.code, error.column) == ("expression.undefined", column)
    assert error.message.endswith("ABSENT is not set")


class Unreadable:
    def variable(self, kind: str, name: str) -> str:
        raise ExpressionError("secret.unreadable", "the file cannot be read")


@pytest.mark.parametrize("text", ["secret.A ?? 'x'", "default(secret.A, 'x')", "has(secret.A)"])
def test_a_variable_that_is_set_and_cannot_be_had_is_an_error(text: str) -> None:
    host: Any = Unreadable()
    with pytest.raises(ExpressionError) as caught:
        parse(text, variables=True).evaluate(DictContext({}), host)
    assert caught.value.code == "secret.unreadable"


@pytest.mark.parametrize(
    ("text", "needed"),
    [
        ("env.A", ["A"]),
        ("env.A ?? 'x'", []),
        ("env.A ?? env.B", []),
        ("'x' + env.A ?? env.B + env.C", []),
        ("default(env.A, env.B)", []),
        ("$.a ?? env.A", ["A"]),
        ("default($.a, env.A)", ["A"]),
        ("has(env.A)", []),
        ("has(env.A) ? env.A : env.B", ["B"]),
        ("has($.a) ? env.A : env.B", ["A", "B"]),
        ("env.A + (env.B ?? '')", ["A"]),
        ("(env.B ?? '') + env.A", ["A"]),
        ("env.A + (env.A ?? '')", ["A"]),
        ("has(secret.A) and env.A == 'x'", ["A"]),
        ("[env.A ?? 1, env.B]", ["B"]),
    ],
)
def test_what_an_expression_cannot_do_without(text: str, needed: list[str]) -> None:
    variables = parse(text, variables=True).variables
    assert [each.name for each in variables if not each.optional] == needed
    assert {each.name for each in variables} == set(re.findall(r"\b[A-C]\b", text))

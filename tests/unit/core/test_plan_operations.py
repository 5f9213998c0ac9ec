"""What is calculated and compared in a plan, held against the kinds that its input declares."""

from __future__ import annotations

import pytest

from tests.support.world import call
from tests.unit.core.plan_support import problem, problems
from wfrun.core.expression import parse
from wfrun.core.expression.reference import Operand, Operation

FIELDS = {
    "amount": "number",
    "count": "integer",
    "name": "string",
    "tags": "array",
    "order": "object",
    "paid": "boolean",
    "any": "any",
    "either": {"type": ["string", "number"]},
    "note": "string?",
}


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("$.name * 2", "$.name is text: '*' cannot be used with it"),
        ("2 - $.name", "$.name is text: '-' cannot be used with it"),
        ("$.amount / $.name", "$.name is text: '/' cannot be used with it"),
        ("$.order % 2", "$.order is an object: '%' cannot be used with it"),
        ("'5' * $.amount", "'5' is text: '*' cannot be used with it"),
        ("1 + 2 * $.name", "$.name is text: '*' cannot be used with it"),
        ("$.amount + $.name", "$.amount is a number and $.name is text: they cannot be added"),
        ("$.name + 5", "$.name is text and 5 is a number: they cannot be added"),
        ("$.paid + 1", "$.paid is true or false: '+' cannot be used with it"),
        ("$.tags + $.name", "$.tags is a list and $.name is text: they cannot be added"),
        ("$.name == $.amount", "$.name is text and $.amount is a number: they are never equal"),
        ("$.name != $.paid", "$.name is text and $.paid is true or false: they always differ"),
        ("$.amount < $.name", "$.amount is a number and $.name is text: neither is before the other"),
        ("$.amount > 'x'", "$.amount is a number and 'x' is text: neither is before the other"),
    ],
)
def test_what_cannot_come_out(expression: str, message: str) -> None:
    found = problem(call("a", input={"x": f"got ${{{expression}}}"}), input=FIELDS)
    assert (found.code, found.severity, found.message) == ("expression.type", "error", message)
    assert found.place.path == "steps[0].input.x"


@pytest.mark.parametrize(
    "expression",
    [
        "$.amount * 2 - $.count / 3 + 1",
        "$.name + '!'",
        "$.tags + ['x']",
        "$.any * 2 + $.any",
        "$.either * 2",
        "$.either + 'x'",
        "$.either == $.amount",
        "$.amount == $.count",
        "number($.name) * 2",
        "instant($.name) - duration('1h')",
        "instant($.name) + duration($.name)",
        "default($.note, 5) * 2",
        "$.name in $.tags",
        "$.amount + $.order.total",
        "$.order[$.name] * 2",
        "$.order.lines[*].price == $.amount",
    ],
)
def test_what_may(expression: str) -> None:
    assert problems(call("a", input=f"${{{expression}}}"), input=FIELDS) == []


def test_in_a_condition() -> None:
    found = problem(call("a", condition="$.amount > 1 and $.name * 2 > 3"), input=FIELDS)
    assert found.message == "$.name is text: '*' cannot be used with it"
    assert found.hint == "number(…) reads a number from a text"


def test_the_shape_of_an_error_is_known() -> None:
    handler = {"error": "http.5*", "steps": [call("b", input="${$.error.status + $.error.message}")]}
    found = problem(call("a", onError=handler))
    assert found.message == "$.error.status is a number and $.error.message is text: they cannot be added"


def test_operations_of_an_expression() -> None:
    assert parse("$.a * 2 + f($.b) - $.c[*] == 3 and $.d == $.e and 'x' == 'y'".replace("f(", "abs(")).operations == (
        Operation("*", Operand("$.a", ("a",)), Operand("2", None, 2)),
        Operation("==", Operand("$.d", ("d",)), Operand("$.e", ("e",))),
    )

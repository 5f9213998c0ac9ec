"""Every function: what it gives and what it refuses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from wfrun.core.expression.functions import FUNCTIONS
from wfrun.core.values import canonical
from wfrun.errors import ExpressionError

VALUES: list[tuple[str, Any]] = [
    ("size('héllo😀')", 6),
    ("size([1, 2])", 2),
    ("size({a: 1})", 1),
    ("sum([])", 0),
    ("sum([1, 2, 3])", 6),
    ("sum([0.1, 0.2, 0.3])", 0.6),
    ("sum([0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1])", 1.0),
    ("sum([9007199254740993, 1])", 9007199254740994),
    ("sum([1e300, -1e300, 1])", 1.0),
    ("sum(map($.items, i, i.qty * i.price))", 63.45),
    ("min($.numbers)", 1.5),
    ("max($.numbers)", 3),
    ("min(3, 1, 2)", 1),
    ("max('a', 'c', 'b')", "c"),
    ("max([instant('2030-01-01'), instant('2030-01-02')])", "2030-01-02T00:00:00Z"),
    ("avg([1, 2])", 1.5),
    ("avg([0.1, 0.2])", 0.15),
    ("avg([1, 3])", 2),
    ("round(2.5)", 3),
    ("round(-2.5)", -3),
    ("round(2.4999)", 2),
    ("round(1.005, 2)", 1.01),
    ("round(2.675, 2)", 2.68),
    ("round(1234.5, -2)", 1200),
    ("round(1250, -2)", 1300),
    ("round(7, 2)", 7),
    ("round(1e22)", 10**22),
    ("floor(-1.5)", -2),
    ("ceil(-1.5)", -1),
    ("ceil(1.0000001)", 2),
    ("abs(-3)", 3),
    ("abs(-0.5)", 0.5),
    ("lower('ÄB')", "äb"),
    ("upper('straße')", "STRASSE"),
    ("trim('  a b \n')".replace("\n", "\\n"), "a b"),
    ("split('a,b,,c', ',')", ["a", "b", "", "c"]),
    ("split('añb', '')", ["a", "ñ", "b"]),
    ("join(['a', 1, true, 1.5], '-')", "a-1-true-1.5"),
    ("join(['a', 'b'])", "ab"),
    ("join([], ',')", ""),
    ("replace('a.b.c', '.', '')", "abc"),
    ("substring('héllo', 1, 3)", "él"),
    ("substring('héllo', -2)", "lo"),
    ("substring('héllo', 9)", ""),
    ("contains('hello', 'ell')", True),
    ("startsWith('hello', 'he')", True),
    ("endsWith('hello', 'he')", False),
    ("matches('order A-7', '[A-Z]-[0-9]+')", True),
    ("matches('order A-7', '^[A-Z]-[0-9]+$')", False),
    (r"matches('żółw', '^\\p{L}+$')", True),
    ("format('{} of {}: {}', 1, 'two', [3])", "1 of two: [3]"),
    ("format('{1}{0}', 'a', 'b')", "ba"),
    ("format('{:.2}', 2.5)", "2.50"),
    ("format('{:.2}', 1.005)", "1.01"),
    ("format('{:,.2}', 1234567.891)", "1,234,567.89"),
    ("format('{0:.2f} {0:,.1f}', 1234.565)", "1234.57 1,234.6"),
    ("format('{:.3f}', 2)", "2.000"),
    ("format('{:.2f} {:.0} {:,}', -0.001, -0.4, -0.0)", "0.00 0 0.0"),
    ("format('{:.2}', 12345678901234567890.125)", "12345678901234567000.00"),
    ("format('{:.2}', 12345678901234567890)", "12345678901234567890.00"),
    ("format('{:.99}', 0.1)", "0.1" + "0" * 98),
    ("format('{:,}', 1234567)", "1,234,567"),
    ("format('{:.0}', 2.5)", "3"),
    ("format('{:.1}', 1e21)", "1000000000000000000000.0"),
    ("format('{{}} {}', null)", "{} null"),
    ("int('12')", 12),
    ("int(12.0)", 12),
    ("int('-1e3')", -1000),
    ("number('12')", 12),
    ("number('12.50')", 12.5),
    ("number(3)", 3),
    ("string(12)", "12"),
    ("string('a')", "a"),
    ("string(null)", "null"),
    ("string({b: [1, 'x'], a: 1.5})", '{"a":1.5,"b":[1,"x"]}'),
    ("bool('true')", True),
    ("bool(false)", False),
    (
        "map([null, true, 1, 1.5, 'a', [], {}, now(), duration('1s')], v, type(v))",
        ["null", "boolean", "number", "number", "string", "array", "object", "instant", "duration"],
    ),
    ("keys($.rates)", ["de", "fr"]),
    ("values($.rates)", [0.19, 0.2]),
    ("merge({a: 1, b: 1}, {b: 2}, {c: 3})", {"a": 1, "b": 2, "c": 3}),
    ("first($.numbers)", 3),
    ("last($.numbers)", 2),
    ("unique([1, 1.0, true, '1', [1], [1.0], {a: 1}, {a: 1.0}, null, null])", [1, True, "1", [1], {"a": 1}, None]),
    ("unique([1e23, 100000000000000000000000])", [1e23]),
    ("sort([3, 1.5, 2])", [1.5, 2, 3]),
    ("sort(['b', 'a', 'C'])", ["C", "a", "b"]),
    ("sort([duration('1h'), duration('5m')])", ["PT5M", "PT1H"]),
    ("sort([])", []),
    ("reverse([1, 2])", [2, 1]),
    ("flatten([[1], 2, [3, [4]]])", [1, 2, 3, [4]]),
    ("range(3)", [0, 1, 2]),
    ("range(1, 4)", [1, 2, 3]),
    ("range(10, 0, -5)", [10, 5]),
    ("range(0)", []),
    ("range(5, 1)", []),
    ("range(0, 5, 2)", [0, 2, 4]),
    ("any($.items, i, i.qty > 4)", True),
    ("any([], i, i.qty > 4)", False),
    ("all($.items, i, i.qty > 0)", False),
    ("all([], i, i.qty > 4)", True),
    ("map($.items, i, i.sku)", ["pen", "cup", "map"]),
    ("map(filter($.items, i, i.qty > 0), i, i.sku)", ["pen", "map"]),
    ("map([1, 2], a, map([10, 20], b, a * b))", [[10, 20], [20, 40]]),
    ("filter([1, 2, 3], size, size > 1)", [2, 3]),
    ("any($.items, i, i.sku == 'pen' and any($.items, j, j.qty > i.qty))", True),
    ("toJson({b: [1, null], a: 'é'})", '{"a":"é","b":[1,null]}'),
    ('fromJson(\'{"a": [1, 2.5, "x"], "b": null}\')', {"a": [1, 2.5, "x"], "b": None}),
    ("fromJson('123456789012345678901234567890')", 123456789012345678901234567890),
    ("fromJson(toJson($.items)) == $.items", True),
    ("base64('héllo')", "aMOpbGxv"),
    ("sha256('')", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    ("uuid()", "0f8fad5b-d9cb-469f-a165-70867728950e"),
    ("now()", "2030-01-02T03:04:05Z"),
    ("today()", "2030-01-02T00:00:00Z"),
    ("has($.order.note)", True),
    ("default($.order.note, 1)", None),
]


@pytest.mark.parametrize(("text", "expected"), VALUES)
def test_value(evaluate: Callable[..., Any], text: str, expected: Any) -> None:
    value = evaluate(text)
    assert canonical(value) == canonical(expected)


def test_every_function_is_tested() -> None:
    together = " ".join(text for text, _ in VALUES)
    assert [name for name in FUNCTIONS if f"{name}(" not in together] == []


REFUSED: list[tuple[str, str, str]] = [
    ("size(5)", "type", "size() needs a string, array or object"),
    ("sum([1, 'a'])", "type", "found a string"),
    ("sum([true])", "type", "found a boolean"),
    ("sum('12')", "type", "needs an array"),
    ("max([1, 'a'])", "type", "no order"),
    ("max([true])", "type", "no order"),
    ("min(5)", "type", "needs an array"),
    ("avg([null])", "type", "found null"),
    ("round('1')", "type", "needs a number"),
    ("round(1.5, 0.5)", "value", "digits"),
    ("round(1.5, 31)", "value", "digits"),
    ("abs('a')", "type", "needs a number"),
    ("upper(1)", "type", "string(…)"),
    ("split('a', 1)", "type", "needs a string"),
    ("join('abc', ',')", "type", "needs an array"),
    ("join([[1]], ',')", "type", "found an array"),
    ("replace('a', '', 'b')", "value", "not empty"),
    ("substring('a', 'b')", "type", "whole numbers"),
    ("matches('a', $.country + '(')", "value", "RE2"),
    ("format('{} {}', 1)", "value", "no value for {}"),
    ("format('{3}', 1)", "value", "no value for {3}"),
    ("format('{', 1)", "value", "{{"),
    ("format('{a}', 1)", "value", "{{"),
    ("format('{:f}', 1)", "value", "{{"),
    ("contains([1, 2], 1)", "type", "`x in $.list`"),
    ("contains('12', 1)", "type", "string(…)"),
    ("format('{:.2e}', 1)", "value", "{{"),
    ("format('{:.2f}', null)", "type", "needs a number"),
    ("format('{:.2}', 'a')", "type", "needs a number"),
    ("int(1.5)", "value", "whole number"),
    ("int('a')", "value", "not a number"),
    ("int(true)", "type", "int() needs a number"),
    ("number('1,000')", "value", "not a number"),
    ("number(' 1')", "value", "trim"),
    ("number('1e999')", "limit", "too large"),
    ("number('nan')", "value", "not a number"),
    ("number('٣')", "value", "not a number"),
    ("bool('yes')", "value", "'true' or 'false'"),
    ("bool(1)", "value", "'true' or 'false'"),
    ("keys([1])", "type", "needs an object"),
    ("merge({}, [])", "type", "needs an object"),
    ("first('abc')", "type", "needs an array"),
    ("first('')", "type", "needs an array"),
    ("sort([1, 'a'])", "type", "no order"),
    ("sort([{a: 1}])", "type", "no order"),
    ("flatten({})", "type", "needs an array"),
    ("range(1.5)", "type", "whole numbers"),
    ("range(0, 1, 0)", "value", "other than 0"),
    ("any({a: 1}, i, true)", "type", "any() goes over an array"),
    ("any([1], i, 1)", "type", "condition of any()"),
    ("filter([1], i, null)", "type", "condition of filter()"),
    ("fromJson('{')", "value", "not JSON"),
    ("fromJson('NaN')", "value", "NaN"),
    ("fromJson('1e999')", "limit", "too large"),
    ('fromJson(\'{"a":1,"a":2}\')', "value", "twice"),
    (r"""fromJson('"\\ud800"')""", "value", "not JSON"),
    ("fromJson(1)", "type", "needs a string"),
    ("base64(1)", "type", "needs a string"),
    ("sha256({})", "type", "needs a string"),
]


@pytest.mark.parametrize(("text", "code", "part"), REFUSED)
def test_refused(failure: Callable[..., ExpressionError], text: str, code: str, part: str) -> None:
    error = failure(text)
    assert error.code == f"expression.{code}", error
    assert part in f"{error.message} {error.hint}"
    assert error.column > 0


def test_a_column_is_that_of_the_function_inside(failure: Callable[..., ExpressionError]) -> None:
    assert failure("1 + size(upper(5))").column == len("1 + size(") + 1


def test_linear_time(evaluate: Callable[..., Any]) -> None:
    """A pattern that takes a backtracking engine exponential time."""
    assert evaluate("matches($.text, '^(a+)+$')", {"text": "a" * 50_000 + "b"}) is False

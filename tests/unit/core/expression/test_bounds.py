"""Every evaluation ends: within its depth, its steps and its lengths."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest

from wfrun.core.expression import DictContext, parse
from wfrun.core.expression.reader import parse_path
from wfrun.errors import ExpressionError


def refusal(text: str) -> ExpressionError:
    with pytest.raises(ExpressionError) as caught:
        parse(text)
    return caught.value


@pytest.mark.parametrize(
    ("opening", "core", "closing"),
    [
        ("(", "1", ")"),
        ("[", "1", "]"),
        ("{a: ", "1", "}"),
        ("abs(", "1", ")"),
        ("-", "1", ""),
        ("not ", "true", ""),
        ("!", "true", ""),
        ("true ? 1 : ", "1", ""),
        ("true ? ", "1", " : 2"),
        ("1 - (", "1", ")"),
        ("default($.a, ", "1", ")"),
        ("[0][", "0", "]"),
        ("any([1], i, any([1], j, [true][", "0", "]))"),
    ],
)
def test_depth(host: Any, opening: str, core: str, closing: str) -> None:
    """64 levels are evaluated; 65 are refused, and 3,000 cost no more."""
    levels = 64 if "any" not in opening else 1
    context = DictContext({})
    assert parse(opening * levels + core + closing * levels).evaluate(context, host) is not None
    for too_many in (65, 3_000 // len(opening)):
        error = refusal(opening * too_many + core + closing * too_many)
        assert error.code in ("expression.limit", "expression.syntax")
    assert "nests deeper than 64 levels" in refusal("(" * 65 + "1" + ")" * 65).message


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1" + " + 1" * 1_500, 1_501),
        ("2" + " * 1" * 1_500, 2),
        ("false" + " or false" * 900 + " or true", True),
        ("true" + " and true" * 900, True),
        ("$.a" + " ?? $.a" * 900 + " ?? 5", 5),
        ("{a: 1}" + ".a ?? {a: 2}" * 500, 1),
    ],
)
def test_long_chains_do_not_nest(evaluate: Callable[..., Any], text: str, expected: Any) -> None:
    assert evaluate(text, {}) == expected


def test_an_index_chain_does_not_nest(evaluate: Callable[..., Any]) -> None:
    deep: dict[str, Any] = {}
    deep["a"] = deep
    assert evaluate("first([$])" + ".a" * 3_000 + " == $.b", {"a": deep, "b": 1}) is False


def test_length_of_the_source() -> None:
    error = refusal("1" + " " * 10_000)
    assert (error.code, error.column) == ("expression.limit", 1)


def test_paths_are_bounded() -> None:
    assert parse_path("$" + ".a" * 64).definite
    for text in ["$" + ".a" * 65, "$" + "[0]" * 65, "$" + "[?(" * 65, "$" + "[?@" * 65 + "]" * 65]:
        with pytest.raises(ExpressionError):
            parse_path(text)


NESTED: Any = 1
for _ in range(60):
    NESTED = [NESTED, NESTED]
BIG = [[{"a": list(range(20))} for _ in range(100)] for _ in range(100)]


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("map(range(3000), i, map(range(3000), j, i * j))", "steps"),
        ("any(range(1000000), i, any(range(1000000), j, false))", "steps"),
        ("size($.nested..*)", "steps"),
        ("$.big..*..*..*..*", "steps"),
        ("$.big..[?@.a[?@ > 100]]..[?@.a[?@ > 100]]..*", "steps"),
        ("$.nested" + "[0, 1]" * 40, "steps"),
        ("$.nested" + "[0, 0]" * 40, "steps"),
        ("$.nested == $.nested2", "steps"),
        ("toJson($.nested)", "steps"),
        ("string($.nested) == ''", "steps"),
        ("format('{}', $.nested)", "steps"),
        ("unique([$.nested])", "steps"),
        ("map(range(1000), i, $.big)", "steps"),
        ("sort(map(range(300000), i, -i))", "steps"),
        ("range(1000001)", "1,000,000 elements"),
        ("range(0, 99999999999999999999999, 3)", "1,000,000 elements"),
        ("range(99999999999999999999999, 0, -3)", "1,000,000 elements"),
        ("range(600000) + range(600000)", "1,000,000 elements"),
        ("flatten([range(600000), range(600000)])", "1,000,000 elements"),
        ("$.text + $.text", "1,000,000 characters"),
        ("replace($.text, 'x', $.text)", "1,000,000 characters"),
        ("join([$.text, $.text])", "1,000,000 characters"),
        ("split($.text + $.text, '')", "1,000,000"),
        ("format('{0}{0}', $.text)", "1,000,000 characters"),
        ("matches($.text, 'x')", "100,000 characters"),
        ("matches('x', $.pattern)", "pattern"),
        ("1" + " * 99999999999999999999" * 250, "4,000 digits"),
        ("-1" + " * 99999999999999999999" * 250, "4,000 digits"),
        ("int(join(map(range(4001), i, '1')))", "4,000 digits"),
        ("[$.deep]", "64 levels"),
        ("fromJson(join(map(range(65), i, '[')))", "64 levels"),
        ("fromJson(join(map(range(100000), i, '[')))", "64 levels"),
    ],
)
def test_limits(failure: Callable[..., ExpressionError], text: str, part: str) -> None:
    deep: Any = 1
    for _ in range(64):
        deep = {"a": deep}
    data: dict[str, Any] = {
        "nested": NESTED,
        "nested2": [NESTED[0], [*NESTED[1]]],
        "big": BIG,
        "deep": deep,
        "text": "x" * 600_000,
        "pattern": "x" * 1_001,
    }
    error, seconds = _timed(lambda: failure(text, data))
    _, unit = _timed(lambda: sum(number % 7 for number in range(2_000_000)))
    assert seconds < 60 * unit
    assert error.code == "expression.limit", error
    assert part in error.message
    assert error.column > 0


def test_a_hundred_thousand_items_are_fine(evaluate: Callable[..., Any]) -> None:
    items = [{"sku": f"s{number}", "qty": number % 7, "price": 1.1} for number in range(100_000)]
    assert evaluate("size(filter($.items, i, i.qty > 5))", {"items": items}) == 14_285
    assert evaluate("size($.items[?@.qty > 5].sku)", {"items": items}) == 14_285
    assert len(evaluate("map($.items, i, {id: i.sku, n: i.qty + 1})", {"items": items})) == 100_000


def test_only_what_is_needed_is_imported() -> None:
    code = """
import sys
from wfrun.core.expression import DictContext, compile_template, parse
expression = parse("$.report.score >= 680 and has($.a) and size($.b[?@.c > 1]) > 0")
compile_template({"a": "$.b", "c": "n${$.d}"}).resolve(DictContext({"b": 1, "d": "x"}), None)
parse("$.report.score >= 680").evaluate(DictContext({"report": {"score": 1}}), None)
print([name for name in ("jsonpath_ng", "re2", "decimal", "asyncio", "difflib", "subprocess") if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def _timed(work: Callable[[], Any]) -> tuple[Any, float]:
    begun = time.process_time()
    result = work()
    return result, time.process_time() - begun

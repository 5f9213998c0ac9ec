"""JSONPath as it is accepted: what a path selects, and the reason for every refusal."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from wfrun.core.expression.reader import parse_path
from wfrun.errors import ExpressionError

DOCUMENT: dict[str, Any] = {
    "a": [0, 1, 2, 3, [4, 5]],
    "b": {"x": 1, "y": {"x": 2}, "*": 3, "it's": 4, "": 5, "ключ": 6, "a.b": 7, "\n": 8, "\\": 9},
    "items": [
        {"sku": "pen", "qty": 2, "tags": ["a", "b"], "note": None},
        {"sku": "cup", "qty": 0, "tags": [], "ok": True},
        {"sku": "map", "qty": 10, "tags": ["b"], "limit": 10},
    ],
    "text": "abc",
    "limit": 2,
}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("$.a[0]", 0),
        ("$.a[-1][1]", 5),
        ("$['b']['x']", 1),
        ('$["b"].y.x', 2),
        ("$.b['*']", 3),
        (r"$.b['it\'s']", 4),
        ('$.b["it\'s"]', 4),
        ("$.b['']", 5),
        ("$.b.ключ", 6),
        (r"$.b['\u043a\u043b\u044e\u0447']", 6),
        ("$.b['a.b']", 7),
        (r"$.b['\n']", 8),
        (r"$.b['\\']", 9),
        ("$ .b [ 'x' ]", 1),
        ("$\n.b\t.x", 1),
    ],
)
def test_definite(evaluate: Callable[..., Any], path: str, expected: Any) -> None:
    assert parse_path(path).definite
    assert evaluate(path, DOCUMENT) == expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("$.a[*]", [0, 1, 2, 3, [4, 5]]),
        ("$.a[1:3]", [1, 2]),
        ("$.a[:]", [0, 1, 2, 3, [4, 5]]),
        ("$.a[::-1]", [[4, 5], 3, 2, 1, 0]),
        ("$.a[-2:]", [3, [4, 5]]),
        ("$.a[::0]", []),
        ("$.a[0, 2, 0]", [0, 2, 0]),
        ("$.a[3:, 0]", [3, [4, 5], 0]),
        ("$.b['x', 'nope', '*']", [1, 3]),
        ("$.b[*]", [1, {"x": 2}, 3, 4, 5, 6, 7, 8, 9]),
        ("$.b.y.*", [2]),
        ("$.text[0, 1]", []),
        ("$.text[*]", []),
        ("$.b[0:1]", []),
        ("$.nowhere[*].x", []),
        ("$..x", [1, 2]),
        ("$.items..tags[0]", ["a", "b"]),
        ("$.b..['*']", [3]),
        ("$.a..[0]", [0, 4]),
        ("$.items[*].sku", ["pen", "cup", "map"]),
        ("$.items[?@.qty > 0].sku", ["pen", "map"]),
        ("$.items[?(@.qty > 0)].sku", ["pen", "map"]),
        ("$.items[?0 < @.qty].sku", ["pen", "map"]),
        ("$.items[?@.qty >= 2 && @.qty <= 2].sku", ["pen"]),
        ("$.items[?@.qty == 0 || @.sku == 'map'].sku", ["cup", "map"]),
        ("$.items[?@.qty == 0 || @.qty == 10 && @.sku == 'pen'].sku", ["cup"]),
        ("$.items[?(@.qty == 0 || @.qty == 10) && @.sku != 'cup'].sku", ["map"]),
        ("$.items[?!(@.qty > 0)].sku", ["cup"]),
        ("$.items[?@.ok].sku", ["cup"]),
        ("$.items[?!@.ok].sku", ["pen", "map"]),
        ("$.items[?@.ok == true].sku", ["cup"]),
        ("$.items[?@.note].sku", ["pen"]),
        ("$.items[?@.note == null].sku", ["pen"]),
        ("$.items[?@.note != null].sku", ["cup", "map"]),
        ("$.items[?@.qty == $.limit].sku", ["pen"]),
        ("$.items[?@.qty == @.limit].sku", ["map"]),
        ("$.items[?@.nope == $.nope].sku", ["pen", "cup", "map"]),
        ("$.items[?@.qty < 'a'].sku", []),
        ("$.items[?@.sku < 'd'].sku", ["cup"]),
        ("$.items[?@.tags[?@ == 'a']].sku", ["pen"]),
        ("$.items[?@.tags[*]].sku", ["pen", "map"]),
        ("$.items[?@['tags'][0] == \"b\"].sku", ["map"]),
        ("$.a[?@ > 1.5e0]", [2, 3]),
        ("$.a[?@ == true]", []),
        ("$..[?@.qty == 2].sku", ["pen"]),
        ("$[?@.x == 1].x", [1]),
        ("$[?@[0] == 0][0]", [0]),
    ],
)
def test_indefinite(evaluate: Callable[..., Any], path: str, expected: Any) -> None:
    assert not parse_path(path).definite
    assert evaluate(path, DOCUMENT) == expected


@pytest.mark.parametrize(
    ("path", "part"),
    [
        ("", "expected '$'"),
        (" $", "expected '$'"),
        ("$ ", "unexpected ' ' after the path"),
        ("$.a b", "unexpected"),
        ("$.a-b", "$['a-b']"),
        ("$.a + 1", "${ … }"),
        ("$a", "unexpected 'a'"),
        ("$.1", "unexpected '.'"),
        ("$.-x", "expected a name after '.'"),
        ("$.[0]", "expected a name after '.'"),
        ("$...a", "expected a name after '..'"),
        ("$[]", "unexpected"),
        ("$[a]", "unexpected"),
        ("$['a'", "no ']'"),
        ("$[0 1]", "expected ',' or ']'"),
        ("$[01]", "not a number"),
        ("$[-0]", "whole number as index"),
        ("$[1.0]", "whole number as index"),
        ("$[9007199254740992]", "whole number as index"),
        ("$[0:1:2:3]", "expected ',' or ']'"),
        ("$['\\x']", "broken escape"),
        ('$["it\\\'s"]', "broken escape"),
        ("$[?]", "expected @, $ or a constant"),
        ("$[?@.a == 1", "no ']'"),
        ("$[?1]", "a constant alone is no test"),
        ("$[?1 == 2]", "compares two constants"),
        ("$[?@.a = 1]", "write =="),
        ("$[?@.a == 1 and @.b]", "&&"),
        ("$[?not @.a]", "write !( … )"),
        ("$[?@.a == None]", "write null"),
        ("$[?@.* == 1]", "only a single value"),
        ("$[?@.a == $.b[*]]", "names and indexes only"),
        ("$[?$ == 1]", "whole '$'"),
        ("$[?@..a]", "'..' inside a filter"),
        ("$[?@[0, 1]]", "several selectors"),
        ("$[?length(@.a) > 1]", "length() is not accepted"),
        ("$[?match(@.a, 'x')]", "filter($.items, i, …)"),
        ("$[?!@.a == 1]", "needs parentheses"),
        ("$[?!!@.a]", "expected @, $"),
        ("$[?@.a == -]", "expected @, $"),
        ("$[?(@.a]", "expected ')'"),
        ("$.a=~/x/", "unexpected '='"),
        ("$.a.`len`", "expected a name"),
        ("$.a where b", "unexpected"),
    ],
)
def test_refused(path: str, part: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse_path(path)
    assert part in f"{caught.value.message} ({caught.value.hint})"
    assert caught.value.code == "expression.syntax"
    assert 1 <= caught.value.column <= len(path) + 1


def test_in_an_expression_the_path_ends_where_it_must(evaluate: Callable[..., Any]) -> None:
    assert evaluate("$.limit-1", DOCUMENT) == 1
    assert evaluate("$.limit*2", DOCUMENT) == 4
    assert evaluate("$.limit in $.a", DOCUMENT) is True
    assert evaluate("$.limit==2?$.text:$.a", DOCUMENT) == "abc"
    assert evaluate("[$.limit,$.text]", DOCUMENT) == [2, "abc"]
    assert evaluate("{a:$.limit}", DOCUMENT) == {"a": 2}
    assert evaluate("$.a [0]", DOCUMENT) == 0
    assert evaluate("$.a[$.limit]", DOCUMENT) == 2
    assert evaluate("$.a[-$.limit]", DOCUMENT) == 3
    assert evaluate("$.b[$.items[0].sku == 'pen' ? 'x' : 'y']", DOCUMENT) == 1


def test_a_root_that_is_a_list() -> None:
    """Only the suites have one; the walk knows it all the same."""
    from wfrun.core.expression.path import lookup

    class Listed:
        def get(self, name: str) -> Any:
            raise AssertionError

        def whole(self) -> Any:
            return [1, 2]

        def names(self) -> Any:
            return []

    assert lookup(Listed(), (-1,)) == 2

"""The one door to jsonpath-ng: paths that select any number of values.

Our grammar (path.py) has read the path, so nothing of jsonpath-ng's own, wider syntax gets in; its nodes find the
values, one segment at a time, so that every step is paid for before it is taken. Imported at the first use: 25 ms.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from wfrun.core.expression.kinds import MISSING, Context
from wfrun.core.expression.path import (
    Both,
    Compare,
    Either,
    Filter,
    Literal,
    Not,
    Path,
    Query,
    Segment,
    Selector,
    Test,
    Wildcard,
)
from wfrun.core.values import Json

Charge: TypeAlias = Callable[[int], None]
# A jsonpath-ng node or match. The library has types, but its filters do not.
Node: TypeAlias = Any
Match: TypeAlias = Any
# What to charge for one segment at one match, before it is walked.
Cost: TypeAlias = Callable[[Json, Charge], None]
# A match of the library costs about as much as three other steps (measured).
_MATCH = 3


class Finder:
    """Finds what an indefinite path selects. The nodes are built once, when they are first needed."""

    __slots__ = ("_path", "_steps")

    def __init__(self, path: Path) -> None:
        self._path = path
        self._steps: list[tuple[Cost, list[Node]]] | None = None

    def find(self, context: Context, charge: Charge) -> list[Json]:
        """The values in the order of RFC 9535. `charge` is told the size of each step first and may raise."""
        if self._steps is None:
            self._steps = [step for segment in self._path.segments for step in _steps(segment)]
        matches = [_start(self._path.segments[0], context)]
        for cost, nodes in self._steps:
            matches = _advance(cost, nodes, matches, charge)
        return [match.value for match in matches]


class _Root:
    """The top of a context as jsonpath-ng sees it: `$.name` knows the reserved names too."""

    __slots__ = ("_context",)

    def __init__(self, context: Context) -> None:
        self._context = context

    def get(self, name: str, default: object) -> object:
        """The call that jsonpath-ng makes for a member."""
        value = self._context.get(name)
        return default if value is MISSING else value


def _start(first: Segment, context: Context) -> Match:
    """Names begin at the root; everything else at the object that `$` is, with the root above it."""
    from jsonpath_ng import DatumInContext

    root = DatumInContext(_Root(context))
    if not first.descend and all(isinstance(selector, str) for selector in first.selectors):
        return root
    return DatumInContext(context.whole(), context=root)


def _advance(cost: Cost, nodes: list[Node], matches: list[Match], charge: Charge) -> list[Match]:
    found: list[Match] = []
    for match in matches:
        for node in nodes:
            cost(match.value, charge)
            found.extend(node.find(match))
    return found


def _steps(segment: Segment) -> list[tuple[Cost, list[Node]]]:
    """A descendant segment is two steps: everything below in document order, then the selectors on each."""
    from jsonpath_ng import Descendants, This

    nodes = [_node(selector) for selector in segment.selectors]
    deep = any(isinstance(selector, Filter) and _nests(selector.test) for selector in segment.selectors)
    step = (_everything if deep else _children, nodes)
    if not segment.descend:
        return [step]
    return [(_everything, [Descendants(This(), This())]), step]


def _children(value: Json, charge: Charge) -> None:
    charge(_MATCH * (1 + len(value) if isinstance(value, list | dict) else 1))


def _everything(value: Json, charge: Charge) -> None:
    """Charge for every node at and below a value."""
    charge(_MATCH)
    stack = [value]
    while stack:
        found = stack.pop()
        if isinstance(found, list | dict):
            charge(_MATCH * len(found))
            stack.extend(found if isinstance(found, list) else found.values())


def _nests(test: Test) -> bool:
    """Whether a filter looks at more than one value below each candidate."""
    if isinstance(test, Query):
        return not test.singular
    if isinstance(test, Not):
        return _nests(test.term)
    return isinstance(test, Both | Either) and any(_nests(term) for term in test.terms)


def _node(selector: Selector) -> Node:
    from jsonpath_ng import Index, Slice
    from jsonpath_ng import Wildcard as AnyChild
    from jsonpath_ng.ext.filter import Filter as Where

    if isinstance(selector, str):
        return _member(selector)
    if isinstance(selector, int):
        return Index(selector)
    if isinstance(selector, Wildcard):
        return AnyChild()
    if isinstance(selector, Filter):
        return Where([_test(selector.test)])
    # A step is always given: the library reads `Slice()` without any as a wildcard.
    return Slice(selector.start, selector.stop, 1 if selector.step is None else selector.step)


def _member(name: str) -> Node:
    from jsonpath_ng import Fields
    from jsonpath_ng.parser import parse

    # The library's constructor reads the name `*` as a wildcard; its parser does not.
    return parse("['*']") if name == "*" else Fields(name)


def _test(test: Test) -> Node:
    from jsonpath_ng.ext.filter import And, Expression, Or

    if isinstance(test, Query):
        return Expression(_query(test), None, None)
    if isinstance(test, Compare):
        return _comparison(test)
    if isinstance(test, Not):
        return Expression(_test(test.term), "!", None)
    return (And if isinstance(test, Both) else Or)([_test(term) for term in test.terms])


_MIRRORED = {"==": "==", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}


def _comparison(test: Compare) -> Node:
    """The library wants the query on the left."""
    from jsonpath_ng.ext.filter import Expression

    if isinstance(test.left, Literal):
        assert isinstance(test.right, Query)
        return Expression(_query(test.right), _MIRRORED[test.op], test.left.value)
    right = test.right.value if isinstance(test.right, Literal) else _query(test.right)
    return Expression(_query(test.left), test.op, right)


def _query(query: Query) -> Node:
    from jsonpath_ng import Child, Root, This

    node: Node = Root() if query.absolute else This()
    for segment in query.segments:
        node = Child(node, _node(segment.selectors[0]))
    return node

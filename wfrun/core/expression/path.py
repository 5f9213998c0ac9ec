"""JSONPath (RFC 9535), the part that is accepted: what a path is, and the walk along a definite one.

    path      = "$" segment*
    segment   = .name | ..name | .* | ..* | [selector, …] | ..[selector, …]
    selector  = 'name' | index | start:end:step | * | ?filter
    filter    = || && ! ( ) over comparisons (== != < <= > >=) and existence tests of @… and $… queries

Left out, and refused with a reason: the functions of RFC 9535 (length, count, match, search, value), and inside a
filter `..`, several selectors in one bracket, and `$` paths that are not definite: each makes the cost of a filter
grow with the square of the data or worse.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import NamedTuple, TypeAlias

from wfrun.core.expression.kinds import MISSING, Context, Missing
from wfrun.core.values import Json


class Wildcard(Enum):
    """Every child."""

    CHILD = "*"


class Query(NamedTuple):
    """A query inside a filter: `absolute` begins at `$`, otherwise at `@`."""

    absolute: bool
    segments: tuple[Segment, ...]

    @property
    def singular(self) -> bool:
        return definite_prefix(self.segments) is self.segments


class Literal(NamedTuple):
    value: bool | int | float | str | None


class Compare(NamedTuple):
    op: str
    left: Query | Literal
    right: Query | Literal


class Not(NamedTuple):
    term: Test


class Both(NamedTuple):
    terms: tuple[Test, ...]


class Either(NamedTuple):
    terms: tuple[Test, ...]


Test: TypeAlias = "Query | Compare | Not | Both | Either"


class Filter(NamedTuple):
    test: Test


Selector: TypeAlias = "str | int | slice | Wildcard | Filter"


class Segment(NamedTuple):
    selectors: tuple[Selector, ...]
    descend: bool = False


class Path(NamedTuple):
    """A parsed path. `keys` is its definite prefix; `definite` says that there is nothing behind it.

    `absolute` are the `$` queries of its filters, with the offset of each in the text that was parsed.
    """

    text: str
    segments: tuple[Segment, ...]
    keys: tuple[str | int, ...]
    definite: bool
    absolute: tuple[tuple[int, int, Query], ...] = ()


def definite_prefix(segments: tuple[Segment, ...]) -> tuple[Segment, ...]:
    """The segments up to the first that can select more than one value; the same object if that is all of them."""
    for position, segment in enumerate(segments):
        if segment.descend or len(segment.selectors) != 1 or type(segment.selectors[0]) not in (str, int):
            return segments[:position]
    return segments


def keys_of(segments: Sequence[Segment]) -> tuple[str | int, ...]:
    """The names and indexes of definite segments."""
    return tuple(key for segment in segments for key in segment.selectors if isinstance(key, str | int))


def lookup(context: Context, keys: tuple[str | int, ...]) -> Json | Missing:
    """The value at a definite path, or MISSING."""
    if not keys:
        return context.whole()
    first = keys[0]
    value = context.get(first) if type(first) is str else child(context.whole(), first)
    for key in keys[1:]:
        value = child(value, key)
    return value


def child(value: Json | Missing, key: str | int) -> Json | Missing:
    """One member of an object or one element of a list (from its end if negative), or MISSING."""
    if type(key) is str:
        return value.get(key, MISSING) if isinstance(value, dict) else MISSING
    if isinstance(value, list) and type(key) is int and -len(value) <= key < len(value):
        return value[key]
    return MISSING

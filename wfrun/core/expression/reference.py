"""What an expression mentions, as far as it can be told before it is evaluated: for static checks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from wfrun.core.expression.path import Path

_ARITHMETIC = ("+", "-", "*", "/", "%")
_COMPARING = ("==", "!=", "<", "<=", ">", ">=")


class Reference(NamedTuple):
    """A path in an expression. `segments` is its definite prefix, () for `$`; `definite` says that it is all of it.

    `optional`: it may be missing, as it stands inside has(), default() or on the left of ??, or has() guards it
    elsewhere in the expression. `conditional`: it is not always asked for, as it stands behind `and`, `or`, `?` or
    `??`. `column` counts from 1 in the text that was parsed.
    """

    text: str
    segments: tuple[str | int, ...]
    definite: bool
    optional: bool
    column: int
    conditional: bool = False


class Variable(NamedTuple):
    """`env.NAME` or `secret.NAME`. `optional`: something else is said for where it is not set."""

    kind: str
    name: str
    optional: bool = False


class Comparison(NamedTuple):
    """A definite path compared with a constant text or number: `$.a == 'x'`, whichever side it stands on."""

    text: str
    segments: tuple[str | int, ...]
    sign: str
    constant: str | int | float


class Operand(NamedTuple):
    """One side of an operation: a definite path, or a constant, whose `segments` are None."""

    text: str
    segments: tuple[str | int, ...] | None
    constant: str | int | float | None = None


class Operation(NamedTuple):
    """Two sides of a `sign` of arithmetic, or of a comparison of two paths; None for a side that is anything else."""

    sign: str
    left: Operand | None
    right: Operand | None


def operation(
    sign: str, left: Path | None, left_literal: object, right: Path | None, right_literal: object
) -> Iterator[Operation]:
    """The operation with a sign between two operands, each a path or a literal, if anything can be told about it."""
    sides = _operand(left, left_literal), _operand(right, right_literal)
    paths = sum(side is not None and side.segments is not None for side in sides)
    if (sign in _ARITHMETIC and paths) or (sign in _COMPARING and paths == len(sides)):
        yield Operation(sign, *sides)


def _operand(path: Path | None, literal: object) -> Operand | None:
    if path is not None:
        return Operand(path.text, path.keys) if path.definite else None
    if isinstance(literal, str | int | float) and not isinstance(literal, bool):
        return Operand(repr(literal), None, literal)
    return None

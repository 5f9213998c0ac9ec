"""What an expression mentions, as far as it can be told before it is evaluated: for static checks."""

from __future__ import annotations

from typing import NamedTuple


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

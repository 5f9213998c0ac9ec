"""What is calculated and compared, held against what is known of the values: kinds that never go together."""

from __future__ import annotations

from collections.abc import Iterator

from wfrun.core.expression import Expression
from wfrun.core.expression.reference import Operand, Operation
from wfrun.core.plan.keys import Keys
from wfrun.core.plan.paths import shape_of
from wfrun.core.plan.shapes import ANY, NUMBER, TEXT, Shape, a_kind
from wfrun.errors import Problem

_NUMBER_READS = "number(…) reads a number from a text"
_JOINED = "text and other values are joined by ${ … } in a text, or with string(…)"
_ADDED = frozenset(["number", "string", "array"])


def check_operations(expression: Expression, keys: Keys) -> Iterator[Problem]:
    """Errors without their place, for operations that cannot come out whatever the values are."""
    for operation in expression.operations:
        left, right = _shape(operation.left, keys), _shape(operation.right, keys)
        if operation.sign == "+":
            yield from _sum(operation, left, right)
        elif operation.sign in ("-", "*", "/", "%"):
            yield from _calculated(operation, left, right)
        elif left.kinds and right.kinds and not left.kinds & right.kinds:
            yield _never(operation, left, right)


def _shape(operand: Operand | None, keys: Keys) -> Shape:
    if operand is None:
        return ANY
    if operand.segments is None:
        return TEXT if isinstance(operand.constant, str) else NUMBER
    return shape_of(operand.segments, keys)


def _calculated(operation: Operation, left: Shape, right: Shape) -> Iterator[Problem]:
    """Instants and durations come from functions: a value in the data is a text, or a number."""
    for operand, shape in ((operation.left, left), (operation.right, right)):
        if operand is not None and not shape.may_be("number"):
            hint = _NUMBER_READS if shape.may_be("string") else ""
            yield _error(f"{operand.text} is {a_kind(shape)}: {operation.sign!r} cannot be used with it", hint)
            return


def _sum(operation: Operation, left: Shape, right: Shape) -> Iterator[Problem]:
    """Numbers, texts, or lists: two of a kind. What comes from a function may also be a time."""
    for operand, shape in ((operation.left, left), (operation.right, right)):
        if operand is not None and shape.kinds and not shape.kinds & _ADDED:
            yield _error(f"{operand.text} is {a_kind(shape)}: '+' cannot be used with it", "")
            return
    if left.kinds and right.kinds and not left.kinds & right.kinds and operation.left and operation.right:
        sides = f"{operation.left.text} is {a_kind(left)} and {operation.right.text} is {a_kind(right)}"
        yield _error(f"{sides}: they cannot be added", _JOINED)


def _never(operation: Operation, left: Shape, right: Shape) -> Problem:
    outcomes = {"==": "they are never equal", "!=": "they always differ"}
    assert operation.left is not None  # as nothing else has a known shape
    assert operation.right is not None
    sides = f"{operation.left.text} is {a_kind(left)} and {operation.right.text} is {a_kind(right)}"
    outcome = outcomes.get(operation.sign, "neither is before the other")
    return _error(f"{sides}: {outcome}", "nothing is converted")


def _error(message: str, hint: str) -> Problem:
    return Problem("expression.type", message, hint=hint)

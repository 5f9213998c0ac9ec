"""Arithmetic on numbers as the decimals a person wrote, on text, lists, instants and durations.

Integers are exact at any size that fits in 4,000 digits. As soon as one side has a fraction, both are taken as
decimals by their shortest text, computed with 40 digits, and the result is rounded once, to the nearest double.
"""

from __future__ import annotations

from collections.abc import Callable

from wfrun.core.expression.kinds import (
    Value,
    a_kind,
    check_list,
    check_text,
    is_duration,
    is_instant,
    is_number,
    limit_error,
    type_error,
    value_error,
    whole,
)
from wfrun.errors import ExpressionError


def add(left: Value, right: Value) -> Value:
    if type(left) is int and type(right) is int:
        return whole(left + right)
    if is_number(left) and is_number(right):
        return _fractional("add", left, right)
    if type(left) is str and type(right) is str:
        check_text(len(left) + len(right))
        return left + right
    if type(left) is list and type(right) is list:
        check_list(len(left) + len(right))
        return left + right
    if is_duration(left) and (is_instant(right) or is_duration(right)):
        left, right = right, left
    if is_duration(right) and (is_instant(left) or is_duration(left)):
        return in_range(lambda: left + right)
    raise _unfit("+", left, right)


def subtract(left: Value, right: Value) -> Value:
    if type(left) is int and type(right) is int:
        return whole(left - right)
    if is_number(left) and is_number(right):
        return _fractional("subtract", left, right)
    if (is_instant(left) and (is_instant(right) or is_duration(right))) or (is_duration(left) and is_duration(right)):
        return in_range(lambda: left - right)
    raise _unfit("-", left, right)


def multiply(left: Value, right: Value) -> Value:
    if type(left) is int and type(right) is int:
        return whole(left * right)
    if is_number(left) and is_number(right):
        return _fractional("multiply", left, right)
    if is_duration(right):
        left, right = right, left
    if is_duration(left) and is_number(right):
        return in_range(lambda: left * right)
    raise _unfit("*", left, right)


def divide(left: Value, right: Value) -> Value:
    """`/` is not truncated: 7 / 2 is 3.5. Integers that divide without rest stay integers."""
    if is_duration(left) and is_duration(right):
        left, right = _microseconds(left), _microseconds(right)
    if is_duration(left) and is_number(right):
        _not_zero(right)
        return in_range(lambda: left / right)
    if not (is_number(left) and is_number(right)):
        raise _unfit("/", left, right)
    _not_zero(right)
    if type(left) is int and type(right) is int and left % right == 0:
        return left // right
    return _fractional("divide", left, right)


def remainder(left: Value, right: Value) -> Value:
    """`%` has the sign of its right side: -7 % 3 is 2."""
    if not (is_number(left) and is_number(right)):
        raise _unfit("%", left, right)
    _not_zero(right)
    if type(left) is int and type(right) is int:
        return left % right
    return _fractional("remainder", left, right)


def _fractional(operation: str, left: float, right: float) -> float:
    """Numbers of which one has a fraction. The decimals are imported only where they are needed: 8 ms."""
    from wfrun.core.expression import decimals

    return decimals.compute(operation, left, right)


def negate(value: Value) -> Value:
    if is_number(value):
        return 0 - value
    if is_duration(value):
        return -value
    raise type_error(f"'-' needs a number, not {a_kind(value)}")


def in_range(compute: Callable[[], Value]) -> Value:
    """An instant or duration, unless the calendar (years 1 to 9999) ends before it."""
    try:
        return compute()
    except (OverflowError, ValueError):
        raise limit_error(
            "the instant or duration is out of range", hint="instants are of the years 1 to 9999"
        ) from None


def _microseconds(duration: Value) -> int:
    return int((duration.days * 86_400 + duration.seconds) * 1_000_000 + duration.microseconds)


def _not_zero(number: float) -> None:
    if number == 0:
        raise value_error("division by zero")


def _unfit(sign: str, left: Value, right: Value) -> ExpressionError:
    hint = ""
    if sign == "+" and str in (type(left), type(right)):
        hint = "text and other values are joined by ${ … } in a text, or with string(…)"
    elif str in (type(left), type(right)):
        hint = "number(…) reads a number from a text"
    return type_error(f"'{sign}' cannot be used with {a_kind(left)} and {a_kind(right)}", hint=hint)

"""Arithmetic on numbers as the decimals a person wrote, on text, lists, instants and durations.

Integers are exact at any size that fits in 4,000 digits. As soon as one side has a fraction, both are taken as
decimals by their shortest text, computed with 40 digits, and the result is rounded once, to the nearest double.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from wfrun.core.expression.kinds import (
    MAX_DIGITS,
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
)
from wfrun.errors import ExpressionError

if TYPE_CHECKING:
    from decimal import Context, Decimal

_MAX_INTEGER = 10**MAX_DIGITS
_context: Context | None = None


def decimals() -> Context:
    """The arithmetic of decimals: 40 digits hold every product of two doubles as they are written. 8 ms to import."""
    global _context
    if _context is None:
        import decimal

        traps = [decimal.InvalidOperation, decimal.DivisionByZero]
        _context = decimal.Context(prec=40, rounding=decimal.ROUND_HALF_EVEN, Emax=9999, Emin=-9999, traps=traps)
    return _context


def decimal(number: float) -> Decimal:
    """A number as the decimal it is written as; an integer is not rounded."""
    from decimal import Decimal

    return Decimal(number) if type(number) is int else Decimal(repr(number))


def from_decimal(number: Decimal) -> float:
    result = float(number) + 0.0  # there is no negative zero
    if result in (float("inf"), float("-inf")):
        raise limit_error("the number is too large", hint="numbers with a fraction end at 1.8e308")
    return result


def whole(number: int) -> int:
    """An integer result, unless it is beyond the bound."""
    if -_MAX_INTEGER < number < _MAX_INTEGER:
        return number
    raise limit_error(f"the number would have more than {MAX_DIGITS:,} digits")


def add(left: Value, right: Value) -> Value:
    if type(left) is int and type(right) is int:
        return whole(left + right)
    if is_number(left) and is_number(right):
        return from_decimal(decimals().add(decimal(left), decimal(right)))
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
        return from_decimal(decimals().subtract(decimal(left), decimal(right)))
    if (is_instant(left) and (is_instant(right) or is_duration(right))) or (is_duration(left) and is_duration(right)):
        return in_range(lambda: left - right)
    raise _unfit("-", left, right)


def multiply(left: Value, right: Value) -> Value:
    if type(left) is int and type(right) is int:
        return whole(left * right)
    if is_number(left) and is_number(right):
        return from_decimal(decimals().multiply(decimal(left), decimal(right)))
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
    return from_decimal(decimals().divide(decimal(left), decimal(right)))


def remainder(left: Value, right: Value) -> Value:
    """`%` has the sign of its right side: -7 % 3 is 2."""
    if not (is_number(left) and is_number(right)):
        raise _unfit("%", left, right)
    _not_zero(right)
    if type(left) is int and type(right) is int:
        return left % right
    a, b = decimal(left), decimal(right)
    if a.adjusted() - b.adjusted() > 36:
        raise limit_error("the numbers are too far apart for '%'")
    rest = decimals().remainder(a, b)
    if rest and (rest < 0) != (b < 0):
        rest = decimals().add(rest, b)
    return from_decimal(rest)


def negate(value: Value) -> Value:
    if is_number(value):
        return 0 - value
    if is_duration(value):
        return -value
    raise type_error(f"'-' needs a number, not {a_kind(value)}")


def total(numbers: Iterable[Value]) -> Value:
    """The exact sum; an integer where all are integers."""
    integers, fractions, fractional = 0, decimal(0), False
    for number in numbers:
        if type(number) is int:
            integers += number
        else:
            fractions, fractional = decimals().add(fractions, decimal(number)), True
    if not fractional:
        return whole(integers)
    return from_decimal(decimals().add(fractions, decimal(integers)))


def quantized(number: float, digits: int, rounding: str) -> Decimal:
    """A number rounded to so many digits after the point (before it, if negative)."""
    from decimal import Decimal

    value = decimal(number)
    if value.adjusted() > MAX_DIGITS:
        raise limit_error(f"the number would have more than {MAX_DIGITS:,} digits")
    context = decimals().copy()
    context.prec = max(40, value.adjusted() + max(digits, 0) + 2)
    return value.quantize(Decimal(1).scaleb(-digits), rounding=rounding, context=context)


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

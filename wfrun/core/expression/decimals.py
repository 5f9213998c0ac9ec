"""Numbers as decimals: computed with 40 digits, which hold every product of two doubles as they are written."""

from __future__ import annotations

import decimal
from collections.abc import Callable, Iterable

from wfrun.core.expression.kinds import MAX_DIGITS, limit_error, whole

_DIGITS = 40
_CONTEXT = decimal.Context(
    prec=_DIGITS,
    rounding=decimal.ROUND_HALF_EVEN,
    Emax=9_999,
    Emin=-9_999,
    traps=[decimal.InvalidOperation, decimal.DivisionByZero],
)


def to_decimal(number: float) -> decimal.Decimal:
    """A number as the decimal it is written as; an integer is not rounded."""
    return decimal.Decimal(number if type(number) is int else repr(number))


def from_decimal(number: decimal.Decimal) -> float:
    """The nearest double."""
    result = float(number) + 0.0  # there is no negative zero
    if result in (float("inf"), float("-inf")):
        raise limit_error("the number is too large", hint="numbers with a fraction end at 1.8e308")
    return result


def compute(operation: str, left: float, right: float) -> float:
    """`add`, `subtract`, `multiply`, `divide` or `remainder` of two numbers, rounded once."""
    return from_decimal(_OPERATIONS[operation](to_decimal(left), to_decimal(right)))


def _remainder(left: decimal.Decimal, right: decimal.Decimal) -> decimal.Decimal:
    """With the sign of the right side, as for integers."""
    if left.adjusted() - right.adjusted() > _DIGITS - 4:
        raise limit_error("the numbers are too far apart for '%'")
    rest = _CONTEXT.remainder(left, right)
    return _CONTEXT.add(rest, right) if rest and (rest < 0) != (right < 0) else rest


_OPERATIONS: dict[str, Callable[[decimal.Decimal, decimal.Decimal], decimal.Decimal]] = {
    "add": _CONTEXT.add,
    "subtract": _CONTEXT.subtract,
    "multiply": _CONTEXT.multiply,
    "divide": _CONTEXT.divide,
    "remainder": _remainder,
}


def total(numbers: Iterable[float]) -> float:
    """The sum, rounded once at the end; exact where all are integers."""
    integers, fractions, fractional = 0, decimal.Decimal(0), False
    for number in numbers:
        if type(number) is int:
            integers += number
        else:
            fractions, fractional = _CONTEXT.add(fractions, to_decimal(number)), True
    if not fractional:
        return whole(integers)
    return from_decimal(_CONTEXT.add(fractions, decimal.Decimal(integers)))


def quantized(number: float, digits: int, rounding: str) -> decimal.Decimal:
    """A number rounded to so many digits after the point (before it, if negative)."""
    value = to_decimal(number)
    if value.adjusted() > MAX_DIGITS:
        raise limit_error(f"the number would have more than {MAX_DIGITS:,} digits")
    context = _CONTEXT.copy()
    context.prec = max(_DIGITS, value.adjusted() + max(digits, 0) + 2)
    return value.quantize(decimal.Decimal(1).scaleb(-digits), rounding=rounding, context=context)

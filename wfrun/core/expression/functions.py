"""The functions that look at values: numbers, conversion, objects and lists, time. The table of all is `FUNCTIONS`.

A function gets the frame and its evaluated arguments. Before it is called, its arguments are paid for by their
length; a function that makes more than it was given checks that beforehand.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, NamedTuple

from wfrun.core.expression import arithmetic, text_functions
from wfrun.core.expression.export import export, render
from wfrun.core.expression.kinds import (
    MISSING,
    Frame,
    Missing,
    Value,
    a_kind,
    check_list,
    is_duration,
    is_number,
    kind,
    order,
    plain,
    type_error,
    value_error,
    weigh,
    whole,
)
from wfrun.core.expression.times import to_duration, to_instant
from wfrun.core.values import canonical


class Function(NamedTuple):
    """`low` to `high` arguments. `host`: the answer comes from outside, so the expression is not constant."""

    call: Callable[..., Value]
    low: int
    high: int
    host: bool = False


_MANY = 1_000


def need(value: Value, wanted: str, function: str) -> Any:
    """The value, which must be of that kind."""
    if kind(value) != wanted:
        article = "an" if wanted[0] in "aio" else "a"
        raise type_error(f"{function}() needs {article} {wanted}, not {a_kind(value)}")
    return value


def size(frame: Frame, value: Value) -> int:
    if type(value) not in (str, list, dict):
        raise type_error(f"size() needs a string, array or object, not {a_kind(value)}")
    return len(value)


# Numbers


def _numbers(values: Value, function: str) -> list[Any]:
    for value in need(values, "array", function):
        if not is_number(value):
            raise type_error(f"{function}() needs numbers only, and found {a_kind(value)}")
    return list(values)


def sum_(frame: Frame, values: Value) -> Value:
    from wfrun.core.expression.decimals import total

    return total(_numbers(values, "sum"))


def avg(frame: Frame, values: Value) -> Value:
    from wfrun.core.expression.decimals import total

    numbers = _numbers(values, "avg")
    return arithmetic.divide(total(numbers), len(numbers)) if numbers else MISSING


def _extreme(values: tuple[Value, ...], function: str, sign: int) -> Value:
    """Of one list, or of the arguments. An empty list has none."""
    candidates = need(values[0], "array", function) if len(values) == 1 else values
    best: Value = MISSING
    for value in candidates:
        if order(value, value if best is MISSING else best) == sign or best is MISSING:
            best = value
    return best


def min_(frame: Frame, *values: Value) -> Value:
    return _extreme(values, "min", -1)


def max_(frame: Frame, *values: Value) -> Value:
    return _extreme(values, "max", 1)


def _rounded(number: Value, digits: Value, function: str, rounding: str) -> Value:
    need(number, "number", function)
    if type(digits) is not int or not -30 <= digits <= 30:
        raise value_error(f"{function}() rounds to -30 to 30 digits")
    from wfrun.core.expression.decimals import from_decimal, quantized

    result = quantized(number, digits, rounding)
    return whole(int(result)) if digits <= 0 or type(number) is int else from_decimal(result)


def round_(frame: Frame, number: Value, digits: Value = 0) -> Value:
    """Half away from zero, as invoices are rounded."""
    return _rounded(number, digits, "round", "ROUND_HALF_UP")


def floor(frame: Frame, number: Value) -> Value:
    return _rounded(number, 0, "floor", "ROUND_FLOOR")


def ceil(frame: Frame, number: Value) -> Value:
    return _rounded(number, 0, "ceil", "ROUND_CEILING")


def abs_(frame: Frame, value: Value) -> Value:
    if is_number(value) or is_duration(value):
        return abs(value)
    raise type_error(f"abs() needs a number, not {a_kind(value)}")


# Conversion


def int_(frame: Frame, value: Value) -> int:
    number = number_(frame, value) if type(value) is str else need(value, "number", "int")
    if type(number) is float:
        if not number.is_integer():
            raise value_error("int() needs a whole number", hint="round, floor or ceil say what to do with the rest")
        number = plain(number)
    return whole(int(number))


def number_(frame: Frame, value: Value) -> Value:
    if type(value) is str:
        return text_functions.read_number(value)
    return need(value, "number", "number")


def bool_(frame: Frame, value: Value) -> bool:
    if type(value) is bool:
        return value
    if type(value) is str and value in ("true", "false"):
        return value == "true"
    raise value_error(f"bool() reads 'true' or 'false', not another text or {kind(value)}")


def type_(frame: Frame, value: Value) -> str:
    return kind(value)


# Objects and lists


def keys(frame: Frame, value: Value) -> list[str]:
    return list(need(value, "object", "keys"))


def values(frame: Frame, value: Value) -> list[Value]:
    return list(need(value, "object", "values").values())


def merge(frame: Frame, *objects: Value) -> dict[str, Value]:
    merged: dict[str, Value] = {}
    for value in objects:
        merged.update(need(value, "object", "merge"))
    return merged


def first(frame: Frame, values: Value) -> Value | Missing:
    found = need(values, "array", "first")
    return found[0] if found else MISSING


def last(frame: Frame, values: Value) -> Value | Missing:
    found = need(values, "array", "last")
    return found[-1] if found else MISSING


def identity(value: Value, frame: Frame) -> Any:
    """Something hashable that is equal exactly where values are `==`."""
    if type(value) is list:
        frame.charge(len(value))
        return ("array", *(identity(item, frame) for item in value))
    if type(value) is dict:
        frame.charge(len(value))
        return ("object", frozenset((key, identity(item, frame)) for key, item in value.items()))
    if is_number(value):
        return plain(value)
    return (kind(value), value)


def unique(frame: Frame, values: Value) -> list[Value]:
    found: dict[Any, Value] = {}
    for value in need(values, "array", "unique"):
        found.setdefault(identity(value, frame), value)
    return list(found.values())


def sort(frame: Frame, values: Value) -> list[Value]:
    """Ascending and stable. A list of values that have no order between them is refused."""
    found = need(values, "array", "sort")
    frame.charge(len(found) * len(found).bit_length())
    from functools import cmp_to_key

    if len(found) == 1:
        order(found[0], found[0])
    return sorted(found, key=cmp_to_key(order))


def reverse(frame: Frame, values: Value) -> list[Value]:
    return list(need(values, "array", "reverse")[::-1])


def flatten(frame: Frame, values: Value) -> list[Value]:
    """One level: elements that are lists are replaced by their own elements."""
    length = sum(len(value) if type(value) is list else 1 for value in need(values, "array", "flatten"))
    check_list(length)
    frame.charge(length)
    flat: list[Value] = []
    for value in values:
        flat.extend(value if type(value) is list else [value])
    return flat


def range_(frame: Frame, start: Value, stop: Value = None, step: Value = 1) -> list[int]:
    """Whole numbers: `range(3)` is [0, 1, 2], `range(1, 4)` is [1, 2, 3], `range(10, 0, -5)` is [10, 5]."""
    if stop is None:
        start, stop = 0, start
    if not all(type(number) is int for number in (start, stop, step)):
        raise type_error("range() needs whole numbers")
    if step == 0:
        raise value_error("range() needs a step other than 0")
    # Not len(): it overflows where the numbers do not.
    length = max(0, -((start - stop) // step) if step > 0 else -((stop - start) // -step))
    check_list(length)
    frame.charge(length)
    return list(range(start, stop, step))


def to_json(frame: Frame, value: Value) -> str:
    weigh(value, frame)
    return canonical(export(value))


def string(frame: Frame, value: Value) -> str:
    """A text as it is, everything else as it stands in JSON; instants and durations in ISO 8601."""
    weigh(value, frame)
    return render(value)


# Time and chance, answered by the host


def now(frame: Frame) -> Value:
    return _utc(frame.host.now())


def _utc(instant: datetime) -> datetime:
    return instant.astimezone(UTC)


def today(frame: Frame) -> Value:
    """Midnight of the present day in UTC."""
    return _utc(frame.host.now()).replace(hour=0, minute=0, second=0, microsecond=0)


def uuid(frame: Frame) -> str:
    return frame.host.uuid()


def instant(frame: Frame, value: Value) -> Value:
    return to_instant(value)


def duration(frame: Frame, value: Value) -> Value:
    return to_duration(value)


FUNCTIONS: dict[str, Function] = {
    "size": Function(size, 1, 1),
    "sum": Function(sum_, 1, 1),
    "min": Function(min_, 1, _MANY),
    "max": Function(max_, 1, _MANY),
    "avg": Function(avg, 1, 1),
    "round": Function(round_, 1, 2),
    "floor": Function(floor, 1, 1),
    "ceil": Function(ceil, 1, 1),
    "abs": Function(abs_, 1, 1),
    "lower": Function(text_functions.lower, 1, 1),
    "upper": Function(text_functions.upper, 1, 1),
    "trim": Function(text_functions.trim, 1, 1),
    "split": Function(text_functions.split, 2, 2),
    "join": Function(text_functions.join, 1, 2),
    "replace": Function(text_functions.replace, 3, 3),
    "substring": Function(text_functions.substring, 2, 3),
    "contains": Function(text_functions.contains, 2, 2),
    "startsWith": Function(text_functions.starts_with, 2, 2),
    "endsWith": Function(text_functions.ends_with, 2, 2),
    "matches": Function(text_functions.matches, 2, 2),
    "format": Function(text_functions.format_, 1, _MANY),
    "int": Function(int_, 1, 1),
    "number": Function(number_, 1, 1),
    "string": Function(string, 1, 1),
    "bool": Function(bool_, 1, 1),
    "type": Function(type_, 1, 1),
    "keys": Function(keys, 1, 1),
    "values": Function(values, 1, 1),
    "merge": Function(merge, 1, _MANY),
    "first": Function(first, 1, 1),
    "last": Function(last, 1, 1),
    "unique": Function(unique, 1, 1),
    "sort": Function(sort, 1, 1),
    "reverse": Function(reverse, 1, 1),
    "flatten": Function(flatten, 1, 1),
    "range": Function(range_, 1, 3),
    "now": Function(now, 0, 0, host=True),
    "today": Function(today, 0, 0, host=True),
    "instant": Function(instant, 1, 1),
    "duration": Function(duration, 1, 1),
    "toJson": Function(to_json, 1, 1),
    "fromJson": Function(text_functions.from_json, 1, 1),
    "base64": Function(text_functions.base64, 1, 1),
    "sha256": Function(text_functions.sha256, 1, 1),
    "uuid": Function(uuid, 0, 0, host=True),
}

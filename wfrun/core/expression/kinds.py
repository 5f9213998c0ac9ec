"""What an expression computes with: kinds of values, what is missing, and the bounds of one evaluation.

Inside an evaluation a value is JSON, a `datetime` (an instant, always aware and in UTC) or a `timedelta` (a duration).
Kinds are told apart by exact type: `True` is no number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from itertools import repeat
from typing import Any, Final, Protocol, TypeAlias

from wfrun.core.values import MAX_DEPTH, Json
from wfrun.errors import ExpressionError

Value: TypeAlias = Any

# A step is a microsecond at most, on a slow machine.
MAX_STEPS = 2_000_000
MAX_TEXT = 1_000_000
MAX_LIST = 1_000_000
MAX_DIGITS = 4_000
MAX_SOURCE = 10_000


class Missing:
    """The type of `MISSING`: nothing is there, which is not the same as null."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "MISSING"

    def __bool__(self) -> bool:
        return False


MISSING: Final = Missing()


class Context(Protocol):
    """The data that `$` refers to. Nothing in it is ever changed by an expression."""

    def get(self, name: str) -> Json | Missing:
        """The value of `$.name`, reserved names (`execution`, `item`, `error`, …) included."""
        ...

    def whole(self) -> dict[str, Json]:
        """What `$` alone is: without the reserved names."""
        ...

    def names(self) -> Iterable[str]:
        """Every name that `get` knows, for hints."""
        ...


class Host(Protocol):
    """What an expression cannot know by itself. The answers are recorded by whoever gives them."""

    def now(self) -> datetime:
        """The present instant, aware and in UTC."""
        ...

    def uuid(self) -> str: ...

    def variable(self, kind: str, name: str) -> str:
        """The value of `env.NAME` or `secret.NAME`.

        Raises ExpressionError: `expression.undefined` where it is not set, another where it is and cannot be had.
        """
        ...


class DictContext:
    """A context that is simply one object."""

    __slots__ = ("_data",)

    def __init__(self, data: dict[str, Json]) -> None:
        self._data = data

    def get(self, name: str) -> Json | Missing:
        return self._data.get(name, MISSING)

    def whole(self) -> dict[str, Json]:
        return self._data

    def names(self) -> Iterable[str]:
        return self._data


class Absent(Exception):
    """A missing value on its way to the `has`, `default` or `??` around it. Never leaves an expression."""


class Budget:
    """The steps that an evaluation may still take."""

    __slots__ = ("steps",)

    def __init__(self) -> None:
        self.steps = MAX_STEPS

    def charge(self, steps: int) -> None:
        """Pay for work that is about to be done. Raises ExpressionError when the budget is spent."""
        self.steps -= steps
        if self.steps < 0:
            raise limit_error(
                f"this needs more than {MAX_STEPS:,} steps", hint="work on less data, or in several steps"
            )


class Frame(Budget):
    """One evaluation: its data, its host, and the variables of its binders.

    `lenient` counts the enclosing `has`, `default` and `??`: there a missing value is `Absent`, not an error.
    """

    __slots__ = ("context", "host", "lenient", "variables")

    def __init__(self, context: Context, host: Host) -> None:
        super().__init__()
        self.context = context
        self.host = host
        self.lenient = 0
        self.variables: dict[str, Value] = {}


Run: TypeAlias = Callable[[Frame], Value]


def type_error(message: str, *, hint: str = "", column: int = 0) -> ExpressionError:
    return ExpressionError("expression.type", message, hint=hint, column=column)


def value_error(message: str, *, hint: str = "", column: int = 0) -> ExpressionError:
    return ExpressionError("expression.value", message, hint=hint, column=column)


def limit_error(message: str, *, hint: str = "", column: int = 0) -> ExpressionError:
    return ExpressionError("expression.limit", message, hint=hint, column=column)


def syntax_error(message: str, column: int, *, hint: str = "") -> ExpressionError:
    return ExpressionError("expression.syntax", message, hint=hint, column=column)


_KINDS = {
    type(None): "null",
    bool: "boolean",
    int: "number",
    float: "number",
    str: "string",
    list: "array",
    dict: "object",
}


def kind(value: Value) -> str:
    """The name of a value's kind, in the words of JSON Schema, `instant` and `duration` besides."""
    known = _KINDS.get(type(value))
    if known is not None:
        return known
    return "instant" if is_instant(value) else "duration"


def a_kind(value: Value) -> str:
    """A kind with its article, for messages. Messages never show values: they may be secret."""
    name = kind(value)
    if name == "null":
        return name
    return f"an {name}" if name[0] in "aio" else f"a {name}"


def is_number(value: Value) -> bool:
    return type(value) is int or type(value) is float


def is_instant(value: Value) -> bool:
    return isinstance(value, datetime)


def is_duration(value: Value) -> bool:
    return isinstance(value, timedelta)


def check_text(length: int) -> None:
    if length > MAX_TEXT:
        raise limit_error(f"the text would be longer than {MAX_TEXT:,} characters")


def check_list(length: int) -> None:
    if length > MAX_LIST:
        raise limit_error(f"the list would have more than {MAX_LIST:,} elements")


def weigh(value: Value, frame: Frame, depth: int = 1) -> None:
    """Charge for every node and every 16 characters of a value; refuse one nested deeper than data may be."""
    if type(value) is str:
        frame.charge(1 + (len(value) >> 4))
    elif type(value) is list or type(value) is dict:
        if depth > MAX_DEPTH:
            raise limit_error(f"the value is nested deeper than {MAX_DEPTH} levels")
        frame.charge(1 + len(value))
        for item in value.values() if type(value) is dict else value:
            if type(item) in _HEAVY:
                weigh(item, frame, depth + 1)


_HEAVY = (str, list, dict)


def equal(left: Value, right: Value, frame: Frame) -> bool:
    """`==`: never converts. Numbers are equal as the decimals they are written as, lists and objects deeply."""
    if type(left) is not type(right):
        return is_number(left) and is_number(right) and plain(left) == plain(right)
    if type(left) is list:
        frame.charge(1 + len(left))
        return len(left) == len(right) and all(map(equal, left, right, repeat(frame)))
    if type(left) is dict:
        frame.charge(1 + len(left))
        mine, others = left.values(), map(right.get, left)
        return left.keys() == right.keys() and all(map(equal, mine, others, repeat(frame)))
    return bool(left == right)


def plain(number: float) -> int | float:
    """A whole number as an integer, by its decimal text: 1e23 is ten to the 23, not its nearest binary neighbour."""
    if type(number) is int or not number.is_integer():
        return number
    if abs(number) < 2**53:
        return int(number)
    from decimal import Decimal

    return int(Decimal(repr(number)))


def order(left: Value, right: Value) -> int:
    """-1, 0 or 1. Raises ExpressionError for values that have no order between them."""
    if type(left) is type(right):
        if type(left) in _ORDERED or is_instant(left) or is_duration(left):
            return int(left > right) - int(left < right)
    elif is_number(left) and is_number(right):
        left, right = plain(left), plain(right)
        return int(left > right) - int(left < right)
    raise type_error(
        f"{a_kind(left)} and {a_kind(right)} have no order",
        hint="compare numbers with numbers, strings with strings, instants with instants",
    )


_ORDERED = (int, float, str)


_MAX_INTEGER = 10**MAX_DIGITS


def whole(number: int) -> int:
    """An integer result, unless it is beyond the bound."""
    if -_MAX_INTEGER < number < _MAX_INTEGER:
        return number
    raise limit_error(f"the number would have more than {MAX_DIGITS:,} digits")

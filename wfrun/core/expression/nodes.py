"""The meaning of every construct, as a closure: from the closures of its parts to one that gives its value.

A closure takes the frame of the evaluation. Errors get the column of the innermost construct that raised them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from wfrun.core.expression import hints
from wfrun.core.expression.arithmetic import add, divide, multiply, negate, remainder, subtract
from wfrun.core.expression.functions import Function
from wfrun.core.expression.kinds import (
    MISSING,
    Absent,
    Frame,
    Run,
    Value,
    a_kind,
    check_text,
    equal,
    order,
    type_error,
)
from wfrun.core.expression.path import Path, child, lookup
from wfrun.core.expression.query import Finder
from wfrun.errors import ExpressionError


def located(error: ExpressionError, column: int) -> ExpressionError:
    """The error, at this column unless something inside has claimed it."""
    error.column = error.column or column
    return error


def absent(frame: Frame, error: Callable[[], ExpressionError]) -> Exception:
    """What to raise for a missing value: cheap where a `has`, `default` or `??` waits for it."""
    return Absent() if frame.lenient else error()


def constant(value: Value) -> Run:
    return lambda frame: value


def definite(path: Path, column: int) -> Run:
    text, keys = path.text, path.keys

    def run(frame: Frame) -> Value:
        value = lookup(frame.context, keys)
        if value is MISSING:
            raise absent(frame, lambda: hints.undefined_path(frame.context, text, keys, column))
        return value

    return run


def indefinite(path: Path, column: int) -> Run:
    finder = Finder(path)

    def run(frame: Frame) -> Value:
        try:
            return finder.find(frame.context, frame.charge)
        except ExpressionError as error:
            raise located(error, column) from None

    return run


def variable(name: str) -> Run:
    return lambda frame: frame.variables[name]


def host_variable(kind: str, name: str, column: int) -> Run:
    def run(frame: Frame) -> Value:
        try:
            return frame.host.variable(kind, name)
        except ExpressionError as error:
            if frame.lenient and error.code == "expression.undefined":
                raise Absent from None
            raise located(error, column) from None

    return run


class Step(NamedTuple):
    """One more operand of a chain, with the sign before it and the sign's column."""

    operand: Run
    column: int
    sign: str


def index(base: Run, steps: list[Step]) -> Run:
    """`base.name[key]`: members by their names, elements by their positions."""

    def run(frame: Frame) -> Value:
        value = base(frame)
        for key, column, _ in steps:
            value = _element(value, key(frame), column, frame)
        return value

    return run


def _element(container: Value, key: Value, column: int, frame: Frame) -> Value:
    if type(key) not in (str, int):
        raise type_error(f"an index is a string or a whole number, not {a_kind(key)}", column=column)
    value = child(container, key)
    if value is MISSING:
        raise absent(frame, lambda: hints.undefined_member(container, key, column))
    return value


_OPERATIONS: dict[str, Callable[[Value, Value], Value]] = {
    "+": add,
    "-": subtract,
    "*": multiply,
    "/": divide,
    "%": remainder,
}


def arithmetic(first: Run, steps: list[Step]) -> Run:
    """`a + b - c`, from left to right. The parser may append to `steps` later, here and in the chains below."""

    def run(frame: Frame) -> Value:
        value = first(frame)
        for operand, column, sign in steps:
            right = operand(frame)
            try:
                value = _OPERATIONS[sign](value, right)
                frame.charge(_length(value))
            except ExpressionError as error:
                raise located(error, column) from None
        return value

    return run


def truth(value: Value, what: str, column: int) -> bool:
    if value is True or value is False:
        return value
    raise type_error(f"{what} must be true or false, not {a_kind(value)}", column=column)


def either(first: Run, steps: list[Step]) -> Run:
    """`a or b or c`: stops at the first that is true."""

    def run(frame: Frame) -> bool:
        if truth(first(frame), "the left side of 'or'", steps[0].column):
            return True
        return any(truth(operand(frame), "the right side of 'or'", column) for operand, column, _ in steps)

    return run


def both(first: Run, steps: list[Step]) -> Run:
    """`a and b and c`: stops at the first that is false."""

    def run(frame: Frame) -> bool:
        if not truth(first(frame), "the left side of 'and'", steps[0].column):
            return False
        return all(truth(operand(frame), "the right side of 'and'", column) for operand, column, _ in steps)

    return run


def inverse(operand: Run, column: int) -> Run:
    return lambda frame: not truth(operand(frame), "what 'not' inverts", column)


def negative(operand: Run, column: int) -> Run:
    def run(frame: Frame) -> Value:
        try:
            return negate(operand(frame))
        except ExpressionError as error:
            raise located(error, column) from None

    return run


def _member(item: Value, container: Value, frame: Frame) -> bool:
    """`in`: an element of a list, a key of an object, a part of a text."""
    if type(container) is list:
        frame.charge(len(container))
        return any(equal(item, other, frame) for other in container)
    if type(container) not in (dict, str):
        raise type_error(f"'in' looks into an array, object or string, not {a_kind(container)}")
    if type(item) is not str:
        raise type_error(f"'in' looks for a string in {a_kind(container)}, not for {a_kind(item)}")
    return item in container


_COMPARISONS: dict[str, Callable[[Value, Value, Frame], bool]] = {
    "==": equal,
    "!=": lambda left, right, frame: not equal(left, right, frame),
    "<": lambda left, right, frame: order(left, right) < 0,
    "<=": lambda left, right, frame: order(left, right) <= 0,
    ">": lambda left, right, frame: order(left, right) > 0,
    ">=": lambda left, right, frame: order(left, right) >= 0,
    "in": _member,
}


def comparison(sign: str, left: Run, right: Run, column: int) -> Run:
    compare = _COMPARISONS[sign]

    def run(frame: Frame) -> bool:
        try:
            return compare(left(frame), right(frame), frame)
        except ExpressionError as error:
            raise located(error, column) from None

    return run


def conditional(condition: Run, then: Run, otherwise: Run, column: int) -> Run:
    def run(frame: Frame) -> Value:
        return then(frame) if truth(condition(frame), "what stands before '?'", column) else otherwise(frame)

    return run


def attempt(operand: Run, frame: Frame) -> Value:
    """The operand's value, or MISSING."""
    frame.lenient += 1
    try:
        return operand(frame)
    except Absent:
        return MISSING
    finally:
        frame.lenient -= 1


def coalesce(first: Run, steps: list[Step]) -> Run:
    """`a ?? b ?? c`: the first that is neither missing nor null; the last whatever it is."""

    def run(frame: Frame) -> Value:
        value = attempt(first, frame)
        for operand, _, _ in steps[:-1]:
            if value is not MISSING and value is not None:
                return value
            value = attempt(operand, frame)
        return steps[-1].operand(frame) if value is MISSING or value is None else value

    return run


def default(operand: Run, otherwise: Run) -> Run:
    """`default(a, b)`: b where a is missing. Null is a value and stays."""

    def run(frame: Frame) -> Value:
        value = attempt(operand, frame)
        return otherwise(frame) if value is MISSING else value

    return run


def has(operand: Run, *, many: bool) -> Run:
    """Whether a value is there, null included; for a path that selects many (`many`), whether it selects any."""

    def run(frame: Frame) -> bool:
        value = attempt(operand, frame)
        return bool(value) if many else value is not MISSING

    return run


def call(name: str, function: Function, arguments: Sequence[Run], column: int) -> Run:
    target = function.call

    def run(frame: Frame) -> Value:
        values = [argument(frame) for argument in arguments]
        try:
            frame.charge(1 + sum(_length(value) for value in values))
            result = target(frame, *values)
            if type(result) is str:
                check_text(len(result))
        except ExpressionError as error:
            raise located(error, column) from None
        if result is MISSING:
            raise absent(frame, lambda: hints.undefined(f"{name}() of an empty list is not there", column))
        return result

    return run


def _length(value: Value) -> int:
    if type(value) is str:
        return len(value) >> 4
    return len(value) if type(value) is list or type(value) is dict else 0


def _every(values: list[Value], test: Callable[[Value], bool]) -> bool:
    return all(map(test, values))


def _some(values: list[Value], test: Callable[[Value], bool]) -> bool:
    return any(map(test, values))


def _kept(values: list[Value], test: Callable[[Value], bool]) -> list[Value]:
    return list(filter(test, values))


_TESTS: dict[str, Callable[[list[Value], Callable[[Value], bool]], Value]] = {
    "any": _some,
    "all": _every,
    "filter": _kept,
}
BINDERS = (*_TESTS, "map")


def binder(word: str, source: Run, name: str, body: Run, weight: int, column: int) -> Run:
    """`any(list, name, body)` and its sisters: the body once for each element, which it knows as `name`."""
    cost = 1 + weight // 4

    def run(frame: Frame) -> Value:
        values = source(frame)
        if type(values) is not list:
            raise type_error(f"{word}() goes over an array, not {a_kind(values)}", column=column)

        def value_of(item: Value) -> Value:
            frame.charge(cost)
            frame.variables[name] = item
            return body(frame)

        def test(item: Value) -> bool:
            return truth(value_of(item), f"the condition of {word}()", column)

        try:
            return [value_of(item) for item in values] if word == "map" else _TESTS[word](values, test)
        except ExpressionError as error:
            raise located(error, column) from None

    return run


def array(items: Sequence[Run]) -> Run:
    return lambda frame: [item(frame) for item in items]


def mapping(entries: Sequence[tuple[str, Run]]) -> Run:
    return lambda frame: {key: value(frame) for key, value in entries}

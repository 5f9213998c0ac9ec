"""Conditions: true or false, not always the same, and no comparison that cannot come out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from wfrun.core.expression import Comparison, DictContext, Expression
from wfrun.core.plan.keys import Keys
from wfrun.core.plan.operations import check_operations
from wfrun.core.plan.paths import shape_of
from wfrun.core.plan.shapes import a_kind
from wfrun.errors import ExpressionError, Problem


def check_condition(condition: Expression, keys: Keys, if_false: str, if_true: str = "") -> Iterator[Problem]:
    """Problems without their place. `if_false` and `if_true` tell what follows if it is always so; "": no mistake."""
    if condition.constant:
        yield from _constant(condition, if_false, if_true)
        return
    yield from _path_alone(condition, keys)
    yield from check_comparisons(condition, keys)


def check_comparisons(expression: Expression, keys: Keys) -> Iterator[Problem]:
    """What can only come out one way, or not at all. Problems without their place."""
    for comparison in expression.comparisons:
        yield from _of_another_kind(comparison, keys)
    yield from check_operations(expression, keys)


def _constant(condition: Expression, if_false: str, if_true: str) -> Iterator[Problem]:
    try:
        value = condition.evaluate(DictContext({}), _NoHost())
    except ExpressionError as error:
        yield Problem(error.code, error.message, hint=error.hint)
        return
    if not isinstance(value, bool):
        message = f"a condition must be true or false, and {condition.text!r} is neither"
        yield Problem("expression.type", message, hint="compare it with something")
    elif consequence := if_true if value else if_false:
        message = f"the condition is always {str(value).lower()}: {consequence}"
        yield Problem("plan.unreachable", message, severity="warning")


def _path_alone(condition: Expression, keys: Keys) -> Iterator[Problem]:
    reference = condition.references[0] if condition.references else None
    if reference is None or reference.text != condition.text.strip() or not reference.definite:
        return
    shape = shape_of(reference.segments, keys)
    if not shape.may_be("boolean"):
        message = f"a condition must be true or false, and {reference.text} is {a_kind(shape)}"
        hint = f"compare it, for example {reference.text} {_EXAMPLES.get(a_kind(shape), '!= null')}"
        yield Problem("expression.type", message, hint=hint)


_EXAMPLES = {"a number": "> 0", "text": "== 'yes'"}


def _of_another_kind(comparison: Comparison, keys: Keys) -> Iterator[Problem]:
    shape = shape_of(comparison.segments, keys)
    constant = comparison.constant
    kind, word = ("string", "text") if isinstance(constant, str) else ("number", "a number")
    if comparison.sign == "in" or shape.may_be(kind):
        return
    outcomes = {"==": "they are never equal", "!=": "they always differ"}
    outcome = outcomes.get(comparison.sign, "neither is before the other")
    message = f"{comparison.text} is {a_kind(shape)} and {constant!r} is {word}: {outcome}"
    yield Problem("expression.type", message, hint=_comparison_hint(constant, a_kind(shape)))


def _comparison_hint(constant: str | float, kind: str) -> str:
    if isinstance(constant, str):
        numeric = kind == "a number" and constant.replace(".", "", 1).removeprefix("-").isdigit()
        return f"write {constant} without quotes" if numeric else "nothing is converted"
    return f"write '{constant}'" if kind == "text" else "nothing is converted"


class _NoHost:
    """Constants need nothing from a host."""

    def now(self) -> Any:
        raise NotImplementedError

    def uuid(self) -> str:
        raise NotImplementedError

    def variable(self, kind: str, name: str) -> str:
        raise NotImplementedError

"""Which executions are meant: `--where 'status == failed and workflow == order'`, a condition over their summaries."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, NoReturn, cast

from wfrun.core.expression import DictContext, Expression
from wfrun.core.expression.bare import parse_condition
from wfrun.core.expression.hints import nearest
from wfrun.errors import ExpressionError, Place, UsageError
from wfrun.views.model import EXECUTION_STATUSES, Summary

FIELDS = tuple(Summary.__annotations__)


@dataclass(frozen=True, slots=True)
class Filter:
    """`status` and `workflow` are those without which it keeps none: an index can be asked for them."""

    expression: Expression
    status: str | None
    workflow: str | None
    now: datetime

    def keeps(self, row: Summary) -> bool:
        """Raises UsageError if the condition has no value for this one."""
        try:
            return self.expression.test(DictContext(cast("dict[str, Any]", row)), _Host(self.now))
        except ExpressionError as error:
            raise _refused(error) from None


def parse_filter(text: str, now: datetime) -> Filter:
    """Raises UsageError, with the column in `text`. `now` is what now() says."""
    try:
        expression, required = parse_condition(text, FIELDS)
    except ExpressionError as error:
        raise _refused(error) from None
    if not expression.references:
        hint, start = f"fields: {', '.join(FIELDS)}", Place("--where", 0, 1)
        raise UsageError("usage.where", "it says nothing about executions", place=start, hint=hint)
    for comparison in expression.comparisons:
        if comparison.segments == ("status",) and comparison.sign in ("==", "!="):
            _check_status(comparison.constant, text)
    status, workflow = required.get("status"), required.get("workflow")
    return Filter(expression, cast("str | None", status), None if workflow is None else str(workflow), now)


def _check_status(word: object, text: str) -> None:
    if word not in EXECUTION_STATUSES:
        close = nearest(str(word), EXECUTION_STATUSES)
        hint = f"did you mean {close}?" if close else f"one of {', '.join(EXECUTION_STATUSES)}"
        place = Place("--where", 0, text.find(str(word)) + 1)
        raise UsageError("usage.where", f"{str(word)!r} is no status", place=place, hint=hint)


def _refused(error: ExpressionError) -> UsageError:
    hint = error.hint
    if error.code == "expression.type" and "null" in error.message:
        hint = "what is not known is null: ask for it first, as in endedAt != null and endedAt < '2026'"
    return UsageError("usage.where", error.message, place=Place("--where", 0, error.column), hint=hint)


class _Host:
    def __init__(self, now: datetime) -> None:
        self._now = now

    def now(self) -> datetime:
        return self._now

    def uuid(self) -> NoReturn:
        raise ExpressionError("expression.value", "chance chooses no executions")

    def variable(self, kind: str, name: str) -> NoReturn:
        raise ExpressionError("expression.value", f"{kind}.{name} cannot be used here")

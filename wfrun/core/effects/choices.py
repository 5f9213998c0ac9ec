"""What is worked out from the context: conditions, computed keys, the items of a loop. Answered at once.

The fact says what came out, so that a replay never works it out again, and a person can see why.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from wfrun.core.definition import Path
from wfrun.core.effects.setting import Setting, evaluation_failed
from wfrun.core.expression import Expression, Template
from wfrun.core.plan.nodes import Fail, Foreach, Task, walk
from wfrun.core.values import MAX_DEPTH, Json, is_deeper
from wfrun.errors import ExpressionError

if TYPE_CHECKING:
    from wfrun.core.events import (
        DecisionMade,
        ErrorData,
        EvaluationFailed,
        FailureRaised,
        ForeachStarted,
        Matter,
        ValuesSet,
    )


class Decide(NamedTuple):
    """A condition; `case` is its position among those of a `switch` or of the handlers of a `try`."""

    id: str
    step: str
    of: Matter
    case: int | None
    condition: Expression
    path: Path
    setting: Setting

    def intent(self) -> DecisionMade | EvaluationFailed:
        try:
            value = self.condition.test(self.setting.scope, self.setting.host(self.id))
        except ExpressionError as error:
            error.place = self.setting.plan.document.place(self.path)
            return evaluation_failed(self.id, self.step, error)
        made: DecisionMade = {
            "type": "decision.made",
            "step": self.step,
            "of": self.of,
            "condition": self.condition.text,
            "value": value,
            "operands": self.condition.operands(self.setting.scope),
        }
        if self.case is not None:
            made["case"] = self.case
        return made


class Compute(NamedTuple):
    """Keys whose values are templates, each with its place in the file: all are worked out before any is set."""

    id: str
    step: str
    values: tuple[tuple[str, Template], ...]
    path: Path
    setting: Setting

    def intent(self) -> ValuesSet | EvaluationFailed:
        try:
            values = {name: self._value(name, template) for name, template in self.values}
        except ExpressionError as error:
            return evaluation_failed(self.id, self.step, error)
        return {"type": "values.set", "step": self.step, "values": values}

    def _value(self, name: str, template: Template) -> Json:
        path = (*self.path, name)
        value = self.setting.resolve(template, self.id, path)
        if is_deeper(value, MAX_DEPTH):
            # A loop that wraps its own value would build what nothing can read any more.
            place = self.setting.plan.document.place(path)
            raise ExpressionError("expression.limit", f"the value of {name!r} is nested too deeply", place=place)
        return value


class BeginForeach(NamedTuple):
    """The list that a loop goes through."""

    id: str
    step: str
    node: Foreach
    setting: Setting

    def items(self) -> list[Json]:
        """What the fact does not hold: it is worked out from recorded facts, and comes out the same in a replay.

        Raises ExpressionError.
        """
        path = (*self.node.path, "items")
        value = self.setting.resolve(self.node.items, self.id, path)
        if isinstance(value, list):
            return value
        kind = {str: "text", dict: "an object", bool: "true or false", type(None): "null"}.get(type(value), "a number")
        place = self.setting.plan.document.place(path)
        hint = "split(…, ',') makes a list of a text" if kind == "text" else "range(…) counts" if "num" in kind else ""
        raise ExpressionError("expression.type", f"`items` must be a list, not {kind}", hint=hint, place=place)

    def intent(self) -> ForeachStarted | EvaluationFailed:
        try:
            count = len(self.items())
        except ExpressionError as error:
            return evaluation_failed(self.id, self.step, error)
        steps = [step.id for step in walk(self.node.body) if isinstance(step, Task)]
        return {"type": "foreach.started", "step": self.step, "count": count, "steps": steps}


class Raise(NamedTuple):
    """The error that a `fail` step ends with."""

    id: str
    step: str
    node: Fail
    setting: Setting

    def intent(self) -> FailureRaised | EvaluationFailed:
        try:
            return {"type": "failure.raised", "step": self.step, "error": self._error()}
        except ExpressionError as error:
            return evaluation_failed(self.id, self.step, error)

    def _error(self) -> ErrorData:
        node = self.node
        type = self._text(node.error, "error") or "failed"
        error: ErrorData = {"type": type, "message": self._text(node.message, "message") or type, "step": self.step}
        details = self.setting.resolve(node.details, self.id, (*node.path, "details"))
        if details is not None:
            error["details"] = details
        return error

    def _text(self, template: Template, key: str) -> str:
        return self.setting.text(template, self.id, (*self.node.path, key))

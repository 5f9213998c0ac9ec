"""Other workflows as steps: child executions, each with a journal of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from wfrun.core.effects.setting import Setting, evaluation_failed
from wfrun.core.plan.nodes import Child
from wfrun.core.values import Json, digest
from wfrun.errors import ExpressionError

if TYPE_CHECKING:
    from wfrun.core.events import ChildRecalled, ChildStarted, EvaluationFailed

# An execution id is at most this long.
MAX_ID = 64


class StartChild(NamedTuple):
    """A child execution. Its id comes from the parent's and the step, so that it is started once (C1).

    One that was stopped or undone cannot go on: if the step runs again, it does so as another execution; with another
    input, too.
    Answered by child.ended; a detached one as soon as it has been created.
    """

    id: str
    step: str
    node: Child
    setting: Setting

    @property
    def child(self) -> str:
        return self._id(self.setting.amended.round(self.step))

    def _id(self, round: str) -> str:
        """Readable where that makes an id, no longer than one may be, and no other step's: a dot in the step's own name
        could stand for a child of a child."""
        name = f"{self.setting.execution}.{self.step.replace('@', '..')}{round.replace('~', '..r')}"
        if name == name.lower() and len(name) <= MAX_ID and "." not in self.step.partition("@")[0]:
            return name
        return f"{self.setting.execution[: MAX_ID - 13]}.{digest(name)[:12]}"

    def intent(self) -> ChildStarted | EvaluationFailed:
        path = (*self.node.path, "input")
        try:
            round, value = self.setting.amended.request(self.step, self._input)
            if not isinstance(value, dict):
                place = self.setting.plan.document.place(path)
                raise ExpressionError("expression.type", "the input of a workflow must be an object", place=place)
        except ExpressionError as error:
            return evaluation_failed(self.id, self.step, error)
        return {
            "type": "child.started",
            "step": self.step,
            "child": self._id(round),
            "workflow": self.node.workflow,
            "input": value,
            "detach": self.node.detach,
        }

    def _input(self, round: str) -> Json:
        value = self.setting.input(self.step, self.node.input, self.id, (*self.node.path, "input"))
        return {} if value is None else value


class RecallChild(NamedTuple):
    """A child that completed is to be undone. Answered by child.ended when it has been."""

    id: str
    step: str
    child: str

    def intent(self) -> ChildRecalled:
        return {"type": "child.recalled", "step": self.step, "child": self.child}

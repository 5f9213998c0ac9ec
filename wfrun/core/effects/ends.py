"""How executions end, are undone, and wait for somebody who repairs them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from wfrun.core.definition import Path
from wfrun.core.effects.setting import Setting, evaluation_failed
from wfrun.core.expression import Template
from wfrun.errors import ExpressionError

if TYPE_CHECKING:
    from wfrun.core.events import (
        CompensationStarted,
        ErrorData,
        EvaluationFailed,
        ExecutionEnded,
        ExecutionPaused,
        ExecutionRepaired,
        Reason,
        Settable,
        Status,
        TaskWithdrawn,
        WaitWithdrawn,
    )


class StartCompensation(NamedTuple):
    """The point from which an execution is undone. Answered at once."""

    id: str
    step: str
    reason: Reason
    steps: tuple[str, ...]
    error: ErrorData | None

    def intent(self) -> CompensationStarted:
        steps = list(self.steps)
        started: CompensationStarted = {"type": "compensation.started", "reason": self.reason, "steps": steps}
        if self.error is not None:
            started["error"] = self.error
        return started


class Output(NamedTuple):
    """What a completed execution gives back: the workflow's `output`, or that of the `end` step that ended it."""

    template: Template
    path: Path
    setting: Setting


class End(NamedTuple):
    """The end of the execution. Answered at once, by execution.ended or, if the output has no value, by its failure."""

    id: str
    step: str
    status: Status
    error: ErrorData | None
    failures: tuple[ErrorData, ...]
    output: Output | None
    pivot: bool = False
    settable: tuple[Settable, ...] | None = None

    def intent(self) -> ExecutionEnded | EvaluationFailed:
        ended: ExecutionEnded = {"type": "execution.ended", "status": self.status}
        if self.error is not None:
            ended["error"] = self.error
        if self.failures:
            ended["failures"] = list(self.failures)
        if self.pivot:
            ended["pivot"] = True
        if self.settable is not None:
            ended["settable"] = list(self.settable)
        if self.output is None:
            return ended
        template, path, setting = self.output
        try:
            ended["output"] = setting.resolve(template, self.id, path)
        except ExpressionError as error:
            return evaluation_failed(self.id, self.step, error)
        return ended


class Hold(NamedTuple):
    """A failure that is not undone: the execution is paused until somebody repairs it. Answered at once."""

    id: str
    error: ErrorData
    pivot: bool
    settable: tuple[Settable, ...]

    def intent(self) -> ExecutionPaused:
        settable = list(self.settable)
        paused: ExecutionPaused = {"type": "execution.paused", "error": self.error, "settable": settable}
        if self.pivot:
            paused["pivot"] = True
        return paused


class AwaitRepair(NamedTuple):
    """Waits for somebody's word: there is nothing to perform.

    Answered by execution.resumed (compensations that failed are tried again) or compensation.requested.
    """

    id: str

    def intent(self) -> None:
        return None


class ApplyRepair(NamedTuple):
    """Everything that a repair had to undo has been undone: it is in force. Answered at once.

    `cancelled`: somebody has cancelled the execution meanwhile, and that is what comes of it.
    """

    id: str
    request: int
    cancelled: bool

    def intent(self) -> ExecutionRepaired:
        repaired: ExecutionRepaired = {"type": "execution.repaired", "request": self.request}
        if self.cancelled:
            repaired["cancelled"] = True
        return repaired


class Stop(NamedTuple):
    """Stop the call or child execution, or withdraw the task or wait, with the id `target`.

    A call or child is answered once it has really stopped.
    """

    id: str
    target: str
    of: Literal["call", "task", "child", "wait"]
    step: str = ""

    def intent(self) -> TaskWithdrawn | WaitWithdrawn | None:
        if self.of == "task":
            return {"type": "task.withdrawn", "task": self.target}
        return {"type": "wait.withdrawn", "wait": self.target, "step": self.step} if self.of == "wait" else None

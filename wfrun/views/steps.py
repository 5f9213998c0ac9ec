"""What became of each step, folded from an execution's records.

Forward steps and their compensations follow the same records (`step.started`, `step.completed`, …) and are told apart
by the prefix of the instance. A row starts as *pending* and is moved by `_MOVES`; what a compensation does shows on its
forward step, too.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

from wfrun.core.instants import elapsed_ms

if TYPE_CHECKING:
    from wfrun.core.events import ErrorData, Record
    from wfrun.views.model import Progress, StepStatus, StepView


COMPENSATE = "compensate:"
ACTIVE: tuple[StepStatus, ...] = ("running", "retrying", "waiting", "compensating")
SETTLED: tuple[StepStatus, ...] = ("completed", "skipped", "compensating", "compensated")

_MOVES: dict[str, StepStatus] = {
    "step.started": "running",
    "step.completed": "completed",
    "step.failed": "failed",
    "step.cancelled": "cancelled",
    "evaluation.failed": "failed",
}


_PENDING: StepView = {
    "step": "",
    "status": "pending",
    "startedAt": None,
    "endedAt": None,
    "durationMs": None,
    "attempts": 0,
    "error": None,
    "nextAttemptAt": None,
}


def _row(step: str) -> StepView:
    row = _PENDING.copy()
    row["step"] = step
    return row


def step_words(step: str) -> str:
    """An instance for people: a compensation is the undoing of its step."""
    return f"undo {step.removeprefix(COMPENSATE)}" if step.startswith(COMPENSATE) else step


def progress_of(rows: Collection[StepView]) -> Progress:
    statuses = [row["status"] for row in rows]
    done = sum(map(statuses.count, SETTLED))
    return {"done": done, "skipped": statuses.count("skipped"), "total": len(rows)}


def timed(rows: Iterable[StepView]) -> list[StepView]:
    """The rows with their durations, which the fold leaves to whoever looks: most records change what came before."""
    timed = list(rows)
    for row in timed:
        began, ended = row["startedAt"], row["endedAt"]
        row["durationMs"] = elapsed_ms(began, ended) if began and ended else None
    return timed


class StepFold:
    """The rows of one execution's steps: `forward` in the plan's order, `undo` in the order of compensation."""

    def __init__(self) -> None:
        self.forward: dict[str, StepView] = {}
        self.undo: dict[str, StepView] = {}
        self._as_it_was: dict[str, StepStatus] = {}  # of a forward step, before it was to be undone

    def plan(self, steps: Iterable[str]) -> None:
        self.forward = {step: _row(step) for step in steps}

    def plan_compensations(self, steps: Iterable[str]) -> None:
        for step in steps:
            self.row(COMPENSATE + step.removeprefix(COMPENSATE))

    def row(self, step: str) -> StepView:
        """The row of an instance; one that the plan did not list (a loop's) is added behind the others."""
        row = self.forward.get(step)
        if row is None:
            name = step.removeprefix(COMPENSATE)
            row = (self.forward if name == step else self.undo).setdefault(name, _row(name))
        return row

    def knows(self, step: str) -> bool:
        return step in self.forward or step.removeprefix(COMPENSATE) in self.undo

    def are_busy(self) -> bool:
        """Whether anything is under way that will lead on without a person."""
        rows = (*self.forward.values(), *self.undo.values())
        return any(row["status"] in ("running", "retrying") for row in rows)

    def call(self, record: Record) -> None:
        """A record of a call: started, completed, failed, cancelled, or its input could not be computed."""
        step: str = record["step"]
        row = self.forward.get(step) or self.row(step)
        if "attempt" in record:
            row["attempts"] = record["attempt"]
        row["nextAttemptAt"] = None
        row["error"] = record.get("error")
        self._move(row, _MOVES[record["type"]], record["at"])
        if step.startswith(COMPENSATE):
            self._mirror(row)

    def task(self, step: str, status: StepStatus, at: str, error: ErrorData | None = None) -> None:
        """A task's step: it waits from the task's creation until a person, the clock or a sibling ends it."""
        row = self.row(step)
        row["attempts"] = 1
        row["error"] = error
        self._move(row, status, at)

    def retry(self, step: str, due: str) -> None:
        row = self.row(step)
        row["status"], row["nextAttemptAt"] = "retrying", due
        row["endedAt"] = None
        if step.startswith(COMPENSATE):
            self._mirror(row)

    def skip(self, step: str, at: str) -> None:
        """A step's own condition was false. Blocks have no row, and which steps they hold is not known here."""
        if step in self.forward:
            row = self.forward[step]
            row["status"], row["endedAt"] = "skipped", at

    def skip_pending(self) -> None:
        """A completed execution decided against what it never reached."""
        for row in self.forward.values():
            if row["status"] == "pending":
                row["status"] = "skipped"

    def blame(self, error: ErrorData) -> None:
        """The step that an execution failed with has failed, even if a person's answer seemed to complete it."""
        row = self.forward.get(error.get("step", ""))
        if row and row["status"] == "completed":
            row["status"], row["error"] = "failed", error

    def _move(self, row: StepView, status: StepStatus, at: str) -> None:
        row["status"] = status
        row["startedAt"] = row["startedAt"] or at
        row["endedAt"] = None if status in ACTIVE else at

    def _mirror(self, undo: StepView) -> None:
        """A step that could not be undone is what it was before: its effect still stands."""
        forward = self.row(undo["step"])
        before = self._as_it_was.setdefault(undo["step"], forward["status"])
        if undo["status"] == "completed":
            forward["status"] = "compensated"
        else:
            forward["status"] = "compensating" if undo["status"] in ACTIVE else before

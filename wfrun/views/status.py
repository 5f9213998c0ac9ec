"""The status of an execution: what `wfrun status` shows, as a fold that can also follow a journal as it grows."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from wfrun.core.instants import elapsed_ms
from wfrun.errors import JournalError
from wfrun.views.steps import ACTIVE, StepFold, progress_of, timed
from wfrun.views.tasks import TaskFold

if TYPE_CHECKING:
    from wfrun.core.events import Record
    from wfrun.views.model import BriefView, DecisionView, DriverView, ExecutionStatus, StatusView, TimerView


EXECUTION_STATUSES: tuple[ExecutionStatus, ...] = (
    "running",
    "waiting",
    "interrupted",
    "completed",
    "failed",
    "compensated",
    "cancelled",
    "needs-attention",
)


class StatusFold:
    """Add records in order, ask for the view at any time after the first."""

    def __init__(self) -> None:
        self._started: Record | None = None
        self._ended: Record | None = None
        self._undoing: Record | None = None
        self._cancel = False
        self._driver: DriverView | None = None
        self._steps = StepFold()
        self._tasks = TaskFold()
        self._timers: dict[str, TimerView] = {}
        self._decisions: list[DecisionView] = []

    def add(self, record: Record) -> None:
        """Raises JournalError for an event that this version doesn't know: ignoring it would misreport the rest."""
        kind = record["type"]
        handler = _HANDLERS.get(kind)
        if handler is None:
            raise JournalError(
                "journal.unknown-event",
                f"record {record['seq']} is a `{kind}`, which this version of wfrun does not know",
                hint="the journal was written by a newer version; upgrade wfrun",
            )
        if kind in TaskFold.CONCERNED:
            self._tasks.add(record)
        handler(self, record)

    def status(self, driven: bool | None = None) -> ExecutionStatus:
        """`driven` says whether a process drives the execution now; None leaves that open and says `running`."""
        if self._ended:
            ended: ExecutionStatus = self._ended["status"]
            return ended
        if self._tasks.open() and not self._cancel and not self._steps.are_busy():
            return "waiting"
        return "interrupted" if driven is False else "running"

    def brief(self, driven: bool | None = None) -> BriefView:
        """What a list shows. Raises JournalError if there was no `execution.started` yet."""
        started = self._require_start()
        ended = self._ended or {}
        return {
            "execution": started["execution"],
            "workflow": started["workflow"],
            "version": started["version"],
            "status": self.status(driven),
            "startedAt": started["at"],
            "endedAt": ended.get("at"),
            "progress": progress_of(self._steps.forward.values()),
            "tasks": self._tasks.open(),
            "error": ended.get("error") or (self._undoing or {}).get("error"),
        }

    def view(self, driven: bool | None = None) -> StatusView:
        """The whole status, sharing its rows with the fold: they change with the next `add`.

        Raises JournalError if there was no `execution.started` yet.
        """
        brief, started, ended = self.brief(driven), self._require_start(), self._ended or {}
        forward, undo = timed(self._steps.forward.values()), timed(self._steps.undo.values())
        return {
            "execution": brief["execution"],
            "workflow": brief["workflow"],
            "version": brief["version"],
            "status": brief["status"],
            "startedAt": brief["startedAt"],
            "endedAt": brief["endedAt"],
            "durationMs": elapsed_ms(started["at"], ended["at"]) if ended else None,
            "progress": brief["progress"],
            "current": [row["step"] for row in forward if row["status"] in ACTIVE],
            "steps": forward,
            "compensations": undo,
            "tasks": brief["tasks"],
            "timers": list(self._timers.values()),
            "decisions": self._decisions,
            "cancelRequested": self._cancel,
            "error": brief["error"],
            "failures": ended.get("failures", []),
            "output": ended.get("output"),
            "initiator": started["initiator"],
            "origin": started["origin"],
            "driver": self._driver,
        }

    def _require_start(self) -> Record:
        if self._started is None:
            raise JournalError("journal.empty", "the journal has no `execution.started` record")
        return self._started

    def _on_start(self, record: Record) -> None:
        self._started = record
        self._steps.plan(record["steps"])

    def _on_end(self, record: Record) -> None:
        self._ended = record
        self._timers.clear()
        if record["status"] == "completed":
            self._steps.skip_pending()
        if record.get("error"):
            self._steps.blame(record["error"])

    def _on_resumed(self, record: Record) -> None:
        self._ended = None

    def _on_driver_start(self, record: Record) -> None:
        self._driver = {
            "epoch": record["epoch"],
            "host": record["host"],
            "pid": record["pid"],
            "startedAt": record["at"],
            "stoppedAt": None,
            "reason": None,
        }

    def _on_driver_stop(self, record: Record) -> None:
        if self._driver:
            self._driver["stoppedAt"], self._driver["reason"] = record["at"], record["reason"]

    def _on_call(self, record: Record) -> None:
        self._steps.call(record)

    def _on_evaluation_failed(self, record: Record) -> None:
        """What had no value may be a block's condition or the workflow's output, which have no row of their own."""
        if self._steps.knows(record["step"]):
            self._steps.call(record)

    def _on_decision(self, record: Record) -> None:
        decision: DecisionView = {
            "step": record["step"],
            "at": record["at"],
            "of": record["of"],
            "condition": record["condition"],
            "value": record["value"],
            "operands": record["operands"],
        }
        self._decisions.append(decision)
        if record["of"] == "step" and not record["value"]:
            self._steps.skip(record["step"], record["at"])

    def _on_timer(self, record: Record) -> None:
        timer: TimerView = {
            "timer": record["timer"],
            "step": record["step"],
            "due": record["due"],
            "reason": record["reason"],
        }
        self._timers[record["timer"]] = timer
        if record["reason"] == "retry":
            self._steps.retry(record["step"], record["due"])

    def _on_timer_fired(self, record: Record) -> None:
        self._timers.pop(record["timer"], None)

    def _on_task_created(self, record: Record) -> None:
        self._steps.task(record["step"], "waiting", record["at"])

    def _on_task_decided(self, record: Record) -> None:
        """Whether a refusal fails the step is the workflow's choice (`onReject`); the end of the execution tells."""
        if not self._tasks.is_open(record["task"]):
            self._steps.task(self._tasks.step_of(record["task"]), "completed", record["at"])

    def _on_task_expired(self, record: Record) -> None:
        step = self._tasks.step_of(record["task"])
        self._steps.task(step, "failed", record["at"], {"type": "task.timeout", "message": "nobody decided in time"})

    def _on_task_escalated(self, record: Record) -> None:
        self._steps.task(self._tasks.step_of(record["task"]), "waiting", record["at"])

    def _on_task_withdrawn(self, record: Record) -> None:
        self._steps.task(self._tasks.step_of(record["task"]), "cancelled", record["at"])

    def _on_compensation(self, record: Record) -> None:
        self._undoing = record
        self._steps.plan_compensations(record["steps"])
        if record.get("error"):
            self._steps.blame(record["error"])

    def _on_cancel(self, record: Record) -> None:
        self._cancel = True

    def _on_recovered(self, record: Record) -> None:
        """A sealed torn line changes nothing: what it began to say never happened."""


_HANDLERS: dict[str, Callable[[StatusFold, Record], None]] = {
    "execution.started": StatusFold._on_start,
    "execution.ended": StatusFold._on_end,
    "execution.resumed": StatusFold._on_resumed,
    "driver.started": StatusFold._on_driver_start,
    "driver.stopped": StatusFold._on_driver_stop,
    "step.started": StatusFold._on_call,
    "step.completed": StatusFold._on_call,
    "step.failed": StatusFold._on_call,
    "step.cancelled": StatusFold._on_call,
    "evaluation.failed": StatusFold._on_evaluation_failed,
    "decision.made": StatusFold._on_decision,
    "timer.started": StatusFold._on_timer,
    "timer.fired": StatusFold._on_timer_fired,
    "task.created": StatusFold._on_task_created,
    "task.decided": StatusFold._on_task_decided,
    "task.expired": StatusFold._on_task_expired,
    "task.escalated": StatusFold._on_task_escalated,
    "task.withdrawn": StatusFold._on_task_withdrawn,
    "compensation.started": StatusFold._on_compensation,
    "cancel.requested": StatusFold._on_cancel,
    "journal.recovered": StatusFold._on_recovered,
}


def status_of(records: Iterable[Record], *, driven: bool | None = None) -> StatusView:
    """The status that an execution's records tell. Raises JournalError for unknown events and an empty journal."""
    return _folded(records).view(driven)


def brief_of(records: Iterable[Record], *, driven: bool | None = None) -> BriefView:
    """The same for a list of many. Raises JournalError likewise."""
    return _folded(records).brief(driven)


def _folded(records: Iterable[Record]) -> StatusFold:
    fold = StatusFold()
    for record in records:
        fold.add(record)
    return fold

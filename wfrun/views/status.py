"""The status of an execution: what `wfrun status` shows, as a fold that can also follow a journal as it grows."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from wfrun.core.instants import elapsed_ms
from wfrun.errors import JournalError
from wfrun.views.children import ChildFold, StatusOf, outcome
from wfrun.views.iterations import split_instance
from wfrun.views.repairs import counting, repair_view
from wfrun.views.steps import StepFold
from wfrun.views.tasks import TaskFold, step_of
from wfrun.views.waits import WaitFold

if TYPE_CHECKING:
    from wfrun.core.events import ErrorData, Record
    from wfrun.views.model import (
        BriefView,
        DecisionView,
        DriverView,
        ExecutionStatus,
        RepairView,
        StatusView,
        StepStatus,
    )


class StatusFold:
    """Add records in order, ask for the view at any time after the first.

    What it keeps is bounded by the plan and by what is under way, not by how often loops have gone round. It does not
    take back what it was told: after an `execution.repaired`, fold anew what is `counting`.
    """

    def __init__(self) -> None:
        self._started: Record | None = None
        self._ended: Record | None = None
        self._undoing: Record | None = None
        self._paused: Record | None = None
        self._cancel = False
        self._driver: DriverView | None = None
        self._steps = StepFold()
        self._tasks = TaskFold()
        self._waits = WaitFold()
        self._children = ChildFold()
        self._repairs: dict[int, tuple[RepairView, Record]] = {}
        self._decisions: dict[tuple[str, ...], DecisionView] = {}

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

    def status(self, driven: bool | None = None, child: StatusOf | None = None) -> ExecutionStatus:
        """`driven` says whether a process drives the execution now; None leaves that open and says `running`.

        `child` tells how a child execution stands. Without it, one that has not ended is taken to have things to do.
        """
        if self._ended:
            ended: ExecutionStatus = self._ended["status"]
            return ended
        if self._paused:
            return "paused"
        if self._is_waiting() and not self._cancel and not self._is_busy(child):
            return "waiting"
        return "interrupted" if driven is False else "running"

    def _is_waiting(self) -> bool:
        return self._tasks.any() or self._waits.any() or self._children.any()

    def _is_busy(self, child: StatusOf | None) -> bool:
        steps = self._steps.forward.busy() or self._steps.undo.busy()
        return steps or self._waits.busy() or self._children.busy(child)

    def brief(self, driven: bool | None = None, child: StatusOf | None = None) -> BriefView:
        """What a list shows. Raises JournalError if there was no `execution.started` yet."""
        started = self._require_start()
        ended = self._ended or {}
        return {
            "execution": started["execution"],
            "workflow": started["workflow"],
            "version": started["version"],
            "status": self.status(driven, child),
            "startedAt": started["at"],
            "endedAt": ended.get("at"),
            "progress": self._steps.forward.progress(completed=ended.get("status") == "completed"),
            "tasks": self._tasks.open(),
            "waits": self._waits.views(),
            "unknown": list(self._waits.unknown.values()),
            "children": self._children.views(child),
            "parent": started.get("parent"),
            "listens": started.get("listens", []),
            "error": self._error(),
            "initiator": started["initiator"],
        }

    def view(self, driven: bool | None = None, child: StatusOf | None = None) -> StatusView:
        """The whole status, sharing its rows with the fold: they change with the next `add`.

        Raises JournalError if there was no `execution.started` yet.
        """
        brief, started, ended = self.brief(driven, child), self._require_start(), self._ended or {}
        return {
            "execution": brief["execution"],
            "workflow": brief["workflow"],
            "version": brief["version"],
            "status": brief["status"],
            "startedAt": brief["startedAt"],
            "endedAt": brief["endedAt"],
            "durationMs": elapsed_ms(started["at"], ended["at"]) if ended else None,
            "progress": brief["progress"],
            "current": self._steps.forward.active(),
            "steps": self._steps.forward.views(),
            "compensations": self._steps.undo.views(),
            "tasks": brief["tasks"],
            "waits": brief["waits"],
            "unknown": brief["unknown"],
            "children": brief["children"],
            "timers": list(self._waits.timers.values()),
            "repairs": [repair for repair, _ in self._repairs.values()],
            "decisions": list(self._decisions.values()),
            "cancelRequested": self._cancel,
            "error": brief["error"],
            "failures": ended.get("failures", []),
            "output": ended.get("output"),
            "initiator": brief["initiator"],
            "origin": started["origin"],
            "parent": brief["parent"],
            "listens": brief["listens"],
            "driver": self._driver,
        }

    def _error(self) -> ErrorData | None:
        told = (record.get("error") for record in (self._ended, self._paused, self._undoing) if record)
        return next((error for error in told if error), None)

    def _require_start(self) -> Record:
        if self._started is None:
            raise JournalError("journal.empty", "the journal has no `execution.started` record")
        return self._started

    def _on_start(self, record: Record) -> None:
        self._started = record
        self._steps.plan(record["steps"])

    def _on_end(self, record: Record) -> None:
        self._ended = record
        self._stop(record)
        if record["status"] == "completed":
            self._steps.skip_pending()

    def _on_paused(self, record: Record) -> None:
        self._paused = record
        self._stop(record)

    def _stop(self, record: Record) -> None:
        """The body of the execution is over. Waits that were cancelled on the way may not have said so."""
        self._waits.clear()
        self._children.stop()
        self._steps.stop(record["at"])
        if record.get("error"):
            self._steps.blame(record["error"])

    def _on_resumed(self, record: Record) -> None:
        self._ended = None

    def _on_compensation_requested(self, record: Record) -> None:
        self._ended = self._paused = None

    def _on_repair_requested(self, record: Record) -> None:
        self._repairs[record["seq"]] = repair_view(record), record
        self._ended = self._paused = None

    def _on_repaired(self, record: Record) -> None:
        self._ended = self._paused = self._undoing = None
        repair, request = self._repairs.get(record["request"], (None, {}))
        if repair is None:
            return
        repair["done"] = True
        told: Record = {key: request[key] for key in ("version", "origin", "listens") if key in request}
        self._started = {**self._require_start(), **told}
        if "steps" in request:  # another workflow has taken the place of the one it started with
            self._steps.replan(request["steps"])
        step = request.get("step", "")
        if self._steps.knows(step) and request["action"] in ("skip", "set-output"):
            self._steps.turn(step, "skipped" if request["action"] == "skip" else "completed", record["at"])

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
        self._waits.unknown.pop(record["step"], None)
        self._steps.call(record)

    def _on_unknown(self, record: Record) -> None:
        self._waits.lost(record)
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
        if "case" in record:
            decision["case"] = record["case"]
        name, iteration = split_instance(record["step"])
        # Of those made in loops, the last of each kind will do.
        which = (name, record["of"], str(record.get("case", ""))) if iteration else (str(record["seq"]),)
        self._decisions.pop(which, None)
        self._decisions[which] = decision
        if record["of"] == "step" and not record["value"]:
            self._steps.skip(record["step"], record["at"])

    def _on_foreach(self, record: Record) -> None:
        self._steps.expect(record["step"], record["count"], record.get("steps", ()))

    def _on_timer(self, record: Record) -> None:
        step, reason = record["step"], record["reason"]
        if reason == "timeout":
            if self._steps.knows(step):
                self._waits.limit(step, record["due"])
            return
        self._waits.timer(record)
        if reason == "retry":
            self._steps.retry(step, record["due"], record["at"])
        elif reason == "wait":
            self._steps.turn(step, "waiting", record["at"])

    def _on_timer_fired(self, record: Record) -> None:
        timer = self._waits.fired(record["timer"])
        step, _, reason = record["timer"].rpartition("!")
        if timer is not None and timer["reason"] == "wait":
            self._steps.turn(timer["step"], "completed", record["at"])
        elif timer is None and reason == "timeout" and self._waits.is_waiting(step):
            self._waits.over(step)
            self._steps.turn(step, "failed", record["at"], {"type": "timeout", "message": "no event came in time"})

    def _on_wait(self, record: Record) -> None:
        was: StepStatus = "completed" if self._waits.begun(record) else "pending"
        self._steps.turn(record["step"], "waiting", record["at"], was=was)

    def _on_wait_withdrawn(self, record: Record) -> None:
        self._waits.withdrawn(record)
        if record["wait"].endswith("!retry"):
            self._steps.give_up(record["step"], record["at"])
        elif self._steps.knows(record["step"]):
            self._steps.turn(record["step"], "cancelled", record["at"])

    def _on_matched(self, record: Record) -> None:
        if record["value"] and self._waits.matched(record["step"]):
            self._steps.turn(record["step"], "completed", record["at"])

    def _on_emitted(self, record: Record) -> None:
        self._steps.turn(record["step"], "running", record["at"])

    def _on_published(self, record: Record) -> None:
        self._steps.turn(record["step"], "completed", record["at"])

    def _on_child(self, record: Record) -> None:
        self._children.started(record)
        self._steps.turn(record["step"], "waiting", record["at"])

    def _on_child_recalled(self, record: Record) -> None:
        self._children.recalled(record)
        self._steps.turn(record["step"], "waiting", record["at"])

    def _on_child_ended(self, record: Record) -> None:
        self._children.ended(record)
        self._waits.over(record["step"])
        status, error = outcome(record)
        self._steps.turn(record["step"], status, record["at"], error)

    def _on_task_created(self, record: Record) -> None:
        self._steps.turn(record["step"], "waiting", record["at"])

    def _on_task_decided(self, record: Record) -> None:
        """Whether a refusal fails the step is the workflow's choice (`onReject`); the end of the execution tells."""
        if not self._tasks.is_open(record["task"]):
            self._steps.turn(step_of(record["task"]), "completed", record["at"])

    def _on_task_expired(self, record: Record) -> None:
        error: ErrorData = {"type": "task.timeout", "message": "nobody decided in time"}
        self._steps.turn(step_of(record["task"]), "failed", record["at"], error)

    def _on_task_escalated(self, record: Record) -> None:
        self._steps.turn(step_of(record["task"]), "waiting", record["at"], was="failed")

    def _on_task_withdrawn(self, record: Record) -> None:
        self._steps.turn(step_of(record["task"]), "cancelled", record["at"])

    def _on_compensation(self, record: Record) -> None:
        self._undoing = record
        self._stop(record)
        self._steps.plan_compensations(record["steps"])

    def _on_cancel(self, record: Record) -> None:
        self._cancel = True

    def _on_nothing(self, record: Record) -> None:
        """What changes no status: computed keys, an event that came, an error that goes its way to a handler.

        Nor does a sealed torn line: what it began to say never happened.
        """


_HANDLERS: dict[str, Callable[[StatusFold, Record], None]] = {
    "execution.started": StatusFold._on_start,
    "execution.ended": StatusFold._on_end,
    "execution.resumed": StatusFold._on_resumed,
    "execution.paused": StatusFold._on_paused,
    "execution.repaired": StatusFold._on_repaired,
    "repair.requested": StatusFold._on_repair_requested,
    "compensation.requested": StatusFold._on_compensation_requested,
    "driver.started": StatusFold._on_driver_start,
    "driver.stopped": StatusFold._on_driver_stop,
    "step.started": StatusFold._on_call,
    "step.completed": StatusFold._on_call,
    "step.failed": StatusFold._on_call,
    "step.cancelled": StatusFold._on_call,
    "step.unknown": StatusFold._on_unknown,
    "step.retried": StatusFold._on_call,
    "evaluation.failed": StatusFold._on_evaluation_failed,
    "failure.raised": StatusFold._on_nothing,
    "decision.made": StatusFold._on_decision,
    "foreach.started": StatusFold._on_foreach,
    "values.set": StatusFold._on_nothing,
    "timer.started": StatusFold._on_timer,
    "timer.fired": StatusFold._on_timer_fired,
    "wait.started": StatusFold._on_wait,
    "wait.withdrawn": StatusFold._on_wait_withdrawn,
    "event.received": StatusFold._on_nothing,
    "event.matched": StatusFold._on_matched,
    "event.emitted": StatusFold._on_emitted,
    "event.published": StatusFold._on_published,
    "child.started": StatusFold._on_child,
    "child.recalled": StatusFold._on_child_recalled,
    "child.ended": StatusFold._on_child_ended,
    "task.created": StatusFold._on_task_created,
    "task.decided": StatusFold._on_task_decided,
    "task.expired": StatusFold._on_task_expired,
    "task.escalated": StatusFold._on_task_escalated,
    "task.withdrawn": StatusFold._on_task_withdrawn,
    "compensation.started": StatusFold._on_compensation,
    "cancel.requested": StatusFold._on_cancel,
    "journal.recovered": StatusFold._on_nothing,
}


def fold_of(records: Iterable[Record]) -> StatusFold:
    """The fold of all records that count. Raises JournalError for unknown events."""
    fold = StatusFold()
    for record in counting(records):
        fold.add(record)
    return fold


def status_of(records: Iterable[Record], *, driven: bool | None = None, child: StatusOf | None = None) -> StatusView:
    """The status that an execution's records tell. Raises JournalError for unknown events and an empty journal."""
    return fold_of(records).view(driven, child)


def brief_of(records: Iterable[Record], *, driven: bool | None = None, child: StatusOf | None = None) -> BriefView:
    """The same for a list of many. Raises JournalError likewise."""
    return fold_of(records).brief(driven, child)

"""What an execution's records come to: the fold from which its status is read."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from wfrun.errors import JournalError
from wfrun.views.blocks import Blocks
from wfrun.views.children import ChildFold, outcome
from wfrun.views.deadlines import Deadlines, timer_view
from wfrun.views.iterations import ACTIVE, split_instance
from wfrun.views.repairs import answer_view, repair_view, waiver_view
from wfrun.views.steps import StepFold
from wfrun.views.tasks import TaskFold, step_of
from wfrun.views.waits import WaitFold

if TYPE_CHECKING:
    from wfrun.core.events import ErrorData, Record
    from wfrun.views.model import CancellationView, DecisionView, DriverView, RepairView, StepStatus

# The host of a driver that is no process, see engines.temporal.driver_started: such hear at once what is said.
WORKERS = "temporal"


class ExecutionFold:
    """Add records in order. What it keeps is bounded by the plan and by what is under way, not by how often loops have
    gone round.

    It does not take back what it was told: after an `execution.repaired`, fold anew what is `counting`.
    """

    def __init__(self) -> None:
        self._started: Record | None = None
        self._ended: Record | None = None
        self._undoing: Record | None = None
        self._paused: Record | None = None
        self._cancel: CancellationView | None = None
        self._unheard = False  # somebody has asked for an end, and no driver has done anything since
        self._in_repair = False  # one was begun, and has not come into force
        self._asked_in_repair: set[str] = set()  # calls that undo something for it, and were lost
        self._driver: DriverView | None = None
        self._steps = StepFold()
        self._tasks = TaskFold()
        self._waits = WaitFold()
        self._children = ChildFold()
        self._blocks = Blocks()
        self._deadlines = Deadlines()
        self._late: set[str] = set()  # children that are stopped, as they have run out of time
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
        # Who is cancelled while it is paused goes on: a driver that has only started has not come to it.
        self._unheard = self._unheard and (
            kind in _OF_OTHERS or (kind == "driver.started" and self._paused is not None)
        )
        handler(self, record)

    def _require_start(self) -> Record:
        if self._started is None:
            raise JournalError("journal.empty", "the journal has no `execution.started` record")
        return self._started

    def _on_start(self, record: Record) -> None:
        self._started = record
        self._steps.plan(record["steps"])
        self._blocks = Blocks(record["steps"], record.get("parts", ()))

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
        self._deadlines.clear()
        self._children.stop()
        self._steps.stop(record["at"])
        if record.get("error"):
            self._steps.blame(record["error"])

    def _on_resumed(self, record: Record) -> None:
        self._ended = None
        if "waived" in record:
            self._repairs[record["seq"]] = waiver_view(record), record

    def _on_compensation_requested(self, record: Record) -> None:
        self._ended = self._paused = None

    def _on_repair_requested(self, record: Record) -> None:
        for repair, _ in self._repairs.values():
            repair["overtaken"] = not repair["done"]
        self._repairs[record["seq"]] = repair_view(record), record
        self._ended = self._paused = None
        self._in_repair = True
        self._asked_in_repair.clear()

    def _on_repaired(self, record: Record) -> None:
        self._ended = self._paused = self._undoing = None
        self._in_repair = False
        repair, request = self._repairs.get(record["request"], (None, {}))
        if repair is None:
            return
        repair["done"] = True
        told: Record = {key: request[key] for key in ("version", "origin", "listens", "names") if key in request}
        self._started = {**self._require_start(), **told}
        if "steps" in request:  # another workflow has taken the place of the one it started with
            self._steps.replan(request["steps"])
            self._blocks = Blocks(request["steps"], request.get("parts", ()))
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
        if "by" in record:
            self._repairs[record["seq"]] = answer_view(record), record
        self._waits.unknown.pop(record["step"], None)
        self._asked_in_repair.discard(record["step"])
        self._steps.call(record)

    def _on_unknown(self, record: Record) -> None:
        self._waits.lost(record)
        if self._in_repair:
            self._asked_in_repair.add(record["step"])
        self._steps.call(record)

    def _on_evaluation_failed(self, record: Record) -> None:
        """What had no value may be a block's condition or the workflow's output, which have no row of their own."""
        if self._steps.knows(record["step"]):
            self._steps.call(record, self._before_wait(record["step"]))

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
        for step in self._blocks.passed_by(record):
            self._steps.skip(step, record["at"])

    def _on_foreach(self, record: Record) -> None:
        self._steps.expect(record["step"], record["count"], record.get("steps", ()))

    def _on_timer(self, record: Record) -> None:
        step, reason = record["step"], record["reason"]
        if reason == "timeout":
            self._deadlines.started(timer_view(record), self._blocks, self._under_way)
            if self._steps.knows(step):
                self._waits.limit(step, record["due"])
            return
        self._waits.timer(record)
        if reason == "retry":
            self._steps.retry(step, record["due"], record["at"])
        elif reason == "wait":
            self._steps.turn(step, "waiting", record["at"])

    def _under_way(self) -> set[str]:
        """The instances of steps that do something or wait, and of loops between two rounds."""
        timers = {timer["step"] for timer in self._waits.timers.values()}
        return timers | set(self._steps.forward.under_way())

    def _on_timer_fired(self, record: Record) -> None:
        timer = self._waits.fired(record["timer"])
        step, _, reason = record["timer"].rpartition("!")
        if timer is not None and timer["reason"] == "wait":
            self._steps.turn(timer["step"], "completed", record["at"])
        elif timer is None and reason == "timeout":
            self._on_timeout(step, record["at"])

    def _on_timeout(self, step: str, at: str) -> None:
        self._deadlines.over(step)
        if self._waits.is_waiting(step):
            self._waits.over(step)
            self._steps.turn(step, "timed-out", at, {"type": "timeout", "message": "no event came in time"})
        elif self._steps.knows(step):
            self._late.add(step)

    def _on_wait(self, record: Record) -> None:
        self._steps.turn(record["step"], "waiting", record["at"], was=self._before_wait(record["step"]))
        self._waits.begun(record)

    def _before_wait(self, step: str) -> StepStatus:
        """How a step stood that waits for events, or is about to: some that came early may have seemed to be all."""
        return "completed" if self._waits.seems_over(step) else "pending"

    def _on_wait_withdrawn(self, record: Record) -> None:
        self._waits.withdrawn(record)
        if record["wait"].endswith("!retry"):
            self._steps.give_up(record["step"], record["at"])
        elif self._steps.knows(record["step"]) and self._steps.status_of(record["step"]) in ACTIVE:
            self._steps.turn(record["step"], "cancelled", record["at"])

    def _on_received(self, record: Record) -> None:
        self._waits.received(record)

    def _on_matched(self, record: Record) -> None:
        self._waits.looked_at(record["event"])
        step = record["step"]
        was = self._before_wait(step)
        if record["value"] and self._waits.matched(step, record["event"]):
            self._steps.turn(step, "completed", record["at"], was=was)

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
        if record["step"] in self._late:
            self._late.discard(record["step"])
            status = "timed-out" if status == "cancelled" else status
        self._steps.turn(record["step"], status, record["at"], error)

    def _on_task_created(self, record: Record) -> None:
        self._steps.turn(record["step"], "waiting", record["at"])

    def _on_task_decided(self, record: Record) -> None:
        """Whether a refusal fails the step is the workflow's choice (`onReject`); the end of the execution tells."""
        if not self._tasks.is_open(record["task"]):
            self._steps.turn(step_of(record["task"]), "completed", record["at"])

    def _on_task_expired(self, record: Record) -> None:
        error: ErrorData = {"type": "task.timeout", "message": "nobody decided in time"}
        self._steps.turn(step_of(record["task"]), "timed-out", record["at"], error)

    def _on_task_escalated(self, record: Record) -> None:
        self._steps.turn(step_of(record["task"]), "waiting", record["at"], was="timed-out")

    def _on_task_withdrawn(self, record: Record) -> None:
        self._steps.turn(step_of(record["task"]), "cancelled", record["at"])

    def _on_compensation(self, record: Record) -> None:
        self._undoing, self._paused = record, None
        self._stop(record)
        self._steps.plan_compensations(record["steps"])

    def _on_cancel(self, record: Record) -> None:
        by_workers = self._driver is not None and self._driver["host"] == WORKERS
        self._unheard = not by_workers and (self._paused is None or not self._paused.get("pivot"))
        self._cancel = {"by": record["by"], "reason": record["reason"], "at": record["at"]}

    def _on_nothing(self, record: Record) -> None:
        """What changes no status: computed keys, an error that goes its way to a handler.

        Nor does a sealed torn line: what it began to say never happened.
        """


# What is recorded without a driver. All else of those comes from one, who has seen what was recorded before.
_OF_OTHERS = frozenset({"cancel.requested", "event.received", "task.decided", "driver.stopped", "journal.recovered"})

_HANDLERS: dict[str, Callable[[ExecutionFold, Record], None]] = {
    "execution.started": ExecutionFold._on_start,
    "execution.ended": ExecutionFold._on_end,
    "execution.resumed": ExecutionFold._on_resumed,
    "execution.paused": ExecutionFold._on_paused,
    "execution.repaired": ExecutionFold._on_repaired,
    "repair.requested": ExecutionFold._on_repair_requested,
    "compensation.requested": ExecutionFold._on_compensation_requested,
    "driver.started": ExecutionFold._on_driver_start,
    "driver.stopped": ExecutionFold._on_driver_stop,
    "step.started": ExecutionFold._on_call,
    "step.completed": ExecutionFold._on_call,
    "step.failed": ExecutionFold._on_call,
    "step.cancelled": ExecutionFold._on_call,
    "step.unknown": ExecutionFold._on_unknown,
    "step.retried": ExecutionFold._on_call,
    "evaluation.failed": ExecutionFold._on_evaluation_failed,
    "failure.raised": ExecutionFold._on_nothing,
    "decision.made": ExecutionFold._on_decision,
    "foreach.started": ExecutionFold._on_foreach,
    "values.set": ExecutionFold._on_nothing,
    "timer.started": ExecutionFold._on_timer,
    "timer.fired": ExecutionFold._on_timer_fired,
    "wait.started": ExecutionFold._on_wait,
    "wait.withdrawn": ExecutionFold._on_wait_withdrawn,
    "event.received": ExecutionFold._on_received,
    "event.matched": ExecutionFold._on_matched,
    "event.emitted": ExecutionFold._on_emitted,
    "event.published": ExecutionFold._on_published,
    "child.started": ExecutionFold._on_child,
    "child.recalled": ExecutionFold._on_child_recalled,
    "child.ended": ExecutionFold._on_child_ended,
    "task.created": ExecutionFold._on_task_created,
    "task.decided": ExecutionFold._on_task_decided,
    "task.expired": ExecutionFold._on_task_expired,
    "task.escalated": ExecutionFold._on_task_escalated,
    "task.withdrawn": ExecutionFold._on_task_withdrawn,
    "compensation.started": ExecutionFold._on_compensation,
    "cancel.requested": ExecutionFold._on_cancel,
    "journal.recovered": ExecutionFold._on_nothing,
}

"""What each type of fact does to a run: one small function for each.

The table at the end is all that a version knows. What it does not name is refused (C16).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from wfrun.core.answers import EFFECTS, is_ambiguous
from wfrun.core.effects import Listen
from wfrun.core.fibers import Cancelled, stop_id
from wfrun.core.human import Task
from wfrun.core.repair_history import COMPENSATE, UNDONE

if TYPE_CHECKING:
    from wfrun.core.events import Record
    from wfrun.core.run import Run


def _driver_started(run: Run, record: Record) -> None:
    run.epoch = record["epoch"]


def _step_started(run: Run, record: Record) -> None:
    id = run.expected(record)
    run.interpreter.begun.setdefault(record["step"], record["at"])
    if id in run.begun:
        # An earlier runner had begun it and died. Whatever this attempt answers, that one may have had its effect.
        run.interpreter.in_doubt.add(record["step"])
    run.begun[id] = record
    run.again.discard(id)


def _step_completed(run: Run, record: Record) -> None:
    _answer(run, record)
    run.begun.pop(EFFECTS["step.completed"](record), None)


def _step_failed(run: Run, record: Record) -> None:
    id = run.expected(record)
    if is_ambiguous(record["error"]):
        run.interpreter.in_doubt.add(record["step"])
    if stop_id(id) in run.pending:
        run.stopped.add(record["seq"])
    run.begun.pop(id, None)
    _answer(run, record)


def _step_cancelled(run: Run, record: Record) -> None:
    id = run.expected(record)
    if record.get("begun", True):
        run.interpreter.in_doubt.add(record["step"])
    run.begun.pop(id, None)
    run.scheduler.answer(id, Cancelled())


def _step_unknown(run: Run, record: Record) -> None:
    _intended(run, record)
    run.interpreter.in_doubt.add(record["step"])


def _step_retried(run: Run, record: Record) -> None:
    """Time that a person took to decide is not taken from the step."""
    id = run.expected(record)
    if id not in run.recorded:
        raise run.diverged(record, f"nobody was asked about {id}")
    del run.recorded[id]
    run.again.add(id)
    run.interpreter.begun.pop(record["step"], None)
    run.scheduler.emit_again([run.pending[id]])


def _wait_withdrawn(run: Run, record: Record) -> None:
    """Of a timer that was only waited for by what has been stopped, it is told when that has gone on."""
    if stop_id(record["wait"]) in run.pending and record["wait"] not in run.pending:
        run.scheduler.settle(record["wait"])
    else:
        run.scheduler.answer(run.expected(record), Cancelled())


def _event_received(run: Run, record: Record) -> None:
    """Whoever waits for events looks again. Those that are looking already will come to it."""
    run.interpreter.inbox.append(record["event"])
    for id in [effect.id for effect in run.pending.values() if isinstance(effect, Listen)]:
        if run.scheduler.listens(id):
            run.scheduler.answer(id, record, keep=True)


def _child_ended(run: Run, record: Record) -> None:
    """A child that ended after it was told to stop was stopped, unless it had completed before."""
    id = run.expected(record)
    stopped = stop_id(id) in run.pending and record["status"] != "completed"
    if stopped:
        run.stopped.add(record["seq"])
    if record["status"] in UNDONE and not record["step"].startswith(COMPENSATE):
        run.interpreter.amended.end_round(record["step"])
    run.scheduler.answer(id, Cancelled(answer=record) if stopped else record)


def _task_created(run: Run, record: Record) -> None:
    _intended(run, record)
    run.tasks[record["task"]] = Task.of(record)


def _task_decided(run: Run, record: Record) -> None:
    _open_task(run, record).decided(record)
    run.scheduler.answer(record["task"], record, keep=True)


def _task_expired(run: Run, record: Record) -> None:
    _open_task(run, record)
    run.scheduler.answer(record["task"], record, keep=True)


def _task_escalated(run: Run, record: Record) -> None:
    task = _open_task(run, record)
    _answer(run, record)
    task.escalated(record)


def _task_withdrawn(run: Run, record: Record) -> None:
    _open_task(run, record).closed = record
    run.scheduler.answer(record["task"], Cancelled())


def _compensation_requested(run: Run, record: Record) -> None:
    _answer_to(run, record, "recall" if run.ended is not None else "paused")
    run.ended = None


def _cancel_requested(run: Run, record: Record) -> None:
    run.saga.cancel()


def _execution_ended(run: Run, record: Record) -> None:
    _answer(run, record)
    run.scheduler.forget_stops()
    run.ended = record


def _execution_resumed(run: Run, record: Record) -> None:
    if run.ended is None:
        raise run.diverged(record, "only what had ended can be resumed")
    _answer_to(run, record, "repair")
    run.ended = None


def _answer(run: Run, record: Record) -> None:
    _answer_to(run, record, EFFECTS[record["type"]](record))


def _answer_to(run: Run, record: Record, effect: str) -> None:
    run.expect(record, effect)
    run.scheduler.answer(effect, record)


def _intended(run: Run, record: Record) -> None:
    run.recorded[run.expected(record)] = record


def _open_task(run: Run, record: Record) -> Task:
    run.expect(record, record["task"])
    task = run.tasks.get(record["task"])
    if task is None or task.closed is not None:
        raise run.diverged(record, "no such task was open")
    if record["type"] in ("task.decided", "task.expired") and not run.scheduler.listens(record["task"]):
        raise run.diverged(record, "the task had expired and was on its way to others")
    return task


FOLDS: Mapping[str, Callable[[Run, Record], None]] = {
    "execution.started": lambda run, record: run.start(record),
    "driver.started": _driver_started,
    "driver.stopped": lambda run, record: None,
    "step.started": _step_started,
    "step.completed": _step_completed,
    "step.failed": _step_failed,
    "step.cancelled": _step_cancelled,
    "step.unknown": _step_unknown,
    "step.retried": _step_retried,
    "decision.made": _answer,
    "values.set": _answer,
    "foreach.started": _answer,
    "failure.raised": _answer,
    "wait.withdrawn": _wait_withdrawn,
    "event.received": _event_received,
    "event.matched": _answer,
    "event.published": _answer,
    "child.ended": _child_ended,
    "timer.fired": _answer,
    **dict.fromkeys(("wait.started", "event.emitted", "child.started", "child.recalled", "timer.started"), _intended),
    "task.created": _task_created,
    "task.decided": _task_decided,
    "task.expired": _task_expired,
    "task.escalated": _task_escalated,
    "task.withdrawn": _task_withdrawn,
    "evaluation.failed": _answer,
    "execution.paused": _answer,
    "compensation.requested": _compensation_requested,
    "compensation.started": _answer,
    "cancel.requested": _cancel_requested,
    "execution.ended": _execution_ended,
    "execution.resumed": _execution_resumed,
    "repair.requested": lambda run, record: run.begin_repair(record),
    "execution.repaired": lambda run, record: run.end_repair(record),
    "journal.recovered": lambda run, record: None,
}

"""An execution is a fold over its journal: facts go in, intents come out.

    effects = run.apply(record)

`apply` never fails to be repeatable: cut the journal after any record, fold it again, and `pending` is the same. What
is in `pending` has been asked for and not been answered: after a crash it is performed again.

A fact that the plan cannot have led to is refused with DivergenceError, an unknown type of fact likewise (C16).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from wfrun.core.effects import CallService, Effect, Listen
from wfrun.core.events import ErrorData, Record
from wfrun.core.fibers import Cancelled, Scheduler, stop_id
from wfrun.core.human import Task
from wfrun.core.interpreter import Interpreter
from wfrun.core.plan.nodes import Plan
from wfrun.core.retry import end_of, matches
from wfrun.core.scope import Scope
from wfrun.core.values import Json
from wfrun.errors import DivergenceError

# Errors after which nobody knows whether the call had an effect: there was no answer, or one that could not be taken.
AMBIGUOUS = (
    "timeout",
    "adapter.defect",
    "adapter.result",
    "http.502",
    "http.504",
    "http.body",
    "http.connection",
    "http.result",
    "http.too-large",
    "python.exit-*",
    "python.signal-*",
    "python.too-large",
    "shell.output",
    "shell.signal-*",
    "shell.too-large",
)


class Run:
    """One execution. Plain state to read.

    `pending`: effects asked for and not answered, by id, in the order asked. `recorded`: of those the records of their
    intents, so that a new runner does not record them again; a call is, with its new epoch. `tasks`: every task there
    was.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.started: Record | None = None
        self.ended: Record | None = None
        self.epoch = 0
        self.tasks: dict[str, Task] = {}
        self.recorded: dict[str, Record] = {}
        self._begun: set[str] = set()
        self._scheduler = Scheduler()
        self.pending: Mapping[str, Effect] = self._scheduler.pending
        self._interpreter: Interpreter | None = None

    def apply(self, record: Record) -> tuple[Effect, ...]:
        """Fold one fact. Returns the effects it leads to, which the engine is to record and perform in this order."""
        fold = _FOLDS.get(record["type"])
        if fold is None:
            raise self._diverged(record, "this version does not know such a record", "use the version that wrote it")
        if self.ended is not None and record["type"] not in _BESIDES:
            raise self._diverged(record, "the execution had ended before")
        if self._interpreter is None:
            if record["type"] != "execution.started":
                raise self._diverged(record, "a journal begins with execution.started")
            fold(self, record)
        else:
            self._interpreter.at = record["at"]
            fold(self, record)
        effects = self._scheduler.run()
        if record["type"] in _MAY_CLOSE_A_TASK:
            self._close_task(record)
        return effects

    def deadline(self, call: CallService) -> datetime | None:
        """The instant that bounds all attempts at a step; None before the first has begun or without a `deadline`."""
        return end_of(call.node.deadline, self._running.begun.get(call.step))

    # ---- one small method for each type of fact

    def _execution_started(self, record: Record) -> None:
        if self._interpreter is not None:
            raise self._diverged(record, "an execution starts once")
        self.started = record
        execution: Json = {
            "id": record["execution"],
            "workflow": record["workflow"],
            "version": record["version"],
            "startedAt": record["at"],
            "attempt": 1,
        }
        scope = Scope(dict(record["input"]), {"execution": execution})
        self._interpreter = Interpreter(self.plan, record["execution"], record["seed"], scope, self._scheduler)
        self._interpreter.at = record["at"]
        self._interpreter.start()

    def _driver_started(self, record: Record) -> None:
        self.epoch = record["epoch"]

    def _nothing(self, record: Record) -> None:
        pass

    def _step_started(self, record: Record) -> None:
        id = f"{record['step']}#{record['attempt']}"
        self._expect(record, id)
        self._running.begun.setdefault(record["step"], record["at"])
        if id in self._begun:
            # An earlier runner had begun it and died. Whatever this attempt answers, that one may have had its effect.
            self._running.in_doubt.add(record["step"])
        self._begun.add(id)

    def _step_answered(self, record: Record) -> None:
        if record["type"] == "step.failed" and is_ambiguous(record["error"]):
            self._running.in_doubt.add(record["step"])
        id = f"{record['step']}#{record['attempt']}"
        self._begun.discard(id)
        self._answer(record, id)

    def _step_cancelled(self, record: Record) -> None:
        self._running.in_doubt.add(record["step"])
        id = f"{record['step']}#{record['attempt']}"
        self._expect(record, id)
        self._scheduler.answer(id, Cancelled())

    def _decision_made(self, record: Record) -> None:
        self._answer(record, f"{record['step']}?{record['of']}{record.get('case', '')}")

    def _values_set(self, record: Record) -> None:
        self._answer(record, f"{record['step']}!set")

    def _foreach_started(self, record: Record) -> None:
        self._answer(record, f"{record['step']}!items")

    def _failure_raised(self, record: Record) -> None:
        self._answer(record, f"{record['step']}!fail")

    def _wait_started(self, record: Record) -> None:
        self._intended(record, record["wait"])

    def _wait_withdrawn(self, record: Record) -> None:
        self._expect(record, record["wait"])
        self.recorded.pop(record["wait"], None)
        self._scheduler.answer(record["wait"], Cancelled())

    def _event_received(self, record: Record) -> None:
        """Whoever waits for events looks again. Those that are looking already will come to it."""
        self._running.inbox.append(record["event"])
        for id in [effect.id for effect in self.pending.values() if isinstance(effect, Listen)]:
            if self._scheduler.listens(id):
                self._scheduler.answer(id, record, keep=True)

    def _event_matched(self, record: Record) -> None:
        self._answer(record, f"{record['wait']}{record['listener']}/{record['event']}")

    def _event_emitted(self, record: Record) -> None:
        self._intended(record, f"{record['step']}!emit")

    def _event_published(self, record: Record) -> None:
        self._answer(record, f"{record['step']}!emit")

    def _child_begun(self, record: Record) -> None:
        self._intended(record, f"{record['step']}!child")

    def _child_ended(self, record: Record) -> None:
        """A child that ended after it was told to stop was stopped, unless it had completed before."""
        id = f"{record['step']}!child"
        self._expect(record, id)
        stopped = stop_id(id) in self.pending and record["status"] != "completed"
        self._scheduler.answer(id, Cancelled() if stopped else record)
        self.recorded.pop(id, None)

    def _timer_started(self, record: Record) -> None:
        self._intended(record, record["timer"])

    def _timer_fired(self, record: Record) -> None:
        self._answer(record, record["timer"])

    def _task_created(self, record: Record) -> None:
        self._intended(record, record["task"])
        self.tasks[record["task"]] = Task.of(record)

    def _task_decided(self, record: Record) -> None:
        self._open_task(record).votes.append(record)
        self._scheduler.answer(record["task"], record, keep=True)

    def _task_expired(self, record: Record) -> None:
        self._open_task(record)
        self._scheduler.answer(record["task"], record, keep=True)

    def _task_escalated(self, record: Record) -> None:
        self._open_task(record).escalated(record)
        self._answer(record, f"{record['task']}!{record['level']}")

    def _task_withdrawn(self, record: Record) -> None:
        self._open_task(record).closed = record
        self._scheduler.answer(record["task"], Cancelled())

    def _evaluation_failed(self, record: Record) -> None:
        self._answer(record, record["effect"])

    def _execution_paused(self, record: Record) -> None:
        self._answer(record, "pause")

    def _compensation_requested(self, record: Record) -> None:
        self._answer(record, "recall" if self.ended is not None else "paused")
        self.ended = None

    def _compensation_started(self, record: Record) -> None:
        self._answer(record, "compensate")

    def _cancel_requested(self, record: Record) -> None:
        self._running.cancel()

    def _execution_ended(self, record: Record) -> None:
        self._answer(record, f"end:{record['status']}")
        self.ended = record

    def _close_task(self, record: Record) -> None:
        """A task is closed by what made it need no further answer; its failed escalation is named by `effect`."""
        id = record.get("task") or record["effect"].rpartition("!")[0]
        task = self.tasks.get(id)
        if task is not None and task.closed is None and id not in self.pending:
            task.closed = record

    def _execution_resumed(self, record: Record) -> None:
        if self.ended is None:
            raise self._diverged(record, "only what had ended can be resumed")
        self._answer(record, "repair")
        self.ended = None

    # ---- checks

    @property
    def _running(self) -> Interpreter:
        assert self._interpreter is not None
        return self._interpreter

    def _answer(self, record: Record, effect: str) -> None:
        self._expect(record, effect)
        self.recorded.pop(effect, None)
        self._scheduler.answer(effect, record)

    def _intended(self, record: Record, effect: str) -> None:
        self._expect(record, effect)
        self.recorded[effect] = record

    def _expect(self, record: Record, effect: str) -> None:
        if effect not in self.pending:
            raise self._diverged(record, f"nothing had asked for {effect}")

    def _open_task(self, record: Record) -> Task:
        self._expect(record, record["task"])
        task = self.tasks.get(record["task"])
        if task is None or task.closed is not None:
            raise self._diverged(record, "no such task was open")
        if record["type"] in ("task.decided", "task.expired") and not self._scheduler.listens(record["task"]):
            raise self._diverged(record, "the task had expired and was on its way to others")
        return task

    def _diverged(self, record: Record, why: str, hint: str = "") -> DivergenceError:
        return DivergenceError(
            "journal.divergence",
            f"record {record.get('seq')} ({record.get('type')}) does not fit workflow {self.plan.name!r}: {why}",
            hint=hint or "the definition is not the one that wrote this journal, or the journal was altered",
        )


def is_ambiguous(error: ErrorData) -> bool:
    return matches(AMBIGUOUS, error["type"])


_FOLDS: dict[str, Callable[[Run, Record], None]] = {
    "execution.started": Run._execution_started,
    "driver.started": Run._driver_started,
    "driver.stopped": Run._nothing,
    "step.started": Run._step_started,
    "step.completed": Run._step_answered,
    "step.failed": Run._step_answered,
    "step.cancelled": Run._step_cancelled,
    "decision.made": Run._decision_made,
    "values.set": Run._values_set,
    "foreach.started": Run._foreach_started,
    "failure.raised": Run._failure_raised,
    "wait.started": Run._wait_started,
    "wait.withdrawn": Run._wait_withdrawn,
    "event.received": Run._event_received,
    "event.matched": Run._event_matched,
    "event.emitted": Run._event_emitted,
    "event.published": Run._event_published,
    "child.started": Run._child_begun,
    "child.recalled": Run._child_begun,
    "child.ended": Run._child_ended,
    "timer.started": Run._timer_started,
    "timer.fired": Run._timer_fired,
    "task.created": Run._task_created,
    "task.decided": Run._task_decided,
    "task.expired": Run._task_expired,
    "task.escalated": Run._task_escalated,
    "task.withdrawn": Run._task_withdrawn,
    "evaluation.failed": Run._evaluation_failed,
    "execution.paused": Run._execution_paused,
    "compensation.requested": Run._compensation_requested,
    "compensation.started": Run._compensation_started,
    "cancel.requested": Run._cancel_requested,
    "execution.ended": Run._execution_ended,
    "execution.resumed": Run._execution_resumed,
    "journal.recovered": Run._nothing,
}

# Facts about the journal itself, which may follow even the end.
_BESIDES = frozenset(
    {
        "driver.started",
        "driver.stopped",
        "journal.recovered",
        "cancel.requested",
        "event.received",
        "execution.resumed",
        "compensation.requested",
    }
)

_MAY_CLOSE_A_TASK = frozenset({"task.decided", "task.expired", "evaluation.failed"})

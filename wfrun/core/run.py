"""An execution is a fold over its journal: facts go in, intents come out.

    effects = run.apply(record)

`apply` never fails to be repeatable: cut the journal after any record, fold it again, and `pending` is the same. What
is in `pending` has been asked for and not been answered: after a crash it is performed again.

A repair is a fact, too. Once it is in force, what still counts of the history is folded anew, from the beginning.

A fact that the plan cannot have led to is refused with DivergenceError, an unknown type of fact likewise (C16).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from wfrun.core.answers import BESIDES, EFFECTS, MAY_CLOSE_A_TASK, effect_of, is_ambiguous
from wfrun.core.effects import CallService, Effect, Listen
from wfrun.core.fibers import Cancelled, Scheduler, stop_id
from wfrun.core.human import Task
from wfrun.core.interpreter import Interpreter
from wfrun.core.plan.nodes import Plan
from wfrun.core.repair_history import (
    COMPENSATE,
    UNDONE,
    Amendments,
    amendments,
    definition_of,
    effective,
    instance_of,
    sent_anew,
    undone_by,
)
from wfrun.core.retry import end_of
from wfrun.core.scope import Scope, Undo
from wfrun.core.values import Json
from wfrun.errors import DivergenceError

if TYPE_CHECKING:
    from wfrun.core.events import Record


class Run:
    """One execution. Plain state to read.

    `pending`: effects asked for and not answered, by id, in the order asked. `recorded`: of those the records of their
    intents, so that a new runner does not record them again; a call is, with its new epoch. `tasks`: every task there
    was. `records`: all that was folded. `begun`: calls that are out, by id, with the record that says so, `again` those
    of them that somebody has said to make again. `repairing`: the repair that is not in force yet. `stopped`: the
    numbers of failures of what had been told to stop.
    """

    def __init__(
        self, plan: Plan, plans: Callable[[str], Plan] | None = None, amended: Amendments | None = None
    ) -> None:
        """`plans` gives the plan of a definition by its hash, for a repair that replaces the workflow."""
        self.plan = plan
        self.records: list[Record] = []
        self.epoch = 0
        self.stopped: set[int] = set()
        self._unanswered: set[str] = set()
        self._plans = plans
        self._clear(amended or Amendments())

    def _clear(self, amended: Amendments) -> None:
        self.started: Record | None = None
        self.ended: Record | None = None
        self.repairing: Record | None = None
        self.tasks: dict[str, Task] = {}
        self.begun: dict[str, Record] = {}
        self.again: set[str] = set()
        self._amended = amended
        self._follow(Scheduler())
        self._interpreter: Interpreter | None = None

    def _follow(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self.pending: Mapping[str, Effect] = scheduler.pending
        self.recorded: dict[str, Record] = scheduler.recorded

    def apply(self, record: Record) -> tuple[Effect, ...]:
        """Fold one fact. Returns the effects it leads to, which the engine is to record and perform in this order."""
        fold = _FOLDS.get(record["type"])
        if fold is None:
            raise self._diverged(record, "this version does not know such a record", "use the version that wrote it")
        if self.ended is not None and record["type"] not in BESIDES:
            raise self._diverged(record, "the execution had ended before")
        effects = self._take(fold, record)
        self.records.append(record)
        return effects

    def _take(self, fold: Callable[[Run, Record], None], record: Record) -> tuple[Effect, ...]:
        if self._interpreter is not None:
            self._interpreter.at = record["at"]
        elif record["type"] != "execution.started":
            raise self._diverged(record, "a journal begins with execution.started")
        fold(self, record)
        effects = self._scheduler.run()
        if record["type"] in MAY_CLOSE_A_TASK:
            self._close_task(record)
        return effects

    def outstanding(self) -> tuple[Effect, ...]:
        """What somebody who takes over is to perform: all that is pending, but no call that is only to be stopped."""
        return self._scheduler.outstanding()

    def deadline(self, call: CallService) -> datetime | None:
        """The instant that bounds all attempts at a step; None before the first has begun or without a `deadline`."""
        return end_of(call.node.deadline, self.interpreter.begun.get(call.step))

    @property
    def is_paused(self) -> bool:
        """Nothing goes on until somebody says how: after a failure that is not undone, or a part that was."""
        return "pause" in self.pending or "paused" in self.pending

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
        self._interpreter = Interpreter(
            self.plan, record["execution"], record["seed"], scope, self._scheduler, self._amended
        )
        self._interpreter.at = record["at"]
        self._interpreter.start()

    def _driver_started(self, record: Record) -> None:
        self.epoch = record["epoch"]

    def _step_started(self, record: Record) -> None:
        id = self._expected(record)
        self.interpreter.begun.setdefault(record["step"], record["at"])
        if id in self.begun:
            # An earlier runner had begun it and died. Whatever this attempt answers, that one may have had its effect.
            self.interpreter.in_doubt.add(record["step"])
        self.begun[id] = record
        self.again.discard(id)

    def _step_completed(self, record: Record) -> None:
        self._answer(record)
        self.begun.pop(EFFECTS["step.completed"](record), None)

    def _step_failed(self, record: Record) -> None:
        id = self._expected(record)
        if is_ambiguous(record["error"]):
            self.interpreter.in_doubt.add(record["step"])
        if stop_id(id) in self.pending:
            self.stopped.add(record["seq"])
        self.begun.pop(id, None)
        self._answer(record)

    def _step_cancelled(self, record: Record) -> None:
        id = self._expected(record)
        self.interpreter.in_doubt.add(record["step"])
        self.begun.pop(id, None)
        self._scheduler.answer(id, Cancelled())

    def _step_unknown(self, record: Record) -> None:
        self._intended(record)
        self.interpreter.in_doubt.add(record["step"])

    def _step_retried(self, record: Record) -> None:
        """Time that a person took to decide is not taken from the step."""
        id = self._expected(record)
        if id not in self.recorded:
            raise self._diverged(record, f"nobody was asked about {id}")
        del self.recorded[id]
        self.again.add(id)
        self.interpreter.begun.pop(record["step"], None)
        self._scheduler.emit_again([self.pending[id]])

    def _wait_withdrawn(self, record: Record) -> None:
        """Of a timer that was only waited for by what has been stopped, it is told when that has gone on."""
        if stop_id(record["wait"]) in self.pending and record["wait"] not in self.pending:
            self._scheduler.settle(record["wait"])
        else:
            self._scheduler.answer(self._expected(record), Cancelled())

    def _event_received(self, record: Record) -> None:
        """Whoever waits for events looks again. Those that are looking already will come to it."""
        self.interpreter.inbox.append(record["event"])
        for id in [effect.id for effect in self.pending.values() if isinstance(effect, Listen)]:
            if self._scheduler.listens(id):
                self._scheduler.answer(id, record, keep=True)

    def _child_ended(self, record: Record) -> None:
        """A child that ended after it was told to stop was stopped, unless it had completed before."""
        id = self._expected(record)
        stopped = stop_id(id) in self.pending and record["status"] != "completed"
        if stopped:
            self.stopped.add(record["seq"])
        if record["status"] in UNDONE and not record["step"].startswith(COMPENSATE):
            self.interpreter.ended_round(record["step"])
        self._scheduler.answer(id, Cancelled() if stopped else record)

    def _task_created(self, record: Record) -> None:
        self._intended(record)
        self.tasks[record["task"]] = Task.of(record)

    def _task_decided(self, record: Record) -> None:
        self._open_task(record).votes.append(record)
        self._scheduler.answer(record["task"], record, keep=True)

    def _task_expired(self, record: Record) -> None:
        self._open_task(record)
        self._scheduler.answer(record["task"], record, keep=True)

    def _task_escalated(self, record: Record) -> None:
        task = self._open_task(record)
        self._answer(record)
        task.escalated(record)

    def _task_withdrawn(self, record: Record) -> None:
        self._open_task(record).closed = record
        self._scheduler.answer(record["task"], Cancelled())

    def _compensation_requested(self, record: Record) -> None:
        self._answer_to(record, "recall" if self.ended is not None else "paused")
        self.ended = None

    def _cancel_requested(self, record: Record) -> None:
        self.interpreter.cancel()

    def _execution_ended(self, record: Record) -> None:
        self._answer(record)
        self._scheduler.forget_stops()
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
        self._answer_to(record, "repair")
        self.ended = None

    # ---- repairs

    def _repair_requested(self, record: Record) -> None:
        """Whatever was going on is over; what is to be undone is undone, and then the repair is in force."""
        self.interpreter.in_doubt.update(id.rpartition("#")[0] for id in self.begun)
        undos = [self._undo_of(record, step) for step in record["undo"]]
        for task in self.tasks.values():
            task.closed = task.closed or record
        self._unanswered |= self.begun.keys() - self.again
        self.begun, self.again, self.ended, self.repairing = {}, set(), None, record
        self.interpreter.repair(record["seq"], undos)
        self._follow(self.interpreter.scheduler)

    def _undo_of(self, record: Record, step: str) -> Undo:
        """How to undo a step that was done, or a call that is out and has not been answered."""
        if step in self.interpreter.undos:
            return self.interpreter.undos[step]
        for effect in self.pending.values():
            if isinstance(effect, CallService) and effect.step == step and effect.id in self.begun:
                return Undo(step, effect.node.compensation, None, effect.setting.scope.remember(), {})
        raise self._diverged(record, f"there is nothing of {step} to be undone")

    def _execution_repaired(self, record: Record) -> None:
        self._expected(record)
        assert self.repairing is not None
        action, step = self.repairing["action"], self.repairing.get("step")
        self._fold_anew([*self.records, record])
        # What had been stopped goes on at somebody's word. Of what had not been answered still nobody knows.
        self.again, self._unanswered = self.begun.keys() - self._unanswered, set()
        self.interpreter.at = record["at"]
        if action == "compensate":
            message = f"it was undone back to {step}, and waits for a repair"
            self.interpreter.hold({"type": "execution.held", "message": message})
            self._follow(self.interpreter.scheduler)
        else:
            self._scheduler.emit_again(self.outstanding())

    def _fold_anew(self, records: Sequence[Record]) -> None:
        before, tasks = self.interpreter, self.tasks
        if (definition := definition_of(records)) is not None:
            self.plan = self._plan_of(records[-1], definition)
        self._clear(amendments(records))
        for record in effective(records):
            self.reach(record)
            self._take(_FOLDS[record["type"]], record)
        self.interpreter.carry_on(before, sent_anew(records))
        self.tasks = {**tasks, **self.tasks}

    def reach(self, record: Record, *, in_turn: bool = False) -> None:
        """Begin the branch that a record tells of, if it is only waiting until another has ended.

        That other one has ended, and a repair has taken it back: it must not cost this one its turn.
        """
        effect, instance = effect_of(record), instance_of(record)
        while effect is not None and instance is not None and effect not in self.pending:
            if not self.interpreter.begin_branch(undone_by(instance), in_turn=in_turn):
                return
            self._scheduler.run()

    def _plan_of(self, record: Record, definition: str) -> Plan:
        if definition == self.plan.document.sha256:
            return self.plan
        if self._plans is None:
            raise self._diverged(record, "its workflow was replaced, and the new one is not at hand")
        return self._plans(definition)

    # ---- checks

    @property
    def interpreter(self) -> Interpreter:
        assert self._interpreter is not None
        return self._interpreter

    def _answer(self, record: Record) -> None:
        self._answer_to(record, EFFECTS[record["type"]](record))

    def _answer_to(self, record: Record, effect: str) -> None:
        self._expect(record, effect)
        self._scheduler.answer(effect, record)

    def _intended(self, record: Record) -> None:
        self.recorded[self._expected(record)] = record

    def _expected(self, record: Record) -> str:
        effect = EFFECTS[record["type"]](record)
        self._expect(record, effect)
        return effect

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


_FOLDS: dict[str, Callable[[Run, Record], None]] = {
    "execution.started": Run._execution_started,
    "driver.started": Run._driver_started,
    "driver.stopped": lambda run, record: None,
    "step.started": Run._step_started,
    "step.completed": Run._step_completed,
    "step.failed": Run._step_failed,
    "step.cancelled": Run._step_cancelled,
    "step.unknown": Run._step_unknown,
    "step.retried": Run._step_retried,
    "decision.made": Run._answer,
    "values.set": Run._answer,
    "foreach.started": Run._answer,
    "failure.raised": Run._answer,
    "wait.withdrawn": Run._wait_withdrawn,
    "event.received": Run._event_received,
    "event.matched": Run._answer,
    "event.published": Run._answer,
    "child.ended": Run._child_ended,
    "timer.fired": Run._answer,
    **dict.fromkeys(
        ("wait.started", "event.emitted", "child.started", "child.recalled", "timer.started"), Run._intended
    ),
    "task.created": Run._task_created,
    "task.decided": Run._task_decided,
    "task.expired": Run._task_expired,
    "task.escalated": Run._task_escalated,
    "task.withdrawn": Run._task_withdrawn,
    "evaluation.failed": Run._answer,
    "execution.paused": Run._answer,
    "compensation.requested": Run._compensation_requested,
    "compensation.started": Run._answer,
    "cancel.requested": Run._cancel_requested,
    "execution.ended": Run._execution_ended,
    "execution.resumed": Run._execution_resumed,
    "repair.requested": Run._repair_requested,
    "execution.repaired": Run._execution_repaired,
    "journal.recovered": lambda run, record: None,
}

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

from wfrun.core.answers import BESIDES, EFFECTS, MAY_CLOSE_A_TASK, effect_of
from wfrun.core.effects import CallService, Effect
from wfrun.core.fibers import Scheduler
from wfrun.core.folds import FOLDS
from wfrun.core.human import Task
from wfrun.core.interpreter import Interpreter
from wfrun.core.plan.nodes import Plan
from wfrun.core.repair_history import (
    Amendments,
    amendments,
    definition_of,
    effective,
    instance_of,
    sent_anew,
    stopped_unheard,
    undone_by,
)
from wfrun.core.retry import end_of
from wfrun.core.saga import Saga
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
        self._saga: Saga | None = None

    def _follow(self, scheduler: Scheduler) -> None:
        self.scheduler = scheduler
        self.pending: Mapping[str, Effect] = scheduler.pending
        self.recorded: dict[str, Record] = scheduler.recorded

    def apply(self, record: Record) -> tuple[Effect, ...]:
        """Fold one fact. Returns the effects it leads to, which the engine is to record and perform in this order."""
        fold = FOLDS.get(record["type"])
        if fold is None:
            raise self.diverged(record, "this version does not know such a record", "use the version that wrote it")
        if self.ended is not None and record["type"] not in BESIDES:
            raise self.diverged(record, "the execution had ended before")
        effects = self._take(fold, record)
        self.records.append(record)
        return effects

    def _take(self, fold: Callable[[Run, Record], None], record: Record) -> tuple[Effect, ...]:
        if self._saga is not None:
            self.interpreter.at = record["at"]
        elif record["type"] != "execution.started":
            raise self.diverged(record, "a journal begins with execution.started")
        fold(self, record)
        self._amended.requested(record)
        effects = self.scheduler.run()
        if record["type"] in MAY_CLOSE_A_TASK:
            self._close_task(record)
        return effects

    def outstanding(self) -> tuple[Effect, ...]:
        """What somebody who takes over is to perform: all that is pending, but no call that is only to be stopped."""
        return self.scheduler.outstanding()

    def deadline(self, call: CallService) -> datetime | None:
        """The instant that bounds all attempts at a step; None before the first has begun or without a `deadline`."""
        return end_of(call.node.deadline, self.interpreter.begun.get(call.step))

    def unsettled(self) -> dict[str, Undo]:
        """The calls that can be undone, may have had an effect, and have not come to their end, as they were begun."""
        return self.interpreter.may_have_acted({record["step"] for record in self.begun.values()})

    @property
    def is_paused(self) -> bool:
        """Nothing goes on until somebody says how: after a failure that is not undone, or a part that was."""
        return "pause" in self.pending or "paused" in self.pending

    def start(self, record: Record) -> None:
        if self._saga is not None:
            raise self.diverged(record, "an execution starts once")
        self.started = record
        execution: Json = {
            "id": record["execution"],
            "workflow": record["workflow"],
            "version": record["version"],
            "startedAt": record["at"],
            "attempt": 1,
        }
        steps = Interpreter(self.plan, record["execution"], record["seed"], self.scheduler, self._amended)
        steps.at = record["at"]
        self._saga = Saga(steps, Scope(dict(record["input"]), {"execution": execution}))
        self._saga.start()

    def _close_task(self, record: Record) -> None:
        """A task is closed by what made it need no further answer; its failed escalation is named by `effect`."""
        id = record.get("task") or record["effect"].rpartition("!")[0]
        task = self.tasks.get(id)
        if task is not None and task.closed is None and id not in self.pending:
            task.closed = record

    @property
    def saga(self) -> Saga:
        assert self._saga is not None
        return self._saga

    @property
    def interpreter(self) -> Interpreter:
        return self.saga.steps

    # ---- repairs

    def begin_repair(self, record: Record) -> None:
        """Whatever was going on is over; what is to be undone is undone, and then the repair is in force."""
        self.interpreter.in_doubt.update(id.rpartition("#")[0] for id in self.begun)
        unsettled = self.interpreter.may_have_acted()
        undos = [self._undo_of(record, step, unsettled) for step in record["undo"]]
        for task in self.tasks.values():
            task.closed = task.closed or record
        self._unanswered |= self.begun.keys() - self.again
        self._unanswered |= {str(effect_of(record)) for record in stopped_unheard(effective(self.records))}
        self.begun, self.again, self.ended, self.repairing = {}, set(), None, record
        self.saga.repair(record["seq"], undos)
        self._follow(self.interpreter.scheduler)

    def _undo_of(self, record: Record, step: str, unsettled: Mapping[str, Undo]) -> Undo:
        """How to undo a step that was done, or a call that may have had an effect."""
        if step in self.interpreter.undos:
            return self.interpreter.undos[step]
        if step in unsettled:
            return unsettled[step]
        raise self.diverged(record, f"there is nothing of {step} to be undone")

    def end_repair(self, record: Record) -> None:
        self.expected(record)
        assert self.repairing is not None
        action, step = self.repairing["action"], self.repairing.get("step")
        self._fold_anew([*self.records, record])
        # What had been stopped goes on at somebody's word. Of what had not been answered still nobody knows.
        self.again, self._unanswered = self.begun.keys() - self._unanswered, set()
        self.interpreter.at = record["at"]
        if record.get("cancelled") and action == "compensate":
            self.saga.give_up()
            self._follow(self.interpreter.scheduler)
        elif action == "compensate":
            message = f"it was undone back to {step}, and waits for a repair"
            for task in self.tasks.values():
                task.closed = task.closed or record
            self.saga.hold({"type": "execution.held", "message": message})
            self._follow(self.interpreter.scheduler)
        else:
            if record.get("cancelled"):
                self.saga.cancel_at_end()
            self.scheduler.emit_again(self.outstanding())

    def _fold_anew(self, records: Sequence[Record]) -> None:
        before, tasks = self.interpreter, self.tasks
        if (definition := definition_of(records)) is not None:
            self.plan = self._plan_of(records[-1], definition)
        amended = amendments(records)
        # It stays behind, also while the step that it was runs again.
        amended.past_pivot = before.has_passed_pivot
        self._clear(amended)
        for record in effective(records):
            self.reach(record)
            self._take(FOLDS[record["type"]], record)
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
            self.scheduler.run()

    def _plan_of(self, record: Record, definition: str) -> Plan:
        if definition == self.plan.document.sha256:
            return self.plan
        if self._plans is None:
            raise self.diverged(record, "its workflow was replaced, and the new one is not at hand")
        return self._plans(definition)

    # ---- checks

    def expected(self, record: Record) -> str:
        """The effect that a fact answers, or tells the beginning of. Raises DivergenceError if nobody asked for it."""
        effect = EFFECTS[record["type"]](record)
        self.expect(record, effect)
        return effect

    def expect(self, record: Record, effect: str) -> None:
        if effect not in self.pending:
            raise self.diverged(record, f"nothing had asked for {effect}")

    def diverged(self, record: Record, why: str, hint: str = "") -> DivergenceError:
        return DivergenceError(
            "journal.divergence",
            f"record {record.get('seq')} ({record.get('type')}) does not fit workflow {self.plan.name!r}: {why}",
            hint=hint or "the definition is not the one that wrote this journal, or the journal was altered",
        )

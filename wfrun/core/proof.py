"""Whether a journal is one that its definition allows: each record is held against what the interpreter leads to.

What comes from outside is taken as given: the input, the seed, what services answered, what people said, and when. All
else is worked out anew from that, and has to stand in the journal exactly so: which step is begun, with which input,
key and attempt, what a condition came to and what it saw, until when something waits, whose word counts, what is
undone, how it ends.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from typing import Any, NamedTuple

from wfrun.core.answers import effect_of
from wfrun.core.effects import CallService, Effect, EscalateTask, OpenTask
from wfrun.core.events import Record
from wfrun.core.fibers import stop_id
from wfrun.core.human import Task, Vote, judge
from wfrun.core.instants import parse_instant
from wfrun.core.plan import Plan
from wfrun.core.proof_calls import Calls
from wfrun.core.proof_repairs import check_repair
from wfrun.core.proof_terms import SLACK, Unfounded, compare
from wfrun.core.repair_history import instance_of
from wfrun.core.repair_refusals import not_failed, reasons_not_to_undo
from wfrun.core.run import Run
from wfrun.core.values import Json
from wfrun.errors import DivergenceError, WfrunError

# What a journal that was made by hand can do to the fold before anything notices that it makes no sense.
_NONSENSE = (LookupError, TypeError, ValueError, AttributeError, AssertionError)

# What earlier versions did not tell.
_NEWER = ("pivot", "settable")

FillIn = Callable[[Task, Vote], Mapping[str, Json]]


class Misfit(NamedTuple):
    """The first record that cannot have come about. `expected` and `recorded` are what differs, where that is known."""

    seq: int
    type: str
    step: str | None
    message: str
    expected: Json
    recorded: Json


class Prover:
    """Folds a journal, and holds each record against what is asked for at that point, before it is folded.

    `plans` gives the plan of a definition by its hash; `fill_in` the data of a vote as its task's form has it, or an
    error. After a misfit nothing more can be said: what follows depends on it. How a repair works out what it sets
    aside may differ between versions of wfrun: only that of `version`, this one, is worked out again.
    """

    def __init__(self, plan: Plan, plans: Callable[[str], Plan], fill_in: FillIn, version: str) -> None:
        self.run = Run(plan, plans)
        self._plans = plans
        self._fill_in = fill_in
        self._version = version
        self._driver = ""
        self._calls = Calls(self.run)
        self._events: set[str] = set()

    def prove(self, records: Iterable[Record]) -> Misfit | None:
        """The first record that does not fit; None if all do."""
        return next((misfit for record in records if (misfit := self.take(record)) is not None), None)

    def take(self, record: Record) -> Misfit | None:
        try:
            self._judge(record)
            self.run.apply(record)
        except Unfounded as unfounded:
            return _misfit(record, unfounded)
        except DivergenceError as error:
            return _misfit(record, Unfounded(error.message.partition(": ")[2], self._asked_for()))
        except _NONSENSE as error:
            return _misfit(record, Unfounded(f"it makes no sense here ({type(error).__name__}: {error})"))
        return None

    def _judge(self, record: Record) -> None:
        check = _CHECKS.get(record["type"])
        if check is not None:
            check(self, record)

    def _asked_for(self) -> list[Json]:
        return [*self.run.pending]

    # ---- what is asked for

    def _effect(self, record: Record) -> Effect:
        """The effect that a record is about: it has to be asked for, and not yet be answered."""
        id = effect_of(record)
        effect = self.run.pending.get(id or "")
        if effect is None:
            raise Unfounded(f"nothing had asked for {id}", self._asked_for())
        return effect

    def _derived(self, record: Record) -> None:
        """All that it says follows from what stands before it."""
        effect = self._effect(record)
        if effect.id in self.run.recorded and record["type"] != "evaluation.failed":
            raise Unfounded(f"{effect.id} had been recorded before")
        fresh = effect.prepare()[0] if isinstance(effect, CallService) else effect.intent()
        compare(fresh, record, but=self._unsaid(record))

    def _unsaid(self, record: Record) -> list[str]:
        """That somebody had cancelled it while a repair undid something, earlier versions did not heed either."""
        newer = _NEWER if self._driver == self._version else (*_NEWER, "cancelled")
        return [name for name in newer if name not in record]

    def _intended(self, record: Record) -> Record:
        """What answers something of which the journal says that it had been begun."""
        effect = self._effect(record)
        if effect.id not in self.run.recorded:
            raise Unfounded(f"{effect.id} had not been begun")
        return self.run.recorded[effect.id]

    def _told_to_stop(self, record: Record) -> None:
        if stop_id(effect_of(record) or "") not in self.run.pending:
            raise Unfounded(f"nothing had told {effect_of(record)} to stop", self._asked_for())

    # ---- the execution

    def _execution_started(self, record: Record) -> None:
        plan = self.run.plan
        told = {"workflow": plan.name, "version": plan.version, "definition": plan.document.sha256}
        compare({**told, "steps": plan.step_names, "listens": list(plan.listens)}, _described(record))

    def _driver_started(self, record: Record) -> None:
        compare({"epoch": self.run.epoch + 1}, {"epoch": record["epoch"]})
        self._driver = record["wfrun"]
        self._calls.taken_over(record)

    def _driver_stopped(self, record: Record) -> None:
        compare({"epoch": self.run.epoch}, {"epoch": record["epoch"]})
        if not self._calls.driven:
            raise Unfounded("nobody drove it")
        self._calls.driven = False

    def _cancel_requested(self, record: Record) -> None:
        if self.run.ended is not None:
            raise Unfounded(f"it had ended as {self.run.ended['status']}")

    def _compensation_requested(self, record: Record) -> None:
        parent = self._started.get("parent", {}).get("execution")
        if record["by"] != parent and (reasons := reasons_not_to_undo(self.run)):
            raise Unfounded(reasons[0].message)

    def _execution_resumed(self, record: Record) -> None:
        for compensation in record.get("waived", ()):
            if (reason_not_to := not_failed(self.run, compensation)) is not None:
                raise Unfounded(reason_not_to.message)

    def _repair_requested(self, record: Record) -> None:
        if self._driver == self._version:
            check_repair(self.run, record, self._plans)

    @property
    def _started(self) -> Record:
        if self.run.started is None:
            raise Unfounded("a journal begins with execution.started")
        return self.run.started

    # ---- calls

    def _step_started(self, record: Record) -> None:
        effect = self._effect(record)
        if not isinstance(effect, CallService):
            raise Unfounded(f"{effect.id} is no call")
        compare(effect.prepare()[0], record, but=("epoch",))
        self._calls.check_start(record, effect)

    def _step_completed(self, record: Record) -> None:
        effect = self._effect(record)
        if effect.id not in self.run.begun:
            raise Unfounded(f"{effect.id} had not been begun")
        self._calls.check_answer(record, effect)

    def _step_failed(self, record: Record) -> None:
        effect = self._effect(record)
        if effect.id in self.run.begun:
            self._calls.check_answer(record, effect)
        else:
            self._derived(record)
        if not 0 <= record["random"] <= 1:
            raise Unfounded("the jitter is between 0 and 1", None, record["random"])

    def _step_cancelled(self, record: Record) -> None:
        self._told_to_stop(record)
        self._calls.check_stop(record, self._effect(record))

    def _step_unknown(self, record: Record) -> None:
        self._calls.check_question(record, self._effect(record))

    # ---- waiting

    def _timer_fired(self, record: Record) -> None:
        started = self._intended(record)
        if "by" not in record and parse_instant(record["at"]) < parse_instant(started["due"]):
            raise Unfounded("it fired early", started["due"], record["at"])
        if "by" in record and started["reason"] == "timeout":
            raise Unfounded("nobody can end the time that a step has")

    def _event_received(self, record: Record) -> None:
        id = record["event"]["id"]
        if id in self._events:
            raise Unfounded(f"event {id!r} had been recorded before")
        if self.run.ended is not None and self.run.ended["status"] != "needs-attention":
            raise Unfounded(f"it had ended as {self.run.ended['status']}")
        self._events.add(id)

    def _event_published(self, record: Record) -> None:
        self._intended(record)

    def _child_ended(self, record: Record) -> None:
        compare({"child": self._intended(record)["child"]}, {"child": record["child"]})

    # ---- people

    def _task_with_due(self, record: Record) -> None:
        """A task, or its escalation: the engine adds until when it waits, by its clock."""
        effect = self._effect(record)
        if not isinstance(effect, OpenTask | EscalateTask):
            raise Unfounded(f"{effect.id} is no task")
        if effect.id in self.run.recorded:
            raise Unfounded(f"{effect.id} had been recorded before")
        # A version that kept the quorum of those who were asked first did not say it of the others.
        unsaid = [] if "quorum" in record else ["quorum", "excludeInitiator"]
        fresh = effect.intent()
        if isinstance(effect, OpenTask) and fresh["type"] == record["type"]:
            unsaid += [name for name, text in effect.worded_before().items() if record.get(name) == text]
        compare(fresh, record, but=("due", *unsaid))
        _check_due(effect.timeout, record)

    def _task_decided(self, record: Record) -> None:
        task = self._task(record)
        if task.due is not None and parse_instant(record["at"]) > task.due + SLACK:
            raise Unfounded("the task had expired", task.due.isoformat(), record["at"])
        vote = Vote(record["decision"], record["by"], record["comment"], record["data"])
        try:
            judge(task, vote, self._started["initiator"])
            data = self._fill_in(task, vote)
        except WfrunError as error:
            raise Unfounded(error.message) from error
        compare({"data": dict(data)}, {"data": record["data"]})

    def _task_expired(self, record: Record) -> None:
        task = self._task(record)
        if task.due is None or parse_instant(record["at"]) < task.due - SLACK:
            due = None if task.due is None else task.due.isoformat()
            raise Unfounded("the task still had time", due, record["at"])

    def _task(self, record: Record) -> Task:
        task = self.run.tasks.get(record["task"])
        if task is None:
            raise Unfounded("there was no such task", [*self.run.tasks])
        return task


def _misfit(record: Record, unfounded: Unfounded) -> Misfit:
    seq, step = record.get("seq"), instance_of(record)
    number = seq if isinstance(seq, int) else 0
    return Misfit(number, str(record.get("type")), step, str(unfounded), unfounded.expected, unfounded.recorded)


def _described(record: Record) -> dict[str, Any]:
    """What a start, or a replacement, says of its definition."""
    names = ("workflow", "version", "definition", "steps")
    return {**{name: record[name] for name in names if name in record}, "listens": record.get("listens", [])}


def _check_due(timeout: int | None, record: Record) -> None:
    due = record["due"]
    if timeout is None or due is None:
        compare({"due": None} if timeout is None else {"due": "an instant"}, {"due": due})
        return
    expected = parse_instant(record["at"]) + timedelta(milliseconds=timeout)
    if abs(parse_instant(due) - expected) > SLACK:
        raise Unfounded("it is due at another time", expected.isoformat(), due)


_CHECKS: Mapping[str, Callable[[Prover, Record], None]] = {
    "execution.started": Prover._execution_started,
    "driver.started": Prover._driver_started,
    "driver.stopped": Prover._driver_stopped,
    "step.started": Prover._step_started,
    "step.completed": Prover._step_completed,
    "step.failed": Prover._step_failed,
    "step.cancelled": Prover._step_cancelled,
    "step.unknown": Prover._step_unknown,
    "decision.made": Prover._derived,
    "values.set": Prover._derived,
    "foreach.started": Prover._derived,
    "failure.raised": Prover._derived,
    "wait.started": Prover._derived,
    "wait.withdrawn": Prover._told_to_stop,
    "event.received": Prover._event_received,
    "event.matched": Prover._derived,
    "event.emitted": Prover._derived,
    "event.published": Prover._event_published,
    "child.started": Prover._derived,
    "child.recalled": Prover._derived,
    "child.ended": Prover._child_ended,
    "timer.started": Prover._derived,
    "timer.fired": Prover._timer_fired,
    "task.created": Prover._task_with_due,
    "task.decided": Prover._task_decided,
    "task.expired": Prover._task_expired,
    "task.escalated": Prover._task_with_due,
    "task.withdrawn": Prover._told_to_stop,
    "evaluation.failed": Prover._derived,
    "execution.paused": Prover._derived,
    "compensation.requested": Prover._compensation_requested,
    "compensation.started": Prover._derived,
    "cancel.requested": Prover._cancel_requested,
    "execution.ended": Prover._derived,
    "execution.resumed": Prover._execution_resumed,
    "repair.requested": Prover._repair_requested,
    "execution.repaired": Prover._derived,
}

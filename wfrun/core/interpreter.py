"""What a plan means: what all its steps have in common. Each kind of step is one of `steps`, all around them the saga.

Control flow reads as control flow there. A sequence is a `for`, a conditional an `if`, a retry a loop, and the saga
surrounds all of it. A coroutine that needs something from outside performs an effect and gets back the fact that
answered it; whether that fact has just happened or is read from a journal it cannot tell.

    saga ── body ── step ── one of `steps`: blocks, crews, loops, calls, people, waits, values, children
      │                       └ a fiber for each branch, in a scope of its own
      └── take back ── undo ── calls
"""

from __future__ import annotations

from collections.abc import Callable, Container, Coroutine, Iterable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, cast

from wfrun.core.definition import Path
from wfrun.core.effects import (
    Compute,
    Decide,
    Effect,
    Setting,
    StartTimer,
)
from wfrun.core.expression import MISSING, Expression, Template
from wfrun.core.fibers import Cancelled, Failed, Group, Scheduler, Strand
from wfrun.core.instants import parse_instant
from wfrun.core.plan import nodes
from wfrun.core.plan.nodes import Await, Call, Child, HumanTask, Node, Plan, Step, has_columns, keys_of
from wfrun.core.repair_history import COMPENSATE, Amendments, Given, undone_by
from wfrun.core.scope import Scope, Undo
from wfrun.core.steps import blocks, calls, children, crews, loops, people, values, waits
from wfrun.core.values import Json

if TYPE_CHECKING:
    from wfrun.core.events import ErrorData, EventData, Matter, Record

Kind: TypeAlias = Callable[["Interpreter", Any, Scope], Coroutine[Any, Any, None]]

KINDS: Mapping[type[Node], Kind] = {
    nodes.Call: calls.call,
    nodes.Sequence: blocks.sequence,
    nodes.Conditional: blocks.conditional,
    nodes.Switch: blocks.switch,
    nodes.Try: blocks.attempt,
    nodes.Parallel: crews.parallel,
    nodes.Foreach: crews.foreach,
    nodes.Loop: loops.loop,
    nodes.HumanTask: people.human_task,
    nodes.Pause: waits.pause,
    nodes.Await: waits.await_events,
    nodes.Emit: waits.emit,
    nodes.Set: values.set_values,
    nodes.Fail: values.fail,
    nodes.Finish: values.finish,
    nodes.Child: children.child,
}

# These remember what they have done themselves, with their results.
WITH_RESULT = (Call, Child, HumanTask, Await)


class Crowd(Protocol):
    """Branches of which not all may run at once."""

    def begin_early(self, instance: str, *, in_turn: bool) -> bool: ...


class Interpreter:
    """Drives the fibers of one execution.

    `at` is the instant of the fact that is being folded, `begun` the first start of each step instance, `attempted` the
    number of its last attempt, `in_doubt` the instances of which an attempt ended without anybody knowing whether it
    had an effect: they are undone, too (C11). `calling` are the calls that can be undone and have not come to their
    end: out, or waiting for the next attempt. `inbox` are the events received so far. `undos` is what has been done
    and can be undone, by instance in the order of completion, `failure` what the body ended with, and `given` the
    instances that did not run because a repair says what they come to. `waived`, with the round that it was in, need
    not be undone: somebody said so. `settled_early` are the blocks that have completed although not all of their
    branches have. `undoing` is what is being undone, and what comes after that, last completed first.
    """

    def __init__(self, plan: Plan, execution: str, seed: str, scheduler: Scheduler, amended: Amendments) -> None:
        self.plan = plan
        self.amended = amended
        self.execution = execution
        self.seed = seed
        self.at = ""
        self.begun: dict[str, str] = {}
        self.attempted: dict[str, int] = {}
        self.in_doubt: set[str] = set()
        self.calling: dict[str, tuple[Call, Scope]] = {}
        self.inbox: list[EventData] = []
        self.undos: dict[str, Undo] = {}
        self.undone_in_part: dict[tuple[str, int], int] = {}  # of a step and its round: how many calls have undone it
        self.failure: Failed | None = None
        self.given: set[str] = set()
        self.waived: dict[str, int] = {}
        self.settled_early: set[str] = set()
        self.undoing: dict[str, None] = {}
        self.crews: dict[Crowd, None] = {}
        self.scheduler = scheduler
        self._completed = 0
        self.has_passed_pivot = amended.past_pivot

    # ---- steps

    async def step(self, step: Step, scope: Scope) -> None:
        """One step, if its condition holds, within its bound. Raises Failed, Cancelled or Finished."""
        if self.amended.outputs and (given := self.amended.outputs.get(step.id + scope.iteration)) is not None:
            self._give(step, scope, given)
            return
        if step.condition is not None and not await self.decide(
            step.id, "step", step.condition, (*step.path, "condition"), scope
        ):
            return
        strand = KINDS[type(step)](self, step, scope)
        if step.bound is None:
            await strand
        elif (failed := await self.within(step.bound, step.id + scope.iteration, strand)) is not None:
            if not (isinstance(step, Await) and step.accept_timeout):
                raise Failed(waits.late(step, scope), failed)
            return
        if step.compensation and not isinstance(step, WITH_RESULT):
            self.remember(step, scope)

    def _give(self, step: Step, scope: Scope, given: Given) -> None:
        """The step counts as done, as somebody has said it is. What was done by hand can be undone, too."""
        self.given.add(step.id + scope.iteration)
        if given.value is not MISSING:
            for key, value in _by_key(step, cast("Json", given.value)).items():
                scope.set(key, value)
        if given.skipped:
            return
        if step.compensation or given.child is not None:
            self.remember(step, scope, {"result": cast("Json", given.value)}, given.child)
        if isinstance(step, Call) and step.pivot:
            self.pass_pivot(scope)

    async def within(self, bound: int, instance: str, strand: Strand) -> set[str] | None:
        """Run a strand for at most `bound` milliseconds. If it had to be stopped, what has failed in it, else None."""
        timer = f"{instance}!timeout"
        due = parse_instant(self.since(timer)) + timedelta(milliseconds=bound)
        group = Group(self.scheduler)
        body = group.spawn(strand)
        alarm = group.spawn(self._alarm(StartTimer(timer, instance, due, "timeout")))
        await group.next()
        self.scheduler.stop(group)
        await group.rest()
        if body.outcome is None:
            return None
        if alarm.outcome is None and isinstance(body.outcome, Cancelled):
            return body.outcome.along
        if alarm.outcome is None and isinstance(body.outcome, Failed) and not body.outcome.cleaning:
            return body.outcome.steps
        raise self.scheduler.passed_on(body.outcome)

    def since(self, timer: str) -> str:
        """The instant from which a timer counts: now, or when a repair has set it going anew."""
        return max(self.at, self.amended.since.get(timer, ""))

    async def _alarm(self, timer: StartTimer) -> None:
        await self.perform(timer)

    def remember(
        self,
        step: Step,
        scope: Scope,
        result: Mapping[str, Json] | None = None,
        child: str | None = None,
    ) -> None:
        """The step is to be undone if what it is part of fails."""
        instance = step.id + scope.iteration
        self._keep(scope, Undo(instance, step.compensation, child, scope.remember(), result or {}))

    def remember_unfinished(self, step: Step, scope: Scope, child: str) -> None:
        """A child could not undo itself, and goes on with that: the step's `compensate` is for one that completed."""
        self._keep(scope, Undo(step.id + scope.iteration, (), child, scope.remember(), {}))

    def _keep(self, scope: Scope, undo: Undo) -> None:
        self._completed += 1
        scope.done[self._completed] = self.undos[undo.step] = undo

    def may_have_acted(self, out: Container[str] = ()) -> dict[str, Undo]:
        """Of the calls that have not come to their end those that may have had an effect: `out`, or in doubt."""
        return {
            instance: Undo(instance, step.compensation, None, scope.remember(), {})
            for instance, (step, scope) in self.calling.items()
            if instance in self.in_doubt or instance in out
        }

    def settled(self, instance: str) -> None:
        """A call has completed: what was kept for further attempts is no longer needed."""
        self.begun.pop(instance, None)
        self.attempted.pop(instance, None)
        self.calling.pop(instance, None)
        self.in_doubt.discard(instance)

    def pass_pivot(self, scope: Scope) -> None:
        """From here on there is no going back: what fails waits for somebody."""
        self.has_passed_pivot = True
        scope.pass_pivot()

    # ---- undoing what steps have done

    async def undo(self, scope: Scope, orders: list[int], error: ErrorData | None) -> list[ErrorData]:
        """Undo some of what was done in a scope, last first; why some of it could not be.

        One that cannot be undone does not keep the others from it (C11).
        """
        failures: list[ErrorData] = []
        orders = sorted(orders, reverse=True)
        self.undoing |= dict.fromkeys(scope.done[order].step for order in orders)
        for order in orders:
            step = scope.done[order].step
            if step in self.amended.waived:
                self.let_stand(scope, order)
            elif (failed := await self._try_to_undo(scope, order, error)) is not None:
                failures.append(failed)
            self.undoing.pop(step, None)
        return failures

    async def _try_to_undo(self, scope: Scope, order: int, error: ErrorData | None) -> ErrorData | None:
        step = scope.done[order].step
        if self.waived.get(step) == self.amended.rounds.get(step, 0):
            del self.waived[step]  # it was the same to those outside: if this can be undone, nothing is left
        try:
            await calls.undo(self, scope.done[order], error)
        except Failed as failed:
            return failed.error
        self._was_undone(scope.done.pop(order).step)
        return None

    def let_stand(self, scope: Scope, order: int) -> None:
        step = scope.done.pop(order).step
        self.undos.pop(step, None)
        self.calling.pop(step, None)
        self.in_doubt.add(step)
        self.waive(step)

    def waive(self, instance: str) -> None:
        """Something of what it has done stays, as somebody has said."""
        self.waived[instance] = self.amended.rounds.get(instance, 0)

    def is_no_more_as_it_was(self, entry: Undo) -> bool:
        """Whether what is to stay cannot be taken up again: a child that ended, or what is or may be undone in part."""
        this = (entry.step, self.amended.rounds.get(entry.step, 0))
        return entry.child is not None or this in self.undone_in_part or entry.step in self.may_be_undone

    @property
    def may_be_undone(self) -> set[str]:
        """The instances of which a call that undoes them ended without anybody knowing whether it had an effect."""
        return {undone_by(step) for step in self.in_doubt if step.startswith(COMPENSATE)}

    def end_round(self, instance: str) -> None:
        """If the step runs once more it is another request, of which nothing has been undone."""
        self.amended.end_round(instance)
        self.in_doubt -= {step for step in self.in_doubt if step != instance and undone_by(step) == instance}

    def _was_undone(self, instance: str) -> None:
        self.undos.pop(instance, None)
        self.calling.pop(instance, None)
        self.in_doubt.discard(instance)
        self.end_round(instance)

    # ---- after a repair

    def carry_on(self, before: Interpreter, sent_anew: Iterable[str]) -> None:
        """Know what cannot be told from the records that still count.

        What was done and not undone may still have its effect, and deadlines count anew.
        """
        self.amended.rounds, self.amended.asked = before.amended.rounds, before.amended.asked
        left = [before.undos[step] for step in self.waived if step not in before.waived and step in before.undos]
        for step in self.waived:
            self.waive(step)
        self.waived |= before.waived
        self.in_doubt |= before.in_doubt | (before.undos.keys() - self.undos.keys())
        for step in (*sent_anew, *(entry.step for entry in left if before.is_no_more_as_it_was(entry))):
            self.end_round(step)
        self.begun.clear()

    def begin_branch(self, instance: str, *, in_turn: bool) -> bool:
        """Begin the branch that an instance is in, if one is waiting for its turn."""
        return any(crew.begin_early(instance, in_turn=in_turn) for crew in list(self.crews))

    # ---- what steps ask for

    async def perform(self, effect: Effect) -> Record:
        return await self.scheduler.perform(effect)

    async def ask(self, effect: Effect) -> Record:
        """Perform an effect whose expressions may have no value: then it raises Failed."""
        record = await self.scheduler.perform(effect)
        if record["type"] == "evaluation.failed":
            raise Failed(record["error"])
        return record

    async def decide(
        self, id: str, of: Matter, condition: Expression, path: Path, scope: Scope, case: int | None = None
    ) -> bool:
        instance = id + scope.iteration
        name = f"{instance}?{of}" if case is None else f"{instance}?{of}{case}"
        record = await self.ask(Decide(name, instance, of, case, condition, path, self.setting(scope)))
        return bool(record["value"])

    async def compute(
        self, id: str, templates: tuple[tuple[str, Template], ...], path: Path, scope: Scope
    ) -> dict[str, Json]:
        """Values of templates, all worked out in the same scope."""
        instance = id + scope.iteration
        record = await self.ask(Compute(f"{instance}!set", instance, templates, path, self.setting(scope)))
        return cast("dict[str, Json]", record["values"])

    def setting(self, scope: Scope) -> Setting:
        return Setting(self.execution, self.plan, scope, self.at, self.seed, self.amended)


def _by_key(step: Step, value: Json) -> dict[str, Json]:
    """What somebody says that a step gives, by the key under which others read it."""
    if not has_columns(step):
        return dict.fromkeys(keys_of(step), value)
    return {key: value[key] for key in keys_of(step) if key in value} if isinstance(value, dict) else {}

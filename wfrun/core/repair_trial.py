"""What is left of a history once some of it counts no more: it is folded again, and what does not fit falls away.

A step whose records are set aside is asked for anew. The flow of control then stops there, so that nobody asks for what
came after it, and those records fall away by themselves. Branches beside it are asked for as before.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple, cast

from wfrun.core.answers import effect_of
from wfrun.core.effects import CallService, Effect, StartChild, StartPause, StartTimer, Stop
from wfrun.core.fibers import Cancelled, stop_id
from wfrun.core.plan.nodes import Foreach, Loop, Parallel, Plan, Step, Task, Try, walk
from wfrun.core.repair_history import COMPENSATE, DEADLINE, STOPPED, Amendments, instance_of, is_timeout, undone_by
from wfrun.core.run import Run
from wfrun.core.values import Json, canonical
from wfrun.errors import DivergenceError

if TYPE_CHECKING:
    from wfrun.core.events import Event, Record

# Once an execution goes on, it has not ended, and nothing of it is undone any more.
_ENDS = frozenset(
    {
        "execution.paused",
        "execution.ended",
        "execution.resumed",
        "compensation.started",
        "compensation.requested",
        "cancel.requested",
    }
)

# What tells whether something comes out as it was recorded. Of everything else only that it is asked for.
_COMPARED = {
    "step.started": ("inputHash",),
    "decision.made": ("value",),
    "values.set": ("values",),
    "foreach.started": ("count",),
    "failure.raised": ("error",),
    "task.created": ("title", "description", "assignee", "form", "decisions", "quorum", "excludeInitiator", "data"),
    "task.escalated": ("assignee", "quorum", "excludeInitiator"),
    "child.started": ("workflow", "input", "detach"),
    "event.emitted": (),
    "event.matched": ("value",),
    "timer.started": ("due",),
    "evaluation.failed": (),
}


class Places:
    """The steps of a plan, and which instances are inside which."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._inside: dict[str, frozenset[str]] = {}

    @cached_property
    def steps(self) -> dict[str, Step]:
        return {step.id: step for step in walk(self._plan.root)}

    @cached_property
    def depths(self) -> Counter[str]:
        """In how many loops each step is: an instance of it is named with as many numbers."""
        return Counter(id for loop in self._loops for id in self._within(loop) if id != loop)

    @cached_property
    def _loops(self) -> list[str]:
        return [step.id for step in self.steps.values() if isinstance(step, Foreach | Loop)]

    def loops(self, id: str) -> list[str]:
        """The loops around a step, the outermost first."""
        return [loop for loop in self._loops if id != loop and id in self._within(loop)]

    @cached_property
    def handling(self) -> frozenset[str]:
        """The steps that only run when something has failed."""
        blocks = [step for step in self.steps.values() if isinstance(step, Try)]
        bodies = [handler.body for block in blocks for handler in block.handlers if handler.body is not None]
        return frozenset(each.id for body in bodies for each in walk(body))

    def races(self, instance: str) -> Iterator[str]:
        """The blocks around it for which some of their branches are enough."""
        id, _, round = instance.partition("@")
        for block in self.steps.values():
            if (
                isinstance(block, Parallel | Foreach)
                and block.crew.complete is not None
                and id in self._within(block.id) - {block.id}
            ):
                depth = self.depths[block.id]
                yield block.id + ("@" + ".".join(round.split(".")[:depth]) if depth else "")

    def step(self, instance: str) -> Step | None:
        return self.steps.get(undone_by(instance).partition("@")[0])

    def holds(self, outer: str, inner: str) -> bool:
        """Whether an instance is the other one or stands in it. Without its iteration, `outer` is every instance."""
        id, _, round = outer.partition("@")
        inner_id, _, inner_round = undone_by(inner).partition("@")
        return inner_id in self._within(id) and (not round or f"{inner_round}.".startswith(f"{round}."))

    def all_in(self, outer: str, instances: Collection[str]) -> set[str]:
        if outer in instances and len(self._within(outer.partition("@")[0])) == 1:
            return {outer}
        return {outer} | {each for each in instances if self.holds(outer, each)}

    def _within(self, id: str) -> frozenset[str]:
        if id not in self._inside:
            step = self.steps.get(id)
            self._inside[id] = frozenset(each.id for each in walk(step)) if step is not None else frozenset((id,))
        return self._inside[id]


class Change(NamedTuple):
    """A record that would come out differently now: as `fresh`, which `effect` leads to."""

    record: Record
    fresh: Event
    effect: Effect


class Trial:
    """One folding. `kept` and `dropped` are the records, `unasked` those of the dropped that nothing asked for,
    `put_aside` those of what is set aside.

    `changed` are the records that come out differently, if that is `judged`: their instances are set aside, too. With
    `in_turn`, what runs one after the other comes after what is set aside.
    """

    def __init__(
        self,
        plan: Plan,
        amended: Amendments,
        stopped: set[int],
        aside: set[str],
        places: Places,
        *,
        judged: bool = False,
        in_turn: bool = False,
    ) -> None:
        self.run = Run(plan, amended=replace(amended, rounds=dict(amended.rounds), asked={}))
        self.kept: list[Record] = []
        self.dropped: list[Record] = []
        self.unasked: list[Record] = []
        self.put_aside: list[Record] = []
        self.changed: list[Change] = []
        self.aside = set(aside)
        self._stopped = stopped
        self._places = places
        self._judged = judged
        self._in_turn = in_turn
        self._asked_otherwise: set[str] = set()
        self._missed: set[str] = set()

    def fold(self, history: Iterable[Record]) -> Trial:
        for record in history:
            (self.kept if self._counts(record) else self.dropped).append(record)
        return self

    def undone(self) -> set[str]:
        """The instances whose undoing had begun, and is no part of the flow any more: they are not done."""
        stays = self.run.interpreter.undoing.keys() | self.run.interpreter.amended.waived
        again = (record for record in self.put_aside if undone_by(instance_of(record) or "") not in stays)
        begun = (record for record in (*self.unasked, *again) if record["type"] in ("step.started", "child.recalled"))
        return {undone_by(record["step"]) for record in begun if record["step"].startswith(COMPENSATE)}

    def reached(self) -> set[str | None]:
        """The instances that there is something of, or that something is asked for."""
        return {instance_of(record) for record in self.kept} | steps_pending(self.run) | self.run.interpreter.given

    def done(self) -> list[str]:
        """The steps that have run, and for which nothing is asked; and what somebody has said was done, as was said."""
        given, pending = self.run.interpreter.given, steps_pending(self.run)
        found = dict.fromkeys(str(instance_of(record)) for record in self.kept if record["type"] != "decision.made")
        ran = (each for each in found if isinstance(self._places.step(each), Task) and each not in given)
        outputs = self.run.interpreter.amended.outputs
        by_hand = (each for each in outputs if each in given and not outputs[each].skipped)
        return [*(each for each in ran if each not in pending), *by_hand]

    def asks_otherwise(self) -> set[str]:
        """The calls that would go on as other requests than they were begun as."""
        return self._asked_otherwise & going_on(self.run)

    def without_harm(self, step: str) -> set[int]:
        """The records of blocks inside `step` that have completed although not all of their branches have."""
        settled = [each for each in self.run.interpreter.settled_early if self._places.holds(step, each)]
        return {
            record["seq"]
            for record in self.kept
            if any(self._places.holds(each, instance_of(record) or "") for each in settled)
        }

    def _counts(self, record: Record) -> bool:
        if record["type"] in _ENDS or self._has_gone_on(record):
            return False
        if self._is_aside(record):
            self.put_aside.append(record)
            return False
        if self.run.started is not None:
            self.run.reach(record, in_turn=self._in_turn)
        if self._judged and (change := self._change(record)) is not None:
            self.changed.append(change)
            self.aside.add(record["step"])
            return False
        if instance_of(record) not in self._missed and self._is_asked(record):
            return True
        self.unasked.append(record)
        # What began before it was asked for did so for another reason: the rest of it does not count either.
        if (instance := instance_of(record)) is not None:
            self._missed.add(instance)
        return False

    def _is_asked(self, record: Record) -> bool:
        try:
            self.run.apply(record)
        except DivergenceError:
            return False
        return True

    def _is_aside(self, record: Record) -> bool:
        instance = instance_of(record)
        if record.get("timer") == DEADLINE:
            return False
        if instance in self.aside:
            return True
        # What runs again must not be stopped at once by the time that ran out when it ran before.
        times_out = instance is not None and is_timeout(record)
        return times_out and any(self._places.holds(str(instance), each) for each in self.aside)

    def _has_gone_on(self, record: Record) -> bool:
        """It had been told to stop, and now nobody tells it to: a record of that counts only as the answer to it."""
        if record["type"] not in STOPPED and record["seq"] not in self._stopped:
            return False
        if stop_id(effect_of(record) or "") in self.run.pending:
            return False
        if record["type"] == "child.ended":
            # An execution of its own that was stopped does not go on: another one has to be started.
            self.aside.add(record["step"])
        return True

    def _change(self, record: Record) -> Change | None:
        effect = self.run.pending.get(effect_of(record) or "")
        if effect is None or not self._is_judged(record, effect):
            return None
        fresh: Event | None = effect.prepare()[0] if isinstance(effect, CallService) else effect.intent()
        if fresh is None:
            return None
        if _agree(fresh, record):
            if record["type"] == "step.started" and not asks_the_same(fresh, record):
                self._asked_otherwise.add(record["step"])
            return None
        return Change(record, fresh, effect)

    def _is_judged(self, record: Record, effect: Effect) -> bool:
        if record["type"] == "step.failed":
            # An input without a value is a failed attempt that was never begun.
            return effect.id not in self.run.begun
        if record["type"] == "timer.started":
            return isinstance(effect, StartPause)
        return record["type"] in _COMPARED


def steps_pending(run: Run) -> set[str]:
    """The instances that something is asked for."""
    return {step for effect in run.pending.values() if (step := getattr(effect, "step", None)) is not None}


def going_on(run: Run) -> set[str]:
    """The calls that go on where they were: they are out, in doubt, or wait for their next attempt."""
    out = {record["step"] for record in run.begun.values()}
    timers = (effect for effect in run.pending.values() if isinstance(effect, StartTimer))
    waiting = {timer.step for timer in timers if timer.reason == "retry"}
    return steps_pending(run) & (run.interpreter.in_doubt | out) | waiting


def steps_stopped(run: Run) -> set[str]:
    """The instances that something is asked for, and that have been told to stop before they get it."""
    pending = [effect for effect in run.pending.values() if not isinstance(effect, Stop)]
    on = {getattr(effect, "step", "") for effect in pending if not run.scheduler.stops(effect.id)}
    return {getattr(effect, "step", "") for effect in pending} - on


def children_begun(run: Run, asked: Mapping[str, Record]) -> Iterator[tuple[str, str]]:
    """The steps at which child executions are begun at once, or waited for, and those. `asked` is what each step has
    been called with last: with another input it is another execution."""
    for effect in run.pending.values():
        if not isinstance(effect, StartChild) or effect.node.detach or stop_id(effect.id) in run.pending:
            continue
        amended = replace(effect.setting.amended, asked=dict(asked))
        begun = effect._replace(setting=effect.setting._replace(amended=amended)).intent()
        if begun["type"] == "child.started":
            yield effect.step, begun["child"]


def stop_unbegun(run: Run) -> set[str]:
    """Go on to where calls have been stopped that nobody has begun, and nobody will: the instances that they are of."""
    steps: set[str] = set()
    while stopped := [id for id in run.pending if stop_id(id) in run.pending and _is_unbegun(run, id)]:
        for id in stopped:
            run.scheduler.answer(id, Cancelled())
        run.scheduler.run()
        steps |= {id.rpartition("#")[0] for id in stopped}
    return steps


def _is_unbegun(run: Run, id: str) -> bool:
    return isinstance(run.pending[id], CallService) and id not in run.begun


def asks_the_same(fresh: Event, record: Record) -> bool:
    """Whether two calls, or attempts at one, are the same request to those outside."""
    return _agree(fresh, record, ("inputHash", "service", "action", "key"))


def _agree(fresh: Event, record: Record, fields: Sequence[str] | None = None) -> bool:
    if fresh["type"] != record["type"]:
        return False
    if fields is None:
        fields = _COMPARED.get(record["type"], ())
    old, new = dict(record), dict(fresh)
    if record["type"] == "event.emitted":
        # An event is the same one whenever it is published.
        fields, old, new = ("type", "data"), record["event"], new["event"]  # type: ignore[assignment]
    # What an older version did not say of an escalation is no difference.
    said = [name for name in fields if name in old]
    return all(canonical(cast(Json, new.get(name))) == canonical(old[name]) for name in said)

"""A world for the pure core: it performs effects at once, by a script, in an order that a seed chooses.

No clock and no disk: time is a counter, the journal a list. What the core is tested against is the list.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from random import Random
from typing import Any, Self

from wfrun.core.definition import Document
from wfrun.core.effects import (
    AwaitRepair,
    CallService,
    Effect,
    EscalateTask,
    Listen,
    OpenTask,
    Publish,
    RecallChild,
    StartChild,
    StartPause,
    StartTimer,
    Stop,
)
from wfrun.core.events import ErrorData, Record, Repair
from wfrun.core.fibers import stop_id
from wfrun.core.instants import format_instant
from wfrun.core.plan import Plan, compile_plan
from wfrun.core.plan.sides import parts, shown_names
from wfrun.core.repair import Proposal, propose
from wfrun.core.run import Run
from wfrun.core.unknown import call_again, give_up, it_happened, lost
from wfrun.errors import ServiceError

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)

# What a service answers: (step instance, attempt, input) → result, or ServiceError raised.
Script = Callable[[str, int, Any], Any]

# How a child execution ends: (step instance, input) → {"status": …, "output": …}.
Children = Callable[[str, Any], dict[str, Any]]


def document(data: Any) -> Document:
    """A definition made in a test: positions do not matter."""
    source = repr(data).encode()
    return Document(data, {}, {}, "test.yaml", source, sha256(source).hexdigest())


def plan_of(*steps: Any, **more: Any) -> Plan:
    return compile_plan(document({"name": "test", "steps": list(steps), **more}))[0]


def call(name: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "service": "svc", "action": "do", **more}


def an_event(type: str, id: str, data: Any = None) -> dict[str, Any]:
    return {"id": id, "type": type, "source": "test", "time": "2026-01-01T00:00:00Z", "data": data}


def completes(step: str, value: Any) -> dict[str, Any]:
    return {"status": "completed", "output": {"of": step}}


def answer_all(step: str, attempt: int, value: Any) -> Any:
    return {"of": step}


class World:
    """One execution and everything around it. `calls` are the calls that were begun, in order, as (step, input)."""

    def __init__(
        self,
        plan: Plan,
        input: dict[str, Any] | None = None,
        script: Script = answer_all,
        seed: int | None = None,
        people: Callable[[str], dict[str, Any]] | None = None,
        children: Children = completes,
        events: list[dict[str, Any]] | None = None,
    ) -> None:
        """`events` arrive one by one at moments that the seed chooses; without one, when nothing else is to be done."""
        self.plan = plan
        self.script = script
        self.people = people
        self.children = children
        self.events = list(events or ())
        self.coming = list(self.events)
        self.random = Random(seed) if seed is not None else None
        self.records: list[Record] = []
        self.calls: list[tuple[str, Any]] = []
        self.plans: dict[str, Plan] = {}
        self.run = Run(plan, self.plans.__getitem__)
        self.open: dict[str, Effect] = {}
        self._asked: deque[Effect] = deque()
        self._intending = False
        self._inputs: dict[str, Any] = {}
        self.add(
            {
                "type": "execution.started",
                "format": 1,
                "execution": "e1",
                "workflow": plan.name,
                "version": plan.version,
                "definition": "d" * 64,
                "input": input or {},
                "seed": "5eed",
                "initiator": "ann",
                "steps": plan.step_names,
                "origin": {"file": "test.yaml"},
                "parts": parts(plan.root),
                "names": shown_names(plan.root),
            }
        )

    @classmethod
    def resumed(cls, before: World, records: list[Record], seed: int | None) -> Self:
        """Another process takes over after the journal was cut: it knows the records and nothing else."""
        world = cls.__new__(cls)
        world.plan, world.script, world.people = before.plan, before.script, before.people
        world.children = before.children
        received = {record["event"]["id"] for record in records if record["type"] == "event.received"}
        world.coming = [event for event in before.events if event["id"] not in received]
        world.events = before.events
        world.random = Random(seed) if seed is not None else None
        world.records = list(records)
        world.calls = []
        world.plans = before.plans
        world.run = Run(before.plan, world.plans.__getitem__)
        world.open, world._inputs = {}, {}
        world._asked, world._intending = deque(), False
        for record in records:
            world.run.apply(record)
        world.add({"type": "driver.started", "epoch": world.run.epoch + 1, "host": "h", "pid": 1, "wfrun": "0"})
        world._intend(tuple(world.run.pending.values()))
        return world

    # ---- facts

    def add(self, event: Any) -> None:
        seq = len(self.records)
        record = {**event, "seq": seq, "at": format_instant(EPOCH + timedelta(seconds=seq)), "prev": ""}
        self.records.append(record)
        self._intend(self.run.apply(record))

    def _intend(self, effects: tuple[Effect, ...]) -> None:
        """Record intents in the order in which they were asked for, also those that others lead to."""
        self._asked.extend(effects)
        if self._intending:
            return
        self._intending = True
        while self._asked:
            effect = self._asked.popleft()
            if isinstance(effect, CallService) and stop_id(effect.id) in self.run.pending:
                self.open[effect.id] = effect
                continue
            if effect.id in self.run.recorded:
                self.open[effect.id] = effect
                continue
            if effect.id in self.run.pending:
                self._record(effect)
            self._keep(effect)
        self._intending = False

    def _record(self, effect: Effect) -> None:
        if (unknown := lost(self.run, effect)) is not None:
            self.add(unknown)
        elif isinstance(effect, CallService):
            event, value = effect.prepare()
            if event["type"] == "step.started":
                self.calls.append((effect.step, value))
                self._inputs[effect.id] = value
            self.add(event)
        elif (intent := effect.intent()) is not None:
            self.add(self._with_due(effect, intent))

    def _with_due(self, effect: Effect, intent: Any) -> Any:
        if not isinstance(effect, OpenTask | EscalateTask) or effect.timeout is None or "due" not in intent:
            return intent
        now = EPOCH + timedelta(seconds=len(self.records))
        return {**intent, "due": format_instant(now + timedelta(milliseconds=effect.timeout))}

    def _keep(self, effect: Effect) -> None:
        if isinstance(effect, Stop):
            if effect.of == "call" and effect.target in self.run.pending:
                # Whoever took over has not begun the call, and says that it has stopped.
                self.open.setdefault(effect.target, self.run.pending[effect.target])
        elif effect.id in self.run.pending:
            self.open[effect.id] = effect

    # ---- the outside

    def step(self) -> bool:
        """Answer one open effect: the first, or the one that the seed chooses. False if there is none."""
        self.open = {id: effect for id, effect in self.open.items() if id in self.run.pending}
        if self.run.ended is not None:
            return False
        answerable = [effect for effect in self.open.values() if self._can_answer(effect)]
        # Nothing here takes as long as a timeout, unless nothing else is left to happen.
        in_time = [effect for effect in answerable if not _is_timeout(effect)]
        if self.coming and (not in_time or (self.random and self.random.random() < 0.2)):
            self.add({"type": "event.received", "event": self.coming.pop(0)})
            return True
        answerable = in_time or answerable
        if not answerable:
            return False
        effect = self.random.choice(answerable) if self.random else answerable[0]
        del self.open[effect.id]
        self._answer(effect)
        return True

    def propose(self, action: Repair, **wish: Any) -> Proposal:
        now = EPOCH + timedelta(seconds=len(self.records))
        return propose(self.run, action, **{"now": now, **wish})

    def repair(self, action: Repair, **wish: Any) -> Self:
        """Propose a repair that must not be refused, and record it. What it leads to by itself has happened then."""
        proposal = self.propose(action, **wish)
        assert proposal.reasons == ()
        if proposal.wish.replacement is not None:
            self.plans[proposal.wish.replacement.document.sha256] = proposal.wish.replacement
        self.add(proposal.request("ann"))
        return self

    def finish(self) -> Self:
        while self.step():
            pass
        return self

    def _can_answer(self, effect: Effect) -> bool:
        if isinstance(effect, Listen | AwaitRepair):
            return False
        if isinstance(effect, OpenTask) or self._is_asked(effect):
            return self.people is not None
        return True

    def _is_asked(self, effect: Effect) -> bool:
        """Whether a person is to say what became of a call whose runner died."""
        is_lost = isinstance(effect, CallService) and effect.id in self.run.recorded
        return is_lost and stop_id(effect.id) not in self.run.pending

    def _answer(self, effect: Effect) -> None:
        match effect:
            case CallService():
                self._answer_call(effect)
            case StartTimer() | StartPause():
                self.add({"type": "timer.fired", "timer": effect.id})
            case Publish():
                self.add({"type": "event.published", "step": effect.step, "reached": 0})
            case StartChild():
                self._answer_child(effect)
            case RecallChild():
                self.add({"type": "child.ended", "step": effect.step, "child": effect.child, "status": "compensated"})
            case OpenTask() if self.people is not None:
                self.add({"type": "task.decided", "task": effect.id, "comment": "", **self.people(effect.step)})

    def _answer_child(self, effect: StartChild) -> None:
        base = {"type": "child.ended", "step": effect.step, "child": effect.child}
        if stop_id(effect.id) in self.run.pending:
            self.add({**base, "status": "cancelled"})
        else:
            self.add({**base, **self.children(effect.step, self.run.recorded[effect.id]["input"])})

    def _answer_call(self, effect: CallService) -> None:
        base = {"step": effect.step, "attempt": effect.attempt}
        if stop_id(effect.id) in self.run.pending:
            self.add({"type": "step.cancelled", **base})
            return
        if self._is_asked(effect):
            self.add(self._verdict(effect.step))
            return
        try:
            result = self.script(effect.step, effect.attempt, self._inputs.get(effect.id))
        except ServiceError as error:
            data: ErrorData = {"type": error.type, "message": error.message}
            self.add({"type": "step.failed", **base, "error": data, "random": 0.5})
        else:
            self.add({"type": "step.completed", **base, "result": result})

    def _verdict(self, step: str) -> Any:
        verdict = self.random.choice(["again", "happened", "failed"]) if self.random else "again"
        match verdict:
            case "again":
                return call_again(self.run, step, "ann")
            case "happened":
                return it_happened(self.run, step, {"of": step}, "ann")
        return give_up(self.run, step, "ann")

    # ---- what came of it

    @property
    def status(self) -> str:
        return self.run.ended["status"] if self.run.ended else "open"

    @property
    def output(self) -> Any:
        return self.run.ended.get("output") if self.run.ended else None

    def of_type(self, *types: str) -> list[Record]:
        return [record for record in self.records if record["type"] in types]

    def steps(self, type: str = "step.started") -> list[str]:
        return [record["step"] for record in self.of_type(type)]


def _is_timeout(effect: Effect) -> bool:
    return isinstance(effect, StartTimer) and effect.reason == "timeout"

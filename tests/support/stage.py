"""Cases played in the pure core: every execution of a case, in virtual time, in an order that a seed chooses.

What is due at the same instant happens in any order; what is due later never happens before. So nothing depends on how
fast anything is, and a scenario has a day pass in no time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import cache, partial
from random import Random
from typing import Any, NamedTuple

from tests.support.cases import EXECUTION, INITIATOR, Case, Scenario
from tests.support.outcomes import Outcome, outcome_of
from tests.support.script import Answers, Course, event_of, milliseconds
from tests.support.world import EPOCH, World
from wfrun.adapters.contract import Call
from wfrun.adapters.mock_script import Answer
from wfrun.core.effects import (
    CallService,
    Effect,
    EscalateTask,
    OpenTask,
    Publish,
    RecallChild,
    StartChild,
    StartPause,
    StartTimer,
)
from wfrun.core.events import ErrorData
from wfrun.core.fibers import stop_id
from wfrun.core.human import Task, Vote, judge
from wfrun.core.instants import format_instant, parse_instant
from wfrun.core.plan import Plan, compile_plan
from wfrun.core.plan.nodes import Await, walk
from wfrun.core.repair_refusals import reasons_not_to_undo
from wfrun.engines.calls import error_data
from wfrun.errors import Problem, ServiceError, WfrunError
from wfrun.load.definition import load_definition
from wfrun.load.fields import check_fields

# More than happens in any case: one that goes on beyond it never ends.
ENOUGH = 5_000

# What an operator can do.
_DEEDS = {"cancel": "cancel.requested", "compensate": "compensation.requested"}


class Moment(NamedTuple):
    due: datetime
    act: Callable[[], None]


@cache
def compiled(case: Case, name: str | None = None) -> tuple[Plan, list[Problem]]:
    """The plan of a workflow of a case, and the advice about it."""
    file = case.workflow(name)
    return compile_plan(load_definition(file.read_bytes(), f"{case.name}/{file.name}"))


def play(case: Case, scenario: Scenario, seed: int | None = None) -> Outcome:
    """The pure core as a player."""
    return played(case, scenario, seed).outcome


def played(case: Case, scenario: Scenario, seed: int | None = None) -> Stage:
    stage = Stage(case, scenario, seed)
    stage.play()
    return stage


class Stage:
    """All executions of a scenario. `choices` is how often the seed had something to choose."""

    def __init__(self, case: Case, scenario: Scenario, seed: int | None = None) -> None:
        self.case = case
        self.scenario = scenario
        self.now = EPOCH
        self.choices = 0
        self.course = Course()
        self.actors: dict[str, Actor] = {}
        self._random = Random(seed) if seed is not None else None
        self._cues = list(enumerate([*scenario.events, *scenario.operator]))
        self.start(EXECUTION, None, scenario.input)

    @property
    def outcome(self) -> Outcome:
        return outcome_of({id: actor.records for id, actor in self.actors.items()}, EXECUTION)

    def start(self, execution: str, workflow: str | None, input: dict[str, Any]) -> None:
        self.actors[execution] = Actor(self, self.plan_of(workflow), execution, input)

    def plan_of(self, workflow: str | None) -> Plan:
        return compiled(self.case, workflow)[0]

    def play(self) -> None:
        for _ in range(ENOUGH):
            moments = [*self._cued(), *(moment for actor in self.actors.values() for moment in actor.moments())]
            if not moments:
                return
            self._next(moments)
        raise AssertionError(f"{self.case.name}: it does not come to an end")

    def _cued(self) -> Iterator[Moment]:
        for number, cue in self._cues:
            if (due := self.course.due(cue)) is not None:
                yield Moment(due, partial(self._take, number, cue))

    def _take(self, number: int, cue: dict[str, Any]) -> None:
        self._cues.remove((number, cue))
        if "type" in cue:
            self.publish(event_of(cue, number, self.now))
        elif cue["do"] == "cancel" or not reasons_not_to_undo(self.actors[EXECUTION].run):
            self.actors[EXECUTION].add({"type": _DEEDS[cue["do"]], "by": "operator", "reason": ""})

    def _next(self, moments: list[Moment]) -> None:
        self.now = max(self.now, min(moment.due for moment in moments))
        ready = [moment for moment in moments if moment.due <= self.now]
        self.choices += len(ready) > 1
        moment = self._random.choice(ready) if self._random else ready[0]
        moment.act()

    def publish(self, event: dict[str, Any]) -> int:
        """Every execution that has a wait for such an event gets it. How many there were."""
        reached = [actor for actor in self.actors.values() if actor.listens_to(event["type"])]
        for actor in reached:
            actor.add({"type": "event.received", "event": event})
        return len(reached)


class Actor(World):
    """One execution on a stage."""

    def __init__(self, stage: Stage, plan: Plan, execution: str, input: dict[str, Any]) -> None:
        self.stage = stage
        self.execution = execution
        self._since: dict[str, datetime] = {}
        self._told: set[str] = set()
        self._voted: dict[str, int] = {}
        self._answers: dict[str, tuple[datetime, Callable[[], Any]]] = {}
        self._events = {one.event for step in walk(plan.root) if isinstance(step, Await) for one in step.listeners}
        data: Any = plan.document.data
        self._services = Answers(data.get("services", {}), stage.scenario)
        given = check_fields(data["input"], input, file=data["name"], what="input") if "input" in data else input
        super().__init__(plan, given)

    # ---- facts

    def add(self, event: Any) -> None:
        if event["type"] == "execution.started":
            event = {**event, "execution": self.execution, "initiator": INITIATOR}
        record = {**event, "seq": len(self.records), "at": format_instant(self.stage.now), "prev": ""}
        self.records.append(record)
        self.stage.course.notice(record, self.stage.now)
        self._intend(self.run.apply(record))

    def _record(self, effect: Effect) -> None:
        if isinstance(effect, OpenTask | EscalateTask):
            event: Any = effect.intent()
            if event["type"] != "evaluation.failed" and effect.timeout is not None:
                event["due"] = format_instant(self.stage.now + milliseconds(effect.timeout))
            self.add(event)
        else:
            super()._record(effect)

    def _keep(self, effect: Effect) -> None:
        self._since.setdefault(effect.id, self.stage.now)
        super()._keep(effect)

    def listens_to(self, event: str) -> bool:
        return self.run.ended is None and event in self._events

    # ---- what can happen next

    def moments(self) -> Iterator[Moment]:
        if self.run.ended is not None:
            return
        self.open = {id: effect for id, effect in self.open.items() if id in self.run.pending}
        for effect in self.open.values():
            match effect:
                case CallService():
                    yield self._call(effect)
                case StartTimer(id=id) | StartPause(id=id):
                    due = parse_instant(self.run.recorded[id]["due"])
                    yield Moment(due, self._adding({"type": "timer.fired", "timer": id}))
                case Publish():
                    yield Moment(self.stage.now, self._publishing(effect))
                case OpenTask():
                    yield from self._task(effect)
                case StartChild():
                    yield from self._child(effect)
                case RecallChild():
                    yield from self._recall(effect)

    def _adding(self, event: dict[str, Any]) -> Callable[[], None]:
        return lambda: self.add(event)

    def _publishing(self, effect: Publish) -> Callable[[], None]:
        def act() -> None:
            reached = self.stage.publish(self.run.recorded[effect.id]["event"])
            self.add({"type": "event.published", "step": effect.step, "reached": reached})

        return act

    # ---- calls

    def _call(self, effect: CallService) -> Moment:
        base = {"step": effect.step, "attempt": effect.attempt}
        if stop_id(effect.id) in self.run.pending:
            return Moment(self.stage.now, self._adding({"type": "step.cancelled", **base}))
        if effect.id not in self._answers:
            self._answers[effect.id] = self._answer_to(effect)
        due, answer = self._answers[effect.id]
        return Moment(due, lambda: self.add({**base, **answer()}))

    def _answer_to(self, effect: CallService) -> tuple[datetime, Callable[[], Any]]:
        """When the call ends, and how: with its answer, or because its time is up."""
        node, since = effect.node, self._since[effect.id]
        call = Call(self.execution, effect.step, effect.attempt, "", node.service, node.action, self._inputs[effect.id])
        answer = self._services.answer(call)
        limits = [since + milliseconds(node.timeout)] if node.timeout is not None else []
        limits += [deadline] if (deadline := self.run.deadline(effect)) is not None else []
        limits += [since + _until_silent(answer, node.heartbeat)] if node.heartbeat is not None else []
        ends = since + timedelta(seconds=min(answer.delay_seconds, 10**9))
        if limits and min(limits) < ends:
            late: ErrorData = {"type": "timeout", "message": "no answer in time"}
            return min(limits), lambda: _failed(late)
        return ends, lambda: _answered(answer, call)

    # ---- people

    def _task(self, effect: OpenTask) -> Iterator[Moment]:
        votes = self._services.scripted(self.stage.scenario.people, effect.step) or []
        number = self._voted.get(effect.id, 0)
        if number < len(votes):
            vote = votes[number]
            due = self._since[effect.id] + milliseconds(vote.get("after", 0))
            yield Moment(due, lambda: self._vote(effect, vote))
        if (expires := self.run.tasks[effect.id].due) is not None:
            yield Moment(expires, self._adding({"type": "task.expired", "task": effect.id}))

    def _vote(self, effect: OpenTask, written: dict[str, Any]) -> None:
        self._voted[effect.id] = self._voted.get(effect.id, 0) + 1
        vote = Vote(written["decision"], written["by"], written.get("comment", ""), written.get("data", {}))
        refused = refusal(self.run.tasks[effect.id], vote)
        assert written.get("refused") in (refused, "perhaps"), f"{vote}: {refused or 'was accepted'}"
        if refused is not None:
            return
        decided = {"decision": vote.decision, "by": vote.by, "comment": vote.comment, "data": vote.data}
        self.add({"type": "task.decided", "task": effect.id, **decided})

    # ---- children

    def _child(self, effect: StartChild) -> Iterator[Moment]:
        child = self.stage.actors.get(effect.child)
        stops = stop_id(effect.id) in self.run.pending
        base = {"type": "child.ended", "step": effect.step, "child": effect.child}
        if child is None and stops:
            yield Moment(self.stage.now, self._adding({**base, "status": "cancelled"}))
        elif child is None:
            yield Moment(self.stage.now, lambda: self._start(effect))
        elif effect.node.detach:
            yield Moment(self.stage.now, self._adding({**base, "status": "completed"}))
        elif child.run.ended is not None:
            ended: dict[str, Any] = {
                key: child.run.ended[key] for key in ("status", "output", "error", "pivot") if key in child.run.ended
            }
            yield Moment(self.stage.now, self._adding({**base, **ended}))
        elif stops and effect.id not in self._told:
            yield Moment(self.stage.now, lambda: self._tell(effect.id, child, "cancel.requested"))

    def _start(self, effect: StartChild) -> None:
        self.stage.start(effect.child, effect.node.workflow, self.run.recorded[effect.id]["input"])

    def _recall(self, effect: RecallChild) -> Iterator[Moment]:
        child = self.stage.actors[effect.child]
        if child.run.ended is None:
            self._told.add(effect.id)  # maybe for something that a repair has overtaken: it is on its way all the same
        elif effect.id not in self._told:
            again = child.run.ended["status"] == "needs-attention"
            what = "execution.resumed" if again else "compensation.requested"
            yield Moment(self.stage.now, lambda: self._tell(effect.id, child, what))
        else:
            yield Moment(self.stage.now, lambda: self._recalled(effect, child))

    def _recalled(self, effect: RecallChild, child: Actor) -> None:
        assert child.run.ended is not None
        self._told.discard(effect.id)
        ended = {"type": "child.ended", "step": effect.step, "child": effect.child}
        self.add({**ended, "status": child.run.ended["status"]})

    def _tell(self, effect: str, child: Actor, what: str) -> None:
        self._told.add(effect)
        child.add({"type": what, "by": self.execution, "reason": ""})


def refusal(task: Task, vote: Vote) -> str | None:
    """The code of the error with which a vote is refused, if it is."""
    try:
        judge(task, vote, INITIATOR)
    except WfrunError as error:
        return error.code
    return None


def _answered(answer: Answer, call: Call) -> dict[str, Any]:
    try:
        return {"type": "step.completed", "result": answer.act(call)}
    except ServiceError as error:
        return _failed(error_data(error))


def _until_silent(answer: Answer, heartbeat: int) -> timedelta:
    """When an answer has given no sign of life for so many milliseconds, seen from the beginning of its call."""
    seconds, beats = heartbeat / 1000, answer.beats
    if beats is not None and beats.seconds < seconds:
        seconds += beats.seconds * min(beats.times, 10**9)
    return timedelta(seconds=min(seconds, 10**9))


def _failed(error: ErrorData) -> dict[str, Any]:
    """Half of the range of chance: no jitter."""
    return {"type": "step.failed", "error": error, "random": 0.5}

"""The outside of a scenario (tests/support/cases.py says how one is written), and the model as a player of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from copy import deepcopy
from datetime import datetime
from typing import Any, NamedTuple

from tests.support.cases import EXECUTION, Case, Scenario
from tests.support.clock import VirtualLoop, virtual_time
from tests.support.model.execution import Execution
from tests.support.model.outside import Call, Refused, Task
from tests.support.model.reading import Written, seconds
from tests.support.outcomes import Outcome
from tests.support.script import Answers, Course, event_of
from tests.support.stage import compiled
from tests.support.world import EPOCH
from wfrun.adapters import contract
from wfrun.adapters.mock_script import Answer
from wfrun.errors import ServiceError
from wfrun.load.fields import check_fields


def play(case: Case, scenario: Scenario, seed: int | None = None) -> Outcome:
    """The model as a player."""
    return predict(lambda name: compiled(case, name)[0].document.data, scenario).outcome


class Prediction(NamedTuple):
    """What comes of a scenario, when calls are begun, in seconds, by step and attempt, and whether it may be chance."""

    outcome: Outcome
    begun: dict[tuple[str, int], float]
    tied: bool


def predict(definition_of: Callable[[str | None], Any], scenario: Scenario) -> Prediction:
    """`definition_of` gives the data of the workflow, and of those that it starts by their names."""
    with virtual_time() as loop:
        scripted = Scripted(definition_of, scenario, loop)
        execution = loop.run_until_complete(scripted.play())
        for failure in [*loop.failures, *scripted.failures()]:
            raise failure
        return Prediction(deepcopy(execution.outcome), execution.log.begun, scripted.tied)


class Scripted:
    """Everything that a scenario says happens, at its time."""

    def __init__(self, definition_of: Callable[[str | None], Any], scenario: Scenario, loop: VirtualLoop) -> None:
        self._definition_of = definition_of
        self._scenario = scenario
        self._loop = loop
        self._executions: dict[str, Execution] = {}
        self._answers: dict[str, Answers] = {}
        self._opened: dict[str, float] = {}
        self._voted: dict[str, int] = {}
        self._course = Course()
        self._cues = list(enumerate([*scenario.events, *scenario.operator]))

    async def play(self) -> Execution:
        execution = self.begin(None, EXECUTION, self._scenario.input, "")
        self._look_at_cues()
        await self._loop.quiet()
        return execution

    def failures(self) -> list[BaseException]:
        """What went wrong in the model itself."""
        lives = [execution.life for execution in self._executions.values()]
        return [failure for life in lives if life.done() and (failure := life.exception()) is not None]

    @property
    def tied(self) -> bool:
        return any(execution.log.ties for execution in self._executions.values())

    def begin(self, workflow: str | None, id: str, input: Mapping[str, Any], instance: str) -> Execution:
        definition: Written = self._definition_of(workflow)
        fields = definition.get("input")
        given = check_fields(fields, input, file=definition["name"], what="input") if fields is not None else input
        self._answers[id] = Answers(definition.get("services", {}), self._scenario)
        self._executions[id] = execution = Execution(definition, id, given, self, instance)
        return execution

    # ---- time, events, and the operator

    def now(self) -> datetime:
        return self._loop.now()

    def uuid(self) -> str:
        raise AssertionError("the model has no chance")

    def variable(self, kind: str, name: str) -> str:
        raise AssertionError(f"the model has no {kind}.{name}")

    def notice(self, what: str, step: str) -> None:
        record = {"type": {"begun": "step.started", "done": "step.completed"}[what], "step": step}
        self._course.notice(record, self.now())
        self._look_at_cues()

    def _look_at_cues(self) -> None:
        for number, cue in list(self._cues):
            if (due := self._course.due(cue)) is not None:
                self._cues.remove((number, cue))
                when = (due - EPOCH).total_seconds()
                self._loop.call_at(when, lambda number=number, cue=cue: self._take(number, cue))

    def _take(self, number: int, cue: Mapping[str, Any]) -> None:
        if "type" in cue:
            self.publish(event_of(cue, number, self.now()))
        elif cue["do"] == "cancel":
            self._executions[EXECUTION].cancel()
        else:
            self._executions[EXECUTION].compensate()

    def publish(self, event: Any) -> None:
        """Every execution that has a wait for such an event gets it, unless it has ended."""
        for execution in self._executions.values():
            if not execution.ended.is_set() and event["type"] in execution.listens:
                execution.receive(event)

    # ---- services

    def call(self, call: Call, heartbeat: float | None) -> asyncio.Future[Any]:
        answer: asyncio.Future[Any] = self._loop.create_future()
        asked = contract.Call(call.execution, call.step, call.attempt, call.key, call.service, call.action, call.input)
        written = self._answers[call.execution].answer(asked)
        silent = _silence(written, heartbeat)
        if silent is not None and silent < written.delay_seconds:
            self._loop.call_later(silent, _refuse, answer, {"type": "timeout", "message": "no sign of life"})
        else:
            self._loop.call_later(min(written.delay_seconds, 10**9), _give, answer, written, asked)
        return answer

    # ---- people

    async def vote(self, task: Task, until: float | None) -> Mapping[str, Any] | None:
        opened = self._opened.setdefault(task.id, self._loop.time())
        written = Answers.scripted(self._scenario.people, task.id.partition("/")[2]) or []
        while (number := self._voted.get(task.id, 0)) < len(written):
            said = {"comment": "", "data": {}, **written[number]}
            due = opened + seconds(said.get("after", 0))
            if until is not None and until < due:
                break
            await asyncio.sleep(max(0, due - self._loop.time()))
            self._voted[task.id] = number + 1
            refusal = task.refusal(said)
            assert said.get("refused") in (refusal, "perhaps"), f"{said}: {refusal or 'was accepted'}"
            if refusal is None:
                return said
        if until is None:
            await asyncio.Event().wait()
        await asyncio.sleep(max(0, (until or 0) - self._loop.time()))
        return None


def _silence(answer: Answer, heartbeat: float | None) -> float | None:
    """When an answer has given no sign of life for so long."""
    if heartbeat is None:
        return None
    if answer.beats is None or answer.beats.seconds >= heartbeat:
        return heartbeat
    return heartbeat + answer.beats.seconds * answer.beats.times


def _give(answer: asyncio.Future[Any], written: Answer, call: contract.Call) -> None:
    try:
        result = written.act(call)
    except ServiceError as error:
        _refuse(answer, _told(error))
    else:
        if not answer.done():
            answer.set_result(result)


def _refuse(answer: asyncio.Future[Any], error: dict[str, Any]) -> None:
    if not answer.done():
        answer.set_exception(Refused(error))


def _told(error: ServiceError) -> dict[str, Any]:
    more = {
        "status": error.status,
        "details": error.details,
        "retryable": error.retryable,
        "retryAfterMs": error.retry_after_ms,
    }
    said = {key: value for key, value in more.items() if value is not None}
    return {"type": error.type, "message": error.message, **said}

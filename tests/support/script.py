"""What a scenario writes down: when something happens, and what a call is answered. The same for every player."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from tests.support.cases import Scenario
from tests.support.world import EPOCH
from wfrun.adapters.contract import Call, ServiceConfig
from wfrun.adapters.mock_script import Answer, parse_script
from wfrun.adapters.templates import Entry
from wfrun.core.events import Record
from wfrun.core.expression import parse_duration
from wfrun.core.instants import format_instant

# What makes a step begun, and what makes it done, for what happens `during` or `after` it.
_BEGUN = {"step.started", "task.created", "wait.started", "timer.started", "child.started"}
_DONE = {"step.completed", "task.decided", "event.published", "child.ended"}


class Course:
    """When each step of any execution was begun and done."""

    def __init__(self) -> None:
        self._begun: dict[str, datetime] = {}
        self._done: dict[str, datetime] = {}

    def notice(self, record: Record, at: datetime) -> None:
        step = record.get("step") or str(record.get("task", "")).partition("/")[2]
        if record["type"] in _BEGUN:
            self._begun.setdefault(step, at)
        elif record["type"] in _DONE:
            self._done.setdefault(step, at)
        elif record["type"] == "timer.fired" and record["timer"].endswith("!wait"):
            self._done.setdefault(record["timer"].removesuffix("!wait"), at)

    def due(self, cue: Mapping[str, Any]) -> datetime | None:
        """When an event comes, or an operator acts; None as long as that cannot be told."""
        begin: datetime | None = EPOCH + milliseconds(cue.get("at", 0))
        if "after" in cue:
            begin = self._done.get(cue["after"])
        elif "during" in cue:
            begin = self._begun.get(cue["during"])
        return None if begin is None else begin + milliseconds(cue.get("delay", 0))


def event_of(cue: Mapping[str, Any], number: int, now: datetime) -> Any:
    """The event that a cue of that number stands for."""
    return {
        "id": cue.get("id", f"event-{number}"),
        "type": cue["type"],
        "source": "outside",
        "time": format_instant(now),
        "data": cue.get("data"),
    }


class Answers:
    """The answers to calls: what the scenario says about the step, or else what the workflow's own mocks say."""

    def __init__(self, own: Mapping[str, Any], scenario: Scenario) -> None:
        """`own` are the entries of the workflow's `services`."""
        self._own = own
        self._steps = scenario.services
        self._calls: dict[tuple[str, str], int] = {}

    @staticmethod
    def scripted(script: dict[str, Any], step: str) -> Any:
        """What is written for a step instance, or for the step in all iterations."""
        return script.get(step, script.get(step.partition("@")[0]))

    def answer(self, call: Call) -> Answer:
        own = self.scripted(self._steps, call.step)
        if own is not None:
            return _pick(own, call.attempt - 1)
        settings = self._own.get(call.service, {"adapter": "mock"})
        assert settings["adapter"] == "mock", f"{call.service} is no mock"
        number = self._calls.get((call.service, call.action), 0)
        self._calls[call.service, call.action] = number + 1
        fallback = settings.get("default", None if settings.get("actions") else {})
        script = settings.get("actions", {}).get(call.action, fallback)
        assert script is not None, f"{call.service} has no answer for {call.action}"
        return _pick(script, number)


def _pick(script: Any, number: int) -> Answer:
    answers = parse_script(Entry(ServiceConfig("scripted", {}, Path(), _no_variable)), script, "actions")
    return answers[min(number, len(answers) - 1)]


def _no_variable(kind: str, name: str) -> str:
    raise AssertionError(f"a case cannot use {kind}.{name}")


def milliseconds(duration: Any) -> timedelta:
    return timedelta(milliseconds=parse_duration(duration))

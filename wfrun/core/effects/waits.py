"""Waiting, and what is waited for: timers and events."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from wfrun.core.definition import Path
from wfrun.core.effects.setting import Setting, evaluation_failed
from wfrun.core.expression import parse_duration, to_instant
from wfrun.core.instants import format_instant, parse_instant
from wfrun.core.plan.nodes import Await, Emit, Listener, Pause
from wfrun.errors import ExpressionError

if TYPE_CHECKING:
    from wfrun.core.events import EvaluationFailed, EventData, EventEmitted, EventMatched, TimerStarted, WaitStarted


class StartTimer(NamedTuple):
    """A wait until `due`. Answered by timer.fired, never early."""

    id: str
    step: str
    due: datetime
    reason: str

    def intent(self) -> TimerStarted:
        due = format_instant(self.due)
        return {"type": "timer.started", "timer": self.id, "step": self.step, "due": due, "reason": self.reason}


class StartPause(NamedTuple):
    """A `wait` for a while, or until an instant. Recorded and answered as a timer."""

    id: str
    step: str
    node: Pause
    setting: Setting

    def intent(self) -> TimerStarted | EvaluationFailed:
        path: Path = (*self.node.path, self.node.kind)
        try:
            due = self._due(path)
        except ExpressionError as error:
            error.place = self.setting.plan.locate(path, error)
            return evaluation_failed(self.id, self.step, error)
        due_at = format_instant(due)
        return {"type": "timer.started", "timer": self.id, "step": self.step, "due": due_at, "reason": "wait"}

    def _due(self, path: Path) -> datetime:
        value = self.setting.resolve(self.node.time, self.id, path)
        if self.node.kind == "until":
            return to_instant(value)
        if not isinstance(value, str | int | float):
            raise ExpressionError("expression.type", "`for` must be a duration", hint="write 30s, 5m, 24h or PT24H")
        try:
            return parse_instant(self.setting.at) + timedelta(milliseconds=parse_duration(value))
        except OverflowError:
            raise ExpressionError("expression.value", "such a wait ends after the last day of the calendar") from None


class Listen(NamedTuple):
    """A wait for events. Answered by nothing of its own: each event that arrives makes it look again."""

    id: str
    step: str
    node: Await

    def intent(self) -> WaitStarted:
        events = list(dict.fromkeys(listener.event for listener in self.node.listeners))
        complete = self.node.complete
        return {"type": "wait.started", "wait": self.id, "step": self.step, "events": events, "complete": complete}


class Match(NamedTuple):
    """Whether an event is one that is waited for. The scope of the setting knows it as `$.event`. Answered at once."""

    id: str
    wait: str
    step: str
    listener: Listener
    position: int
    event: EventData
    setting: Setting

    def intent(self) -> EventMatched | EvaluationFailed:
        match = self.listener.match
        try:
            value = match is None or match.test(self.setting.scope, self.setting.host(self.id))
        except ExpressionError as error:
            error.place = self.setting.plan.document.place((*self.listener.path, "match"))
            return evaluation_failed(self.id, self.step, error)
        return {
            "type": "event.matched",
            "wait": self.wait,
            "step": self.step,
            "listener": self.position,
            "event": self.event["id"],
            "value": value,
            "operands": match.operands(self.setting.scope) if match is not None else {},
        }


class Publish(NamedTuple):
    """An event for whoever waits for it. Its id makes it count once, however often it is delivered. Published anew
    after a repair it has another one, unless what was done is to be kept.

    Answered by event.published.
    """

    id: str
    step: str
    node: Emit
    setting: Setting

    def intent(self) -> EventEmitted | EvaluationFailed:
        setting = self.setting
        try:
            data = setting.resolve(self.node.data, self.id, (*self.node.path, "data"))
        except ExpressionError as error:
            return evaluation_failed(self.id, self.step, error)
        event: EventData = {
            "id": f"{setting.execution}/{self.step}{setting.amended.round(self.step)}",
            "type": self.node.event,
            "source": f"wfrun/{setting.plan.name}/{setting.execution}",
            "time": setting.at,
            "data": data,
        }
        return {"type": "event.emitted", "step": self.step, "event": event}

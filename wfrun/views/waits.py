"""What an execution waits for besides people: events and times, folded from its records."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wfrun.core.parking import WAITS, is_long_wait
from wfrun.views.deadlines import timer_view

if TYPE_CHECKING:
    from wfrun.core.events import Record
    from wfrun.views.model import EventView, TimerView, UnknownView, WaitView


EARLY_KEPT = 1000


class WaitFold:
    """The open timers and waits of one execution, by id and by step instance.

    A timer with the reason `timeout` is no wait of its own. It is the limit of the one with its step, if there is one.
    """

    def __init__(self) -> None:
        self.timers: dict[str, TimerView] = {}
        self._waits: dict[str, WaitView] = {}
        self._short: set[str] = set()
        self._limits: dict[str, str] = {}
        self.unknown: dict[str, UnknownView] = {}  # calls that a person is to say something about, by step
        self._missing: dict[str, int] = {}  # events still to come
        self._arrived: dict[str, EventView] = {}  # what no wait has looked at
        self._early: dict[str, int] = {}  # events that came before a wait began, of the last such waits

    def views(self) -> list[WaitView]:
        """The open ones; those whose event has come say so."""
        names = {event["type"] for event in self._arrived.values()}
        for wait in self._waits.values():
            wait["arrived"] = not names.isdisjoint(wait["events"])
        return list(self._waits.values())

    def arrived(self) -> list[EventView]:
        return list(self._arrived.values())

    def received(self, record: Record) -> None:
        event = record["event"]
        self._arrived[event["id"]] = {"event": event["id"], "type": event["type"], "at": record["at"]}
        if len(self._arrived) > EARLY_KEPT:
            del self._arrived[next(iter(self._arrived))]

    def looked_at(self, event: str) -> None:
        self._arrived.pop(event, None)

    def busy(self) -> bool:
        """Whether a time is waited for that is about to come."""
        return bool(self._short)

    def any(self) -> bool:
        return bool(self._waits) or bool(self.unknown)

    def lost(self, record: Record) -> None:
        """A call whose runner died waits for a word."""
        step, attempt = record["step"], record["attempt"]
        self.unknown[step] = {"step": step, "attempt": attempt, "key": record["key"], "since": record["since"]}

    def limit(self, step: str, due: str) -> None:
        """Whatever the step waits for, it does so until then."""
        if step in self._waits:
            self._waits[step]["until"] = due
        else:
            self._limits[step] = due

    def timer(self, record: Record) -> None:
        step, due, reason = record["step"], record["due"], record["reason"]
        self.timers[record["timer"]] = timer_view(record)
        if reason not in WAITS:
            return
        if is_long_wait(record):
            self._waits[step] = _wait(step, [], record["at"], due)
        else:
            self._short.add(step)

    def begun(self, record: Record) -> bool:
        """A wait for events. Whether some had come before, which seemed to be all that were waited for."""
        step = record["step"]
        early = self._early.pop(step, 0)
        self._missing[step] = record.get("complete", len(record["events"])) - early
        self._waits[step] = _wait(step, record["events"], record["at"], self._limits.get(step))
        return early > 0

    def matched(self, step: str) -> bool:
        """An event is one that is waited for. Whether it was the last; before any wait it may have been."""
        if step not in self._missing:
            self._early[step] = self._early.pop(step, 0) + 1
            if len(self._early) > EARLY_KEPT:
                del self._early[next(iter(self._early))]
            return True
        self._missing[step] -= 1
        if self._missing[step] > 0:
            return False
        self.over(step)
        return True

    def fired(self, timer: str) -> TimerView | None:
        """The timer that it was, unless it is the limit of a block."""
        view = self.timers.pop(timer, None)
        if view and view["reason"] in WAITS:
            self.over(view["step"])
        return view

    def is_waiting(self, step: str) -> bool:
        """For events."""
        return step in self._waits and bool(self._waits[step]["events"])

    def over(self, step: str) -> None:
        """The step waits no more."""
        self._waits.pop(step, None)
        self._short.discard(step)
        self._limits.pop(step, None)
        self._missing.pop(step, None)

    def withdrawn(self, record: Record) -> None:
        self.timers.pop(record["wait"], None)
        self.over(record["step"])

    def clear(self) -> None:
        for kept in (self.timers, self._waits, self._short, self._limits, self._missing, self._early, self.unknown):
            kept.clear()


def _wait(step: str, events: list[str], since: str, until: str | None) -> WaitView:
    return {"step": step, "events": events, "since": since, "until": until, "overdue": False, "arrived": False}

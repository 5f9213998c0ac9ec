"""What an execution waits for besides people: events and times, folded from its records."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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
        self._types: dict[str, str] = {}  # of the last events, by id
        self._arrived: dict[str, EventView] = {}  # what no wait has looked at
        self._new: set[str] = set()  # those of them that have come since the last wait began
        self._early: dict[str, list[str]] = {}  # what has matched before a wait began, of the last such waits

    def views(self) -> list[WaitView]:
        """The open ones; those whose event has come say so."""
        names = {self._arrived[id]["type"] for id in self._new}
        for wait in self._waits.values():
            wait["arrived"] = not names.isdisjoint(_open_for(wait))
        return list(self._waits.values())

    def arrived(self) -> list[EventView]:
        for id in self._new:
            type = self._arrived[id]["type"]
            self._arrived[id]["awaited"] = any(type in _open_for(wait) for wait in self._waits.values())
        return list(self._arrived.values())

    def received(self, record: Record) -> None:
        id, type = record["event"]["id"], record["event"]["type"]
        self._arrived[id] = {"event": id, "type": type, "at": record["at"], "awaited": False}
        self._types[id] = type
        self._new.add(id)
        self._new.discard(_forget(self._arrived))
        _forget(self._types)

    def looked_at(self, event: str) -> None:
        self._arrived.pop(event, None)
        self._new.discard(event)

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

    def begun(self, record: Record) -> None:
        """A wait for events. This one and those before it have looked at all that has come until now."""
        self._new.clear()
        step = record["step"]
        wait = _wait(step, record["events"], record["at"], self._limits.get(step))
        wait["complete"] = record.get("complete", len(record["events"]))
        wait["matched"] = self._early.pop(step, [])
        self._waits[step] = wait

    def matched(self, step: str, event: str) -> bool:
        """An event is one that is waited for. Whether it was the last; before any wait it may have been."""
        type = self._types.get(event, event)
        wait = self._waits.get(step)
        if wait is None:
            self._early[step] = [*self._early.pop(step, []), type]
            _forget(self._early)
            return True
        wait["matched"].append(type)
        if len(wait["matched"]) < wait["complete"]:
            return False
        self.over(step)
        return True

    def seems_over(self, step: str) -> bool:
        """Whether what came before the wait began, if it ever did, may have been all that it was for."""
        return step in self._early

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

    def withdrawn(self, record: Record) -> None:
        self.timers.pop(record["wait"], None)
        self.over(record["step"])

    def clear(self) -> None:
        for kept in (self.timers, self._waits, self._short, self._limits, self._early, self.unknown):
            kept.clear()


def _wait(step: str, events: list[str], since: str, until: str | None) -> WaitView:
    return {
        "step": step,
        "events": events,
        "complete": 0,
        "matched": [],
        "since": since,
        "until": until,
        "overdue": False,
        "arrived": False,
    }


def _open_for(wait: WaitView) -> set[str]:
    """What it can still take: an event of each name once, unless it wants more events than it names."""
    if wait["complete"] > len(wait["events"]):
        return set(wait["events"])
    return set(wait["events"]) - set(wait["matched"])


def _forget(kept: dict[str, Any]) -> str:
    """Drop the oldest if there are too many; which one that was, or nothing."""
    if len(kept) <= EARLY_KEPT:
        return ""
    oldest = next(iter(kept))
    del kept[oldest]
    return oldest

"""What is written before an effect is attempted: the interpreter's intent, with what only the engine knows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from wfrun.core.effects import Effect, EscalateTask, OpenTask
from wfrun.core.events import Event
from wfrun.core.retry import format_instant
from wfrun.core.values import canonical

# A step's input stands in its record when it is at most this long; its hash always does.
MAX_INLINE_INPUT = 1_024


@dataclass(frozen=True, slots=True)
class Intent:
    """An effect about to be performed. `event` is what was recorded, or None; `input` is what a call sends."""

    effect: Effect
    event: Event | None
    input: Any = None


def make_intent(effect: Effect, epoch: int, now: datetime) -> Intent:
    """Evaluate an effect, and add epoch and due instants."""
    event: Any = effect.intent()
    value = None
    if event is None:
        return Intent(effect, None)
    if event["type"] == "step.started":
        event["epoch"] = epoch
        value = event["input"]
        if len(canonical(value)) > MAX_INLINE_INPUT:
            del event["input"]
    elif isinstance(effect, OpenTask | EscalateTask) and "due" in event and effect.timeout is not None:
        event["due"] = format_instant(now + timedelta(milliseconds=effect.timeout))
    return Intent(effect, event, value)

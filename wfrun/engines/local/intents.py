"""What is written before an effect is attempted: the interpreter's intent, with what only the engine knows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from wfrun.core.effects import CallService, Effect, EscalateTask, OpenTask
from wfrun.core.instants import format_instant
from wfrun.core.values import Json

if TYPE_CHECKING:
    from wfrun.core.events import Event


class Intent(NamedTuple):
    """An effect about to be performed. `event` is what was recorded, or None; `input` is what a call sends."""

    effect: Effect
    event: Event | None
    input: Json = None


def make_intent(effect: Effect, epoch: int, clock: Callable[[], datetime]) -> Intent:
    """Evaluate an effect, and add epoch and due instants."""
    if isinstance(effect, CallService):
        call, value = effect.prepare()
        if call["type"] == "step.started":
            call["epoch"] = epoch
        return Intent(effect, call, value)
    if isinstance(effect, OpenTask | EscalateTask):
        return Intent(effect, _with_due(effect, clock))
    return Intent(effect, effect.intent())


def _with_due(effect: OpenTask | EscalateTask, clock: Callable[[], datetime]) -> Event:
    event = effect.intent()
    if event["type"] != "evaluation.failed" and effect.timeout is not None:
        event["due"] = format_instant(clock() + timedelta(milliseconds=effect.timeout))
    return event

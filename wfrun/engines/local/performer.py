"""Performing effects on this machine: calls are tasks of the event loop, waits are its timers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from random import random
from typing import Any, Protocol

from wfrun.adapters.contract import Call
from wfrun.core.effects import CallService, StartTimer, Stop
from wfrun.core.events import ErrorData, Event, StepCancelled, StepFailed
from wfrun.core.run import Run
from wfrun.core.values import Json
from wfrun.engines.local.intents import Intent
from wfrun.errors import ServiceError

# A sleep is cut into pieces, so that a clock that is set or a machine that slept is noticed.
LONGEST_SLEEP_S = 30.0

Answer = Callable[[str, Event], None]


class Caller(Protocol):
    """What a performer needs of the services: one call."""

    async def call(self, call: Call) -> Any: ...


def utc_now() -> datetime:
    return datetime.now(UTC)


class Performer:
    """The outside work of one execution. Each outcome is handed to `answer(effect id, event)`, on the loop."""

    def __init__(self, execution: str, run: Run, services: Caller, answer: Answer) -> None:
        self._execution = execution
        self._run = run
        self._services = services
        self._answer = answer
        self._calls: dict[str, asyncio.Task[None]] = {}
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._alarms: dict[str, tuple[datetime, asyncio.TimerHandle]] = {}
        self._leaving = False

    @property
    def is_busy(self) -> bool:
        """Whether anything is under way that will lead on without a person."""
        return bool(self._calls) or any(id in self._run.pending for id in self._timers)

    def perform(self, intent: Intent) -> None:
        """Begin an effect whose intent is durable."""
        effect = intent.effect
        if isinstance(effect, CallService):
            if intent.event is not None and intent.event["type"] == "step.started":
                call = self._call(effect, intent.event["key"], intent.input)
                self._calls[effect.id] = asyncio.ensure_future(call)
        elif isinstance(effect, StartTimer):
            self._sleep(effect)
        elif isinstance(effect, Stop) and not effect.task:
            self._stop_call(effect.target)

    def watch_tasks(self) -> None:
        """Keep an alarm for every open task that expires, and none for those that are closed."""
        for id, task in self._run.tasks.items():
            due = task.due if task.closed is None else None
            if id in self._alarms and self._alarms[id][0] != due:
                self._alarms.pop(id)[1].cancel()
            if due is not None and id not in self._alarms:
                self._watch(id, due)

    async def leave(self) -> None:
        """Stop everything without a word in the journal: what has no outcome is repeated with the same key later."""
        self._leaving = True
        for handle in [*self._timers.values(), *(handle for _, handle in self._alarms.values())]:
            handle.cancel()
        calls = list(self._calls.values())
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)

    # ---- calls

    def _stop_call(self, id: str) -> None:
        task = self._calls.get(id)
        if task is not None:
            task.cancel()
            return
        effect = self._run.pending.get(id)
        # A runner that crashed had been asked to stop it, and it has not been begun again since.
        if isinstance(effect, CallService):
            self._answer(id, _cancelled(effect))

    async def _call(self, effect: CallService, key: str, input: Json) -> None:
        event: Event
        try:
            event = await self._attempt(effect, key, input)
        except asyncio.CancelledError:
            if self._leaving:
                raise
            event = _cancelled(effect)
        finally:
            del self._calls[effect.id]
        self._answer(effect.id, event)

    async def _attempt(self, effect: CallService, key: str, input: Json) -> Event:
        deadline, of = self._limit(effect)
        call = Call(
            execution=self._execution,
            step=effect.step,
            attempt=effect.attempt,
            idempotency_key=key,
            service=effect.node.service,
            action=effect.node.action,
            input=input,
            deadline=deadline,
        )
        try:
            if deadline is None:
                result = await self._services.call(call)
            else:
                async with asyncio.timeout((deadline - utc_now()).total_seconds()) as timeout:
                    result = await self._services.call(call)
        except TimeoutError as error:
            if deadline is None or not timeout.expired():
                return _failed(effect, {"type": "timeout", "message": str(error) or "the service timed out"})
            return _failed(effect, {"type": "timeout", "message": f"no answer within the {of}"})
        except ServiceError as error:
            return _failed(effect, error_data(error))
        except Exception as error:  # noqa: BLE001 - whatever an adapter does wrong is the step's failure, not ours
            return _failed(effect, {"type": "adapter.defect", "message": f"{type(error).__name__}: {error}"})
        return {"type": "step.completed", "step": effect.step, "attempt": effect.attempt, "result": result}

    def _limit(self, effect: CallService) -> tuple[datetime | None, str]:
        """The instant at which this attempt is stopped, and what set it."""
        limits = []
        if effect.node.timeout is not None:
            words = f"timeout of {effect.node.timeout / 1000:g} s"
            limits.append((utc_now() + timedelta(milliseconds=effect.node.timeout), words))
        if (deadline := self._run.deadline(effect)) is not None:
            limits.append((deadline, "deadline of the step"))
        return min(limits) if limits else (None, "")

    # ---- timers

    def _sleep(self, timer: StartTimer) -> None:
        self._timers.pop(timer.id, None)
        left = _seconds_until(timer.due)
        if left <= 0:
            self._answer(timer.id, {"type": "timer.fired", "timer": timer.id})
        else:
            self._timers[timer.id] = asyncio.get_running_loop().call_later(left, self._sleep, timer)

    def _watch(self, task: str, due: datetime) -> None:
        self._alarms.pop(task, None)
        left = _seconds_until(due)
        if left <= 0:
            self._answer(task, {"type": "task.expired", "task": task})
        else:
            self._alarms[task] = due, asyncio.get_running_loop().call_later(left, self._watch, task, due)


def _seconds_until(due: datetime) -> float:
    """How long to sleep before looking at the clock again; 0 or less once it is time."""
    return min((due - utc_now()).total_seconds(), LONGEST_SLEEP_S)


def error_data(error: ServiceError) -> ErrorData:
    data: ErrorData = {"type": error.type, "message": error.message}
    if error.status is not None:
        data["status"] = error.status
    if error.details is not None:
        data["details"] = error.details
    if error.retryable is not None:
        data["retryable"] = error.retryable
    if error.retry_after_ms is not None:
        data["retryAfterMs"] = error.retry_after_ms
    return data


def _failed(effect: CallService, error: ErrorData) -> StepFailed:
    return {
        "type": "step.failed",
        "step": effect.step,
        "attempt": effect.attempt,
        "error": error,
        "random": round(random(), 6),
    }


def _cancelled(effect: CallService) -> StepCancelled:
    return {"type": "step.cancelled", "step": effect.step, "attempt": effect.attempt}

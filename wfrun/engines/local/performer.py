"""Performing effects on this machine: calls are tasks of the event loop, waits are its timers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol

from wfrun.adapters.contract import Call
from wfrun.core.effects import CallService, Publish, RecallChild, StartChild, StartPause, StartTimer, Stop
from wfrun.core.instants import parse_instant
from wfrun.core.parking import is_long_wait
from wfrun.core.run import Run
from wfrun.core.values import Json
from wfrun.engines.local.errands import Errands
from wfrun.engines.local.intents import Intent
from wfrun.engines.local.machine import Machine
from wfrun.errors import ServiceError
from wfrun.journal.clock import Clock

if TYPE_CHECKING:
    from wfrun.core.events import ErrorData, Event, StepCancelled, StepFailed

# How long a call that was told to stop is waited for. Adapters take up to 2 s to end a process; what is then still
# there ignores being told.
GRACE_S = 5.0

Answer = Callable[[str, "Event"], None]


class Caller(Protocol):
    """What a performer needs of the services: one call."""

    async def call(self, call: Call) -> Any: ...


class _Pulse:
    """When a call last gave a sign of life, which it can do from any thread: nothing happens then but this."""

    __slots__ = ("last", "time")

    def __init__(self, time: Callable[[], float]) -> None:
        self.time = time
        self.last = time()

    def beat(self) -> None:
        self.last = self.time()


@dataclass(slots=True)
class _Running:
    """A call under way. Once it has been told to stop, `stopped` is the outcome that it has if it obeys.

    The `alarm` goes off at its deadline, the `watch` when it has given no sign of life for too long.
    """

    effect: CallService
    task: asyncio.Task[None]
    alarm: asyncio.TimerHandle | None = None
    watch: asyncio.TimerHandle | None = None
    stopped: Event | None = None

    def silence(self) -> None:
        """Have nothing go off any more."""
        for handle in (self.alarm, self.watch):
            if handle is not None:
                handle.cancel()


class Performer:
    """The outside work of one execution. Each outcome is handed to `answer(effect id, event)`, on the loop."""

    def __init__(
        self,
        execution: str,
        run: Run,
        services: Caller,
        errands: Errands,
        answer: Answer,
        clock: Clock,
        machine: Machine,
    ) -> None:
        self._execution = execution
        self._run = run
        self._services = services
        self._errands = errands
        self._answer = answer
        self._clock = clock
        self._machine = machine
        self._calls: dict[str, _Running] = {}
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._alarms: dict[str, tuple[datetime, asyncio.TimerHandle]] = {}
        self._leaving = False

    @property
    def is_busy(self) -> bool:
        """Whether anything is under way that will lead on without a person."""
        return bool(self._calls) or self._errands.is_busy or any(map(self._leads_on, self._timers))

    def _leads_on(self, timer: str) -> bool:
        """A timeout that is still to come is no reason to wait for what it bounds, and a long wait not for its end."""
        recorded = self._run.recorded.get(timer)
        return recorded is not None and recorded["reason"] != "timeout" and not is_long_wait(recorded)

    def perform(self, intent: Intent) -> None:
        """Begin an effect whose intent is durable."""
        effect = intent.effect
        if isinstance(effect, CallService):
            if intent.event is not None and intent.event["type"] == "step.started":
                self._begin_call(effect, intent.event["key"], intent.input)
        elif isinstance(effect, Stop):
            self._stop(effect)
        elif (recorded := self._run.recorded.get(effect.id)) is not None:
            if isinstance(effect, StartTimer | StartPause):
                self._sleep(effect.id, parse_instant(recorded["due"]))
            elif isinstance(effect, StartChild | RecallChild | Publish):
                self._errands.begin(effect, recorded)

    def watch_tasks(self) -> None:
        """Keep an alarm for every open task that expires, and none for those that are closed."""
        for id, task in self._run.tasks.items():
            due = task.due if task.closed is None else None
            if id in self._alarms and self._alarms[id][0] != due:
                self._alarms.pop(id)[1].cancel()
            if due is not None and id not in self._alarms:
                self._watch(id, due)

    def rest(self) -> None:
        """Let nothing go off any more."""
        for handle in [*self._timers.values(), *(handle for _, handle in self._alarms.values())]:
            handle.cancel()

    async def leave(self) -> None:
        """Stop everything without a word in the journal: what has no outcome is repeated with the same key later."""
        self._leaving = True
        self.rest()
        tasks = [running.task for running in self._calls.values()]
        for running in list(self._calls.values()):
            running.silence()
            running.task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=GRACE_S)
        await self._errands.leave()

    # ---- calls

    def _begin_call(self, effect: CallService, key: str, input: Json) -> None:
        deadline, of = self._limit(effect)
        loop = asyncio.get_running_loop()
        pulse = _Pulse(loop.time)
        call = Call(
            execution=self._execution,
            step=effect.step,
            attempt=effect.attempt,
            idempotency_key=key,
            service=effect.node.service,
            action=effect.node.action,
            input=input,
            deadline=deadline,
            heartbeat=pulse.beat,
            lock=self._machine.lock(self._execution, effect.id),
        )
        running = self._calls[effect.id] = _Running(effect, loop.create_task(self._call(effect, call)))
        if deadline is not None:
            late = self._failed(effect, {"type": "timeout", "message": f"no answer within the {of}"})
            left = max(0.0, (deadline - self._clock()).total_seconds())
            running.alarm = loop.call_later(left, self._tell_to_stop, running, late)
        if effect.node.heartbeat is not None:
            self._listen(running, pulse, effect.node.heartbeat / 1000)

    def _listen(self, running: _Running, pulse: _Pulse, seconds: float) -> None:
        """Look again when a call may have given no sign of life for so many seconds."""
        loop, heard = asyncio.get_running_loop(), pulse.last
        running.watch = loop.call_at(heard + seconds, self._stop_silent, running, pulse, seconds, heard)

    def _stop_silent(self, running: _Running, pulse: _Pulse, seconds: float, heard: float) -> None:
        """Stop a call unless it has given a sign of life since the one that was heard."""
        if pulse.last > heard:
            self._listen(running, pulse, seconds)
        else:
            message = f"no sign of life within the heartbeat of {seconds:g} s"
            self._tell_to_stop(running, self._failed(running.effect, {"type": "timeout", "message": message}))

    def _stop(self, stop: Stop) -> None:
        if stop.of == "call":
            self._stop_call(stop.target)
        elif stop.of == "child":
            self._errands.stop(stop.target, self._run.recorded.get(stop.target))

    def _stop_call(self, id: str) -> None:
        running = self._calls.get(id)
        if running is not None:
            self._tell_to_stop(running, _cancelled(running.effect))
            return
        effect = self._run.pending.get(id)
        # A runner that crashed had been asked to stop it, and it has not been begun again since.
        if isinstance(effect, CallService):
            self._answer(id, _cancelled(effect))

    def _tell_to_stop(self, running: _Running, outcome: Event) -> None:
        """The outcome counts once the call has really stopped. One that ignores this is given up after a while."""
        if running.stopped is not None:
            return
        running.silence()
        running.stopped = outcome
        running.task.cancel()
        running.alarm = asyncio.get_running_loop().call_later(GRACE_S, self._settle, running.effect.id, outcome)

    def _settle(self, id: str, outcome: Event) -> None:
        """A call has its outcome. What comes of it later, if it was given up, is nobody's any more."""
        running = self._calls.pop(id, None)
        if running is None:
            return
        running.silence()
        if not self._leaving or outcome["type"] == "step.completed":
            self._answer(id, outcome)

    async def _call(self, effect: CallService, call: Call) -> None:
        outcome: Event
        try:
            result = await self._services.call(call)
            outcome = {"type": "step.completed", "step": call.step, "attempt": call.attempt, "result": result}
        except asyncio.CancelledError:
            running = self._calls.get(effect.id)
            if running is None or running.stopped is None:
                raise
            outcome = running.stopped
        except ServiceError as error:
            outcome = self._failed(effect, error_data(error))
        except BaseException as error:  # noqa: BLE001 - whatever an adapter does wrong is the step's failure, not ours
            outcome = self._failed(effect, {"type": "adapter.defect", "message": f"{type(error).__name__}: {error}"})
        self._settle(effect.id, outcome)

    def _limit(self, effect: CallService) -> tuple[datetime | None, str]:
        """The instant at which this attempt is stopped, and what set it."""
        limits = []
        if effect.node.timeout is not None:
            words = f"timeout of {effect.node.timeout / 1000:g} s"
            limits.append((self._clock() + timedelta(milliseconds=effect.node.timeout), words))
        if (deadline := self._run.deadline(effect)) is not None:
            limits.append((deadline, "deadline of the step"))
        return min(limits) if limits else (None, "")

    def _failed(self, effect: CallService, error: ErrorData) -> StepFailed:
        return {
            "type": "step.failed",
            "step": effect.step,
            "attempt": effect.attempt,
            "error": error,
            "random": round(self._machine.chance(), 6),
        }

    # ---- timers

    def _sleep(self, timer: str, due: datetime) -> None:
        self._timers.pop(timer, None)
        left = self._seconds_until(due)
        if timer not in self._run.pending:
            return
        if left <= 0:
            self._answer(timer, {"type": "timer.fired", "timer": timer})
        else:
            self._timers[timer] = asyncio.get_running_loop().call_later(left, self._sleep, timer, due)

    def _watch(self, task: str, due: datetime) -> None:
        self._alarms.pop(task, None)
        left = self._seconds_until(due)
        if left <= 0:
            self._answer(task, {"type": "task.expired", "task": task})
        else:
            self._alarms[task] = due, asyncio.get_running_loop().call_later(left, self._watch, task, due)

    def _seconds_until(self, due: datetime) -> float:
        """How long to sleep before looking at the clock again; 0 or less once it is time."""
        return min((due - self._clock()).total_seconds(), self._machine.longest_sleep_s)


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


def _cancelled(effect: CallService) -> StepCancelled:
    return {"type": "step.cancelled", "step": effect.step, "attempt": effect.attempt}

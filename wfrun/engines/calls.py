"""Calls of services that are under way: each is given its time, listened to, stopped, and has one outcome."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from wfrun.adapters.contract import Call
from wfrun.errors import ServiceError
from wfrun.journal.clock import Clock

if TYPE_CHECKING:
    from wfrun.core.events import ErrorData, Event, StepCancelled, StepFailed
    from wfrun.core.values import Json

# How long a call that was told to stop is waited for. Adapters take up to 2 s to end a process; what is then still
# there ignores being told.
GRACE_S = 5.0

Answer = Callable[[str, "Event"], None]


class Caller(Protocol):
    """What calls need of the services: one call."""

    async def call(self, call: Call) -> Any: ...


class Order(NamedTuple):
    """One attempt to be made. `id` is that of its effect.

    `timeout` and `heartbeat` are in milliseconds; `deadline` bounds all attempts at the step.
    """

    id: str
    execution: str
    step: str
    attempt: int
    key: str
    service: str
    action: str
    input: Json
    timeout: int | None = None
    heartbeat: int | None = None
    deadline: datetime | None = None


class _Pulse:
    """When a call last gave a sign of life, which it can do from any thread: nothing happens then but this."""

    __slots__ = ("last", "time")

    def __init__(self, time: Callable[[], float]) -> None:
        self.time = time
        self.last = time()

    def beat(self) -> None:
        self.last = self.time()


@dataclass(slots=True, eq=False, repr=False)
class _Running:
    """A call under way. Once it has been told to stop, `stopped` is the outcome that it has if it obeys.

    The `alarm` goes off at its deadline, the `watch` when it has given no sign of life for too long.
    """

    order: Order
    task: asyncio.Task[None]
    begun: bool = False
    alarm: asyncio.TimerHandle | None = None
    watch: asyncio.TimerHandle | None = None
    stopped: Event | None = None

    def silence(self) -> None:
        """Have nothing go off any more."""
        for handle in (self.alarm, self.watch):
            if handle is not None:
                handle.cancel()


class Calls:
    """Each outcome is handed to `answer(effect id, event)`, on the loop. `chance` is that of a retry's jitter."""

    def __init__(self, services: Caller, answer: Answer, clock: Clock, chance: Callable[[], float]) -> None:
        self._services = services
        self._answer = answer
        self._clock = clock
        self._chance = chance
        self._running: dict[str, _Running] = {}
        self._leaving = False

    def __bool__(self) -> bool:
        """Whether any is under way."""
        return bool(self._running)

    def begin(self, order: Order, lock: str | None = None) -> None:
        """`lock` is the file that the processes of the call are to inherit locked."""
        deadline, of = self._limit(order)
        loop = asyncio.get_running_loop()
        pulse = _Pulse(loop.time)
        call = Call(
            execution=order.execution,
            step=order.step,
            attempt=order.attempt,
            idempotency_key=order.key,
            service=order.service,
            action=order.action,
            input=order.input,
            deadline=deadline,
            heartbeat=pulse.beat,
            lock=lock,
        )
        running = self._running[order.id] = _Running(order, loop.create_task(self._call(order, call)))
        if deadline is not None:
            late = self._failed(order, {"type": "timeout", "message": f"no answer within the {of}"})
            left = max(0.0, (deadline - self._clock()).total_seconds())
            running.alarm = loop.call_later(left, self._tell_to_stop, running, late)
        if order.heartbeat is not None:
            self._listen(running, pulse, order.heartbeat / 1000)

    def stop(self, id: str) -> bool:
        """False if there is no such call under way. Its outcome is step.cancelled, unless it has come to another."""
        running = self._running.get(id)
        if running is None:
            return False
        order = running.order
        outcome = cancelled if running.begun else never_begun
        self._tell_to_stop(running, outcome(order.step, order.attempt))
        return True

    async def leave(self) -> None:
        """Stop all without a word: what has no outcome is repeated with the same key later."""
        self._leaving = True
        tasks = [running.task for running in self._running.values()]
        for running in list(self._running.values()):
            running.silence()
            running.task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=GRACE_S)

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
            self._tell_to_stop(running, self._failed(running.order, {"type": "timeout", "message": message}))

    def _tell_to_stop(self, running: _Running, outcome: Event) -> None:
        """The outcome counts once the call has really stopped. One that ignores this is given up after a while."""
        if running.stopped is not None:
            return
        running.silence()
        running.stopped = outcome
        running.task.cancel()
        if not running.begun:  # a task that is cancelled before its first step never runs: nobody would settle it
            self._settle(running.order.id, outcome)
            return
        running.alarm = asyncio.get_running_loop().call_later(GRACE_S, self._settle, running.order.id, outcome)

    def _settle(self, id: str, outcome: Event) -> None:
        """A call has its outcome. What comes of it later, if it was given up, is nobody's any more."""
        running = self._running.pop(id, None)
        if running is None:
            return
        running.silence()
        if not self._leaving or outcome["type"] == "step.completed":
            self._answer(id, outcome)

    async def _call(self, order: Order, call: Call) -> None:
        outcome: Event
        self._running[order.id].begun = True
        try:
            result = await self._services.call(call)
            outcome = {"type": "step.completed", "step": call.step, "attempt": call.attempt, "result": result}
        except asyncio.CancelledError:
            running = self._running.get(order.id)
            if running is None or running.stopped is None:
                raise
            outcome = running.stopped
        except ServiceError as error:
            outcome = self._failed(order, error_data(error))
        except BaseException as error:  # noqa: BLE001 - whatever an adapter does wrong is the step's failure, not ours
            outcome = self._failed(order, {"type": "adapter.defect", "message": f"{type(error).__name__}: {error}"})
        self._settle(order.id, outcome)

    def _limit(self, order: Order) -> tuple[datetime | None, str]:
        """The instant at which this attempt is stopped, and what set it."""
        limits = []
        if order.timeout is not None:
            words = f"timeout of {order.timeout / 1000:g} s"
            limits.append((self._clock() + timedelta(milliseconds=order.timeout), words))
        if order.deadline is not None:
            limits.append((order.deadline, "deadline of the step"))
        return min(limits) if limits else (None, "")

    def _failed(self, order: Order, error: ErrorData) -> StepFailed:
        return {
            "type": "step.failed",
            "step": order.step,
            "attempt": order.attempt,
            "error": error,
            "random": round(self._chance(), 6),
        }


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


def cancelled(step: str, attempt: int) -> StepCancelled:
    return {"type": "step.cancelled", "step": step, "attempt": attempt}


def never_begun(step: str, attempt: int) -> StepCancelled:
    """Stopped before the call was made: it has had no effect."""
    return {"type": "step.cancelled", "step": step, "attempt": attempt, "begun": False}

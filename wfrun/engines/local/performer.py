"""Performing effects on this machine: calls are tasks of the event loop, waits are its timers."""

from __future__ import annotations

import asyncio
from datetime import datetime

from wfrun.core.effects import CallService, Publish, RecallChild, StartChild, StartPause, StartTimer, Stop
from wfrun.core.instants import parse_instant
from wfrun.core.parking import is_long_wait
from wfrun.core.run import Run
from wfrun.core.values import Json
from wfrun.engines.calls import Answer, Caller, Calls, Order, cancelled, never_begun
from wfrun.engines.local.errands import Errands
from wfrun.engines.local.intents import Intent
from wfrun.engines.local.machine import Machine
from wfrun.journal.clock import Clock


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
        self._calls = Calls(services, answer, clock, machine.chance)
        self._errands = errands
        self._answer = answer
        self._clock = clock
        self._machine = machine
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._alarms: dict[str, tuple[datetime, asyncio.TimerHandle]] = {}

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
        self.rest()
        await self._calls.leave()
        await self._errands.leave()

    # ---- calls

    def _begin_call(self, effect: CallService, key: str, input: Json) -> None:
        node = effect.node
        order = Order(
            id=effect.id,
            execution=self._execution,
            step=effect.step,
            attempt=effect.attempt,
            key=key,
            service=node.service,
            action=node.action,
            input=input,
            timeout=node.timeout,
            heartbeat=node.heartbeat,
            deadline=self._run.deadline(effect),
        )
        self._calls.begin(order, self._machine.lock(self._execution, effect.id))

    def _stop(self, stop: Stop) -> None:
        if stop.of == "call":
            self._stop_call(stop.target)
        elif stop.of == "child":
            self._errands.stop(stop.target, self._run.recorded.get(stop.target))

    def _stop_call(self, id: str) -> None:
        effect = self._run.pending.get(id)
        # A runner that crashed had been asked to stop it, and it has not been begun again since.
        if not self._calls.stop(id) and isinstance(effect, CallService):
            outcome = cancelled if id in self._run.begun else never_begun
            self._answer(id, outcome(effect.step, effect.attempt))

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

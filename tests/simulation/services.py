"""The services: machines of their own, with a memory of their own that honours keys. They are the outside ledger.

A request that has been sent arrives, whatever becomes of its sender; it may take long, be refused, fail before or after
its effect, and its answer may get lost. How a step's call ends in the end is fixed by the seed, though: whether it is
refused for good, and that it does not fail more often than it is tried again.
"""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from random import Random
from typing import Any, NamedTuple

from tests.simulation.scheduler import Process, Scheduler
from tests.support.mortal import Killed
from wfrun.adapters.contract import Call
from wfrun.app.services import Configs
from wfrun.core.values import Json
from wfrun.errors import ServiceError

UNDO = "compensate:"
# No step is tried again more often than it may fail in passing: see `Plans`.
FAILURES_IN_PASSING = 2
# What the workflows of the gallery want to hear, all of it from each service.
FACTS: dict[str, Json] = {
    "score": 700,
    "value": 500_000,
    "monthlyIncome": 9_000,
    "documentId": "D1",
    "transactionId": "T1",
}
ANSWER: dict[str, Json] = {"total": 729.58, "amount": 42.5, "trackingNumber": "1Z", "paymentId": "P1", **FACTS}


class Raw(NamedTuple):
    """One request as it was sent."""

    execution: str
    step: str
    attempt: int
    key: str
    process: Process


class Services:
    """`effects` counts by execution and step what has really happened, `undone` are those that were taken back.

    `refuses` tells the steps that are refused for good, and why. `is_healthy` services do not fail in passing.
    """

    def __init__(self, scheduler: Scheduler, chance: Random, refuses: dict[str, str]) -> None:
        self.raw: list[Raw] = []
        self.effects: Counter[tuple[str, str]] = Counter()
        self.undone: Counter[tuple[str, str]] = Counter()
        self.violations: list[str] = []
        self.is_healthy = False
        self._scheduler = scheduler
        self._chance = chance
        self._refuses = refuses
        self._slowness = chance.choice((0.0, 0.1, 1.5))  # less than any timeout
        self._flakiness = chance.choice((0.0, 0.1, 0.5))
        self._answered: set[str] = set()
        self._failed: Counter[tuple[str, str]] = Counter()
        self._under_way: defaultdict[str, list[Process]] = defaultdict(list)

    def open(self, configs: Configs) -> Client:
        return Client(self)

    async def call(self, call: Call) -> Json:
        process = self._scheduler.current
        assert process is not None
        if process.is_dead:
            raise Killed
        self._send(call, process)
        self._under_way[call.execution].append(process)
        try:
            return await self._answer(call)
        finally:
            self._under_way[call.execution].remove(process)

    def _send(self, call: Call, process: Process) -> None:
        self.raw.append(Raw(call.execution, call.step, call.attempt, call.idempotency_key, process))
        for other in self._under_way[call.execution]:
            if other is not process and not other.is_dead:
                self.violations.append(f"{process} calls {call.step} of {call.execution} while {other} drives it")

    async def _answer(self, call: Call) -> Json:
        failure = self._failure_in_passing(call)
        sent = self._scheduler.now
        there, back = sorted(self._chance.uniform(0, self._slowness) for _ in range(2))
        if failure == "before":
            await asyncio.sleep(back)
            raise ServiceError("http.503", "not now", retryable=True)
        refused: list[str] = []
        self._scheduler.at(sent + there, lambda: self._arrive(call, refused))
        await asyncio.sleep(3_600 if failure == "lost" else back + 0.000_01)
        if failure == "after" or failure == "lost":
            raise ServiceError("http.connection", "no answer", retryable=True)
        if refused:
            raise ServiceError(refused[0], "never", retryable=False)
        return {**ANSWER, "of": call.step}

    def _failure_in_passing(self, call: Call) -> str | None:
        """Before its effect, after it, or with the answer lost for so long that nobody waits for it."""
        step = (call.execution, call.step)
        if self.is_healthy or self._chance.random() >= self._flakiness or self._failed[step] >= FAILURES_IN_PASSING:
            return None
        self._failed[step] += 1
        return self._chance.choice(("before", "after", "lost"))

    def _arrive(self, call: Call, refused: list[str]) -> None:
        """A request gets there. The same key again has the same answer, and no second effect."""
        if call.step.startswith(UNDO):
            self._undo(call)
        elif (error := self._refuses.get(call.step.partition("@")[0])) is not None:
            refused.append(error)
        elif (call.execution, call.step) in self.undone and call.idempotency_key not in self._answered:
            refused.append("undone")  # it was taken back before it came: it is too late for it
        elif call.idempotency_key not in self._answered:
            self._answered.add(call.idempotency_key)
            self.effects[call.execution, call.step] += 1

    def _undo(self, call: Call) -> None:
        undone = call.step.removeprefix(UNDO).partition("/")[0]
        self.undone[call.execution, undone] += 1


class Client:
    """The services as one process sees them."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def call(self, call: Call) -> Any:
        return await self._services.call(call)

    async def close(self) -> None: ...

"""What workers do for executions. Nothing here fails because a service does: that is an answer, too."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from random import random
from typing import TYPE_CHECKING, Any, Protocol, cast

from temporalio import activity
from temporalio.exceptions import ApplicationError

from wfrun.adapters.contract import ServiceConfig
from wfrun.adapters.registry import Services
from wfrun.core.instants import parse_instant
from wfrun.core.values import canonical
from wfrun.engines.calls import Answer, Caller, Calls, Order
from wfrun.engines.temporal import CALL, FOLLOW, PUBLISH, RECALL
from wfrun.engines.temporal.client import Namespace
from wfrun.journal.clock import utc_now

if TYPE_CHECKING:
    from wfrun.core.events import Event, EventData
    from wfrun.core.values import Json

# How often a call gives a sign of life: by the answer it hears that it is to stop.
BEAT_S = 1.0

# Of one payload, Temporal takes 2 MiB, with what is around it.
MOST_BYTES = 2_000_000

# Of a service's name, its entry in the definition, and the folder of that: the entry that counts on this worker.
Configure = Callable[[str, "Json", Path], ServiceConfig | None]


class Calling(Protocol):
    """A call that was begun: see engines.calls."""

    def stop(self, id: str) -> bool: ...

    async def leave(self) -> None: ...


class Activities:
    """Of one worker. A service is opened once for each entry, and closed with the worker."""

    def __init__(self, namespace: Namespace, configure: Configure, beat: float = BEAT_S) -> None:
        self._namespace = namespace
        self._configure = configure
        self._beat = beat
        self._opened: dict[str, Services] = {}

    @property
    def all(self) -> list[Callable[..., Any]]:
        return [self.call, self.follow, self.recall, self.publish]

    async def close(self) -> None:
        for services in self._opened.values():
            await services.close()

    @activity.defn(name=CALL)
    async def call(self, order: dict[str, Any]) -> dict[str, Any]:
        """One attempt at a step, as the fact that it comes to."""
        answered: asyncio.Future[Event] = asyncio.get_running_loop().create_future()

        def answer(id: str, event: Event) -> None:
            if not answered.done():
                answered.set_result(event)

        calls = self.begin(order, answer)
        async with self._alive():
            try:
                return await self._that_fits(order, await asyncio.shield(answered))
            except asyncio.CancelledError:
                if activity.is_worker_shutdown():
                    await calls.leave()
                    raise ApplicationError("the worker was shut down", type="WorkerShutdown") from None
                calls.stop(order["id"])
                return dict(await answered)

    async def _that_fits(self, order: dict[str, Any], event: Event) -> dict[str, Any]:
        """The fact, or that it is too large to be told."""
        size = await self._namespace.carried_size(event)
        if size <= MOST_BYTES:
            return dict(event)
        message = f"the result takes {size:,} bytes, and a history {MOST_BYTES:,}: give workers a store, with --blobs"
        error = {"type": "temporal.too-large", "message": message, "retryable": False}
        return {
            "type": "step.failed",
            "step": order["step"],
            "attempt": order["attempt"],
            "error": error,
            "random": 0.0,
        }

    def begin(self, order: dict[str, Any], answer: Answer) -> Calling:
        calls = Calls(self._services(order), answer, utc_now, random)
        calls.begin(order_of(order))
        return calls

    def _services(self, order: dict[str, Any]) -> Caller:
        """The service that an order is for, among which it is found by its name."""
        name, entry, folder = order["service"], order["entry"], order["folder"]
        known = canonical([name, entry, folder])
        if known not in self._opened:
            config = self._configure(name, entry, Path(folder))
            self._opened[known] = Services({} if config is None else {name: config})
        return self._opened[known]

    @asynccontextmanager
    async def _alive(self) -> AsyncIterator[None]:
        beating = asyncio.create_task(self._give_signs())
        try:
            yield
        finally:
            beating.cancel()
            with suppress(asyncio.CancelledError):
                await beating

    async def _give_signs(self) -> None:
        while True:
            activity.heartbeat()
            await asyncio.sleep(self._beat)

    @activity.defn(name=FOLLOW)
    async def follow(self, asked: dict[str, Any]) -> dict[str, Any]:
        """How an execution ends, once it has. If it had failed, and its parent has begun it anew, it tries again."""
        async with self._alive():
            await self._namespace.try_again(asked["child"], asked["by"], asked["begun"])
            return await self._namespace.end(asked["child"])

    @activity.defn(name=RECALL)
    async def recall(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Have a child undo what it did, or try again what it could not undo, and see how it ends."""
        async with self._alive():
            await self._namespace.recall(asked["child"], asked["by"], asked["times"])
            return await self._namespace.end(asked["child"])

    @activity.defn(name=PUBLISH)
    async def publish(self, event: dict[str, Any]) -> dict[str, Any]:
        async with self._alive():
            return {"reached": len(await self._namespace.publish(cast("EventData", event)))}


def order_of(order: dict[str, Any]) -> Order:
    deadline = order["deadline"]
    given = {key: order[key] for key in Order._fields}
    return Order(**{**given, "deadline": None if deadline is None else parse_instant(deadline)})

"""Threads for functions that block, and the one way there is to stop such a function.

Python has no means to end a thread. What can be done is to have an exception raised in it: that ends Python code at the
next instruction, but not a call into C that blocks (`time.sleep`, a socket without a timeout, a long SQL statement)
until it returns. So the cancellation waits for GRACE seconds; a function that is still busy then is left behind, and
its thread with it. Threads are daemons: one that was left behind does not keep the program from ending.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextvars import copy_context
from queue import SimpleQueue
from time import sleep
from typing import Any

GRACE = 1.0


class Interrupted(BaseException):
    """Raised inside a function whose call was cancelled. Not an Exception, so that `except Exception` lets it pass."""


class Threads:
    """As many threads as there are calls at once. Used from one event loop."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._idle: list[_Worker] = []

    async def run(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """What the function returns or raises. When cancelled, waits up to GRACE seconds for the function to end."""
        loop = asyncio.get_running_loop()
        job = _Job(function, arguments, loop)
        worker = self._idle.pop() if self._idle else _Worker(self._name)
        worker.jobs.put(job)
        try:
            value, error = await asyncio.shield(job.done)
        except asyncio.CancelledError:
            worker.interrupt()
            await asyncio.wait([job.done], timeout=GRACE)
            raise
        self._idle.append(worker)
        if error is not None:
            raise error
        return value

    def close(self) -> None:
        """Ends the idle threads; a busy one belongs to a call that is still being awaited."""
        while self._idle:
            self._idle.pop().jobs.put(None)


class _Job:
    def __init__(
        self, function: Callable[..., Any], arguments: tuple[Any, ...], loop: asyncio.AbstractEventLoop
    ) -> None:
        self.context = copy_context()
        self.function = function
        self.arguments = arguments
        self.loop = loop
        self.done: asyncio.Future[tuple[Any, BaseException | None]] = loop.create_future()

    def run(self) -> None:
        try:
            self.settle(self.context.run(self.function, *self.arguments), None)
        except BaseException as error:  # noqa: BLE001 - whatever it is belongs to the caller
            self.settle(None, error)

    def settle(self, value: Any, error: BaseException | None) -> None:
        if not self.loop.is_closed():
            self.loop.call_soon_threadsafe(self._deliver, value, error)

    def _deliver(self, value: Any, error: BaseException | None) -> None:
        if not self.done.done():
            self.done.set_result((value, error))


class _Worker(threading.Thread):
    """Runs jobs one after another, until it is interrupted once: afterwards nobody can tell where that will arrive."""

    def __init__(self, name: str) -> None:
        super().__init__(name=name, daemon=True)
        self.jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._interrupted = False
        self.start()

    def run(self) -> None:
        job = None
        try:
            while not self._interrupted and (job := self.jobs.get()):
                job.run()
            self._absorb()
        except Interrupted as late:
            if job:
                job.settle(None, late)

    def _absorb(self) -> None:
        """Waits for an exception that is on its way, lest it arrives where nothing catches it."""
        for _ in range(100 if self._interrupted else 0):
            sleep(0.001)

    def interrupt(self) -> None:
        self._interrupted = True
        self.jobs.put(None)
        if self.ident is not None and self.is_alive():
            import ctypes

            ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(self.ident), ctypes.py_object(Interrupted))

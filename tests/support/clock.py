"""Time that jumps: an event loop on which a day passes in no time, and everything happens in the order of its time.

When nothing is ready, time goes on to the next timer. While somebody else is at work, a thread, it stands still.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from contextvars import Context
from datetime import datetime, timedelta
from math import inf
from typing import Any, TypeVar

from tests.support.world import EPOCH
from wfrun.journal.worker import Done, Work, WorkerThread

T = TypeVar("T")


class Stuck(RuntimeError):
    """Everybody waits for somebody else."""


class VirtualLoop(asyncio.SelectorEventLoop):
    """Its `time()` and its `now()` are one clock, which begins at `begin`.

    `failures` are exceptions of what was called back, which nobody else hears of. `pause` is called before time goes
    on.
    """

    def __init__(self, begin: datetime = EPOCH) -> None:
        self._begin = begin
        self._elapsed = 0.0
        self._elsewhere = 0
        self._quiet: list[asyncio.Future[None]] = []
        self.failures: list[BaseException] = []
        self.pause: Callable[[], None] = lambda: None
        super().__init__(_Selector(self))
        # A float that counts the seconds of years is not as fine as the system's clock, by which the loop rounds.
        self._clock_resolution = 1e-6
        self.set_exception_handler(lambda loop, context: self.failures.append(context["exception"]))

    def time(self) -> float:
        return self._elapsed

    def now(self) -> datetime:
        return self._begin + timedelta(seconds=self._elapsed)

    def call_at(  # type: ignore[override]
        self, when: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """What is never due does not keep anybody waiting for it."""
        if when == inf:
            return asyncio.TimerHandle(when, callback, args, self, context)
        return super().call_at(when, callback, *args, context=context)

    async def quiet(self) -> None:
        """Until nothing is left that will happen by itself."""
        future = self.create_future()
        self._quiet.append(future)
        await future

    def begin_elsewhere(self) -> None:
        """Somebody else begins to work, and will come back by `call_soon_threadsafe`."""
        self._elsewhere += 1

    def end_elsewhere(self) -> None:
        self._elsewhere -= 1

    def go_on(self, timeout: float | None) -> bool:
        """Nothing is ready, and nothing will be for so many seconds: let them pass. False if others are waited for."""
        if self._elsewhere:
            return False
        self.pause()
        if timeout is not None:
            self._elapsed += timeout
            return True
        quiet, self._quiet = [future for future in self._quiet if not future.done()], []
        if not quiet:
            raise Stuck("nothing will ever happen here any more")
        for future in quiet:
            future.set_result(None)
        return True


class _Selector(selectors.DefaultSelector):
    """Instead of waiting, lets time go on."""

    def __init__(self, loop: VirtualLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is not None and timeout <= 0:
            return super().select(0)
        return super().select(0 if self._loop.go_on(timeout) else None)


@contextmanager
def virtual_time(begin: datetime = EPOCH) -> Iterator[VirtualLoop]:
    """A loop, with whatever is left on it ended at the end."""
    loop = VirtualLoop(begin)
    try:
        yield loop
    finally:
        end_loop(loop)


def end_loop(loop: VirtualLoop) -> None:
    """Whoever is cancelled may begin something endless, like a `finally`, and is cancelled once more then."""
    while left := asyncio.all_tasks(loop):
        for task in left:
            task.cancel()
        with suppress(Stuck):
            loop.run_until_complete(asyncio.wait(left))
    loop.close()


def run_virtually(main: Coroutine[Any, Any, T]) -> T:
    with virtual_time() as loop:
        return loop.run_until_complete(main)


class AtOnce:
    """A worker for a disk that takes no time: a loop needs no thread to wait for it."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop

    def put(self, work: Work, done: Done) -> None:
        failure: BaseException | None = None
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - as a thread would
            failure = error
        self._loop.call_soon(done, failure)

    def close(self) -> None: ...


class Elsewhere(WorkerThread):
    """The real thread for a real disk, with time standing still while it works."""

    def __init__(self, loop: VirtualLoop) -> None:
        super().__init__("disk")
        self._time = loop

    def put(self, work: Work, done: Done) -> None:
        def back(failure: BaseException | None) -> None:
            self._time.end_elsewhere()
            done(failure)

        self._time.begin_elsewhere()
        super().put(work, back)

"""Who waits for the disk, so that the event loop need not."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from queue import SimpleQueue
from threading import Thread
from typing import Protocol, TypeAlias

Work: TypeAlias = Callable[[], None]
Done: TypeAlias = Callable[[BaseException | None], None]


class Worker(Protocol):
    """Does one thing after another, in the order given."""

    def put(self, work: Work, done: Done) -> None:
        """Have `work` done; then `done` is called on the running event loop, with what `work` has raised if it has."""

    def close(self) -> None:
        """No more work will come, and none is under way."""


class WorkerThread:
    """One thread for life, begun with the first work. It is woken once, and wakes the loop once, for each."""

    def __init__(self, name: str) -> None:
        self._jobs: SimpleQueue[tuple[Work, Done] | None] = SimpleQueue()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = Thread(target=self._run, name=name, daemon=True)

    def put(self, work: Work, done: Done) -> None:
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
            self._thread.start()
        self._jobs.put((work, done))

    def close(self) -> None:
        if self._loop is not None:
            self._jobs.put(None)
            self._thread.join()

    def _run(self) -> None:
        assert self._loop is not None
        while (job := self._jobs.get()) is not None:
            work, done = job
            failure: BaseException | None = None
            try:
                work()
            except BaseException as error:  # noqa: BLE001 - whatever it is, those who wait must hear of it
                failure = error
            self._loop.call_soon_threadsafe(done, failure)

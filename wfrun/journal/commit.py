"""Group commit: many executions of one event loop, one sync for all that are waiting.

A sync costs the same whether it carries one record or a thousand. So whoever comes while a sync runs waits for the
next one, and everybody who waits is served by that one: a lone journal by its own fdatasync, several by one syncfs(2),
which covers new files and their names too. Where syncfs does not report failures, each is synced in a thread of a pool.

One thread for the life of the committer does the waiting; it is woken once, and wakes the loop once, for each batch.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from operator import attrgetter
from queue import SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, NamedTuple

from wfrun.journal.crash import reach

if TYPE_CHECKING:
    from wfrun.journal.io import Files
    from wfrun.journal.journal import Journal

_POOL_SIZE = 16


class _Wait(NamedTuple):
    journal: Journal
    end: int
    done: asyncio.Future[None]


class Committer:
    """Syncs journals that lie on one file system, for one event loop.

    `commits` counts what was asked for, `syncs` the calls to the disk that it took.
    """

    def __init__(self, files: Files) -> None:
        self.commits = 0
        self.syncs = 0
        self._files = files
        self._grouped = files.can_sync_filesystem()
        self._pool: ThreadPoolExecutor | None = None
        self._batches: SimpleQueue[list[_Wait] | None] = SimpleQueue()
        self._waiting: list[_Wait] = []
        self._idle = asyncio.Event()
        self._idle.set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = Thread(target=self._work, name="wfrun-commit", daemon=True)

    async def sync(self, journal: Journal) -> None:
        """Returns when everything added to the journal before is durable. JournalError if it cannot be made so; the
        handle, and all others of the same batch, are then of no more use."""
        self.commits += 1
        journal.check()
        if not journal.dirty:
            return
        loop = self._loop or self._start()
        done: asyncio.Future[None] = loop.create_future()
        journal.lease()
        self._waiting.append(_Wait(journal, journal.end, done))
        if self._idle.is_set():
            # Not at once: whoever else is ready to run in this round of the loop joins the batch.
            self._idle.clear()
            loop.call_soon(self._send)
        await done

    async def close(self) -> None:
        """Waits for the syncs that were asked for, and ends the thread."""
        await self._idle.wait()
        if self._loop is not None:
            self._batches.put(None)
            self._thread.join()
        if self._pool is not None:
            self._pool.shutdown()

    def _start(self) -> asyncio.AbstractEventLoop:
        self._loop = asyncio.get_running_loop()
        self._thread.start()
        return self._loop

    def _send(self) -> None:
        batch, self._waiting = self._waiting, []
        if batch:
            self._batches.put(batch)
        else:
            self._idle.set()

    def _work(self) -> None:
        assert self._loop is not None
        while (batch := self._batches.get()) is not None:
            failure: BaseException | None = None
            try:
                self._sync_all({wait.journal for wait in batch})
            except BaseException as error:  # noqa: BLE001 - whatever it is, those who wait must hear of it
                failure = error
            self._loop.call_soon_threadsafe(self._settle, batch, failure)

    def _sync_all(self, journals: set[Journal]) -> None:
        reach("commit.syncing")
        if len(journals) == 1:
            self.syncs += 1
            journals.pop().harden()
        elif self._grouped:
            self.syncs += 1
            # The kernel reports a file system's failures to descriptors that were open when they happened.
            oldest = min(journals, key=attrgetter("age"))
            self._files.sync_filesystem(oldest.fileno)
        else:
            self.syncs += len(journals)
            self._pool = self._pool or ThreadPoolExecutor(_POOL_SIZE)
            list(self._pool.map(lambda journal: journal.harden(), journals))
        reach("commit.synced")

    def _settle(self, batch: list[_Wait], failure: BaseException | None) -> None:
        for journal, end, done in batch:
            error: BaseException | None = None
            if failure is None:
                journal.hardened(end)
            else:
                error = journal.distrust(failure) if isinstance(failure, OSError) else failure
            journal.release()
            _answer(done, error)
        self._send()


def _answer(done: asyncio.Future[None], error: BaseException | None) -> None:
    if done.done():  # whoever waited was cancelled
        return
    if error is None:
        done.set_result(None)
    else:
        done.set_exception(error)

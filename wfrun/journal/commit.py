"""Group commit: many executions of one event loop, one sync for all that are waiting.

A sync costs the same whether it carries one record or a thousand. So whoever comes while a sync runs waits for the
next one, and everybody who waits is served by that one: a lone journal by its own fdatasync, several by one syncfs(2),
which covers new files and their names too. Where syncfs does not report failures, each is synced in a thread of a pool.
"""

from __future__ import annotations

import asyncio
from functools import partial
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple

from wfrun.errors import JournalError
from wfrun.journal.crash import reach
from wfrun.journal.worker import Worker, WorkerThread

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

    from wfrun.journal.io import Files
    from wfrun.journal.journal import Journal

_POOL_SIZE = 16


class _Wait(NamedTuple):
    journal: Journal
    end: int
    done: asyncio.Future[None]


class Committer:
    """Syncs journals that lie on one file system, for one event loop.

    `commits` counts what was asked for, `syncs` the calls to the disk that it took. The `worker` waits for these, and
    is closed with the committer.
    """

    def __init__(self, files: Files, worker: Worker | None = None) -> None:
        self.commits = 0
        self.syncs = 0
        self._files = files
        self._grouped = files.can_sync_filesystem()
        self._pool: ThreadPoolExecutor | None = None
        self._worker = worker or WorkerThread("wfrun-commit")
        self._waiting: list[_Wait] = []
        self._idle = asyncio.Event()
        self._idle.set()

    async def sync(self, journal: Journal) -> None:
        """Returns when everything added to the journal before is durable. JournalError if it cannot be made so; the
        handle, and all others of the same batch, are then of no more use."""
        self.commits += 1
        journal.check()
        if not journal.dirty:
            return
        loop = asyncio.get_running_loop()
        done: asyncio.Future[None] = loop.create_future()
        journal.lease()
        self._waiting.append(_Wait(journal, journal.end, done))
        if self._idle.is_set():
            # Not at once: whoever else is ready to run in this round of the loop joins the batch.
            self._idle.clear()
            loop.call_soon(self._send)
        await done

    async def close(self) -> None:
        """Waits for the syncs that were asked for."""
        await self._idle.wait()
        self._worker.close()
        if self._pool is not None:
            self._pool.shutdown()

    def _send(self) -> None:
        waiting, self._waiting = self._waiting, []
        batch = [wait for wait in waiting if _is_usable(wait)]
        if batch:
            self._worker.put(partial(self._sync_all, {wait.journal for wait in batch}), partial(self._settle, batch))
        else:
            self._idle.set()

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
            list(self._threads().map(lambda journal: journal.harden(), journals))
        reach("commit.synced")

    def _threads(self) -> ThreadPoolExecutor:
        from concurrent.futures import ThreadPoolExecutor  # where there is syncfs, nobody needs them

        self._pool = self._pool or ThreadPoolExecutor(_POOL_SIZE)
        return self._pool

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


def _is_usable(wait: _Wait) -> bool:
    """A sync may have failed since this one was asked for: another would succeed, and prove nothing (C6)."""
    try:
        wait.journal.check()
    except JournalError as error:
        wait.journal.release()
        _answer(wait.done, error)
        return False
    return True


def _answer(done: asyncio.Future[None], error: BaseException | None) -> None:
    if done.done():  # whoever waited was cancelled
        return
    if error is None:
        done.set_result(None)
    else:
        done.set_exception(error)

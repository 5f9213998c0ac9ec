"""Group commit: what is acknowledged is durable, syncs are shared, and a failure is everybody's."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from tests.support.journals import INFO, FaultyFiles, completed, os_error, started
from wfrun.errors import JournalError
from wfrun.journal.commit import Committer
from wfrun.journal.home import Home
from wfrun.journal.io import Files
from wfrun.journal.journal import Journal
from wfrun.journal.memory import MemoryFiles

Body = Callable[[Home, Committer], Awaitable[None]]


def committing(files: Files, body: Body, path: str = "/home") -> Committer:
    async def main() -> Committer:
        home, committer = Home(path, files), Committer(files)
        await body(home, committer)
        await committer.close()
        return committer

    return asyncio.run(main())


def prepared(home: Home, count: int) -> list[Journal]:
    return [Journal.prepare(home, f"e{number}", started(f"e{number}")) for number in range(count)]


def write(journal: Journal) -> None:
    with journal.turn():
        journal.add(completed(len(journal.records)))


async def work(committer: Committer, journal: Journal, count: int) -> None:
    journal.drive(INFO)
    for _ in range(count):
        write(journal)
        await committer.sync(journal)
        assert not journal.dirty


def test_a_lone_journal_is_synced_by_itself() -> None:
    faulty = FaultyFiles(MemoryFiles(), lambda number, name: None)

    async def body(home: Home, committer: Committer) -> None:
        journal = Journal.create(home, "e", started("e"))
        faulty.calls.clear()
        await work(committer, journal, 10)

    committer = committing(faulty.door, body)
    assert faulty.calls.count("sync") == committer.syncs == committer.commits == 10
    assert not {"sync_filesystem", "sync_directory"} & set(faulty.calls)


def test_journals_share_syncs_and_are_durable_with_their_names() -> None:
    faulty = FaultyFiles(MemoryFiles(), lambda number, name: None)

    async def body(home: Home, committer: Committer) -> None:
        journals = prepared(home, 20)
        await asyncio.gather(*(work(committer, journal, 5) for journal in journals))
        after = Home("/home", faulty.files.crash())
        assert all(Journal.read(after, each.execution_id) == each.records for each in journals)

    committer = committing(faulty.door, body)
    assert committer.commits == 100
    assert faulty.calls.count("sync_filesystem") == committer.syncs == 5
    assert "sync" not in faulty.calls


def test_a_new_journal_alone_is_durable_with_its_name() -> None:
    files = MemoryFiles()

    async def body(home: Home, committer: Committer) -> None:
        [journal] = prepared(home, 1)
        await committer.sync(journal)
        assert Journal.read(Home("/home", files.crash()), "e0") == journal.records

    committing(files, body)


def test_what_is_durable_is_not_synced_again() -> None:
    async def body(home: Home, committer: Committer) -> None:
        journal = Journal.create(home, "e", started("e"))
        await committer.sync(journal)
        assert committer.syncs == 0

    committing(MemoryFiles(), body)


class WithoutGroups(MemoryFiles):
    def can_sync_filesystem(self) -> bool:
        return False


def test_without_syncfs_each_journal_is_synced() -> None:
    files = WithoutGroups()

    async def body(home: Home, committer: Committer) -> None:
        journals = prepared(home, 20)
        await asyncio.gather(*(work(committer, journal, 2) for journal in journals))
        after = Home("/home", files.crash())
        assert all(Journal.read(after, each.execution_id) == each.records for each in journals)

    assert committing(files, body).syncs == 40


@pytest.mark.parametrize(("count", "call"), [(1, "sync"), (5, "sync_filesystem")])
def test_a_failed_sync_stops_every_journal_of_the_batch(count: int, call: str) -> None:
    armed: list[str] = []
    faulty = FaultyFiles(MemoryFiles(), lambda number, name: os_error() if name in armed else None)

    async def body(home: Home, committer: Committer) -> None:
        journals = prepared(home, count)
        bystander = Journal.create(home, "bystander", started("bystander"))
        armed.append(call)
        results = await asyncio.gather(*(committer.sync(each) for each in journals), return_exceptions=True)
        armed.clear()
        assert [type(result) for result in results] == [JournalError] * count
        for journal in journals:
            with pytest.raises(JournalError):
                await committer.sync(journal)
        write(bystander)
        await committer.sync(bystander)

    committing(faulty.door, body)


def test_what_was_asked_for_while_a_sync_failed_is_refused() -> None:
    """Whoever was cancelled says a last word: the next sync would succeed, and say nothing of what was lost."""
    asked, failing = threading.Event(), list[str]()

    def fail(number: int, name: str) -> OSError | None:
        if name not in failing:
            return None
        asked.wait(10)
        failing.remove(name)
        return os_error()

    async def body(home: Home, committer: Committer) -> None:
        journal = Journal.create(home, "e", started("e"))
        write(journal)
        failing.append("sync")
        first = asyncio.ensure_future(committer.sync(journal))
        while committer.syncs == 0:  # noqa: ASYNC110 - it is counted in another thread
            await asyncio.sleep(0)
        first.cancel()
        write(journal)
        last = asyncio.ensure_future(committer.sync(journal))
        await asyncio.sleep(0)
        asked.set()
        with pytest.raises(JournalError):
            await last

    committing(FaultyFiles(MemoryFiles(), fail).door, body)


def test_what_is_added_during_a_sync_waits_for_the_next() -> None:
    async def body(home: Home, committer: Committer) -> None:
        journal = Journal.create(home, "e", started("e"))
        write(journal)
        first = asyncio.ensure_future(committer.sync(journal))
        await asyncio.sleep(0)
        write(journal)
        await first
        assert journal.dirty
        await committer.sync(journal)
        assert not journal.dirty

    committing(MemoryFiles(), body)


def test_who_was_cancelled_may_close_the_journal() -> None:
    async def body(home: Home, committer: Committer) -> None:
        left, right = prepared(home, 2)
        waiting = [asyncio.ensure_future(committer.sync(each)) for each in (left, right)]
        await asyncio.sleep(0)
        waiting[0].cancel()
        left.close()
        await waiting[1]
        assert not right.dirty

    committing(MemoryFiles(), body)


def test_on_a_real_disk(tmp_path: Path) -> None:
    from wfrun.journal.io import OsFiles

    async def body(home: Home, committer: Committer) -> None:
        journals = prepared(home, 10)
        await asyncio.gather(*(work(committer, journal, 3) for journal in journals))
        for journal in journals:
            journal.close()
            assert Journal.read(home, journal.execution_id) == journal.records

    assert committing(OsFiles(), body, str(tmp_path / "home")).commits == 30

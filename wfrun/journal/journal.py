"""One execution's journal, open for appending: locks, turns, syncs, and what happens when one of them fails.

Two locks. The *append lock* belongs to the shard's `.lock` file and is held for one turn: look at what others wrote,
decide, write. The *driver lock* is the kernel's lock on the journal file itself, and whoever runs the execution keeps
it until `close` or death. It is only taken, and the file is only replaced, under the append lock.

What can go wrong with the file, and what then becomes of the handle, is told in `handle`.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from wfrun.errors import JournalError
from wfrun.journal.blobs import Blobs
from wfrun.journal.codec import instant
from wfrun.journal.crash import reach
from wfrun.journal.creation import new_file, scan_file
from wfrun.journal.driver import DriverInfo
from wfrun.journal.failures import damaged, held, io_failed, of_another, unknown
from wfrun.journal.handle import Handle
from wfrun.journal.marks import FAILED, IN_DOUBT

if TYPE_CHECKING:
    from wfrun.core.events import Event, Record
    from wfrun.journal.home import Home


class Turn:
    """What `Journal.turn` returns. A class of its own, as a generator would cost a tenth of a turn."""

    __slots__ = ("_journal",)

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def __enter__(self) -> list[Record]:
        return self._journal.begin_turn()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: object) -> None:
        self._journal.end_turn(write=kind is None)


class Journal(Handle):
    """A handle on a journal; `create`, `prepare` or `open` make one."""

    # ---- making one

    @classmethod
    def create(cls, home: Home, execution_id: str, first: Event) -> Journal:
        """A new journal whose first record and name are durable (C1). ConflictError `execution.exists`."""
        journal = cls.prepare(home, execution_id, first)
        try:
            journal.sync()
        except BaseException:
            journal.close()
            raise
        return journal

    @classmethod
    def prepare(
        cls,
        home: Home,
        execution_id: str,
        first: Event,
        *,
        driver: DriverInfo | None = None,
    ) -> Journal:
        """A new journal, still to be synced, for callers that sync many at once. Say its id to nobody before that.

        With `driver`, it is driven from the start, as if `drive` had been called: one turn for both.
        """
        path = home.journal_path(execution_id)
        try:
            shard = home.shard(execution_id)
            home.ensure(shard)
            with home.locked(shard):
                journal = cls(home, execution_id, new_file(home, execution_id))
                journal._begin(first, driver)
        except OSError as error:
            raise io_failed(path, "made", error) from error
        return journal

    @classmethod
    def open(cls, home: Home, execution_id: str) -> Journal:
        """An existing journal, to append to. NotFoundError; JournalError `journal.damaged`. It writes nothing yet."""
        path = home.journal_path(execution_id)
        found = home.find(path)
        if found is None:
            raise unknown(home, execution_id)
        try:
            journal = cls(home, execution_id, (home.files.open(path), found))
        except OSError as error:
            raise io_failed(path, "opened", error) from error
        try:
            journal._read_new()
            _check_first(home, execution_id, journal.records)
        except BaseException:
            journal.close()
            raise
        if journal._mode & IN_DOUBT:
            # Whoever made it, or appended to it, may not have come to its sync yet.
            journal._synced, journal._named = 0, False
        else:
            journal._synced = journal.end
        return journal

    @staticmethod
    def read(home: Home, execution_id: str) -> list[Record]:
        """All records, without writing, locking or waiting; an unfinished last line is left out.

        NotFoundError; JournalError `journal.damaged` names file, offset and seq.
        """
        path = home.journal_path(execution_id)
        found = scan_file(home, path)
        if found.damage is not None:
            raise damaged(path, found.damage)
        _check_first(home, execution_id, found.records)
        Blobs(home).fill(found.records)
        return found.records

    # ---- using it

    def drive(self, info: DriverInfo) -> int:
        """Takes the driver lock and appends `driver.started`, not yet synced; returns its epoch, 1 for the first.

        A torn tail is sealed, a file in doubt replaced. ConflictError `execution.held` names who holds the lock.
        """
        self._enter()
        try:
            if not self._do(self._files.try_lock, self.fileno):
                self._read_new()
                raise held(self.execution_id, self.records)
            self._driving = True
            reach("driver.claimed")
            self._catch_up()
            self.add({"type": "driver.started", "epoch": self._chain.epoch + 1, **info})
            self._flush()
        finally:
            self._leave()
        return self._chain.epoch

    def turn(self) -> Turn:
        """`with journal.turn() as foreign:` holds the append lock; `foreign` is what others appended meanwhile.

        What `add` stamps inside is written in one write on leaving. To keep the lock until it is durable, as whoever
        does not drive must, call `sync` inside. An exception inside leaves nothing written; if records had been added,
        the handle is of no more use.
        """
        return Turn(self)

    def add(self, event: Event) -> Record:
        """Stamps an event with `seq`, `at` and `prev` and keeps it for the end of the turn. ValueError if not JSON."""
        if self._failure is not None or not self._locked:
            self.check()
            raise RuntimeError("Journal.add outside of a turn")
        self._at = self._at or instant(self.clock())
        try:
            return self._chain.stamp(event, self._at)
        except JournalError as error:
            raise self._stop(error) from error.__cause__

    def has_foreign(self) -> bool:
        """Whether others appended, or failed to, since this handle last looked. Takes no lock; the next turn tells."""
        self.check()
        found = self._do(self._files.stat, self.path)
        self._displaced = found.inode != self._inode
        known = (self._inode, self._chain.size)
        return (found.inode, found.size) != known or bool(found.mode & FAILED)

    def sync(self) -> None:
        """Makes every record durable, and the journal's name; blocks. Inside of a turn it writes what was added first.

        JournalError `journal.io`, never to be tried again: the kernel reports a failed sync once.
        """
        self.check()
        if self._locked:
            self._flush()
        end = self.end
        try:
            self.harden()
        except OSError as error:
            raise self.distrust(error) from error
        self.hardened(end)

    def let_go(self) -> list[Record]:
        """Ends the driver lock, unless others have appended: what they have, for they may have found it held."""
        self._enter()
        try:
            foreign = self._catch_up()
            if not foreign:
                self._rest()
                self._do(self._files.unlock, self.fileno)
                self._driving = False
        finally:
            self._leave()
        return foreign

    def close(self) -> None:
        """Ends every lock. Only a journal known to be synced to its last byte is marked as at rest. Raises nothing."""
        if self._closed:
            return
        with suppress(OSError, JournalError):
            self._rest_at_last()
        self._closed = True
        self._close_unless_leased()

    # ---- turns

    def begin_turn(self) -> list[Record]:
        self._enter()
        try:
            return self._catch_up()
        except BaseException:
            self._leave()
            raise

    def end_turn(self, *, write: bool) -> None:
        try:
            if write:
                self._flush()
                self._rest_if_visiting()
        finally:
            self._leave()

    def _begin(self, first: Event, driver: DriverInfo | None) -> None:
        """The first turn, under a lock that the caller holds."""
        at = instant(self.clock())
        self._vouched, self._named = True, False
        try:
            reach("create.named")
            self._chain.stamp(first, at)
            if driver is not None:
                self._driving = self._files.try_lock(self.fileno)
                reach("driver.claimed")
                self._chain.stamp({"type": "driver.started", "epoch": 1, **driver}, at)
            self._flush()
            reach("create.written")
        except BaseException:
            self.close()
            raise


def _check_first(home: Home, execution_id: str, records: list[Record]) -> None:
    """A journal was begun, and by the execution that its file is named after."""
    if not records:
        raise unknown(home, execution_id)
    if records[0].get("execution") != execution_id:
        raise of_another(home.journal_path(execution_id), execution_id, records[0])

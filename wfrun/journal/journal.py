"""One execution's journal, open for appending: locks, turns, syncs, and what happens when one of them fails.

Two locks. The *append lock* belongs to the shard's `.lock` file and is held for one turn: look at what others wrote,
decide, write. The *driver lock* is the kernel's lock on the journal file itself, and whoever runs the execution keeps
it until `close` or death. It is only taken, and the file is only replaced, under the append lock.

What is in the file when a handle comes to it is believed only if the file says so: see `marks`.

Full disk or failing disk, the handle is of no more use (C6): no second try, every further call raises.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from itertools import count
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from wfrun.errors import JournalError
from wfrun.journal.chain import Chain
from wfrun.journal.codec import instant
from wfrun.journal.crash import reach
from wfrun.journal.creation import new_file
from wfrun.journal.driver import DriverInfo
from wfrun.journal.failures import broken_off, damaged, failed_elsewhere, held, io_failed, not_as_read, unknown
from wfrun.journal.marks import AT_REST, FAILED, IN_DOUBT, IN_FLIGHT
from wfrun.journal.scan import scan

if TYPE_CHECKING:
    from datetime import datetime

    from wfrun.core.events import Event, Record
    from wfrun.journal.home import Home
    from wfrun.journal.io import Stat

P = ParamSpec("P")
T = TypeVar("T")

_ages = count()


class Turn:
    """What `Journal.turn` returns. A class of its own, as a generator would cost a tenth of a turn."""

    __slots__ = ("_journal",)

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def __enter__(self) -> list[Record]:
        return self._journal.begin_turn()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: object) -> None:
        self._journal.end_turn(write=kind is None)


class Journal:
    """A handle on a journal; `create`, `prepare` or `open` make one. A handle serves one thread."""

    def __init__(self, home: Home, execution_id: str, file: tuple[int, Stat], clock: Callable[[], datetime]) -> None:
        self.execution_id = execution_id
        self.path = home.journal_path(execution_id)
        self.fileno, self._found = file
        self.age = next(_ages)  # grows with every file opened: the oldest descriptor has the smallest
        self._home = home
        self._files = home.files
        self._shard = home.shard(execution_id)
        self._clock = clock
        self._chain = Chain()
        self._synced = 0
        self._named = True  # whether the file's name is durable
        self._vouched = False  # whether the bytes can be believed although the file is marked as in flight
        self._driving = False
        self._displaced = False  # whether another file was seen in the place of this one
        self._locked = False
        self._at = ""  # the instant of the turn: everything in it is learned at once
        self._failure: JournalError | None = None
        self._leases = 0
        self._closed = False

    # ---- making one

    @classmethod
    def create(cls, home: Home, execution_id: str, first: Event, *, clock: Callable[[], datetime]) -> Journal:
        """A new journal whose first record and name are durable (C1). ConflictError `execution.exists`."""
        journal = cls.prepare(home, execution_id, first, clock=clock)
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
        clock: Callable[[], datetime],
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
                journal = cls(home, execution_id, new_file(home, execution_id), clock)
                journal._begin(first, driver)
        except OSError as error:
            raise io_failed(path, "made", error) from error
        return journal

    @classmethod
    def open(cls, home: Home, execution_id: str, *, clock: Callable[[], datetime]) -> Journal:
        """An existing journal, to append to. NotFoundError; JournalError `journal.damaged`. It writes nothing yet."""
        path = home.journal_path(execution_id)
        found = home.find(path)
        if found is None:
            raise unknown(home, execution_id)
        try:
            journal = cls(home, execution_id, (home.files.open(path), found), clock)
        except OSError as error:
            raise io_failed(path, "opened", error) from error
        try:
            journal._read_new()
            if not journal.records:
                raise unknown(home, execution_id)
        except BaseException:
            journal.close()
            raise
        journal._synced = 0 if journal._found.mode & IN_DOUBT else journal.end
        return journal

    @staticmethod
    def read(home: Home, execution_id: str) -> list[Record]:
        """All records, without writing, locking or waiting; an unfinished last line is left out.

        NotFoundError; JournalError `journal.damaged` names file, offset and seq.
        """
        path = home.journal_path(execution_id)
        found = scan(home.read_file(path) or b"")
        if found.damage is not None:
            raise damaged(path, found.damage)
        if not found.records:
            raise unknown(home, execution_id)
        return found.records

    # ---- using it

    @property
    def records(self) -> list[Record]:
        """Every record known to this handle, in order."""
        return self._chain.records

    @property
    def dirty(self) -> bool:
        """Whether anything known to this handle is not known to be durable."""
        return self._synced < self._chain.end or not self._named

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
        self._at = self._at or instant(self._clock())
        return self._chain.stamp(event, self._at)

    def has_foreign(self) -> bool:
        """Whether others appended, or failed to, since this handle last looked. Takes no lock; the next turn tells."""
        self.check()
        found = self._do(self._files.stat, self.path)
        self._displaced = found.inode != self._found.inode
        known = (self._found.inode, self._chain.size)
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

    def check(self) -> None:
        """JournalError if the handle was closed, or if anything failed with it before."""
        if self._failure is not None:
            message = f"{self.path} is not used any more after: {self._failure.message}"
            raise JournalError("journal.stopped", message, hint=self._failure.hint)
        if self._closed:
            raise JournalError("journal.closed", f"{self.path} was closed")

    def close(self) -> None:
        """Ends every lock. Only a journal known to be synced to its last byte is marked as at rest. Raises nothing."""
        if self._closed:
            return
        with suppress(OSError, JournalError):
            self._rest_at_last()
        self._closed = True
        self._close_unless_leased()

    # ---- the parts of `sync`, for those who sync in another thread or many at once

    @property
    def end(self) -> int:
        """The number of bytes that `hardened` may be told once a sync that begins now has succeeded."""
        return self._chain.end

    def lease(self) -> None:
        """Keeps the descriptor open, whatever happens meanwhile, until `release`: another thread is using it."""
        self._leases += 1

    def release(self) -> None:
        self._leases -= 1
        if self._closed:
            self._close_unless_leased()

    def harden(self) -> None:
        """The blocking part alone. It changes nothing in the handle, so another thread may do it. OSError."""
        reach("journal.syncing")
        try:
            self._files.sync(self.fileno)
            if not self._named:
                self._home.sync_names(self._shard)
        except OSError:
            reach("journal.sync-failed")
            raise
        reach("journal.synced")

    def hardened(self, end: int) -> None:
        """The file's first `end` bytes and its name are durable."""
        self._synced = max(self._synced, end)
        self._named = True

    def distrust(self, error: OSError) -> JournalError:
        """Ends the handle's use, because a write or sync failed, and marks the file for others who hold it open."""
        with suppress(OSError):
            self._files.set_mode(self.fileno, IN_FLIGHT | FAILED)
        return self._stop(io_failed(self.path, "written", error))

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

    def _enter(self) -> None:
        self.check()
        if self._locked:
            raise RuntimeError("a turn within a turn")
        self._do(self._home.lock, self._shard)
        self._locked, self._at = True, ""
        try:
            self._follow()
        except BaseException:
            self._leave()
            raise

    def _leave(self) -> None:
        """Lets go of the append lock. Records that were stamped but not written make the handle useless."""
        self._locked = False
        if self._chain.unwritten and self._failure is None:
            self._stop(broken_off(self.path))
        self._do(self._home.unlock, self._shard)

    def _begin(self, first: Event, driver: DriverInfo | None) -> None:
        """The first turn, under a lock that the caller holds."""
        at = instant(self._clock())
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

    def _follow(self) -> None:
        """Looks at the file; if another one took its place, goes on with that."""
        if self._driving and not self._displaced:
            # Whoever wants to put another file in its place needs the driver lock first. That somebody did so without
            # asking is for `has_foreign` to notice, which looks less often.
            self._found = self._do(self._files.stat_open, self.fileno)
            return
        found = self._do(self._files.stat, self.path)
        if found.inode != self._found.inode:
            if self._driving:
                raise self._stop(not_as_read(self.path))
            fd = self._do(self._files.open, self.path)
            self._do(self._files.close, self.fileno)
            self.fileno, self.age, self._vouched = fd, next(_ages), False
            self._expect(self._do(self._files.read, fd, 0, self.end))
        self._found = found

    def _catch_up(self) -> list[Record]:
        """Reads what others appended, and sees to it that the next bytes stand behind bytes that can be believed."""
        foreign = self._read_new()
        failed = self._found.mode & FAILED
        if failed and self._driving and self._vouched:
            raise self._stop(failed_elsewhere(self.path))
        if failed or (self._found.mode & IN_DOUBT and not self._vouched):
            if self._driving or self._do(self._files.try_lock, self.fileno):
                self._replace()
            elif failed:
                raise self._stop(failed_elsewhere(self.path))
        return foreign

    def _read_new(self) -> list[Record]:
        size = self._found.size
        if size == self._chain.size:
            return []
        if size < self.end:
            raise self._stop(not_as_read(self.path))
        found = self._chain.read(self._do(self._files.read, self.fileno, self.end, size - self.end))
        if found.damage is not None:
            raise self._stop(damaged(self.path, found.damage))
        return found.records

    def _replace(self) -> None:
        """Copies the bytes to a new, synced file in the place of this one."""
        raw = self._do(self._files.read, self.fileno, 0, self._found.size)
        self._expect(raw)
        fd = self._do(self._home.replace, self.path, raw, IN_FLIGHT)
        self._do(self._files.close, self.fileno)
        self.fileno, self.age = fd, next(_ages)
        self._vouched, self._named, self._synced = True, True, len(raw)
        self._found = self._do(self._files.stat, self.path)
        if not self._driving:
            self._do(self._files.unlock, fd)

    def _expect(self, raw: bytes) -> None:
        if not self._chain.begins(raw):
            raise self._stop(not_as_read(self.path))

    def _flush(self) -> None:
        if not self._chain.unwritten:
            return
        if not self._found.mode & IN_DOUBT:
            self._mark(IN_FLIGHT)
            self._vouched = True
        data = b"".join(self._chain.unwritten)
        reach("journal.appending")
        try:
            written = self._files.write(self.fileno, data)
            if written != len(data):
                raise OSError(f"only {written} of {len(data)} bytes were taken")
        except OSError as error:
            raise self.distrust(error) from error
        self._chain.unwritten.clear()
        reach("journal.appended")

    def _rest_if_visiting(self) -> None:
        if self._vouched and not self._driving and not self.dirty:
            self._mark(AT_REST)
            self._vouched = False

    def _rest_at_last(self) -> None:
        """Marks the file as at rest if every byte in it was synced by this handle, or before it came."""
        if not self._vouched or self.dirty or self._failure is not None:
            return
        self._enter()
        try:
            if self._found.size == self.end and not self._found.mode & FAILED and self._vouched:
                reach("journal.resting")
                self._mark(AT_REST)
        finally:
            self._leave()

    def _mark(self, mode: int) -> None:
        self._do(self._files.set_mode, self.fileno, mode)
        self._found = self._found._replace(mode=mode)

    def _close_unless_leased(self) -> None:
        if self._leases == 0:
            with suppress(OSError):
                self._files.close(self.fileno)

    # ---- failing

    def _do(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """One call to the disk; if it fails, so does everything after it."""
        try:
            return call(*args, **kwargs)
        except OSError as error:
            raise self._stop(io_failed(self.path, "used", error)) from error

    def _stop(self, error: JournalError) -> JournalError:
        self._failure = self._failure or error
        return error

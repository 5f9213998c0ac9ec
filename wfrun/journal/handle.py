"""The file behind a handle: looking at it, believing it or not, writing, replacing, failing.

What is in the file when a handle comes to it is believed only if the file says so: see `marks`.

Full disk or failing disk, the handle is of no more use (C6): no second try, every further call raises.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from itertools import count
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from wfrun.errors import JournalError
from wfrun.journal.blobs import Blobs
from wfrun.journal.chain import Chain
from wfrun.journal.crash import reach
from wfrun.journal.failures import broken_off, damaged, failed_elsewhere, io_failed, not_as_read
from wfrun.journal.marks import AT_REST, FAILED, IN_DOUBT, IN_FLIGHT

if TYPE_CHECKING:
    from wfrun.core.events import Record
    from wfrun.journal.home import Home
    from wfrun.journal.io import Stat

P = ParamSpec("P")
T = TypeVar("T")

_ages = count()


class Handle:
    """An open journal file, as `Journal` uses it; `Committer` needs no more of one. A handle serves one thread."""

    def __init__(self, home: Home, execution_id: str, file: tuple[int, Stat]) -> None:
        self.execution_id = execution_id
        self.path = home.journal_path(execution_id)
        self.fileno, found = file
        self._see(found)
        self.age = next(_ages)  # grows with every file opened: the oldest descriptor has the smallest
        self._home = home
        self._files = home.files
        self._shard = home.shard(execution_id)
        self.clock = home.clock
        self._chain = Chain(Blobs(home))
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

    @property
    def records(self) -> list[Record]:
        """Every record known to this handle, in order."""
        return self._chain.records

    @property
    def dirty(self) -> bool:
        """Whether anything known to this handle is not known to be durable."""
        return self._synced < self._chain.end or not self._named

    def check(self) -> None:
        """JournalError if the handle was closed, or if anything failed with it before."""
        if self._failure is not None:
            message = f"{self.path} is not used any more after: {self._failure.message}"
            raise JournalError("journal.stopped", message, hint=self._failure.hint)
        if self._closed:
            raise JournalError("journal.closed", f"{self.path} was closed")

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

    # ---- the append lock

    def _enter(self) -> None:
        self.check()
        if self._locked:
            raise RuntimeError("a turn within a turn")
        try:
            self._home.lock(self._shard)
        except OSError as error:
            raise self._unusable(error) from error
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
        try:
            self._home.unlock(self._shard)
        except OSError as error:
            raise self._unusable(error) from error

    # ---- the file

    def _follow(self) -> None:
        """Looks at the file; if another one took its place, goes on with that."""
        if self._driving and not self._displaced:
            # Whoever wants to put another file in its place needs the driver lock first. That somebody did so without
            # asking is for `has_foreign` to notice, which looks less often.
            try:
                self._size, self._mode = self._files.extent(self.fileno)
            except OSError as error:
                raise self._unusable(error) from error
            return
        found = self._do(self._files.stat, self.path)
        if found.inode != self._inode:
            if self._driving:
                raise self._stop(not_as_read(self.path))
            fd = self._do(self._files.open, self.path)
            self._do(self._files.close, self.fileno)
            self.fileno, self.age, self._vouched = fd, next(_ages), False
            self._expect(self._do(self._files.read, fd, 0, self.end))
        self._see(found)

    def _see(self, found: Stat) -> None:
        self._inode, self._size, self._mode = found.inode, found.size, found.mode

    def _catch_up(self) -> list[Record]:
        """Reads what others appended, and sees to it that the next bytes stand behind bytes that can be believed."""
        foreign = self._read_new()
        failed = self._mode & FAILED
        if failed and self._driving and self._vouched:
            raise self._stop(failed_elsewhere(self.path))
        if failed or (not self._vouched and self._mode & IN_DOUBT):
            if self._driving or self._do(self._files.try_lock, self.fileno):
                self._replace()
            elif failed:
                raise self._stop(failed_elsewhere(self.path))
        return foreign

    def _read_new(self) -> list[Record]:
        size = self._size
        if size == self._chain.size:
            return []
        if size < self.end:
            raise self._stop(not_as_read(self.path))
        raw = self._do(self._files.read, self.fileno, self.end, size - self.end)
        found = self._chain.read(raw, at_rest=not self._mode & IN_DOUBT)
        if found.damage is not None:
            raise self._stop(damaged(self.path, found.damage))
        return found.records

    def _replace(self) -> None:
        """Copies the bytes to a new, synced file in the place of this one."""
        raw = self._do(self._files.read, self.fileno, 0, self._size)
        self._expect(raw)
        fd = self._do(self._home.replace, self.path, raw, IN_FLIGHT)
        self._do(self._files.close, self.fileno)
        self.fileno, self.age = fd, next(_ages)
        self._vouched, self._named, self._synced = True, True, len(raw)
        self._see(self._do(self._files.stat, self.path))
        if not self._driving:
            self._do(self._files.unlock, fd)

    def _expect(self, raw: bytes) -> None:
        if not self._chain.begins(raw):
            raise self._stop(not_as_read(self.path))

    def _flush(self) -> None:
        if not self._chain.unwritten:
            return
        if not self._mode & IN_DOUBT:
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
        if self._vouched and not self._driving and not self.dirty and self._chain.size == self.end:
            self._mark(AT_REST)
            self._vouched = False

    def _rest_at_last(self) -> None:
        """Marks the file as at rest if every byte in it was synced by this handle, or before it came."""
        if not self._vouched or self.dirty or self._failure is not None:
            return
        self._enter()
        try:
            self._rest()
        finally:
            self._leave()

    def _rest(self) -> None:
        if self._vouched and not self.dirty and self._size == self.end and not self._mode & FAILED:
            reach("journal.resting")
            self._mark(AT_REST)
            self._vouched = False

    def _mark(self, mode: int) -> None:
        self._do(self._files.set_mode, self.fileno, mode)
        self._mode = mode

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
            raise self._unusable(error) from error

    def _unusable(self, error: OSError) -> JournalError:
        return self._stop(io_failed(self.path, "used", error))

    def _stop(self, error: JournalError) -> JournalError:
        self._failure = self._failure or error
        return error

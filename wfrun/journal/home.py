"""The state directory: where things are, and whether they may be believed.

    <home>/executions/<shard>/<execution>.jsonl    one journal
    <home>/executions/<shard>/.lock                held while somebody appends to a journal of this shard; never deleted
    <home>/definitions/<sha256>.yaml               the exact bytes of a definition, written once
    <home>/running/<execution>.<call>              held by the processes of a call that is out (see adapters.fence)
    <home>/blobs/<sha256>                          a value that is too large for a line of a journal, written once
    <home>/cache/<name>                            what can be made again, and may be deleted

The shard is the first two hexadecimal digits of the SHA-256 of the execution's id. Directories are made when something
is first written, with mode 0700, files with 0600; looking at a home that is not there does not make one.
"""

from __future__ import annotations

import os
import stat as modes
import sys
from _thread import LockType, allocate_lock
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from hashlib import sha256
from typing import Literal, NamedTuple

from wfrun.errors import JournalError, StateError, UsageError
from wfrun.journal.above import make_above
from wfrun.journal.clock import Clock, utc_now
from wfrun.journal.crash import reach
from wfrun.journal.io import FILE_MODE, Files, OsFiles, Stat
from wfrun.journal.stored import read_exact, write_once

JOURNAL = ".jsonl"
# For so long whoever has stored a definition relies on its being there.
STORED_AGAIN_S = 600.0
_ID_FIRST = frozenset("abcdefghijklmnopqrstuvwxyz0123456789")
_ID_REST = _ID_FIRST | frozenset("._-")
_HEX = frozenset("0123456789abcdef")


def is_id(text: str) -> bool:
    """Whether a text can be an execution's id: 1 to 64 of `a-z 0-9 . _ -`, the first a letter or digit."""
    return 0 < len(text) <= 64 and text[0] in _ID_FIRST and _ID_REST.issuperset(text)


@lru_cache(maxsize=256)  # asked for several times by whoever makes a journal
def _shard_name(execution_id: str) -> str:
    if not is_id(execution_id):
        hint = "1 to 64 of a-z, 0-9, '.', '_' and '-', the first a letter or a digit"
        raise UsageError("execution.id", f"{execution_id!r} cannot be the id of an execution", hint=hint)
    return sha256(execution_id.encode()).hexdigest()[:2]


@contextmanager
def reading(path: str) -> Iterator[None]:
    """What the disk says against reading becomes a JournalError; that nothing is there is left to the caller."""
    try:
        yield
    except (FileNotFoundError, NotADirectoryError):
        raise
    except OSError as error:
        raise JournalError("state.io", f"{path} cannot be read: {error.strerror or error}") from error


_forks = 0


def _count_fork() -> None:
    global _forks
    _forks += 1


os.register_at_fork(after_in_child=_count_fork)


def _most_locks() -> int:
    """A quarter of the files that may be open: there are 256 shards, and the rest is for journals and services."""
    limit = os.sysconf("SC_OPEN_MAX")
    return sys.maxsize if limit < 0 else max(limit // 4, 1)


class _Lock(NamedTuple):
    fd: int
    threads: LockType


class Home:
    """A state directory at `path`, on a disk, by a clock; one object serves any number of executions, and threads.

    `entropy` answers with so many random bytes, for ids that nobody else must have. What is kept is the descriptors of
    the append locks that were taken, and nothing else.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        files: Files | None = None,
        clock: Clock = utc_now,
        entropy: Callable[[int], bytes] = os.urandom,
    ) -> None:
        self.path = os.path.abspath(path)
        self.files: Files = files or OsFiles()
        self.clock = clock
        self.entropy = entropy
        self.executions = f"{self.path}/executions"
        self.definitions = f"{self.path}/definitions"
        self.blobs = f"{self.path}/blobs"
        self.cache = f"{self.path}/cache"
        self.running = f"{self.path}/running"
        self._trusted: set[str] = set()
        self._stored: dict[str, float] = {}
        self._durable: set[str] = set()
        self._locks: dict[str, _Lock] = {}
        self._forks = _forks

    def shard(self, execution_id: str) -> str:
        """The directory of an execution's journal. UsageError if that is no id."""
        return f"{self.executions}/{_shard_name(execution_id)}"

    def journal_path(self, execution_id: str) -> str:
        return f"{self.shard(execution_id)}/{execution_id}{JOURNAL}"

    def definition_path(self, digest: str) -> str:
        if len(digest) != 64 or not _HEX.issuperset(digest):
            raise UsageError("definition.digest", f"{digest!r} is not a SHA-256 in hexadecimal")
        return f"{self.definitions}/{digest}.yaml"

    def exists(self, execution_id: str) -> bool:
        """Whether there is a journal of that id; False for what is no id."""
        return is_id(execution_id) and self.find(self.journal_path(execution_id)) is not None

    def ids(self, prefix: str = "") -> Iterator[str]:
        """Ids of executions that have a journal, in no order. StateError if a directory cannot be trusted."""
        for shard in self._names(self.executions):
            if len(shard) != 2 or not _HEX.issuperset(shard):
                continue
            for name in self._names(f"{self.executions}/{shard}"):
                execution_id = name.removesuffix(JOURNAL)
                if name.endswith(JOURNAL) and name.startswith(prefix) and is_id(execution_id):
                    yield execution_id

    def find(self, path: str) -> Stat | None:
        """The file at a path inside the home, or None. StateError unless it and what is above it can be trusted."""
        if not all(self._find_directory(directory) for directory in self._lineage(os.path.dirname(path))):
            return None
        return self._look(path, "file")

    def ensure(self, directory: str) -> None:
        """Makes a directory of the home and those above it. Their names are made durable by `sync_names`."""
        if directory in self._trusted:  # and so are those above it
            return
        for path in self._lineage(directory):
            if path not in self._trusted and not self._find_directory(path):
                self._make(path)
                self._find_directory(path)

    def sync_names(self, directory: str) -> None:
        """Makes durable what has been named in a directory, and the names of the directory and of those above it.

        A directory that was there may still have no durable name: whoever made it may have died before its sync.
        """
        self.files.sync_directory(directory)
        if directory in self._durable:
            return
        parent = os.path.dirname(directory)
        if directory == self.path:
            with suppress(PermissionError):  # a parent that may not be read is not one in which the home was just made
                self.files.sync_directory(parent)
        else:
            self.sync_names(parent)
        self._durable.add(directory)

    def lock(self, directory: str) -> None:
        """Waits for the append lock of a directory, held until `unlock`. OSError.

        It excludes other processes by the kernel's lock, and other threads of this one by a lock in memory: the
        descriptor is opened once, as a turn takes less time than opening it, and the kernel's lock knows no threads.
        """
        while True:
            lock = self._lock_of(directory)
            lock.threads.acquire()
            if self._locks.get(directory) is lock:
                break
            lock.threads.release()  # it was closed meanwhile, to make room
        try:
            self.files.lock(lock.fd)
        except BaseException:
            lock.threads.release()
            raise

    def unlock(self, directory: str) -> None:
        """OSError."""
        lock = self._locks[directory]  # what is held is not closed to make room
        try:
            self.files.unlock(lock.fd)
        finally:
            lock.threads.release()

    @contextmanager
    def locked(self, directory: str) -> Iterator[None]:
        """Holds the append lock of a directory. OSError."""
        self.lock(directory)
        try:
            yield
        finally:
            self.unlock(directory)

    def _lock_of(self, directory: str) -> _Lock:
        if self._forks != _forks:
            # A forked child shares its parent's descriptors, and so its locks: it has to open its own.
            self._locks, self._forks = {}, _forks
        lock = self._locks.get(directory)
        if lock is None:
            if len(self._locks) >= _most_locks():
                self.close_idle_locks()
            lock = self._locks.setdefault(directory, _Lock(self._open_lock(f"{directory}/.lock"), allocate_lock()))
        return lock

    def close_idle_locks(self) -> None:
        """Close the descriptors of the locks that nobody holds: to make room, or as this home is not used any more."""
        for directory, lock in list(self._locks.items()):
            if lock.threads.acquire(blocking=False):
                if self._locks.get(directory) is lock:
                    del self._locks[directory]
                    self.files.close(lock.fd)
                lock.threads.release()

    def _open_lock(self, path: str) -> int:
        try:
            return self.files.open(path)
        except FileNotFoundError:
            return self._make_lock(path)

    def replace(self, path: str, data: bytes, mode: int = FILE_MODE) -> int:
        """Puts a new, synced file with these bytes at a path, durably and at once; call it under the append lock.

        Returns the file's descriptor, locked since before it got its name. OSError leaves the old file as it was,
        unless only the last sync failed: then either file may be there after a loss of power.
        """
        directory, name = os.path.split(path)
        temporary = f"{directory}/.{name}.new"
        with suppress(FileNotFoundError):
            self.files.remove(temporary)
        fd = self.files.create(temporary, mode)
        try:
            self.files.try_lock(fd)
            reach("replace.created")
            if self.files.write(fd, data) != len(data):
                raise OSError("short write")
            reach("replace.written")
            self.files.sync(fd)
            reach("replace.synced")
            self.files.rename(temporary, path)
            reach("replace.renamed")
            self.sync_names(directory)
        except BaseException:
            self.files.close(fd)
            raise
        return fd

    def write_definition(self, data: bytes) -> str:
        """Stores the exact bytes of a definition and returns their SHA-256; when it returns they are durable."""
        digest = sha256(data).hexdigest()
        now = self.clock().timestamp()
        if 0 <= now - self._stored.get(digest, now + 1) < STORED_AGAIN_S:
            return digest
        path = self.definition_path(digest)
        try:
            if write_once(self, path, data):
                reach("definition.written")
        except OSError as error:
            message = f"{path} cannot be written: {error.strerror or error}"
            raise JournalError("definition.io", message, hint="free space or repair the disk") from error
        self._stored[digest] = now
        return digest

    def read_definition(self, digest: str) -> bytes:
        """The bytes of a stored definition. StateError if there is none, or not what was stored."""
        return read_exact(self, self.definition_path(digest), digest, "definition")

    def read_cache(self, name: str) -> bytes | None:
        """What `write_cache` put under this name, or None. Not synced when it was written, so it may be anything."""
        try:
            return self.read_file(f"{self.cache}/{name}")
        except (OSError, JournalError):
            return None

    def write_cache(self, name: str, data: bytes) -> None:
        """Puts bytes under a name at once, or does nothing if that cannot be done: nobody must miss them."""
        temporary = f"{self.cache}/.{name}.{os.getpid()}"
        with suppress(OSError, JournalError):
            self.ensure(self.cache)
            fd = self.files.create(temporary)
            try:
                if self.files.write(fd, data) == len(data):
                    self.files.rename(temporary, f"{self.cache}/{name}")
                    return
            finally:
                self.files.close(fd)
                with suppress(FileNotFoundError):
                    self.files.remove(temporary)

    def read_file(self, path: str) -> bytes | None:
        """All bytes of a file in the home, or None if there is none. JournalError if it cannot be read."""
        found = self.find(path)
        if found is None:
            return None
        with reading(path):
            fd = self.files.open_read(path)
            try:
                return self.files.read(fd, 0, found.size)
            finally:
                self.files.close(fd)

    def _lineage(self, directory: str) -> list[str]:
        """The home and the directories from there down to this one."""
        parts = directory[len(self.path) + 1 :].split("/") if directory != self.path else []
        return [self.path, *("/".join([self.path, *parts[: count + 1]]) for count in range(len(parts)))]

    def _names(self, directory: str) -> list[str]:
        if not all(self._find_directory(path) for path in self._lineage(directory)):
            return []
        with reading(directory):
            return self.files.list(directory)

    def _find_directory(self, path: str) -> bool:
        if path not in self._trusted:
            if self._look(path, "directory") is None:
                return False
            self._trusted.add(path)
        return True

    def _look(self, path: str, kind: Literal["file", "directory"]) -> Stat | None:
        try:
            with reading(path):
                found = self.files.stat(path)
        except (FileNotFoundError, NotADirectoryError):
            return None
        if found.kind != kind:
            hint = "move it away, or name another state directory with --home; links are not followed"
            raise StateError("state.kind", f"{path} is not a {kind}", hint=hint)
        if found.owner != os.geteuid():
            hint = "use a state directory of your own: --home or WFRUN_HOME"
            raise StateError("state.owner", f"{path} belongs to another user (uid {found.owner})", hint=hint)
        if found.mode & modes.S_IWOTH:
            raise StateError("state.mode", f"{path} can be written by everybody", hint=f"chmod o-w {path}")
        return found

    def _make(self, directory: str) -> None:
        if directory == self.path:
            make_above(self.files, os.path.dirname(directory))
        with suppress(FileExistsError):
            self.files.mkdir(directory)

    def _make_lock(self, path: str) -> int:
        try:
            return self.files.create(path)
        except FileExistsError:
            return self.files.open(path)

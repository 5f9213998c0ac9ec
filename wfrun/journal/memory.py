"""A disk in memory that knows what a loss of power would leave of it.

Each file and directory has two states: what every reader sees, and what was synced. What was not synced may have got to
the disk all the same, and not in the order in which it was done: every change of a name, a rename being one, and every
byte is for `crash()` to keep or to lose. Locks exclude separately opened descriptors, also between threads, as flock(2)
does.
"""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import NoReturn

from wfrun.journal.io import DIRECTORY_MODE, FILE_MODE, Stat

Keep = Callable[[bytes, bytes], bytes]
Reached = Callable[[], bool]


def keep_synced(synced: bytes, written: bytes) -> bytes:
    """Of a file's bytes, what was synced: the least that a disk may hold. `written` may have got there, too."""
    return synced


def nothing_else() -> bool:
    """Whether a change of a name or a mode, asked for each in the order of time, got to the disk unsynced: none did."""
    return False


@dataclass(eq=False)
class _File:
    number: int
    mode: int
    synced_mode: int
    data: bytearray = field(default_factory=bytearray)
    synced: bytes = b""
    lost: list[slice] = field(default_factory=list)
    failures: int = 0
    holder: int | None = None

    def on_disk(self) -> bytes:
        """What the disk would hold if all that still can be written were written: zeros where bytes were lost."""
        data = bytearray(self.data)
        for hole in self.lost:
            data[hole] = bytes(hole.stop - hole.start)
        return bytes(data)


@dataclass(eq=False)
class _Directory:
    number: int
    mode: int
    entries: dict[str, _Node] = field(default_factory=dict)
    synced: dict[str, _Node] = field(default_factory=dict)
    unsynced: list[_Change] = field(default_factory=list)
    holder: int | None = None

    def name(self, change: _Change) -> None:
        """Let names stand for other nodes, or for none."""
        self.unsynced.append(change)
        _apply(self.entries, change)

    def on_disk(self, reached: Reached) -> dict[str, _Node]:
        names = dict(self.synced)
        for change in self.unsynced:
            if reached():
                _apply(names, change)
        return names


_Node = _File | _Directory
_Change = dict[str, _Node | None]


class MemoryFiles:
    """A `Files` whose only directory is `/` to begin with."""

    def __init__(self) -> None:
        self._numbers = count(1)
        self._descriptors = count(1000)
        self._root = _Directory(next(self._numbers), DIRECTORY_MODE)
        self._open: dict[int, _Node] = {}
        self._told: dict[int, tuple[int, int]] = {}  # by descriptor: failures to write of its file, and of all files
        self._failures = 0
        self._unlocked = threading.Condition()

    def end_process(self) -> None:
        """What the kernel does for a process that died: every descriptor is closed, every lock let go."""
        for fd in list(self._open):
            self.close(fd)

    def lose_unsynced(self, fd: int) -> None:
        """What a failed sync does: readers go on seeing bytes that no later sync writes, for they count as clean.

        Whoever else has the file open is told by their next sync, and only by that one, as Linux does since 4.13.
        """
        file = self._opened_file(fd)
        file.lost.append(slice(len(file.synced), len(file.data)))
        file.synced = file.on_disk()
        file.failures += 1
        self._failures += 1
        self._told[fd] = file.failures, self._failures

    def crash(self, keep: Keep = keep_synced, reached: Reached = nothing_else) -> MemoryFiles:
        """The disk after a loss of power: synced names and modes and those that `reached` it, and of each file's bytes
        those that `keep` decides."""
        after = MemoryFiles()
        after._root = after._survive(self._root, keep, reached, {})
        return after

    def open(self, path: str) -> int:
        return self._descriptor(self._file(path))

    def open_read(self, path: str) -> int:
        return self._descriptor(self._node(path))

    def create(self, path: str, mode: int = FILE_MODE) -> int:
        directory, name = self._parent(path)
        if name in directory.entries:
            _fail(errno.EEXIST, path)
        file = _File(next(self._numbers), mode, mode)
        directory.name({name: file})
        return self._descriptor(file)

    def read(self, fd: int, offset: int, size: int) -> bytes:
        return bytes(self._opened_file(fd).data[offset : offset + size])

    def write(self, fd: int, data: bytes) -> int:
        self._opened_file(fd).data += data
        return len(data)

    def sync(self, fd: int) -> None:
        node = self._opened(fd)
        _sync(node)
        told, of_all = self._told[fd]
        if isinstance(node, _File) and told < node.failures:
            self._told[fd] = node.failures, of_all
            _fail(errno.EIO, str(fd))

    def sync_directory(self, path: str) -> None:
        _sync(self._directory(path))

    def sync_filesystem(self, fd: int) -> None:
        self._opened(fd)
        _sync_tree(self._root)
        told, of_all = self._told[fd]
        if of_all < self._failures:
            self._told[fd] = told, self._failures
            _fail(errno.EIO, str(fd))

    def can_sync_filesystem(self) -> bool:
        return True

    def stat(self, path: str) -> Stat:
        return _stat(self._node(path))

    def extent(self, fd: int) -> tuple[int, int]:
        found = _stat(self._opened(fd))
        return found.size, found.mode

    def set_mode(self, fd: int, mode: int) -> None:
        self._opened(fd).mode = mode

    def lock(self, fd: int) -> None:
        with self._unlocked:
            self._unlocked.wait_for(lambda: self._take(fd))

    def try_lock(self, fd: int) -> bool:
        with self._unlocked:
            return self._take(fd)

    def unlock(self, fd: int) -> None:
        with self._unlocked:
            self._let_go(fd)

    def mkdir(self, path: str) -> None:
        directory, name = self._parent(path)
        if name in directory.entries:
            _fail(errno.EEXIST, path)
        directory.name({name: _Directory(next(self._numbers), DIRECTORY_MODE)})

    def list(self, path: str) -> list[str]:
        return list(self._directory(path).entries)

    def rename(self, source: str, target: str) -> None:
        directory, name = self._parent(source)
        node = self._node(source)
        into, new_name = self._parent(target)
        if into is not directory:
            raise NotImplementedError("a rename into another directory")
        directory.name({name: None, new_name: node})

    def remove(self, path: str) -> None:
        self._node(path)
        directory, name = self._parent(path)
        directory.name({name: None})

    def close(self, fd: int) -> None:
        with self._unlocked:
            self._let_go(fd)
            del self._open[fd], self._told[fd]

    def _descriptor(self, node: _Node) -> int:
        fd = next(self._descriptors)
        self._open[fd] = node
        self._told[fd] = node.failures if isinstance(node, _File) else 0, self._failures
        return fd

    def _opened(self, fd: int) -> _Node:
        if fd not in self._open:
            _fail(errno.EBADF, str(fd))
        return self._open[fd]

    def _opened_file(self, fd: int) -> _File:
        node = self._opened(fd)
        if isinstance(node, _Directory):
            _fail(errno.EISDIR, str(fd))
        return node

    def _node(self, path: str) -> _Node:
        node: _Node = self._root
        for name in filter(None, path.split("/")):
            if isinstance(node, _File):
                _fail(errno.ENOTDIR, path)
            if name not in node.entries:
                _fail(errno.ENOENT, path)
            node = node.entries[name]
        return node

    def _file(self, path: str) -> _File:
        node = self._node(path)
        if isinstance(node, _Directory):
            _fail(errno.EISDIR, path)
        return node

    def _directory(self, path: str) -> _Directory:
        node = self._node(path)
        if isinstance(node, _File):
            _fail(errno.ENOTDIR, path)
        return node

    def _parent(self, path: str) -> tuple[_Directory, str]:
        parent, _, name = path.rpartition("/")
        return self._directory(parent), name

    def _take(self, fd: int) -> bool:
        node = self._opened(fd)
        if node.holder in (None, fd):
            node.holder = fd
            return True
        return False

    def _let_go(self, fd: int) -> None:
        node = self._opened(fd)
        if node.holder == fd:
            node.holder = None
            self._unlocked.notify_all()

    def _survive(self, lost: _Directory, keep: Keep, reached: Reached, known: dict[_File, _File]) -> _Directory:
        """A copy of what is on the disk of a directory; a file with two names stays one file."""
        directory = _Directory(next(self._numbers), lost.mode)
        for name, node in lost.on_disk(reached).items():
            if isinstance(node, _Directory):
                copy: _Node = self._survive(node, keep, reached, known)
            else:
                copy = known[node] = known.get(node) or self._survivor(node, keep, reached)
            directory.entries[name] = directory.synced[name] = copy
        return directory

    def _survivor(self, lost: _File, keep: Keep, reached: Reached) -> _File:
        kept = keep(lost.synced, lost.on_disk())
        # Size and mode are parts of one inode: a size that is new came with the mode.
        new = len(kept) > len(lost.synced) or lost.mode == lost.synced_mode or reached()
        mode = lost.mode if new else lost.synced_mode
        return _File(next(self._numbers), mode, mode, bytearray(kept), kept)


def _apply(names: dict[str, _Node], change: _Change) -> None:
    for name, node in change.items():
        if node is None:
            names.pop(name, None)
        else:
            names[name] = node


def _sync(node: _Node) -> None:
    """Of a file only its bytes: fdatasync need not write its mode."""
    if isinstance(node, _Directory):
        node.synced = dict(node.entries)
        node.unsynced.clear()
    else:
        node.synced = node.on_disk()


def _sync_tree(node: _Node) -> None:
    _sync(node)
    if isinstance(node, _Directory):
        for each in node.entries.values():
            _sync_tree(each)
    else:
        node.synced_mode = node.mode


def _fail(number: int, path: str) -> NoReturn:
    raise OSError(number, os.strerror(number), path)


def _stat(node: _Node) -> Stat:
    if isinstance(node, _Directory):
        return Stat((0, node.number), "directory", 0, node.mode, os.geteuid())
    return Stat((0, node.number), "file", len(node.data), node.mode, os.geteuid())

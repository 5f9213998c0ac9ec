"""A process that is killed, seen from its disk: the write that was its last, and nothing after it."""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import Any, cast

from wfrun.journal.io import Files
from wfrun.journal.memory import MemoryFiles


class Killed(BaseException):
    """What a process that is dead by now gets for an answer. Not an Exception: nobody can make anything of it."""


class Mortal:
    """A disk whose process is killed as soon as `records` of journals are written, if only in part of a write.

    `killed` is called then. Until `revive`, which ends the process, the disk does nothing for it any more. If its whole
    machine has lost `power`, only what was synced is there then.
    """

    def __init__(self, files: MemoryFiles, records: float, killed: Callable[[], None], *, power: bool = False) -> None:
        self.dead = False
        self.written = 0
        self._files = files
        self._last = records
        self._killed = killed
        self._power = power
        self._journals: set[int] = set()

    @property
    def door(self) -> Files:
        return cast(Files, self)

    def revive(self) -> None:
        if self._power:
            self._files = self._files.crash()
        self._files.end_process()
        self._journals.clear()
        self.dead = False
        self.spare()

    def spare(self) -> int:
        """Nobody is killed any more. How many records have been written."""
        self._last = inf
        return self.written

    def open(self, path: str) -> int:
        return self._known(path, self._alive().open(path))

    def create(self, path: str, mode: int = 0o600) -> int:
        return self._known(path, self._alive().create(path, mode))

    def write(self, fd: int, data: bytes) -> int:
        if fd not in self._journals:
            return self._alive().write(fd, data)
        lines = data.splitlines(keepends=True)
        room = self._last - self.written
        if len(lines) < room:
            self.written += len(lines)
            return self._alive().write(fd, data)
        self._alive().write(fd, b"".join(lines[: int(room)]))
        self.dead = True
        self._killed()
        raise Killed

    def __getattr__(self, name: str) -> Any:
        return getattr(self._alive(), name)

    def _alive(self) -> MemoryFiles:
        if self.dead:
            raise Killed
        return self._files

    def _known(self, path: str, fd: int) -> int:
        if path.endswith(".jsonl"):
            self._journals.add(fd)
        return fd

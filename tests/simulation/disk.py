"""The disk as one process sees it: others may go on at each call, it may die there, and the call may fail."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from contextlib import suppress
from random import Random
from typing import Any, cast

from tests.simulation.scheduler import Process, Scheduler
from tests.support.mortal import Killed
from wfrun.journal.io import Files
from wfrun.journal.memory import MemoryFiles

_OPENING = ("open", "open_read", "create")
_CHANGING = ("write", "create", "mkdir", "rename", "remove", "set_mode")
_GROWING = ("write", "create", "mkdir", "rename")
_SYNCING = ("sync", "sync_directory", "sync_filesystem")
_FAILING = (*_OPENING, *_SYNCING, "read", "write", "stat", "set_mode", "rename", "list")
_ERRORS = (errno.EIO, errno.ENOSPC, errno.EINTR, errno.EMFILE)


class Disk:
    """What all processes share. `is_full` takes no more bytes and names; `wrote` is called after each change.

    A sync takes up to `latency` seconds.
    """

    def __init__(self, chance: Random) -> None:
        self.files = MemoryFiles()
        self.is_full = False
        self.latency = chance.choice((0.0, 0.001, 0.05))
        self.wrote: Callable[[], None] = lambda: None


class View:
    """A `Files` of one process."""

    def __init__(self, disk: Disk, scheduler: Scheduler, process: Process) -> None:
        self._disk = disk
        self._files = disk.files
        self._scheduler = scheduler
        self._process = process
        self._open: dict[int, None] = {}

    @property
    def door(self) -> Files:
        return cast(Files, self)

    def end(self) -> None:
        """What the kernel does for a process that has ended."""
        for fd in self._open:
            self._files.close(fd)
        self._open.clear()

    def can_sync_filesystem(self) -> bool:
        return True

    def lock(self, fd: int) -> None:
        self._scheduler.point()
        while not self._files.try_lock(fd):
            self._scheduler.wait_for(lambda: self._files.try_lock(fd))

    def close(self, fd: int) -> None:
        if self._process.is_dead:
            raise Killed
        del self._open[fd]
        self._files.close(fd)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            return self._call(name, arguments)

        setattr(self, name, call)
        return call

    def _call(self, name: str, arguments: tuple[Any, ...]) -> Any:
        self._scheduler.point()
        if (error := self._process.fault(name)) is not None:
            self._fail(name, arguments, error)
        if self._disk.is_full and name in _GROWING:
            self._fail(name, arguments, OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))
        if name in _SYNCING and self._disk.latency:
            self._scheduler.sleep(self._scheduler.chance.uniform(0, self._disk.latency))
        result = getattr(self._files, name)(*arguments)
        if name in _OPENING:
            self._open[result] = None
        elif name in _CHANGING:
            self._disk.wrote()
        return result

    def _fail(self, name: str, arguments: tuple[Any, ...], error: OSError) -> None:
        """A write takes a part before it fails, and a sync loses what it should have written."""
        if name == "write":
            fd, data = arguments
            self._files.write(fd, data[: self._scheduler.chance.randrange(len(data) + 1)])
        elif name == "sync":
            self._files.lose_unsynced(arguments[0])
        elif name == "sync_filesystem":
            for fd in self._open:
                with suppress(IsADirectoryError):
                    self._files.lose_unsynced(fd)
        raise error


Fault = Callable[[str], OSError | None]


def failing(chance: Random) -> Fault:
    """One call fails, or from that one on all do."""
    left = chance.randrange(1, chance.choice((5, 50, 200)))
    for_good = chance.random() < 0.5
    number = chance.choice(_ERRORS)
    return _fault(chance.choice((_FAILING, _SYNCING, ("write",))), left, for_good, number)


def one_sync_failing(chance: Random) -> Fault:
    return _fault(_SYNCING, chance.randrange(1, 6), False, errno.EIO)


def _fault(calls: tuple[str, ...], left: int, for_good: bool, number: int) -> Fault:
    def fault(name: str) -> OSError | None:
        nonlocal left
        if name not in calls:
            return None
        left -= 1
        if left == 0 or (left < 0 and for_good):
            return OSError(number, os.strerror(number))
        return None

    return fault

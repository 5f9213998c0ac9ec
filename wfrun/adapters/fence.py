"""The lock that every process of an attempt holds, and the ending of those that outlived the attempt (C10).

A process group is left by `setsid`, and a guard can be killed. But an open file is inherited by children and theirs,
and with it a lock (flock) that belongs to the file as it was opened: it is free again only when the last of them has
gone. So whoever can take the lock knows that nobody is left; whoever cannot looks for those who have the file open.

Only who closes all that it inherits gets away. Where there is no `/proc` nobody can be found, only waited for.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

GRACE_S = 2.0
# How long those who cannot be found or ended are waited for.
PATIENCE_S = 10.0
_POLL_S = 0.02


class Held(Exception):
    """Some are left all the same. `processes` are their ids, as far as they can be seen."""

    def __init__(self, processes: list[int]) -> None:
        super().__init__(f"held by {processes}")
        self.processes = processes


@contextmanager
def held(path: str | None) -> Iterator[tuple[int, ...]]:
    """Take the lock of an attempt: the descriptors that its first process is to inherit. Afterwards it alone has it.

    Raises OSError, also if somebody is left who holds it.
    """
    if path is None:
        yield ()
        return
    descriptor = _create(path)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield (descriptor,)
    except BlockingIOError:
        raise
    except BaseException:
        forget(path)
        raise
    finally:
        os.close(descriptor)


def forget(path: str | None) -> None:
    """The attempt is over. Those that are left may stay: what it has completed may be to start them."""
    if path is not None:
        with suppress(OSError):
            os.unlink(path)


def _create(path: str) -> int:
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    try:
        return os.open(path, flags, 0o600)
    except FileNotFoundError:
        os.makedirs(os.path.dirname(path), 0o700, exist_ok=True)
        return os.open(path, flags, 0o600)


async def end_left(path: str | None) -> None:
    """End whoever is left of an attempt, and forget it: TERM first, and KILL after a grace. Raises Held."""
    if path is None or not os.path.exists(path):
        return
    for number, patience in ((signal.SIGTERM, GRACE_S), (signal.SIGKILL, PATIENCE_S)):
        if await _gone(path, number, patience):
            forget(path)
            return
    raise Held(list(_holders(path)))


async def _gone(path: str, number: signal.Signals, patience: float) -> bool:
    """Whether nobody has it open any more, after all that could be found got a signal, also those begun meanwhile."""
    told: set[int] = set()
    deadline = asyncio.get_running_loop().time() + patience
    while not _is_free(path):
        for process in _holders(path):
            if process not in told:
                told.add(process)
                _send(process, number, path)
        if asyncio.get_running_loop().time() > deadline:
            return False
        await asyncio.sleep(_POLL_S)
    return True


def _is_free(path: str) -> bool:
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(descriptor)
    return True


def _holders(path: str) -> Iterator[int]:
    """The processes, but this one, that have the file open. Those of other users cannot be looked into."""
    for entry in Path("/proc").glob("[0-9]*"):
        if int(entry.name) != os.getpid() and _has_open(entry.name, path):
            yield int(entry.name)


def _has_open(process: str, path: str) -> bool:
    with suppress(OSError):
        file = os.stat(path)
        for name in os.listdir(f"/proc/{process}/fd"):
            link = f"/proc/{process}/fd/{name}"
            with suppress(OSError):
                if os.path.basename(os.readlink(link)) == os.path.basename(path):
                    opened = os.stat(link)
                    if (opened.st_dev, opened.st_ino) == (file.st_dev, file.st_ino):
                        return True
    return False


def _send(process: int, number: signal.Signals, path: str) -> None:
    """By a descriptor of the process: its number may be another's by the time that the signal is sent."""
    with suppress(OSError):
        descriptor = os.pidfd_open(process)
        try:
            if _has_open(str(process), path):
                signal.pidfd_send_signal(descriptor, number)
        finally:
            os.close(descriptor)

"""What the disk can do. Every durable figure stands beside this, for it is the floor under all of them."""

from __future__ import annotations

import ctypes
import os
from pathlib import Path
from statistics import median
from time import perf_counter

_RECORD = b"x" * 300
_JOURNALS = 50


def sync_ms(folder: Path, rounds: int) -> float:
    """Median milliseconds of one fdatasync after an append of 300 bytes."""
    fd = os.open(folder / "one", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        return median(_timed_sync(fd) for _ in range(rounds))
    finally:
        os.close(fd)


def _timed_sync(fd: int) -> float:
    os.write(fd, _RECORD)
    begun = perf_counter()
    os.fdatasync(fd)
    return (perf_counter() - begun) * 1_000


def group_sync_ms(folder: Path, rounds: int) -> float | None:
    """Median milliseconds of one syncfs after appends to 50 files; None where there is no syncfs."""
    syncfs = getattr(ctypes.CDLL(None), "syncfs", None)
    if syncfs is None:
        return None
    fds = [os.open(folder / f"many-{n}", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600) for n in range(_JOURNALS)]
    try:
        return median(_timed_group_sync(syncfs, fds) for _ in range(rounds))
    finally:
        for fd in fds:
            os.close(fd)


def _timed_group_sync(syncfs: ctypes._NamedFuncPointer, fds: list[int]) -> float:
    for fd in fds:
        os.write(fd, _RECORD)
    begun = perf_counter()
    if syncfs(fds[0]) != 0:
        raise OSError("syncfs failed")
    return (perf_counter() - begun) * 1_000

"""Who drives an execution, and whether anybody does."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

from wfrun.journal.home import reading

if TYPE_CHECKING:
    from wfrun.journal.home import Home


class DriverInfo(TypedDict):
    """Who drives: host name, process id, version of wfrun. Recorded in `driver.started`."""

    host: str
    pid: int
    wfrun: str


def is_driven(home: Home, execution_id: str) -> bool:
    """Whether somebody holds the driver lock of an execution. Writes nothing; may wait for the end of a turn.

    The append lock keeps this look from being taken for a driver by others who look or who want to drive.
    """
    path = home.journal_path(execution_id)
    if home.find(path) is None:
        return False
    try:
        with reading(path):
            return _look_under_lock(home, path, f"{home.shard(execution_id)}/.lock")
    except FileNotFoundError:
        return False


def _look_under_lock(home: Home, path: str, lock_path: str) -> bool:
    lock = home.files.open_read(lock_path)
    try:
        home.files.lock(lock)
        return _is_locked(home, path)
    finally:
        home.files.close(lock)


def _is_locked(home: Home, path: str) -> bool:
    fd = home.files.open_read(path)
    try:
        return not home.files.try_lock(fd)
    finally:
        home.files.close(fd)

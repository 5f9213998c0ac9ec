"""The file of a new journal: one creator wins, and one that died half-way leaves nothing in the way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wfrun.journal.failures import exists
from wfrun.journal.marks import IN_DOUBT, IN_FLIGHT
from wfrun.journal.scan import Scan, scan

if TYPE_CHECKING:
    from wfrun.journal.home import Home
    from wfrun.journal.io import Stat


def new_file(home: Home, execution_id: str) -> tuple[int, Stat]:
    """Creates the journal's file, under the append lock: its descriptor and what stands there now.

    ConflictError `execution.exists`, OSError.

    A file without any record is what a creator left that died. Nobody was told of that execution, so it makes way.
    """
    path = home.journal_path(execution_id)
    try:
        fd = home.files.create(path, IN_FLIGHT)
    except FileExistsError:
        found = scan_file(home, path)
        if found.records or found.damage:
            _make_durable(home, execution_id)
            raise exists(execution_id) from None
        home.files.remove(path)
        fd = home.files.create(path, IN_FLIGHT)
    try:
        return fd, home.files.stat(path)
    except OSError:
        home.files.close(fd)
        raise


def scan_file(home: Home, path: str) -> Scan:
    """What a journal's file holds; nothing if it is not there. JournalError if it cannot be read."""
    raw = home.read_file(path) or b""
    found = scan(raw)
    if found.lost_power and (stat := home.find(path)) is not None and not stat.mode & IN_DOUBT:
        return scan(raw, at_rest=True)
    return found


def _make_durable(home: Home, execution_id: str) -> None:
    """Whoever is told that an execution exists may rely on it, even if its creator has not come to its sync yet."""
    fd = home.files.open(home.journal_path(execution_id))
    try:
        home.files.sync(fd)
        home.sync_names(home.shard(execution_id))
    finally:
        home.files.close(fd)

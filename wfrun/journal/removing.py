"""Taking a journal away: only one that is at rest, and still ends as it did when it was put on the list."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wfrun.journal.crash import reach
from wfrun.journal.failures import io_failed
from wfrun.journal.home import reading
from wfrun.journal.scan import scan

if TYPE_CHECKING:
    from wfrun.journal.home import Home


def remove_journal(home: Home, execution_id: str, head: str) -> bool:
    """Whether the journal is gone now: not if somebody drives it, or it ends with another line. JournalError."""
    path = home.journal_path(execution_id)
    try:
        with home.locked(home.shard(execution_id)):
            if home.find(path) is None or not _is_at_rest(home, path, head):
                return False
            home.files.remove(path)
            # Not synced: what a loss of power brings back is on the list, and the next run removes it.
            reach("gc.removed")
    except OSError as error:
        raise io_failed(path, "removed", error) from error
    return True


def _is_at_rest(home: Home, path: str, head: str) -> bool:
    """Nobody can begin to drive it meanwhile, for that takes the lock that the caller holds."""
    with reading(path):
        fd = home.files.open_read(path)
        try:
            if not home.files.try_lock(fd):
                return False
            return scan(home.files.read(fd, 0, home.files.extent(fd)[0])).head.prev == head
        finally:
            home.files.close(fd)

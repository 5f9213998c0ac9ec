"""Keeping the index: rows as executions end or wait, and all of it anew."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING

from wfrun.errors import StateError
from wfrun.views.index.rows import Layout, Read, Row, fold_row, row_of
from wfrun.views.index.store import (
    COLUMNS,
    RACY_NS,
    boot_id,
    index_path,
    is_of_this_boot,
    journals_in,
    open_writing,
    remove,
    rows_in,
    shard_names,
)

if TYPE_CHECKING:
    from wfrun.views.model import BriefView

# A shard that lacks more rows than this is left to `reindex`: no run should have to pay for it.
HEALED_AT_ONCE = 200
# Rows that wait to be written: a transaction of so many takes some 10 ms.
PENDING = 1000
_UPSERT = f"INSERT OR REPLACE INTO executions({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"


class IndexWriter:
    """Collects rows and writes them in one transaction. An index that can't be written is no error: it is a cache.

    Call `note` when what it says is durable, and `close` once at the end.
    """

    def __init__(self, home: Layout, read: Read) -> None:
        self._home = home
        self._read = read
        self._pending: dict[str, tuple[str, Row]] = {}
        self._shards: set[str] = set()

    def note(self, view: BriefView, size: int) -> None:
        """`size` is the journal's, in bytes, up to the last record that is in the view: not what it has grown to."""
        shard = shard_of(self._home, view["execution"])
        self._pending[view["execution"]] = shard, row_of(view, size)
        self._shards.add(shard)
        if len(self._pending) >= PENDING:
            self.flush()

    def removed(self, execution: str) -> None:
        """The journal of an execution has been removed."""
        self._pending.pop(execution, None)
        self._shards.add(shard_of(self._home, execution))

    def flush(self) -> None:
        """Write what was noted. What cannot be written now is kept for the next time."""
        if self._pending:
            with suppress(sqlite3.DatabaseError):
                self._write(complete=False)

    def close(self) -> None:
        """Write the rest, and vouch for the shards in which all journals have rows now."""
        if self._shards:
            with suppress(sqlite3.DatabaseError):
                self._write(complete=True)

    def _write(self, *, complete: bool) -> None:
        database = open_writing(index_path(self._home))
        try:
            database.execute("BEGIN IMMEDIATE")
            _forget_other_boots(database)
            _put(database, self._pending.values())
            if complete:
                for shard in sorted(self._shards):
                    _complete(database, self._home, self._read, shard, HEALED_AT_ONCE)
            database.execute("COMMIT")
            self._pending.clear()
        finally:
            database.close()


def rebuild(home: Layout, read: Read) -> int:
    """Make the index anew from the journals, beside the old one, and put it in its place. The number of executions.

    Raises StateError `index.io`; then all is as it was.
    """
    if not shard_names(home):
        return 0
    new = f"{index_path(home)}.new"
    try:
        count = _build(new, home, read)
        remove(index_path(home))
        os.rename(new, index_path(home))
    except (OSError, sqlite3.DatabaseError) as error:
        with suppress(OSError):
            remove(new)
        raise _unwritable(home, error) from error
    return count


def _unwritable(home: Layout, error: OSError | sqlite3.DatabaseError) -> StateError:
    reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
    hint = "nothing is lost: without it, `list` and `tasks` read the journals themselves"
    return StateError("index.io", f"{index_path(home)} cannot be made anew: {reason}", hint=hint)


def _build(path: str, home: Layout, read: Read) -> int:
    remove(path)
    database = open_writing(path)
    try:
        database.execute("BEGIN IMMEDIATE")
        _forget_other_boots(database)
        for shard, _ in shard_names(home):
            _complete(database, home, read, shard, None)
        (count,) = database.execute("SELECT count(*) FROM executions").fetchone()
        database.execute("COMMIT")
    finally:
        database.close()
    return int(count)


def shard_of(home: Layout, execution: str) -> str:
    return os.path.basename(os.path.dirname(home.journal_path(execution)))


def _put(database: sqlite3.Connection, rows: Iterable[tuple[str, Row]]) -> None:
    """Rows, each with its shard."""
    database.executemany(_UPSERT, (row.columns(shard) for shard, row in rows if not row.damaged))


def _complete(database: sqlite3.Connection, home: Layout, read: Read, shard: str, most: int | None) -> None:
    """Give every journal of a shard a row, and remember the directory's time as of before it was listed."""
    try:
        modified = os.stat(f"{home.executions}/{shard}").st_mtime_ns
        there, stored = journals_in(home, shard), rows_in(database, shard)
    except OSError:
        return
    database.executemany("DELETE FROM executions WHERE id = ?", ((id,) for id in stored - there))
    missing = there - stored
    if most is not None and len(missing) > most:
        return
    rows = [fold_row(home, read, id) for id in sorted(missing)]
    _put(database, ((shard, row) for row in rows if row))
    settled = abs(time.time_ns() - modified) > RACY_NS
    if settled and all(row and not row.damaged for row in rows):
        database.execute("INSERT OR REPLACE INTO shards(shard, modified) VALUES (?, ?)", (shard, modified))


def _forget_other_boots(database: sqlite3.Connection) -> None:
    if not is_of_this_boot(database):
        database.execute("DELETE FROM shards")
        database.execute("DELETE FROM boot")
        database.execute("INSERT INTO boot VALUES (?)", (boot_id(),))

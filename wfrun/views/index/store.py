"""The database: its tables, and opening it."""

from __future__ import annotations

import os
import sqlite3
from contextlib import suppress

from wfrun.views.index.rows import JOURNAL, Layout

NAME = "index.sqlite"
FORMAT = 9
COLUMNS = "id, shard, size, ended, workflow, status, started, summary, tasks"
READER_WAITS_S = 0.5
WRITER_WAITS_S = 2.0
# Directory times come from the kernel's tick (up to 10 ms); a directory that changed this recently may change again
# without its time showing it.
RACY_NS = 20_000_000

_SCHEMA = f"""
CREATE TABLE executions(
    id TEXT PRIMARY KEY, shard TEXT, size INTEGER, ended INTEGER, workflow TEXT, status TEXT, started TEXT,
    summary TEXT, tasks TEXT
) WITHOUT ROWID;
CREATE INDEX newest ON executions(started);
CREATE INDEX by_status ON executions(status, started);
CREATE INDEX by_workflow ON executions(workflow, started);
CREATE INDEX by_shard ON executions(shard);
CREATE INDEX unfinished ON executions(id, shard, size) WHERE NOT ended;
CREATE INDEX waiting ON executions(id) WHERE tasks IS NOT NULL;
CREATE TABLE shards(shard TEXT PRIMARY KEY, modified INTEGER) WITHOUT ROWID;
CREATE TABLE boot(id TEXT);
PRAGMA user_version={FORMAT};
"""


def index_path(home: Layout) -> str:
    return f"{home.path}/{NAME}"


def open_reading(home: Layout) -> sqlite3.Connection:
    """The index, read-only; an empty one in memory where there is none that can be read."""
    # In a URI these would end the path.
    path = index_path(home).replace("%", "%25").replace("?", "%3f").replace("#", "%23")
    with suppress(sqlite3.DatabaseError):
        database = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=READER_WAITS_S, isolation_level=None)
        if _is_current(database):
            return database
        database.close()
    return empty()


def empty() -> sqlite3.Connection:
    """An index that knows nothing: every journal is then read."""
    database = sqlite3.connect(":memory:", isolation_level=None)
    database.executescript(_SCHEMA)
    return database


def open_writing(path: str) -> sqlite3.Connection:
    """The index at `path`, made if need be; one that is damaged or of another format is begun anew.

    Raises sqlite3.OperationalError if it is locked for long, or cannot be written.
    """
    try:
        return _open_or_make(path)
    except sqlite3.OperationalError:
        raise
    except sqlite3.DatabaseError:
        remove(path)
        return _open_or_make(path)


def _open_or_make(path: str) -> sqlite3.Connection:
    database = _connect(path)
    if _is_current(database):
        return database
    if database.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
        database.close()
        remove(path)
        database = _connect(path)
    # Another process may be making it, too: whoever comes second finds it made.
    database.execute("BEGIN IMMEDIATE")
    if not _is_current(database):
        for statement in _SCHEMA.split(";"):
            database.execute(statement)
    database.execute("COMMIT")
    return database


def _connect(path: str) -> sqlite3.Connection:
    try:
        os.close(os.open(path, os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600))
    except OSError as error:
        raise sqlite3.OperationalError(str(error)) from error
    database = sqlite3.connect(path, timeout=WRITER_WAITS_S, isolation_level=None)
    database.execute("PRAGMA synchronous=OFF")
    return database


def remove(path: str) -> None:
    """The database and, before anything else takes its name, a rollback journal that was meant for it."""
    for name in (path, f"{path}-journal"):
        with suppress(FileNotFoundError):
            os.remove(name)


def _is_current(database: sqlite3.Connection) -> bool:
    (version,) = database.execute("PRAGMA user_version").fetchone()
    return bool(version == FORMAT)


def boot_id() -> str:
    """What changes when the machine starts again; empty where that can't be told."""
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            return file.read().strip()
    except OSError:
        return ""


def is_of_this_boot(database: sqlite3.Connection) -> bool:
    row = database.execute("SELECT id FROM boot").fetchone()
    return row is not None and row[0] == boot_id()


def shard_names(home: Layout) -> list[tuple[str, int]]:
    """Every shard with its directory's modification time in nanoseconds."""
    try:
        with os.scandir(home.executions) as entries:
            return [(e.name, e.stat().st_mtime_ns) for e in entries if e.is_dir(follow_symlinks=False)]
    except OSError:
        return []


def journals_in(home: Layout, shard: str) -> set[str]:
    """Ids of the executions of a shard."""
    names = os.listdir(f"{home.executions}/{shard}")
    return {name.removesuffix(JOURNAL) for name in names if name.endswith(JOURNAL) and not name.startswith(".")}


def rows_in(database: sqlite3.Connection, shard: str) -> set[str]:
    return {id for (id,) in database.execute("SELECT id FROM executions WHERE shard = ?", (shard,))}

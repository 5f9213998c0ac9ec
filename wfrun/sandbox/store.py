"""The state of one sandbox: a SQLite file, `<name>.sqlite` in `$WFRUN_SANDBOX` or else in `./.sandbox`."""

from __future__ import annotations

import os
import sqlite3
import tempfile
import zlib
from collections import deque
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from threading import Lock
from typing import TypeAlias

from wfrun.errors import ServiceError

BUSY_SECONDS = 30.0

Place: TypeAlias = "tuple[int, int, int]"

# calls: every call that arrived, for audits. answers: the first result for a key. undone: what may not happen any more.
OWN_TABLES = """
CREATE TABLE calls (
  id INTEGER PRIMARY KEY, at TEXT NOT NULL, system TEXT NOT NULL, action TEXT NOT NULL, key TEXT NOT NULL,
  execution TEXT NOT NULL, step TEXT NOT NULL, attempt INTEGER NOT NULL, input TEXT NOT NULL, outcome TEXT
);
CREATE INDEX calls_by_key ON calls (system, action, key);
CREATE TABLE answers (
  system TEXT NOT NULL, key TEXT NOT NULL, action TEXT NOT NULL, input TEXT NOT NULL, result TEXT NOT NULL,
  PRIMARY KEY (system, key)
);
CREATE TABLE undone (
  system TEXT NOT NULL, action TEXT NOT NULL, reference TEXT NOT NULL, round INTEGER NOT NULL, at TEXT NOT NULL,
  PRIMARY KEY (system, action, reference, round)
);
CREATE TABLE faults (id INTEGER PRIMARY KEY, target TEXT NOT NULL, fault TEXT NOT NULL);
"""


class Store:
    def __init__(self, name: str, schema: str) -> None:
        self.name = name
        self._schema = f"{OWN_TABLES}\n{schema};\n"
        self._version = zlib.crc32(self._schema.encode()) & 0x7FFFFFFF
        self._turn = Lock()
        self._idle: deque[tuple[Place, sqlite3.Connection]] = deque()

    @property
    def path(self) -> Path:
        """Looked up at every call: a test, or a shell that changed folders, moves the whole world with it."""
        return Path(os.environ.get("WFRUN_SANDBOX") or ".sandbox", f"{self.name}.sqlite")

    @contextmanager
    def open(self) -> Iterator[sqlite3.Connection]:
        """A connection of one's own. Raises ServiceError `sandbox.outdated` for a file that other services made."""
        path = self.path
        if not path.exists():
            self._create(path)
        place = _place(path)
        db = self._idle_at(place) or _connect(path)
        try:
            if db.execute("PRAGMA user_version").fetchone()[0] != self._version:
                message = f"{path} was made by other services than these; `python -m services reset` starts afresh"
                raise ServiceError("sandbox.outdated", message, retryable=False)
            yield db
        finally:
            if db.in_transaction:
                db.close()
            else:
                self._idle.append((place, db))

    def _idle_at(self, place: Place) -> sqlite3.Connection | None:
        """Opening costs ten times what a call does, so connections are kept; not those to a file that is gone."""
        with suppress(IndexError):
            while True:
                known, db = self._idle.pop()
                if known == place:
                    return db
                db.close()
        return None

    def close(self) -> None:
        """Closes the connections that nobody uses."""
        with suppress(IndexError):
            while True:
                self._idle.pop()[1].close()

    @contextmanager
    def transaction(self, db: sqlite3.Connection) -> Iterator[None]:
        """All or nothing. Threads take turns here: SQLite's own waiting polls, and fifty pollers starve each other."""
        with self._turn:
            db.execute("BEGIN IMMEDIATE")
            try:
                yield
                db.execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):
                    db.execute("ROLLBACK")
                raise

    def reset(self) -> None:
        """As on the first day. Servers that use the file may go on running."""
        path = self.path
        if not path.exists():
            return self._create(path)
        with closing(_connect(path)) as db:
            tables = db.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
            drops = "".join(f'DROP TABLE "{name}";' for (name,) in tables if not name.startswith("sqlite_"))
            db.executescript(f"BEGIN IMMEDIATE; {drops} {self._script} COMMIT;")
        return None

    @property
    def _script(self) -> str:
        return f"{self._schema} PRAGMA user_version = {self._version};"

    def _create(self, path: Path) -> None:
        """Made aside and linked into place, so that of two processes that come first, both find it complete."""
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent) as folder:
            fresh = Path(folder, path.name)
            with closing(_connect(fresh)) as db:
                db.execute("PRAGMA journal_mode = WAL")
                db.executescript(self._script)
            with suppress(FileExistsError):
                os.link(fresh, path)


def _place(path: Path) -> Place:
    """Which file that is, and whose: a connection may not be used on the other side of a fork."""
    status = path.stat()
    return os.getpid(), status.st_dev, status.st_ino


def _connect(path: Path) -> sqlite3.Connection:
    # Each connection is used by one thread at a time, but not always by the same one.
    db = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    # A killed process loses nothing without syncs; only a power cut would, and this is a rehearsal.
    db.execute("PRAGMA synchronous = OFF")
    return db

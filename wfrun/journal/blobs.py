"""Values that are too large for a line of a journal: each is a file of its own, named by the SHA-256 of its text.

    {…,"blobs":{"result":{"bytes":104857602,"sha256":"9f86…"}},"type":"step.completed"}

stands in the journal for a record with a `result` of so many bytes. The file holds the value's canonical JSON, and is
durable before the line that refers to it is written (C3). Who reads records gets them whole.
"""

from __future__ import annotations

import json
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from wfrun.core.values import canonical
from wfrun.errors import JournalError
from wfrun.journal.crash import reach
from wfrun.journal.stored import read_exact, write_once

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from wfrun.core.events import Record
    from wfrun.journal.home import Home

# A line may have this many bytes before its large members leave it, and a member this many before it counts as large.
LARGE_LINE = 64 * 1024
LARGE_MEMBER = 8 * 1024

_ENVELOPE = frozenset({"seq", "at", "prev", "type"})


class Blobs:
    """The large values of the executions in one home."""

    def __init__(self, home: Home) -> None:
        self._home = home

    def spill(self, record: Record) -> Record:
        """The record as its line says it: large members are stored, and named instead. JournalError `blob.io`."""
        kept, blobs = {}, {}
        for name, value in record.items():
            text = "" if name in _ENVELOPE else canonical(value)
            if len(text) > LARGE_MEMBER:
                blobs[name] = self._write(text.encode())
            else:
                kept[name] = value
        return {**kept, "blobs": blobs} if blobs else record

    def fill(self, records: Iterable[Record]) -> None:
        """Puts back what `spill` took out. StateError `blob.unknown`, `blob.damaged`."""
        for record in records:
            if "blobs" in record:
                fill(record, self._read)

    def _write(self, data: bytes) -> dict[str, Any]:
        digest = sha256(data).hexdigest()
        path = blob_path(self._home, digest)
        try:
            write_once(self._home, path, data)
        except OSError as error:
            message = f"{path} cannot be written: {error.strerror or error}"
            raise JournalError("blob.io", message, hint="free space or repair the disk") from error
        reach("blob.written")
        return {"sha256": digest, "bytes": len(data)}

    def _read(self, digest: str) -> bytes:
        return read_exact(self._home, blob_path(self._home, digest), digest, "blob")


def fill(record: Record, read: Callable[[str], bytes]) -> None:
    """Puts the members back that stand elsewhere. `read` gives the bytes of a blob by its hash."""
    for name, blob in record.pop("blobs").items():
        record[name] = json.loads(read(blob["sha256"]))


def blob_path(home: Home, digest: str) -> str:
    return f"{home.blobs}/{digest}"

"""The records of one journal in memory: those read, and those stamped that are still to be written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any
from zlib import crc32

from wfrun.journal.codec import encode, line_hash
from wfrun.journal.scan import EMPTY, SEAL, Head, Scan, scan, seal_of

if TYPE_CHECKING:
    from wfrun.core.events import Record


class Chain:
    """`records` are in order, `unwritten` the bytes that go to the end of the file to make it say the same."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.unwritten: list[bytes] = []
        self.epoch = 0
        self._head = EMPTY
        self._torn = b""
        # CRC-32 of all bytes before the head's end: cheap to keep, and enough to know the file again after a change.
        self._crc = 0

    @property
    def end(self) -> int:
        """The number of bytes that are records, the unwritten ones included."""
        return self._head.end

    @property
    def size(self) -> int:
        """The number of bytes known of: records and the torn ones behind them."""
        return self._head.end + len(self._torn)

    def read(self, raw: bytes) -> Scan:
        """Takes in the bytes that the file has from `end` on, unless they are damaged."""
        found = scan(raw, self._head)
        if found.damage is None:
            self._crc = crc32(raw[: len(raw) - len(found.torn)], self._crc)
            self._head, self._torn = found.head, found.torn
            self.records += found.records
            self._note_epochs(found.records)
        return found

    def begins(self, raw: bytes) -> bool:
        """Whether bytes from a file's beginning are, up to `end`, those that were read and written before."""
        return len(raw) >= self.end and crc32(raw[: self.end]) == self._crc

    def stamp(self, event: Mapping[str, Any], at: str) -> Record:
        """The next record, kept here; torn bytes are sealed first. ValueError if the event is not JSON."""
        if self._torn:
            self._seal(at)
        return self._append(event, at)

    def _seal(self, at: str) -> None:
        event = seal_of(self._torn, self._head)
        sealed, self._torn = self._torn + SEAL, b""
        self._head = self._head._replace(end=self._head.end + len(sealed))
        self._crc = crc32(sealed, self._crc)
        self.unwritten.append(SEAL)
        self._append(event, at)

    def _append(self, event: Mapping[str, Any], at: str) -> Record:
        seq, prev, end = self._head
        record = {**event, "seq": seq + 1, "at": at, "prev": prev}
        line = encode(record)
        self._head = Head(seq + 1, line_hash(line[:-1]), end + len(line))
        self._crc = crc32(line, self._crc)
        self.unwritten.append(line)
        self.records.append(record)
        self._note_epochs((record,))
        return record

    def _note_epochs(self, records: Iterable[Record]) -> None:
        for record in records:
            if record["type"] == "driver.started":
                self.epoch = record["epoch"]

"""The records of one journal in memory: those read, and those stamped that are still to be written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from zlib import crc32

from wfrun.journal.blobs import LARGE_LINE, Blobs
from wfrun.journal.codec import GENESIS, encode, line_hash
from wfrun.journal.scan import SEAL, Head, Scan, scan, seal_of

if TYPE_CHECKING:
    from wfrun.core.events import Record


class Chain:
    """`records` are in order, `unwritten` the bytes that go to the end of the file to make it say the same.

    `end` is the number of bytes that are records, the unwritten ones included. Without `blobs` no value is too large.
    """

    def __init__(self, blobs: Blobs | None = None) -> None:
        self._blobs = blobs
        self.records: list[Record] = []
        self.unwritten: list[bytes] = []
        self.end = 0
        self._seq = 0
        self._prev = GENESIS
        self._torn = b""
        # CRC-32 of all bytes before `end`: cheap to keep, and enough to know the file again after a change.
        self._crc = 0

    @property
    def epoch(self) -> int:
        """Of the last driver; 0 if there was none."""
        return next((record["epoch"] for record in reversed(self.records) if record["type"] == "driver.started"), 0)

    @property
    def size(self) -> int:
        """The number of bytes known of: records and the torn ones behind them."""
        return self.end + len(self._torn)

    def read(self, raw: bytes, *, at_rest: bool = False) -> Scan:
        """Takes in the bytes that the file has from `end` on, unless they are damaged."""
        found = scan(raw, self._head(), at_rest=at_rest)
        if found.damage is None:
            self._crc = crc32(raw[: len(raw) - len(found.torn)], self._crc)
            (self._seq, self._prev, self.end), self._torn = found.head, found.torn
            if self._blobs is not None:
                self._blobs.fill(found.records)
            self.records += found.records
        return found

    def begins(self, raw: bytes) -> bool:
        """Whether bytes from a file's beginning are, up to `end`, those that were read and written before."""
        return len(raw) >= self.end and crc32(raw[: self.end]) == self._crc

    def stamp(self, event: Mapping[str, Any], at: str) -> Record:
        """The next record, kept here; torn bytes are sealed first. ValueError if the event is not JSON."""
        if self._torn:
            self._seal(at)
        seq = self._seq + 1
        record = {**event, "seq": seq, "at": at, "prev": self._prev}
        line = encode(record)
        if len(line) > LARGE_LINE and self._blobs is not None:
            line = encode(self._blobs.spill(record))
        self._seq, self._prev, self.end = seq, line_hash(line[:-1]), self.end + len(line)
        self._crc = crc32(line, self._crc)
        self.unwritten.append(line)
        self.records.append(record)
        return record

    def _head(self) -> Head:
        return Head(self._seq, self._prev, self.end)

    def _seal(self, at: str) -> None:
        event = seal_of(self._torn, self._head())
        sealed, self._torn = self._torn + SEAL, b""
        self.end += len(sealed)
        self._crc = crc32(sealed, self._crc)
        self.unwritten.append(SEAL)
        self.stamp(event, at)

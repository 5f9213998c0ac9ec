r"""One record as one line of bytes.

    {"at":"…","prev":"…","seq":7,"step":"charge","type":"step.started", … ,"crc":"8d1f00a2"}\n

The line is the record's canonical JSON with one more member at its end. `crc` is the CRC-32 of every byte before
`,"crc"`: it belongs to the line, not to the record, and covers what the chain cannot yet cover, the last line.
`prev` is the SHA-256, in hexadecimal, of the raw bytes of the line before, its `crc` included, its newline not; in the
first record it is 64 zeros. `seq` counts from 1.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from zlib import crc32

from wfrun.core.values import canonical

if TYPE_CHECKING:
    from datetime import datetime

    from wfrun.core.events import Record

GENESIS = "0" * 64
_CRC = b',"crc":"'
_TRAILER = len(_CRC) + 8 + len(b'"}')


class BadLineError(ValueError):
    """A line that is not the record that should stand there; the text says why."""


def encode(record: Mapping[str, Any]) -> bytes:
    """The line of a record, newline included. ValueError if it is not JSON (NaN, lone surrogates)."""
    body = canonical(record)[:-1].encode()
    return b'%b%b%08x"}\n' % (body, _CRC, crc32(body))


def decode(line: bytes, seq: int, prev: str) -> Record:
    """The record of a line without its newline; `BadLineError` unless it is number `seq` and continues `prev`."""
    record = _parse(line)
    if record["seq"] != seq:
        raise BadLineError(f"record {record['seq']} stands where {seq} belongs")
    if record["prev"] != prev:
        raise BadLineError("the line does not continue the one before it")
    return record


def claim(line: bytes) -> tuple[int, str] | None:
    """The `seq` and `prev` that an intact line claims, whatever stands before it; None if it is not intact."""
    try:
        record = _parse(line)
    except BadLineError:
        return None
    return record["seq"], record["prev"]


def instant_of(line: bytes) -> str | None:
    """When an intact line says that it was written, whatever stands before it; None if it is not intact."""
    try:
        return str(_parse(line)["at"])
    except BadLineError:
        return None


def line_hash(line: bytes) -> str:
    """What the next record carries as `prev`. The line comes without its newline."""
    return sha256(line).hexdigest()


def instant(moment: datetime) -> str:
    """RFC 3339 in UTC with microseconds: `2026-01-31T09:30:00.000000Z`. ValueError if the moment knows no zone."""
    offset = moment.utcoffset()
    if offset is None:
        raise ValueError("an instant needs a time zone")
    if offset:
        moment = moment.replace(tzinfo=None) - offset
    minute = _minute(moment.year, moment.month, moment.day, moment.hour, moment.minute)
    return f"{minute}:{moment.second:02d}.{moment.microsecond:06d}Z"


@lru_cache(maxsize=2)
def _minute(year: int, month: int, day: int, hour: int, minute: int) -> str:
    """Formatting the whole of each instant costs as much as hashing a record."""
    return f"{year:04d}-{month:02d}-{day:02d}T{hour:02d}:{minute:02d}"


def is_canonical(line: bytes) -> bool:
    """Whether an intact line, without its newline, is the very text that `encode` writes. No reader needs to ask: it
    is for who wants to know whether anybody else wrote it, a key twice in it for instance."""
    return encode(_parse(line)) == line + b"\n"


def _parse(line: bytes) -> Record:
    """Each line of each journal that is read comes through here: hence one pass, and a decoder without a hook."""
    body = line[:-_TRAILER]
    if line[-_TRAILER:] != b'%b%08x"}' % (_CRC, crc32(body)):
        raise BadLineError("the checksum of the line does not match its bytes")
    try:
        text = line.decode()
        record, end = _read(text, 0)
    except (ValueError, StopIteration) as error:
        raise BadLineError(f"the line is not strict JSON: {error}") from None
    if end != len(text):
        raise BadLineError("the line is not strict JSON: something follows it")
    if type(record) is not dict or type(record.get("seq")) is not int:
        raise BadLineError("the line is not a record")
    if not type(record.get("at")) is type(record.get("prev")) is type(record.get("type")) is str:
        raise BadLineError("the line is not a record")
    record.pop("crc", None)
    return record


def _constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


_read = json.JSONDecoder(parse_constant=_constant).scan_once  # type: ignore[attr-defined]  # raw_decode without its frame

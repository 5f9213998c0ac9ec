"""A record as one line of bytes."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from hashlib import sha256
from zlib import crc32

import pytest

from wfrun.journal.codec import (
    GENESIS,
    BadLineError,
    claim,
    decode,
    encode,
    instant,
    is_canonical,
    line_hash,
)

AT = "2026-01-31T09:30:00.000000Z"


def stamped(event: dict[str, object], seq: int = 1, prev: str = GENESIS) -> dict[str, object]:
    return {**event, "seq": seq, "at": AT, "prev": prev}


def line(seq: int = 1, prev: str = GENESIS) -> bytes:
    return encode(stamped({"type": "timer.fired", "timer": "t"}, seq, prev))


def forged(body: str) -> bytes:
    """A line whose checksum is right, whatever it says."""
    raw = body.encode()
    return raw[:-1] + b',"crc":"%08x"}' % crc32(raw[:-1])


def test_the_bytes_are_pinned() -> None:
    expected = (
        '{"at":"2026-01-31T09:30:00.000000Z","prev":"' + "0" * 64 + '","seq":1,"timer":"t","type":"timer.fired",'
        '"crc":"' + f"{crc32(line()[:-19]):08x}" + '"}\n'
    )
    assert line().decode() == expected


def test_a_line_comes_back_as_its_record() -> None:
    record = decode(line()[:-1], 1, GENESIS)
    assert record == {"type": "timer.fired", "timer": "t", "seq": 1, "at": AT, "prev": GENESIS}
    assert "crc" in json.loads(line())


def test_text_stays_as_it_is() -> None:
    raw = encode(stamped({"type": "x", "text": 'Zoë "\n\x00\u2028'}))
    assert raw.count(b"\n") == 1
    assert decode(raw[:-1], 1, GENESIS)["text"] == 'Zoë "\n\x00\u2028'
    assert "Zoë".encode() in raw


def test_the_hash_is_of_the_raw_line() -> None:
    assert line_hash(line()[:-1]) == sha256(line()[:-1]).hexdigest()


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "\ud800", object()])
def test_what_is_not_json_is_not_written(value: object) -> None:
    with pytest.raises((ValueError, TypeError)):
        encode(stamped({"type": "x", "value": value}))


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (line(seq=3)[:-1], "record 3 stands where 1 belongs"),
        (line(prev="1" * 64)[:-1], "does not continue"),
        (line()[:-2], "checksum"),
        (b"", "checksum"),
        (line()[:-1].upper(), "checksum"),
        (forged('{"seq":1}') + b" ", "checksum"),
        (forged('{"seq":NaN}'), "NaN"),
        (forged('{"seq":true,"at":"","prev":"","type":""}'), "not a record"),
        (forged('{"seq":1,"at":"","prev":"","type":1}'), "not a record"),
        (forged("[1]"), "not strict JSON"),
        (forged('{"a":"\udcff"}'.replace("\udcff", "")), "not a record"),
    ],
)
def test_other_lines_are_refused_with_the_reason(raw: bytes, reason: str) -> None:
    with pytest.raises(BadLineError, match=reason):
        decode(raw, 1, GENESIS)


@pytest.mark.parametrize("more", ['"type":"y"', '"b":1,"a":1', '"z": 1', '"z":1e0', r'"z":"\u0041"'])
def test_a_line_in_another_form_is_told_from_ours(more: str) -> None:
    """A key that stands twice, another order, spaces, another spelling of the same value."""
    start = line().decode()[:-19]
    assert is_canonical(forged(start + "}"))
    assert decode(forged(f"{start},{more}}}"), 1, GENESIS)["seq"] == 1
    assert not is_canonical(forged(f"{start},{more}}}"))


def test_a_line_claims_its_own_place() -> None:
    assert claim(line(7, "a" * 64)[:-1]) == (7, "a" * 64)
    assert claim(b"no line") is None


def test_an_instant_is_utc_with_microseconds() -> None:
    east = timezone(timedelta(hours=5, minutes=30))
    assert instant(datetime(2026, 1, 31, 15, 0, tzinfo=east)) == AT
    assert instant(datetime(2026, 1, 31, 9, 30, 0, 5, tzinfo=UTC)) == "2026-01-31T09:30:00.000005Z"
    with pytest.raises(ValueError, match="time zone"):
        instant(datetime(2026, 1, 31))

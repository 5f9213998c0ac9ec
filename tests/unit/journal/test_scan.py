"""Which bytes are records: torn tails, seals, damage, and what verification tells of them."""

from __future__ import annotations

from itertools import pairwise

import pytest

from wfrun.journal.chain import Chain
from wfrun.journal.scan import EMPTY, MOST_UNSYNCED, SEAL, SECTOR, Head, scan, seal_of
from wfrun.journal.verify import verify

AT = "2026-01-31T09:30:00.000000Z"


def written(count: int, chain: Chain | None = None) -> bytes:
    chain = chain or Chain()
    for number in range(count):
        chain.stamp({"type": "timer.fired", "timer": str(number)}, AT)
    raw = b"".join(chain.unwritten)
    chain.unwritten.clear()
    return raw


def test_nothing_is_a_journal_without_records() -> None:
    assert scan(b"") == ([], EMPTY, b"", None)
    assert verify(b"") == []


def test_records_are_numbered_and_chained() -> None:
    records = scan(written(3)).records
    assert [record["seq"] for record in records] == [1, 2, 3]
    assert records[0]["prev"] == "0" * 64
    assert len({record["prev"] for record in records}) == 3


def test_a_scan_goes_on_where_another_ended() -> None:
    raw = written(4)
    middle = raw.index(b"\n") + 1
    first = scan(raw[:middle])
    assert scan(raw[middle:], first.head).records == scan(raw).records[1:]
    assert scan(raw, first.head, middle).records == scan(raw).records[1:]
    assert scan(raw[middle:], first.head).head == Head(4, scan(raw).head.prev, len(raw))


def test_an_unfinished_line_is_left_out() -> None:
    raw = written(2)
    found = scan(raw[:-1])
    assert len(found.records) == 1
    assert raw.endswith(found.torn + b"\n")
    assert found.damage is None


def test_torn_bytes_are_sealed_by_the_next_record() -> None:
    chain = Chain()
    raw = written(1, chain) + b'{"half'
    again = Chain()
    assert again.read(raw).torn == b'{"half'
    raw += written(1, again)
    assert scan(raw).records == again.records
    assert again.records[1]["type"] == "journal.recovered"
    assert again.records[1] | seal_of(b'{"half', Head(1, "", raw.index(b'{"half'))) == again.records[1]
    assert again.end == again.size == len(raw)
    assert verify(raw) == []


def test_a_line_without_its_newline_stays_no_record() -> None:
    chain = Chain()
    chain.read(written(2)[:-1])
    raw = written(2)[:-1] + written(1, chain)
    assert [record["type"] for record in scan(raw).records] == ["timer.fired", "journal.recovered", "timer.fired"]


def test_a_seal_that_was_torn_itself_is_sealed() -> None:
    torn = written(1) + b'{"half'
    for rest in (SEAL[:1], SEAL, SEAL + b'{"at":', SEAL + b'{"at":' + SEAL):
        chain = Chain()
        assert chain.read(torn + rest).torn == b'{"half' + rest
        raw = torn + rest + written(1, chain)
        assert scan(raw).records == chain.records
        assert verify(raw) == []


@pytest.mark.parametrize("change", [(b'{"half', b'{"hulf'), (b'"bytes":6', b'"bytes":7'), (SEAL, b"\n")])
def test_a_seal_that_names_other_bytes_is_damage(change: tuple[bytes, bytes]) -> None:
    chain = Chain()
    raw = written(1, chain) + b'{"half'
    again = Chain()
    again.read(raw)
    raw += written(1, again)
    assert raw.count(change[0]) == 1
    assert scan(raw.replace(*change)).damage is not None


def test_a_seal_of_nothing_is_damage() -> None:
    chain = Chain()
    chain.stamp({"type": "journal.recovered", "offset": 0, "bytes": 0, "sha256": ""}, AT)
    found = scan(b"".join(chain.unwritten))
    assert found.damage is not None
    assert "journal.recovered" in found.damage.message


# ---- holes: sectors that a loss of power kept from the disk


def turns(count: int, length: int = 700) -> bytes:
    """One record, and then turns of two, each of an instant of its own and longer than a sector."""
    chain = Chain()
    chain.stamp({"type": "timer.fired", "timer": "first"}, AT)
    for number in range(count):
        for text in ("a", "b"):
            chain.stamp({"type": "timer.fired", "timer": text * length}, AT.replace("30", f"{number:02}"))
    return b"".join(chain.unwritten)


def holed(raw: bytes, sector: int) -> bytes:
    """Zeros in a sector, as far as it lies behind the first record."""
    first = max(raw.index(b"\n") + 1, sector * SECTOR)
    return raw[:first] + bytes((sector + 1) * SECTOR - first) + raw[(sector + 1) * SECTOR :]


@pytest.mark.parametrize("sector", range(4))
def test_from_a_hole_on_nothing_is_a_record(sector: int) -> None:
    raw = holed(turns(2), sector)
    found = scan(raw)
    assert found.damage is None
    assert found.lost_power
    assert found.records == scan(turns(2)).records[: len(found.records)]
    assert raw[found.head.end :] == found.torn
    assert [finding.code for finding in verify(raw)] == ["journal.torn"]


@pytest.mark.parametrize("sector", range(4))
def test_a_hole_is_sealed_with_all_that_is_behind_it(sector: int) -> None:
    raw = holed(turns(2), sector)
    chain = Chain()
    chain.read(raw)
    raw += written(2, chain)
    for again in (b"", SEAL + b"half"):  # the second was torn while it was sealed
        assert verify(raw) == []
        assert scan(raw, at_rest=True).records == chain.records
        chain = Chain()
        chain.read(raw + again)
        raw += again + written(1, chain)
    assert [record["type"] for record in chain.records].count("journal.recovered") == 2


@pytest.mark.parametrize("left", range(1, SECTOR))
@pytest.mark.parametrize("behind", [b"", SEAL], ids=["torn", "torn while it was sealed"])
def test_a_hole_where_the_seal_of_an_earlier_loss_stood(behind: bytes, left: int) -> None:
    """What the first loss has left of a line is synced up to somewhere in a sector, and the hole begins there."""
    first = written(1)
    torn = first + b"x" * (-(len(first) + len(behind) + left) % SECTOR + SECTOR) + behind
    chain = Chain()
    chain.read(torn)
    raw = torn + written(3, chain)
    found = scan(torn + bytes(left) + raw[len(torn) + left :])
    assert found.damage is None
    assert found.records == scan(first).records


@pytest.mark.parametrize("lost", [1, 2])
def test_what_a_failed_sync_has_lost_ends_where_another_turn_begins(lost: int) -> None:
    first, *others = turns(2, length=60).splitlines(keepends=True)
    hole = bytes(len(b"".join(others[:lost])))
    found = scan(first + hole + b"".join(others[lost:]))
    assert (found.damage, found.records) == (None, scan(first).records)
    assert scan(first + hole + b"".join(others[lost:]), at_rest=True).damage is not None
    assert scan(first + hole + others[lost][1:]).damage is not None


def test_a_hole_is_damage_where_all_was_synced() -> None:
    assert scan(holed(turns(MOST_UNSYNCED), 0)).damage is None
    many = scan(holed(turns(MOST_UNSYNCED + 1), 0))
    assert many.damage is not None
    assert (many.damage.seq, len(many.records)) == (2, 1)
    assert scan(holed(turns(2), 0), at_rest=True).damage is not None


def test_a_changed_byte_is_no_hole() -> None:
    raw = turns(2)
    for at in range(raw.index(b"\n") + 1, len(raw) - 1):
        assert scan(raw[:at] + b"\0" + raw[at + 1 :]).damage is not None, at


def test_damage_names_offset_and_seq() -> None:
    lines = written(4).splitlines(keepends=True)
    found = scan(b"".join([lines[0], lines[1].replace(b"timer", b"rimet"), *lines[2:]]))
    assert len(found.records) == 1
    assert found.damage is not None
    assert (found.damage.offset, found.damage.seq) == (len(lines[0]), 2)


def test_verification_reads_on_behind_damage() -> None:
    lines = written(9).splitlines(keepends=True)
    lines[2] = lines[2].replace(b"timer", b"rimet")
    del lines[6]
    findings = verify(b"".join(lines) + b"half")
    assert [(finding.code, finding.seq) for finding in findings] == [
        ("journal.damaged", 3),
        ("journal.damaged", 7),
        ("journal.torn", 10),
    ]
    assert all(before.end <= after.offset for before, after in pairwise(findings))


def test_verification_of_garbage_tells_each_line_once() -> None:
    assert [finding.offset for finding in verify(b"a\nb\nc\n")] == [0, 2, 4]


def test_a_chain_knows_its_bytes_again() -> None:
    chain = Chain()
    raw = written(3, chain)
    assert chain.begins(raw)
    assert chain.begins(raw + b"more")
    assert not chain.begins(raw[:-1])
    assert not chain.begins(raw.replace(b"timer", b"rimet"))
    reader = Chain()
    reader.read(raw)
    assert reader.begins(raw)


def test_a_chain_counts_drivers() -> None:
    chain = Chain()
    for epoch in (1, 2):
        chain.stamp({"type": "driver.started", "epoch": epoch}, AT)
    reader = Chain()
    reader.read(b"".join(chain.unwritten))
    assert (chain.epoch, reader.epoch) == (2, 2)

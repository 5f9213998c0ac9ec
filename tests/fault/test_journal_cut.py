"""F2 and F3: journals cut at every byte, with foreign tails, and with every bit flipped."""

from __future__ import annotations

import random
from contextlib import closing

import pytest

from tests.support.journals import (
    ID,
    INFO,
    Ledger,
    append,
    bytes_of,
    completed,
    live,
    memory_home,
    started,
)
from tests.support.shell import ROOT
from tests.support.tally import FULL, Tally, seed, size
from wfrun.errors import JournalError, NotFoundError
from wfrun.journal.home import Home
from wfrun.journal.journal import Journal
from wfrun.journal.marks import IN_FLIGHT
from wfrun.journal.memory import MemoryFiles
from wfrun.journal.scan import SECTOR, scan
from wfrun.journal.verify import verify


def plain() -> bytes:
    home = memory_home()
    live(home, Ledger(), large=False)
    return bytes_of(home)


def sealed() -> bytes:
    """A journal that was torn twice, the second time while it was being sealed."""
    raw = plain()
    raw = resumed(raw[:-40])
    end = raw.rindex(b"\x18\n") + 2
    return resumed(raw[:end] + b'{"at":"2026')


def home_with(raw: bytes) -> Home:
    """A home whose journal holds these bytes after its writer died, or its machine."""
    home = memory_home()
    shard = home.shard(ID)
    home.ensure(shard)
    fd = home.files.create(home.journal_path(ID), IN_FLIGHT)
    home.files.write(fd, raw)
    home.files.close(fd)
    return home


def resumed(raw: bytes) -> bytes:
    home = home_with(raw)
    with closing(Journal.open(home, ID)) as journal:
        journal.drive(INFO)
        append(journal, completed(50))
    return bytes_of(home)


def short() -> bytes:
    """Three records, torn and sealed between the first two: small enough to flip every bit of it."""
    home = memory_home()
    Journal.create(home, ID, started()).close()
    return resumed(bytes_of(home) + b'{"half')


def holed() -> bytes:
    """A journal that lost a sector in the midst of its end when the power failed, and was gone on with."""
    raw = plain()
    at = raw[: -SECTOR - 100].rindex(b"\n") + 1
    end = at - at % SECTOR + SECTOR
    return resumed(raw[:at] + bytes(end - at) + raw[end:])


def torn() -> bytes:
    """A journal of which each runner died while it wrote its last line."""
    raw = sealed()
    for lost in range(1, 16):
        raw = resumed(raw[: -10 * lost])
    return raw


JOURNALS = {"plain": plain(), "sealed": sealed(), "holed": holed()}
# For the full size: one that was torn again and again, and what executions of the gallery have written.
LONG = {"torn": torn()} if FULL else {}
GOLDEN = {
    name: (ROOT / "tests" / "golden" / "0.1" / name / "journal.jsonl").read_bytes()
    for name in ("approved", "compensated", "completed")
    if FULL
}


@pytest.mark.parametrize("end", ["", "zeros", "garbage", "twice"])
@pytest.mark.parametrize("name", JOURNALS | LONG)
def test_cut_at_every_byte(name: str, end: str, tally: Tally) -> None:
    """And something else behind the cut, which ends no line."""
    raw = (JOURNALS | LONG)[name]
    whole = scan(raw).records
    for cut in range(len(raw)) if FULL or not end else sample(range(len(raw)), size(1_300, 5_000)):
        tally.add("F2")
        was = raw[:cut] + tail(raw, cut, end)
        home = home_with(was)
        found = Journal.read(home, ID) if scan(was).records else []
        assert found == whole[: len(found)]
        after = resumed(was) if found else begun(home)
        assert after.startswith(was) or not found
        assert verify(after) == []
        assert scan(after).records[: len(found)] == found
        assert scan(after).records[-1]["step" if found else "type"] == ("charge@50" if found else "execution.started")


def tail(raw: bytes, cut: int, kind: str) -> bytes:
    chance = random.Random(cut)
    last = raw[raw.rfind(b"\n", 0, cut) + 1 : cut]
    length = chance.randrange(1, 2_000)
    tails = {"": b"", "zeros": bytes(length), "garbage": chance.randbytes(length).replace(b"\n", b""), "twice": last}
    return tails[kind]


def begun(home: Home) -> bytes:
    with pytest.raises(NotFoundError):
        Journal.read(home, ID)
    Journal.create(home, ID, started()).close()
    return bytes_of(home)


def sample(places: range, most: int) -> list[int]:
    return random.Random(seed()).sample(places, min(most, len(places)))


TAILS = {
    "zeros": bytes(700),
    "garbage": random.Random(7).randbytes(300).replace(b"\n", b""),
    "zeros behind half a line": b'{"at":"2026-' + bytes(4096),
    "a whole line without its end": b"",
}


@pytest.mark.parametrize("tail", TAILS)
def test_an_unfinished_tail_is_sealed(tail: str) -> None:
    raw = JOURNALS["plain"] + TAILS[tail]
    if not TAILS[tail]:
        raw = raw[:-1]
    expected = scan(raw).records
    after = resumed(raw)
    assert after.startswith(raw)
    assert verify(after) == []
    records = scan(after).records
    assert records[: len(expected)] == expected
    seal = records[len(expected)]
    assert (seal["type"], seal["offset"] + seal["bytes"]) == ("journal.recovered", len(raw))


def test_a_finished_foreign_tail_is_damage() -> None:
    raw = JOURNALS["plain"]
    last = raw[raw[:-1].rindex(b"\n") + 1 :]
    for tail in (last, b"garbage\n", b"\n", bytes(10) + b"\n"):
        home = home_with(raw + tail)
        with pytest.raises(JournalError, match=f"byte {len(raw)}, record ") as caught:
            Journal.read(home, ID)
        assert caught.value.code == "journal.damaged"
        with pytest.raises(JournalError):
            Journal.open(home, ID)
        assert bytes_of(home) == raw + tail


BITS = {"short": short(), "first": b"".join(plain().splitlines(keepends=True)[:4]), "holed": holed()} | GOLDEN


@pytest.mark.parametrize("name", BITS)
def test_every_flipped_bit_is_found(name: str, tally: Tally) -> None:
    raw = BITS[name]
    assert verify(raw) == []
    for at in range(len(raw)) if FULL or name != "holed" else sample(range(len(raw)), 1_000):
        for bit in range(8):
            tally.add("F3")
            flipped = bytearray(raw)
            flipped[at] ^= 1 << bit
            assert verify(bytes(flipped)), f"bit {bit} of byte {at}"


@pytest.mark.parametrize("name", JOURNALS)
def test_every_moved_line_is_found(name: str, tally: Tally) -> None:
    lines = JOURNALS[name].splitlines(keepends=True)
    last = len(lines) - 1
    for at in range(len(lines)):
        if at != last:  # without its last line a journal is shorter, and whole: only an anchor shows that
            tally.add("F3")
            assert verify(b"".join(lines[:at] + lines[at + 1 :])), f"line {at} deleted"
        tally.add("F3")
        assert verify(b"".join(lines[: at + 1] + lines[at:])), f"line {at} twice"
        for other in range(at + 1, len(lines)):
            tally.add("F3")
            swapped = list(lines)
            swapped[at], swapped[other] = lines[other], lines[at]
            assert verify(b"".join(swapped)), f"lines {at} and {other} swapped"


def test_the_untouched_journals_are_whole() -> None:
    """The control: what the tests above find is what they changed."""
    assert [verify(raw) for raw in JOURNALS.values()] == [[], [], []]
    assert MemoryFiles().crash().list("/") == []

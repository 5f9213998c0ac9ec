"""For any events: what was written is what is read, and no change of the bytes goes unnoticed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import Any, cast

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.journals import ID, INFO, append, bytes_of, completed, memory_home, started
from wfrun.core.events import Event
from wfrun.core.values import Json
from wfrun.journal.chain import Chain
from wfrun.journal.codec import GENESIS, decode, encode
from wfrun.journal.home import Home
from wfrun.journal.journal import Journal
from wfrun.journal.memory import MemoryFiles
from wfrun.journal.scan import scan
from wfrun.journal.verify import verify

AT = "2026-01-31T09:30:00.000000Z"

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts
values: st.SearchStrategy[Json] = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4), max_leaves=12
)
events = values.map(lambda value: {"type": "step.completed", "step": "s", "attempt": 1, "result": value})


def written(facts: Sequence[Mapping[str, Any]]) -> bytes:
    chain = Chain()
    for fact in facts:
        chain.stamp(fact, AT)
    return b"".join(chain.unwritten)


journals = st.lists(events, min_size=2, max_size=6).map(written)


@given(events, st.integers(1, 10**9))
def test_a_line_is_its_record(event: dict[str, Any], seq: int) -> None:
    line = encode({**event, "seq": seq, "at": AT, "prev": GENESIS})
    assert line.count(b"\n") == 1
    record = decode(line[:-1], seq, GENESIS)
    assert record == {**event, "seq": seq, "at": AT, "prev": GENESIS}
    assert encode(record) == line


@given(journals, st.data())
def test_a_changed_byte_is_found(raw: bytes, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(raw) - 1))
    byte = data.draw(st.integers(0, 255).filter(lambda byte: byte != raw[at]))
    assert verify(raw) == []
    assert verify(raw[:at] + bytes([byte]) + raw[at + 1 :])


@given(journals, st.data())
def test_deleted_and_inserted_bytes_are_found(raw: bytes, data: st.DataObject) -> None:
    begin = data.draw(st.integers(0, len(raw) - 1))
    end = data.draw(st.integers(begin + 1, len(raw)))
    if end < len(raw):  # what is missing at the end alone cannot be known
        assert verify(raw[:begin] + raw[end:])
    assert verify(raw[:begin] + data.draw(st.binary(min_size=1, max_size=9)) + raw[begin:])


@given(journals, st.integers(0, 10**6))
def test_reading_in_two_parts_is_reading_at_once(raw: bytes, cut: int) -> None:
    first = scan(raw[: cut % (len(raw) + 1)])
    second = scan(raw[first.head.end :], first.head)
    assert first.records + second.records == scan(raw).records
    assert second.head == scan(raw).head
    assert second.damage is None


@given(journals, st.lists(st.integers(0, 10**6), min_size=1, max_size=4))
def test_any_number_of_tears_leaves_a_whole_journal(raw: bytes, cuts: list[int]) -> None:
    """Writers die one after the other, each in the middle of its turn, the sealing included."""
    known: list[dict[str, Any]] = []
    for cut in cuts:
        chain = Chain()
        assert chain.read(raw).damage is None
        assert chain.records[: len(known)] == known
        known = list(chain.records)
        chain.stamp({"type": "step.completed", "result": cut}, AT)
        more = b"".join(chain.unwritten)
        raw += more[: cut % (len(more) + 1)]
    chain = Chain()
    chain.read(raw)
    chain.stamp({"type": "step.completed", "result": "end"}, AT)
    raw += b"".join(chain.unwritten)
    assert verify(raw) == []
    assert scan(raw).records == chain.records
    assert scan(raw).records[: len(known)] == known


actions = st.lists(st.sampled_from(["driver", "visitor", "driver dies", "visitor opens", "power"]), max_size=12)


@settings(max_examples=150, deadline=None)
@given(actions)
def test_any_order_of_processes_keeps_what_was_told(plan: list[str]) -> None:
    """One drives, others visit, processes die and the power fails: what a sync acknowledged is there for ever."""
    home = memory_home()
    driver = Journal.create(home, ID, started())
    driver.drive(INFO)
    visitor = Journal.open(home, ID)
    told: list[dict[str, Any]] = []
    for number, action in enumerate(plan):
        if action == "driver":
            append(driver, completed(number))
            told = list(driver.records)
        elif action == "visitor":
            append(visitor, cast(Event, {"type": "cancel.requested", "by": "v", "reason": str(number)}))
            told = list(visitor.records)
        elif action == "visitor opens":
            visitor.close()
            visitor = Journal.open(home, ID)
        else:
            home, driver, visitor = _again(home, power=action == "power", driver=driver, visitor=visitor)
        assert Journal.read(home, ID)[: len(told)] == told
    assert verify(bytes_of(home)) == []


def _again(home: Home, *, power: bool, driver: Journal, visitor: Journal) -> tuple[Home, Journal, Journal]:
    """After the driver died alone, its turn half done, or with the whole machine."""
    with driver.turn():
        driver.add(completed(0))
    files = home.files
    assert isinstance(files, MemoryFiles)
    if power:
        home = Home(home.path, files.crash(lambda synced, written: written[: (len(synced) + len(written)) // 2]))
        visitor = Journal.open(home, ID)
    else:
        files.close(driver.fileno)
    with closing(Journal.open(home, ID)) as reader:
        assert reader.records
    driver = Journal.open(home, ID)
    driver.drive(INFO)
    return home, driver, visitor

"""The list of removed executions: a chain like a journal's. A torn line is sealed, and damage stops everything."""

from __future__ import annotations

from pathlib import Path

import pytest

from wfrun.errors import JournalError
from wfrun.journal.home import Home
from wfrun.journal.removed import REMOVED, Removal, RemovedList, read_removed, was_removed
from wfrun.journal.verify import verify


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def removal(execution: str) -> Removal:
    at = "2026-01-31T09:30:00.000000Z"
    return {
        "execution": execution,
        "workflow": "w",
        "status": "completed",
        "startedAt": at,
        "endedAt": at,
        "records": 3,
        "sha256": "0" * 64,
    }


def listed(home: Home) -> list[str]:
    return [record["execution"] for record in read_removed(home) if record["type"] == "execution.removed"]


def file(home: Home) -> Path:
    return Path(home.path, REMOVED)


def test_nothing_is_listed_where_nothing_is(home: Home) -> None:
    assert read_removed(home) == []
    assert not was_removed(home, "a")


def test_it_grows_and_is_a_chain(home: Home) -> None:
    first = RemovedList(home)
    first.add([removal("a"), removal("b")])
    first.add([removal("c")])
    RemovedList(home).add([removal("d")])
    assert listed(home) == ["a", "b", "c", "d"]
    assert verify(file(home).read_bytes()) == []
    assert file(home).stat().st_mode & 0o777 == 0o600


def test_an_id_is_not_taken_for_its_beginning(home: Home) -> None:
    RemovedList(home).add([removal("abc")])
    assert was_removed(home, "abc")
    assert not was_removed(home, "ab")
    assert not was_removed(home, "bc")


def test_a_torn_line_is_sealed(home: Home) -> None:
    RemovedList(home).add([removal("a"), removal("b")])
    file(home).write_bytes(file(home).read_bytes()[:-5])
    assert listed(home) == ["a"]
    RemovedList(home).add([removal("b")])
    assert listed(home) == ["a", "b"]
    assert verify(file(home).read_bytes()) == []


def test_damage_stops_it(home: Home) -> None:
    RemovedList(home).add([removal("a"), removal("b")])
    file(home).write_bytes(file(home).read_bytes().replace(b'"records":3', b'"records":4', 1))
    with pytest.raises(JournalError):
        read_removed(home)
    with pytest.raises(JournalError):
        RemovedList(home)

"""Values too large for a line: where they stand, who reads them, and what if they are not there."""

from __future__ import annotations

import json
from contextlib import closing, suppress
from hashlib import sha256
from pathlib import Path

import pytest

from tests.support.journals import ID, INFO, FaultyFiles, append, bytes_of, completed, memory_home, os_error, started
from wfrun.app.auditing import named_files, verify
from wfrun.app.evidence import of_home
from wfrun.core.events import StepCompleted
from wfrun.core.values import Json, canonical
from wfrun.errors import JournalError, StateError
from wfrun.journal.blobs import LARGE_LINE, LARGE_MEMBER, blob_path
from wfrun.journal.home import Home
from wfrun.journal.journal import Journal
from wfrun.journal.memory import MemoryFiles
from wfrun.journal.scan import scan

LARGE: Json = {"text": "Zoë" * LARGE_LINE}
DIGEST = sha256(canonical(LARGE).encode()).hexdigest()


def large(number: int = 1) -> StepCompleted:
    return {**completed(number), "result": LARGE}


def a_home_with(*events: StepCompleted) -> Home:
    home = memory_home()
    with closing(Journal.create(home, ID, started())) as journal:
        append(journal, *events)
    return home


def test_a_large_value_is_a_file_and_its_line_is_short() -> None:
    home = a_home_with(large())
    last = bytes_of(home).splitlines()[-1]
    assert len(last) < 500
    told = json.loads(last)
    assert "result" not in told
    assert told["blobs"] == {"result": {"bytes": len(canonical(LARGE).encode()), "sha256": DIGEST}}
    assert home.read_file(blob_path(home, DIGEST)) == canonical(LARGE).encode()


def test_who_reads_gets_the_value_back() -> None:
    home = a_home_with(large(), completed(2))
    expected = [LARGE, completed(2)["result"]]
    assert [record["result"] for record in Journal.read(home, ID)[1:]] == expected
    with closing(Journal.open(home, ID)) as journal:
        assert [record["result"] for record in journal.records[1:]] == expected
        assert not any("blobs" in record for record in journal.records)
        append(journal, large(3))
        assert journal.records[-1]["result"] == LARGE


def test_who_looks_on_gets_what_another_has_appended() -> None:
    home = a_home_with(completed(1))
    with closing(Journal.open(home, ID)) as driver, closing(Journal.open(home, ID)) as visitor:
        driver.drive(INFO)
        append(visitor, large())
        with driver.turn() as foreign:
            assert [record["result"] for record in foreign] == [LARGE]


def test_the_same_value_is_kept_once() -> None:
    home = a_home_with(large(1), large(2))
    assert [name for name in home.files.list(home.blobs) if not name.startswith(".")] == [DIGEST]


def test_only_what_is_large_leaves_a_line() -> None:
    small = "x" * (LARGE_MEMBER - 2)
    home = a_home_with({**large(), "step": small}, {**completed(2), "result": "x" * (LARGE_LINE - 2_000)})
    first, second = (json.loads(line) for line in bytes_of(home).splitlines()[1:])
    assert first["step"] == small
    assert list(first["blobs"]) == ["result"]
    assert "blobs" not in second


def test_files_are_private(tmp_path: Path) -> None:
    home = Home(tmp_path / "state")
    with closing(Journal.create(home, ID, started())) as journal:
        append(journal, large())
    assert Path(blob_path(home, DIGEST)).stat().st_mode & 0o777 == 0o600
    assert Path(home.blobs).stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(("code", "data"), [("blob.unknown", None), ("blob.damaged", b'"other"')])
def test_a_value_that_is_not_there_stops_its_execution(code: str, data: bytes | None) -> None:
    home = a_home_with(large())
    home.files.remove(blob_path(home, DIGEST))
    if data is not None:
        with home.locked(home.blobs):
            home.files.close(home.replace(blob_path(home, DIGEST), data))
    for reader in (Journal.read, Journal.open):
        with pytest.raises(StateError) as caught:
            reader(home, ID)
        assert caught.value.code == code
        assert DIGEST in caught.value.message
    (checked,) = verify(of_home(home, [ID]))
    found = [each["code"] for each in checked["findings"] if each["seq"] == 2]
    assert found == [code]


def test_a_value_that_cannot_be_written_stops_its_execution() -> None:
    home = a_home_with(completed(1))
    files = home.files
    assert isinstance(files, MemoryFiles)
    full = FaultyFiles(files, lambda number, name: os_error() if name == "rename" else None)
    with closing(Journal.open(Home("/home", full.door), ID)) as journal:
        with pytest.raises(JournalError) as caught:
            append(journal, large())
        assert caught.value.code == "blob.io"
        with pytest.raises(JournalError):
            append(journal, completed(2))
    assert len(Journal.read(Home("/home", files), ID)) == 2


def test_an_audit_knows_the_record_as_a_whole_and_the_file_that_it_names() -> None:
    home = a_home_with({**large(), "result": LARGE})
    record = scan(bytes_of(home)).records[1]
    assert list(named_files(record)) == [(f"blobs/{DIGEST}", DIGEST)]
    (checked,) = verify(of_home(home, [ID]))
    assert [found["code"] for found in checked["findings"]] == ["definition.unknown"]  # which was never stored here


def test_the_value_is_durable_before_the_line_is_written() -> None:
    """Each call to the disk fails in turn, and the power goes with it: where the line is there, so is its value."""
    seen = 0
    for at in range(1_000):
        home = a_home_with(completed(1))
        files = home.files
        assert isinstance(files, MemoryFiles)
        faulty = FaultyFiles(files, lambda number, name, at=at: os_error() if number == at else None)  # type: ignore[misc]
        with suppress(JournalError), closing(Journal.open(Home("/home", faulty.door), ID)) as journal:
            append(journal, large(2))
        for kept in (files.crash(), files.crash(lambda synced, written: written)):
            after = Journal.read(Home("/home", kept), ID)
            seen += len(after) == 3
        if at >= len(faulty.calls):
            break
    assert seen > 2

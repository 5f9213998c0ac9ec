"""A handle: turns, what others append, drivers, and what ends its use."""

from __future__ import annotations

import errno
from contextlib import closing

import pytest

from tests.support.journals import (
    ID,
    INFO,
    FaultyFiles,
    append,
    bytes_of,
    cancelled,
    completed,
    counting,
    memory_home,
    os_error,
    started,
)
from wfrun.errors import ConflictError, JournalError, NotFoundError
from wfrun.journal.driver import is_driven
from wfrun.journal.home import Home
from wfrun.journal.journal import Journal
from wfrun.journal.marks import AT_REST, FAILED, IN_FLIGHT
from wfrun.journal.memory import MemoryFiles
from wfrun.journal.scan import SECTOR


@pytest.fixture
def home() -> Home:
    return memory_home()


@pytest.fixture
def journal(home: Home) -> Journal:
    return Journal.create(home, ID, started())


def opened(home: Home) -> Journal:
    return Journal.open(home, ID)


def disk(home: Home) -> MemoryFiles:
    assert isinstance(home.files, MemoryFiles)
    return home.files


def mode(home: Home) -> int:
    return home.files.stat(home.journal_path(ID)).mode


# ---- creating


def test_a_new_journal_is_durable(home: Home, journal: Journal) -> None:
    assert not journal.dirty
    assert Journal.read(Home(home.path, disk(home).crash()), ID) == journal.records


def test_a_prepared_journal_is_durable_after_its_sync(home: Home) -> None:
    journal = Journal.prepare(home, ID, started())
    before = journal.dirty
    journal.sync()
    assert (before, journal.dirty) == (True, False)
    assert Journal.read(Home(home.path, disk(home).crash()), ID) == journal.records


def test_what_a_visitor_adds_is_durable_before_its_creator_has_come_to_a_sync(home: Home) -> None:
    Journal.prepare(home, ID, started())
    with closing(opened(home)) as visitor:
        append(visitor, completed(1))
        assert Journal.read(Home(home.path, disk(home).crash()), ID) == visitor.records


def test_an_id_is_taken_once(home: Home) -> None:
    Journal.prepare(home, ID, started())
    with pytest.raises(ConflictError) as caught:
        Journal.create(home, ID, started())
    assert caught.value.code == "execution.exists"
    assert len(Journal.read(Home(home.path, disk(home).crash()), ID)) == 1, "what is told to exist is durable"


@pytest.mark.parametrize("left", [b"", b'{"at":"2026'])
def test_what_a_dead_creator_left_makes_way(home: Home, left: bytes) -> None:
    home.ensure(home.shard(ID))
    fd = home.files.create(home.journal_path(ID))
    home.files.write(fd, left)
    with pytest.raises(NotFoundError):
        opened(home)
    with closing(Journal.create(home, ID, started())) as journal:
        assert Journal.read(home, ID) == journal.records


@pytest.mark.parametrize(("mode", "is_damage"), [(IN_FLIGHT, False), (AT_REST, True)])
def test_a_hole_is_the_end_in_flight_and_damage_at_rest(mode: int, is_damage: bool, home: Home) -> None:
    with closing(Journal.create(home, ID, started())) as journal:
        append(journal, completed(1), completed(2))
    first, second, third = bytes_of(home).splitlines(keepends=True)
    hole = bytes(SECTOR - len(first) % SECTOR)
    home.files.remove(home.journal_path(ID))
    home.files.write(home.files.create(home.journal_path(ID), mode), first + hole + second[10:] + third)
    if is_damage:
        for look in (Journal.open, Journal.read):
            with pytest.raises(JournalError, match="record 2"):
                look(home, ID)
    else:
        assert len(Journal.read(home, ID)) == len(opened(home).records) == 1


def test_who_looks_under_the_lock_does_not_vouch_for_a_torn_end(home: Home) -> None:
    """The power failed: a part of the last line is there. Somebody comes, and has nothing to add."""
    with closing(Journal.create(home, ID, started())) as journal:
        append(journal, completed(1))
    first, second = bytes_of(home).splitlines(keepends=True)
    home.files.remove(home.journal_path(ID))
    hole = bytes(SECTOR - len(first) % SECTOR)
    home.files.write(home.files.create(home.journal_path(ID), IN_FLIGHT), first + hole + second)
    with closing(opened(home)) as visitor, visitor.turn():
        pass
    assert len(Journal.read(home, ID)) == 1
    with closing(opened(home)) as visitor:
        append(visitor, cancelled())
    assert [record["type"] for record in Journal.read(home, ID)][1:] == ["journal.recovered", "cancel.requested"]
    assert mode(home) == AT_REST


def test_a_journal_under_the_name_of_another_execution_is_damaged(home: Home) -> None:
    for id in (ID, "other"):
        Journal.create(home, id, started(id)).close()
    raw = home.read_file(home.journal_path("other"))
    assert raw is not None
    home.files.close(home.replace(home.journal_path(ID), raw))
    for use in (Journal.read, lambda home, id: Journal.open(home, id)):
        with pytest.raises(JournalError, match="record 1 belongs to execution 'other'") as caught:
            use(home, ID)
        assert caught.value.code == "journal.damaged"
    assert Journal.read(home, "other")


# ---- turns


def test_a_turn_is_one_write(home: Home, journal: Journal) -> None:
    journal.close()
    with counting(home) as calls:
        journal = opened(home)
        with journal.turn() as foreign:
            records = [journal.add(completed(number)) for number in range(5)]
    assert foreign == []
    assert calls.count("write") == 1
    assert journal.dirty
    assert Journal.read(home, ID)[1:] == records == journal.records[1:]
    assert [record["seq"] for record in records] == [2, 3, 4, 5, 6]


def test_others_see_a_turn_and_go_on_from_it(home: Home, journal: Journal) -> None:
    with closing(opened(home)) as other:
        with journal.turn():
            record = journal.add(completed(1))
        assert other.has_foreign()
        with other.turn() as foreign:
            answer = other.add(cancelled())
        assert foreign == [record]
        assert not other.has_foreign()
        with journal.turn() as foreign:
            pass
        assert foreign == [answer]
        assert journal.records == other.records == Journal.read(home, ID)


def test_a_turn_without_records_writes_nothing(home: Home, journal: Journal) -> None:
    before = bytes_of(home)
    with journal.turn():
        pass
    assert bytes_of(home) == before
    assert not journal.dirty


def test_a_turn_that_raises_leaves_nothing(home: Home, journal: Journal) -> None:
    before = bytes_of(home)
    with pytest.raises(ZeroDivisionError), journal.turn():
        raise ZeroDivisionError
    journal.check()
    with pytest.raises(ZeroDivisionError), journal.turn():
        _ = journal.add(completed(1))["seq"] / 0
    assert bytes_of(home) == before
    with pytest.raises(JournalError, match="broken off"), journal.turn():
        pass


def test_what_is_not_json_is_refused_before_anything_is_written(home: Home, journal: Journal) -> None:
    with journal.turn():
        with pytest.raises(ValueError, match="JSON"):
            journal.add({"type": "step.completed", "step": "s", "attempt": 1, "result": float("nan")})
        journal.add(completed(1))
    assert len(Journal.read(home, ID)) == 2


def test_records_are_added_in_turns_only(journal: Journal) -> None:
    with pytest.raises(RuntimeError, match="outside"):
        journal.add(completed(1))
    with journal.turn(), pytest.raises(RuntimeError, match="within"), journal.turn():
        pass


def test_a_sync_inside_a_turn_is_under_its_lock(home: Home, journal: Journal) -> None:
    with journal.turn():
        journal.add(completed(1))
        journal.sync()
        assert len(Journal.read(Home(home.path, disk(home).crash()), ID)) == 2
        lock = home.files.open(f"{home.shard(ID)}/.lock")
        assert not home.files.try_lock(lock)
    assert home.files.try_lock(lock)


def test_a_closed_handle_is_of_no_use(journal: Journal) -> None:
    journal.close()
    journal.close()
    with pytest.raises(JournalError) as caught, journal.turn():
        pass
    assert caught.value.code == "journal.closed"


# ---- drivers


def test_epochs_increase(home: Home, journal: Journal) -> None:
    for epoch in (1, 2, 3):
        with closing(opened(home)) as driver:
            assert driver.drive(INFO) == epoch
            assert driver.records[-1]["epoch"] == epoch
    assert journal.has_foreign()


def test_one_drives_and_others_are_told_who(home: Home, journal: Journal) -> None:
    assert not is_driven(home, ID)
    journal.drive(INFO)
    assert is_driven(home, ID)
    with closing(opened(home)) as other:
        with pytest.raises(ConflictError, match=r"process 42 on here \(epoch 1\)") as caught:
            other.drive(INFO)
        assert caught.value.code == "execution.held"
        append(other, cancelled())
    journal.close()
    assert not is_driven(home, ID)


def test_nobody_drives_what_is_not_there(home: Home) -> None:
    assert not is_driven(home, ID)


# ---- marks


def test_a_journal_is_at_rest_when_all_of_it_is_synced(home: Home, journal: Journal) -> None:
    assert mode(home) == IN_FLIGHT
    journal.drive(INFO)
    with closing(opened(home)) as visitor:
        append(visitor, cancelled())
    assert mode(home) == IN_FLIGHT, "the driver is still there"
    append(journal, completed(1))
    journal.close()
    assert mode(home) == AT_REST
    with closing(opened(home)) as visitor:
        append(visitor, cancelled())
        assert mode(home) == AT_REST


def test_a_journal_that_was_not_synced_is_not_at_rest(home: Home, journal: Journal) -> None:
    with journal.turn():
        journal.add(completed(1))
    journal.close()
    assert mode(home) == IN_FLIGHT


def test_what_others_wrote_last_is_for_them_to_sync(home: Home, journal: Journal) -> None:
    journal.drive(INFO)
    journal.sync()
    with closing(opened(home)) as visitor, visitor.turn():
        visitor.add(cancelled())
    journal.close()
    assert mode(home) == IN_FLIGHT


@pytest.mark.parametrize("drives", [True, False])
def test_a_journal_in_doubt_is_copied(home: Home, journal: Journal, drives: bool) -> None:
    before, inode = bytes_of(home), home.files.stat(journal.path).inode
    disk(home).end_process()
    home = Home(home.path, home.files)
    with closing(opened(home)) as other:
        if drives:
            other.drive(INFO)
        else:
            append(other, cancelled())
        assert home.files.stat(other.path).inode != inode
        assert bytes_of(home).startswith(before)
        assert is_driven(home, ID) == drives


def test_a_journal_at_rest_is_not_copied(home: Home, journal: Journal) -> None:
    journal.close()
    inode = home.files.stat(journal.path).inode
    with closing(opened(home)) as other:
        other.drive(INFO)
        assert home.files.stat(other.path).inode == inode


def test_a_handle_follows_the_copy(home: Home, journal: Journal) -> None:
    journal.close()
    early = opened(home)
    late = opened(home)
    late.drive(INFO)
    late.close()
    with closing(opened(home)) as driver:
        driver.drive(INFO)
        with early.turn() as foreign:
            early.add(cancelled())
            early.sync()
        assert [record["type"] for record in foreign] == ["driver.started", "driver.started"]
        with driver.turn() as foreign:
            pass
        assert [record["type"] for record in foreign] == ["cancel.requested"]


def test_a_driver_whose_file_was_taken_away_stops(home: Home, journal: Journal) -> None:
    journal.drive(INFO)
    home.files.close(home.replace(journal.path, bytes_of(home)))
    assert journal.has_foreign()
    with pytest.raises(JournalError, match="not the file that was read"), journal.turn():
        pass


def test_a_file_that_became_shorter_stops_the_handle(home: Home, journal: Journal) -> None:
    journal.close()
    with closing(opened(home)) as other:
        home.files.close(home.replace(other.path, bytes_of(home)[:-5]))
        with pytest.raises(JournalError), other.turn():
            pass


# ---- failing


@pytest.mark.parametrize("call", ["write", "sync", "lock", "stat", "set_mode"])
def test_the_first_failure_is_the_last_use(call: str) -> None:
    files = MemoryFiles()
    armed: list[str] = []
    faulty = FaultyFiles(files, lambda number, name: os_error(errno.ENOSPC) if name in armed else None)
    home = Home("/home", faulty.door)
    Journal.create(home, ID, started()).close()
    journal = Journal.open(home, ID)
    armed.append(call)
    with pytest.raises(JournalError, match="No space left") as caught:
        append(journal, completed(1))
    assert caught.value.code == "journal.io"
    armed.clear()
    for use in (journal.sync, journal.check, journal.has_foreign, lambda: append(journal, completed(1))):
        with pytest.raises(JournalError) as caught:
            use()
        assert caught.value.code == "journal.stopped"


@pytest.mark.parametrize("call", ["write", "sync"])
def test_a_failure_stops_the_others(call: str) -> None:
    files = MemoryFiles()
    armed: list[str] = []
    home = Home("/home", FaultyFiles(files, lambda number, name: os_error() if name in armed else None).door)
    driver = Journal.create(home, ID, started())
    driver.drive(INFO)
    driver.sync()
    visitor, late = opened(home), opened(home)
    armed.append(call)
    with pytest.raises(JournalError):
        append(visitor, cancelled())
    armed.clear()
    assert mode(home) & FAILED
    assert late.has_foreign()
    for other in (late, driver):
        with pytest.raises(JournalError, match="somebody else's write"), other.turn():
            pass
    driver.close()
    with closing(opened(home)) as resumed:
        resumed.drive(INFO)
        append(resumed, completed(1))
    assert mode(home) == AT_REST

"""What tests of journals share: a clock, events, disks that fail, and a life of an execution to break at any place."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from wfrun.core.events import CancelRequested, Event, ExecutionStarted, Record, StepCompleted
from wfrun.journal.blobs import LARGE_LINE
from wfrun.journal.driver import DriverInfo
from wfrun.journal.home import Home
from wfrun.journal.io import Files
from wfrun.journal.journal import Journal
from wfrun.journal.memory import MemoryFiles
from wfrun.journal.verify import verify

ID = "k7m2x9qd"
INFO: DriverInfo = {"host": "here", "pid": 42, "wfrun": "0.0"}
DEFINITION = b"name: order\nsteps: []\n"


class Clock:
    """Counts milliseconds from a fixed instant."""

    def __init__(self) -> None:
        self.now = datetime(2026, 1, 31, 9, 30, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.now += timedelta(milliseconds=1)
        return self.now


def started(execution_id: str = ID) -> ExecutionStarted:
    return {
        "type": "execution.started",
        "format": 1,
        "execution": execution_id,
        "workflow": "order",
        "version": "1",
        "definition": "0" * 64,
        "input": {"amount": 12.5, "name": "Zoë"},
        "seed": "s",
        "initiator": "ann",
        "steps": ["charge"],
        "origin": {},
    }


def completed(number: int) -> StepCompleted:
    return {"type": "step.completed", "step": f"charge@{number}", "attempt": 1, "result": {"text": "a\nb", "n": number}}


def completed_large(number: int) -> StepCompleted:
    """Its result is too large for a line."""
    return {**completed(number), "result": "x" * LARGE_LINE}


def cancelled(by: str = "bob") -> CancelRequested:
    return {"type": "cancel.requested", "by": by, "reason": ""}


def memory_home() -> Home:
    return Home("/home", MemoryFiles(), Clock())


def bytes_of(home: Home, execution_id: str = ID) -> bytes:
    return home.read_file(home.journal_path(execution_id)) or b""


def append(journal: Journal, *events: Event) -> None:
    """One turn, durable when it ends."""
    with journal.turn():
        for event in events:
            journal.add(event)
        journal.sync()


class FaultyFiles:
    """A `Files` that numbers its calls from 0 and asks `fault` about each: an error to raise instead, or None.

    A sync that fails loses what it should have written, as Linux does it. A close that fails has closed.
    """

    def __init__(self, files: MemoryFiles, fault: Callable[[int, str], OSError | None]) -> None:
        self.files = files
        self.calls: list[str] = []
        self._fault = fault

    def __getattr__(self, name: str) -> Callable[..., Any]:
        call = getattr(self.files, name)

        def counted(*arguments: Any) -> Any:
            self.calls.append(name)
            error = self._fault(len(self.calls) - 1, name)
            if error is None:
                return call(*arguments)
            if name == "close":
                call(*arguments)
            if name == "sync":
                self.files.lose_unsynced(*arguments)
            if isinstance(error, ShortWrite):
                return call(arguments[0], arguments[1][: len(arguments[1]) // 2])
            raise error

        return counted

    @property
    def door(self) -> Files:
        return cast(Files, self)


class ShortWrite(OSError):
    """As a fault: half of the bytes are taken, and no error is reported."""


def os_error(number: int = errno.EIO) -> OSError:
    return OSError(number, os.strerror(number))


class Ledger:
    """What a client of the journals was told to be durable."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.definitions: list[str] = []

    def copy(self) -> Ledger:
        """What was told up to now, for a disk that goes another way."""
        other = Ledger()
        other.records, other.definitions = list(self.records), list(self.definitions)
        return other

    def told(self, journal: Journal) -> None:
        assert not journal.dirty
        if len(journal.records) > len(self.records):
            self.records = list(journal.records)


def live(home: Home, ledger: Ledger, *, large: bool = True) -> None:
    """An execution's life in four processes: one drives, one visits meanwhile, one visits later, one drives on."""
    ledger.definitions.append(home.write_definition(DEFINITION))
    with closing(Journal.create(home, ID, started())) as journal:
        ledger.told(journal)
        journal.drive(INFO)
        for number in range(2):
            with journal.turn():
                journal.add(completed(number))
                journal.add(completed(number + 10))
            journal.sync()
            ledger.told(journal)
        _visit(home, ledger)
        append(journal, completed_large(2) if large else completed(2))
        ledger.told(journal)
    _visit(home, ledger)
    with closing(Journal.open(home, ID)) as journal:
        journal.drive(INFO)
        append(journal, completed(3))
        ledger.told(journal)


def _visit(home: Home, ledger: Ledger) -> None:
    with closing(Journal.open(home, ID)) as visitor:
        append(visitor, cancelled())
        ledger.told(visitor)


def go_on(files: Files, ledger: Ledger) -> None:
    """Another process takes over; nothing that was told to be durable is missing, then or after its own work."""
    home = Home("/home", files)
    for digest in ledger.definitions:
        assert home.read_definition(digest) == DEFINITION
    if not ledger.records and not _has_records(home):
        Journal.create(home, ID, started()).close()
    found = Journal.read(home, ID)
    assert found[: len(ledger.records)] == ledger.records
    with closing(Journal.open(home, ID)) as journal:
        journal.drive(INFO)
        append(journal, completed_large(98), completed(99))
        ledger.told(journal)
    after = Journal.read(home, ID)
    assert after[: len(found)] == found
    assert after[-1]["step"] == "charge@99"
    assert verify(bytes_of(home)) == []


def _has_records(home: Home) -> bool:
    return b"\n" in bytes_of(home)


@contextmanager
def counting(home: Home) -> Iterator[list[str]]:
    """The calls that a home makes to its disk."""
    before = home.files
    assert isinstance(before, MemoryFiles)
    faulty = FaultyFiles(before, lambda number, name: None)
    home.files = faulty.door
    try:
        yield faulty.calls
    finally:
        home.files = before

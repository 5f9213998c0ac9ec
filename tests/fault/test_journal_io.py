"""F4: every call to the disk fails, once and for good. What was told to be durable stays; errors are for people."""

from __future__ import annotations

import errno
from collections.abc import Callable
from contextlib import suppress

import pytest

from tests.support.journals import FaultyFiles, Ledger, ShortWrite, go_on, live, os_error
from tests.support.tally import Tally
from wfrun.errors import JournalError, WfrunError
from wfrun.journal.home import Home
from wfrun.journal.journal import Journal
from wfrun.journal.memory import MemoryFiles

Fault = Callable[[int, str], OSError | None]


def calls() -> list[str]:
    faulty = FaultyFiles(MemoryFiles(), lambda number, name: None)
    live(Home("/home", faulty.door), Ledger())
    return faulty.calls


CALLS = calls()
ERRORS = [errno.EIO, errno.ENOSPC, errno.EINTR, errno.EMFILE]


def once(at: int, error: OSError) -> Fault:
    return lambda number, name: error if number == at else None


def for_good(at: int, error: OSError) -> Fault:
    return lambda number, name: error if number >= at and name not in ("stat", "close", "unlock") else None


def break_off(fault: Fault) -> tuple[MemoryFiles, Ledger]:
    """The disk and the ledger after a life that met a fault. It ended with words for people, or did not notice."""
    files, ledger = MemoryFiles(), Ledger()
    with suppress(JournalError):
        live(Home("/home", FaultyFiles(files, fault).door), ledger)
    files.end_process()
    return files, ledger


@pytest.mark.parametrize("kind", [once, for_good])
@pytest.mark.parametrize("number", ERRORS, ids=errno.errorcode.get)
def test_every_call_fails(kind: Callable[[int, OSError], Fault], number: int, tally: Tally) -> None:
    for at in range(len(CALLS)):
        tally.add("F4")
        files, ledger = break_off(kind(at, os_error(number)))
        go_on(files.crash(), ledger.copy())
        go_on(files, ledger)
        go_on(files.crash(), ledger)


def test_every_write_is_short(tally: Tally) -> None:
    writes = [at for at, name in enumerate(CALLS) if name == "write"]
    for at in writes:
        tally.add("F4")
        files, ledger = break_off(once(at, ShortWrite()))
        go_on(files.crash(), ledger.copy())
        go_on(files, ledger)
        go_on(files.crash(), ledger)


def test_without_the_copy_a_failed_sync_loses_what_was_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """The positive control: the oracle sees what the copy is there to prevent."""
    monkeypatch.setattr(Journal, "_replace", lambda journal: None)
    lost = 0
    for at in [at for at, name in enumerate(CALLS) if name == "sync"]:
        files, ledger = break_off(once(at, os_error()))
        try:
            go_on(files, ledger)
            go_on(files.crash(), ledger)
        except (AssertionError, WfrunError):
            lost += 1
    assert lost > 0

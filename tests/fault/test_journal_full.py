"""F5: a real disk that takes no more bytes, at many sizes. What was told to be durable is there afterwards."""

from __future__ import annotations

import resource
import signal
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from tests.support.journals import ID, INFO, Ledger, append, bytes_of, completed, live, started
from tests.support.tally import Tally
from wfrun.errors import JournalError, NotFoundError
from wfrun.journal.home import Home
from wfrun.journal.journal import Journal
from wfrun.journal.verify import verify


@contextmanager
def room_for(size: int) -> Iterator[None]:
    """No file of this process can grow beyond `size` bytes: the kernel cuts the write that crosses it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)


def broken_off(home: Home, ledger: Ledger, size: int) -> bool:
    try:
        with room_for(size):
            live(home, ledger)
    except JournalError:
        return True
    return False


def test_a_full_disk_at_many_sizes(tmp_path: Path, tally: Tally) -> None:
    stopped = 0
    for size in range(0, 3700, 75):
        tally.add("F5")
        home, ledger = Home(tmp_path / str(size)), Ledger()
        stopped += broken_off(home, ledger, size)
        if not ledger.records:
            with closing(_start_or_open(home)) as journal:
                ledger.told(journal)
        assert Journal.read(home, ID)[: len(ledger.records)] == ledger.records
        with closing(Journal.open(home, ID)) as journal:
            journal.drive(INFO)
            append(journal, completed(99))
            assert journal.records[: len(ledger.records)] == ledger.records
        assert verify(bytes_of(home)) == []
    assert stopped > 30


def _start_or_open(home: Home) -> Journal:
    try:
        journal = Journal.open(home, ID)
    except NotFoundError:
        return Journal.create(home, ID, started())
    journal.sync()
    return journal

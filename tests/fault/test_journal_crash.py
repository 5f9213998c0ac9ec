"""F1 and F6 in memory: a process dies at every named point, with and without the machine losing power with it."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import pytest

from tests.support.journals import FaultyFiles, Ledger, go_on, live, os_error
from tests.support.power import lose_power
from tests.support.tally import Tally, seed, size
from wfrun.errors import JournalError
from wfrun.journal.crash import POINTS, Crash, crashing
from wfrun.journal.home import Home
from wfrun.journal.memory import Keep, MemoryFiles, keep_synced

HERE = sorted(point for point in POINTS if point.split(".")[0] in ("blob", "create", "definition", "journal"))
LATER = sorted(point for point in POINTS if point.startswith(("replace", "driver.claimed", "journal")))


def keep_all(synced: bytes, written: bytes) -> bytes:
    return written


def keep_half(synced: bytes, written: bytes) -> bytes:
    return written[: (len(synced) + len(written)) // 2]


def keep_all_but_the_end(synced: bytes, written: bytes) -> bytes:
    return written[: max(len(synced), len(written) - 1)]


def keep_zeros(synced: bytes, written: bytes) -> bytes:
    return synced + bytes(len(written) - len(synced))


CHANCES = size(26, 260)
POWER: list[Keep] = [keep_synced, keep_all, keep_half, keep_all_but_the_end, keep_zeros]


def without_power(files: MemoryFiles) -> Iterator[MemoryFiles]:
    """Disks that the machine may find when it comes back: as little, as much, and as odd as can be."""
    chance = Random(seed())
    yield from (files.crash(keep) for keep in POWER)
    yield from (lose_power(files, chance) for _ in range(CHANCES))


def deaths(point: str) -> Iterator[tuple[MemoryFiles, Ledger]]:
    """A life that ended when the point was reached for the first time, the second, and so on."""
    for count in range(1, 100):
        files, ledger = MemoryFiles(), Ledger()
        try:
            with crashing(f"{point}:{count}"):
                live(Home("/home", files), ledger)
        except Crash:
            files.end_process()
            yield files, ledger
        else:
            return


@pytest.mark.parametrize("point", HERE)
def test_death_at_a_point(point: str, tally: Tally) -> None:
    for files, ledger in deaths(point):
        for disk in without_power(files):
            tally.add("F6")
            go_on(disk, ledger.copy())
        tally.add("F1")
        go_on(files, ledger)
        go_on(files.crash(), ledger)


@pytest.mark.parametrize("again", LATER)
@pytest.mark.parametrize("point", ["create.written", "journal.appended", "journal.syncing"])
def test_death_again_while_recovering(point: str, again: str, tally: Tally) -> None:
    for files, ledger in deaths(point):
        for keep in (keep_all, keep_half):
            disk, told = files.crash(keep), ledger.copy()
            try:
                with crashing(again):
                    go_on(disk, told)
            except Crash:
                disk.end_process()
            for after in without_power(disk):
                tally.add("F6")
                go_on(after, told.copy())
            tally.add("F1", 2)
            go_on(disk, told)
            go_on(disk.crash(), told)


def test_death_with_the_news_of_a_failed_sync() -> None:
    """The kernel tells once that a sync failed; whoever was told died before telling anybody."""
    reached = 0
    for at in range(1000):
        files, ledger = MemoryFiles(), Ledger()
        faulty = FaultyFiles(files, lambda number, name, at=at: os_error() if number == at else None)  # type: ignore[misc]
        try:
            with crashing("journal.sync-failed"):
                live(Home("/home", faulty.door), ledger)
        except Crash:
            reached += 1
            files.end_process()
            go_on(files, ledger)
            go_on(files.crash(), ledger)
        except JournalError:
            continue
        if at >= len(faulty.calls):
            break
    assert reached >= 5

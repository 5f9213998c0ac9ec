"""The loss of power: what of the unsynced bytes, names and modes has got to the disk is a matter of chance."""

from __future__ import annotations

from functools import partial
from random import Random

from wfrun.journal.memory import MemoryFiles

SECTOR = 512


def lose_power(files: MemoryFiles, chance: Random) -> MemoryFiles:
    """The disk afterwards. All, none or some of the changes of names and modes got there, in no order."""
    share = chance.choice((0.0, 0.5, 1.0))
    return files.crash(partial(torn, chance=chance), lambda: chance.random() < share)


def torn(synced: bytes, written: bytes, chance: Random) -> bytes:
    """Of a file's bytes all that were synced, some more, and of these some sectors as they were before: zeros."""
    first, last = len(synced), len(written)
    end = chance.choice((first, last, chance.randint(first, last)))
    data = bytearray(written[:end])
    share = chance.choice((0.0, 0.0, 0.5, 1.0))
    for start in range(first - first % SECTOR, end, SECTOR):
        if chance.random() < share:
            hole = slice(max(start, first), min(start + SECTOR, end))
            data[hole] = bytes(hole.stop - hole.start)
    return bytes(data)

r"""Which of a journal's bytes are records.

A record exists only if its line is complete, ended by a newline, and continues the chain. Two things may stand in a
journal that are no records, and both come from writers that died while they wrote:

* an unfinished last line. It was never acknowledged, so it is not a record; a reader leaves it out.
* what a later writer made of it. It ends the unfinished line with CANCEL and a newline and writes a `journal.recovered`
  record next, which names offset, length and SHA-256 of the torn bytes. Nothing is ever cut off.

CANCEL (0x18, the ASCII control character by that meaning) can stand in no JSON text. That decides two cases which a
bare newline would leave open: a line that lacked nothing but its newline does not become a record after the fact, and
a writer that died while sealing leaves a line that still is known to be torn.

A loss of power can do more to bytes that were not synced: they get to the disk sector by sector, in any order, and a
sector that did not reads as zeros; so does what a failed sync has lost before. The first line with such a hole is
unfinished, and so is all behind it, though there may be whole lines. That can only be the end of a journal: behind
bytes that were synced stand many turns. So too much behind a hole is damage, and so is all else that is no record.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from wfrun.journal.codec import GENESIS, BadLineError, decode, instant_of, line_hash

if TYPE_CHECKING:
    from wfrun.core.events import Record

CANCEL = b"\x18"
SEAL = CANCEL + b"\n"

# What disks write at once. File systems use blocks that are multiples of it.
SECTOR = 512
# How many turns of drivers and visitors can be unsynced at a time, with some to spare. All of a turn is of one instant.
MOST_UNSYNCED = 4


class Head(NamedTuple):
    """Where a chain ends: the last record's `seq`, the hash that the next one must carry, the offset of its line."""

    seq: int = 0
    prev: str = GENESIS
    end: int = 0


EMPTY = Head()


class Finding(NamedTuple):
    """Something in a journal that is no record. `seq` is the record that belongs there; offsets count from 0.

    `journal.torn` is an unfinished last line, which the next writer seals. `journal.damaged` is anything else.
    """

    code: str
    offset: int
    end: int
    seq: int
    message: str


class Scan(NamedTuple):
    """Records in order, where they end, the unfinished bytes behind them, and the damage that ended the scan."""

    records: list[Record]
    head: Head
    torn: bytes
    damage: Finding | None

    @property
    def lost_power(self) -> bool:
        """Whether the unfinished bytes have whole lines in them, as only a loss of power leaves them."""
        return b"\n" in self.torn.removesuffix(SEAL)


def scan(raw: bytes, head: Head = EMPTY, start: int = 0, *, at_rest: bool = False) -> Scan:
    """Reads records from `raw[start:]`, the bytes of the file from `head.end` on, up to the first damage.

    Of a file that is `at_rest` every byte was synced: what looks like a loss of power in it is damage.
    """
    records: list[Record] = []
    base = head.end - start
    seq, prev, good = head.seq, head.prev, start
    position = start
    unfinished: Finding | None = None
    while (newline := raw.find(b"\n", position)) >= 0:
        line = raw[position:newline]
        try:
            record = decode(line, seq + 1, prev)
            if position > good or record["type"] == "journal.recovered":
                _check_seal(record, raw[good:position], base + good)
        except BadLineError as bad:
            if unfinished is None and not line.endswith(CANCEL):
                damage = Finding("journal.damaged", base + position, base + newline + 1, seq + 1, str(bad))
                begins = position == good or raw.endswith(SEAL, good, position)
                if not _has_hole(line, base + position, begins):
                    return Scan(records, Head(seq, prev, base + good), b"", damage)
                unfinished = damage
        else:
            records.append(record)
            seq, prev, good = seq + 1, line_hash(line), newline + 1
            unfinished = None
        position = newline + 1
    if unfinished is not None and (at_rest or _turns_in(raw[good:]) > MOST_UNSYNCED):
        return Scan(records, Head(seq, prev, base + good), b"", unfinished)
    return Scan(records, Head(seq, prev, base + good), raw[good:], None)


def seal_of(torn: bytes, head: Head) -> dict[str, object]:
    """The `journal.recovered` event for the torn bytes that stand at the end of a journal."""
    return {"type": "journal.recovered", "offset": head.end, "bytes": len(torn), "sha256": line_hash(torn)}


def _has_hole(line: bytes, offset: int, begins: bool) -> bool:
    """Whether NULs, which stand in no JSON text, fill a line's sectors, each from its beginning to its end.

    Of the line with which the unsynced end `begins` part of the first sector may have been synced: all before a record,
    or what an earlier loss left of one, and the hole is where its seal stood. No flipped bit looks like that. Nor like
    what a failed sync has lost, which reaches from there to where another turn begins, and a whole line with it.
    """
    if begins and line.startswith(b"\0") and instant_of(line.lstrip(b"\0")) is not None:
        return True
    at = line.find(b"\0")
    while at >= 0:
        end = len(line) - len(line[at:].lstrip(b"\0"))
        seal = at == 0 or end - at > 1 or end == len(line)
        if (offset + end) % SECTOR == 0 and ((offset + at) % SECTOR == 0 or (begins and seal)):
            return True
        at = line.find(b"\0", end)
    return False


def _turns_in(raw: bytes) -> int:
    """How many turns have left an intact line."""
    return len({at for at in map(instant_of, raw.split(b"\n")) if at is not None})


def _check_seal(record: Record, before: bytes, offset: int) -> None:
    """A seal must name exactly the bytes before it, and only a seal may follow bytes that are no record."""
    named = before.removesuffix(SEAL)
    told = (record["type"], record.get("offset"), record.get("bytes"), record.get("sha256"))
    if named == before or told != ("journal.recovered", offset, len(named), line_hash(named)):
        raise BadLineError("the bytes before it are not those that a journal.recovered record names")

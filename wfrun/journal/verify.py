"""Every place where a journal is not what was written: for `audit verify`, which reads on where a reader must stop."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from wfrun.journal.codec import claim, is_canonical
from wfrun.journal.scan import Finding, Head, scan

if TYPE_CHECKING:
    from wfrun.core.events import Record


class Examined(NamedTuple):
    """Every record that is as written, what is wrong besides, in order, and where the chain ends."""

    records: list[Record]
    findings: list[Finding]
    head: Head


def examine(raw: bytes) -> Examined:
    """What the bytes of a journal hold; without findings every record is as written.

    After damage the next line is taken at its own word, so that one bad line is told once. A journal that was cut
    exactly behind a newline looks whole: only a copy of its head kept elsewhere can show that.
    """
    records: list[Record] = []
    findings: list[Finding] = []
    head = Head()
    while True:
        found = scan(raw, head, head.end)
        records += found.records
        findings += _forged(raw, head.end, found.head.end)
        if found.damage is None:
            break
        findings.append(found.damage)
        head = _resume_after(raw, found.damage)
    if found.torn:
        message = f"the last line is unfinished ({len(found.torn)} bytes); the next writer seals it"
        findings.append(Finding("journal.torn", found.head.end, len(raw), found.head.seq + 1, message))
    return Examined(records, findings, found.head)


def verify(raw: bytes) -> list[Finding]:
    """What is wrong with the bytes of a journal, in order."""
    return examine(raw).findings


def _forged(raw: bytes, start: int, end: int) -> Iterator[Finding]:
    """Lines that are records, and yet not as anything of ours would have written them."""
    for line in raw[start:end].split(b"\n")[:-1]:
        claimed = claim(line)
        if claimed is not None and not is_canonical(line):
            message = "the line continues the one before it, but is not in the form in which records are written"
            yield Finding("journal.damaged", start, start + len(line) + 1, claimed[0], message)
        start += len(line) + 1


def _resume_after(raw: bytes, damage: Finding) -> Head:
    """The head as the line after the damage claims it; as it would have been if that line claims nothing."""
    newline = raw.find(b"\n", damage.end)
    claimed = claim(raw[damage.end : newline]) if newline >= 0 else None
    if claimed is None:
        return Head(damage.seq, "", damage.end)
    seq, prev = claimed
    return Head(seq - 1, prev, damage.end)

"""The heads of journals: what to keep elsewhere, and what it shows when it is held against the journals later.

A chain cannot show that its own end was cut off, nor that somebody wrote all of it anew. Its head shows both: the
number and the hash of the last line, in a place that whoever can write to the state directory cannot reach.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple, TypedDict

from wfrun.app.evidence import Evidence
from wfrun.core.events import Record
from wfrun.errors import InvalidError, JournalError, Place, Problem
from wfrun.journal.failures import damaged
from wfrun.journal.home import Home
from wfrun.journal.removed import REMOVED, read_removed
from wfrun.journal.scan import scan

# The list of removed executions, among heads. It can be no execution's id.
LEDGER = f"@{REMOVED}"
_LINE = re.compile(r"([0-9a-f]{64})  ([1-9][0-9]*)  (\S+)")


class Head(NamedTuple):
    """The last record of a journal: its number, and the SHA-256 of its line without the newline."""

    execution: str
    seq: int
    sha256: str


class Difference(TypedDict):
    """A journal that is not what it was, or has gone on from there in another way. `found` is None if nothing is."""

    code: str
    execution: str
    seq: int
    expected: str
    found: str | None
    message: str


class Comparison(TypedDict):
    """How many heads were compared; of these executions so many have grown, and so many been removed since."""

    compared: int
    grown: int
    removed: int
    differences: list[Difference]


def head_text(head: Head) -> str:
    return f"{head.sha256}  {head.seq}  {head.execution}"


def read_heads(text: str, file: str) -> list[Head]:
    """Heads as `head_text` or `--json` writes them. Raises InvalidError with the line that is none."""
    if text.lstrip().startswith("{"):
        return _read_json(text, file)
    heads = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        match = _LINE.fullmatch(line.strip())
        if match is None:
            raise _no_heads(file, number)
        heads.append(Head(match[3], int(match[2]), match[1]))
    return heads


def _read_json(text: str, file: str) -> list[Head]:
    try:
        told = [Head(each["execution"], each["seq"], each["sha256"]) for each in json.loads(text)["heads"]]
    except (ValueError, LookupError, TypeError):
        raise _no_heads(file, 1) from None
    if not all(isinstance(head.seq, int) and _LINE.fullmatch(head_text(head)) for head in told):
        raise _no_heads(file, 1)
    return told


def _no_heads(file: str, line: int) -> InvalidError:
    hint = "`wfrun audit anchor` writes such files: a SHA-256, a number and an execution on each line"
    return InvalidError([Problem("audit.heads", "this is not the head of a journal", Place(file, line), hint)])


def heads_of(evidence: Evidence) -> Iterator[Head | JournalError]:
    """Of every journal that has a record, and of the list of removed executions; of a damaged one, what is wrong.

    A line that is still being written is no record yet.
    """
    places = {**evidence.journals, **({} if evidence.ledger is None else {LEDGER: evidence.ledger})}
    for execution, place in places.items():
        found = scan(evidence.read(place))
        if found.damage is not None:
            yield damaged(place, found.damage)
        elif found.records:
            yield Head(execution, found.head.seq, found.head.prev)


def compare(home: Home, heads: Iterable[Head]) -> Comparison:
    """Hold heads that were kept elsewhere against the journals as they are now."""
    comparison: Comparison = {"compared": 0, "grown": 0, "removed": 0, "differences": []}
    removed = _removed(home)
    for head in heads:
        comparison["compared"] += 1
        lines = _lines(home, head.execution)
        if not lines.hashes and head.execution in removed:
            comparison["removed"] += 1
            lines = _known_of_removed(removed[head.execution], head)
        comparison["grown"] += len(lines.hashes) > head.seq
        if (difference := _difference(head, lines)) is not None:
            comparison["differences"].append(difference)
    return comparison


class _Lines(NamedTuple):
    """The hash of each line up to the first damage, and what that is."""

    hashes: list[str]
    damage: str | None = None


def _removed(home: Home) -> dict[str, Record]:
    """By execution. One whose id was used again after it had been removed is listed once more."""
    try:
        return {each["execution"]: each for each in read_removed(home)}
    except JournalError:
        return {}  # then whatever is missing is not accounted for, and the list itself does not fit its head


def _lines(home: Home, execution: str) -> _Lines:
    path = f"{home.path}/{REMOVED}" if execution == LEDGER else home.journal_path(execution)
    found = scan(home.read_file(path) or b"")
    damage = None if found.damage is None else f"it is damaged from byte {found.damage.offset} on"
    hashes = [record["prev"] for record in found.records[1:]]
    return _Lines([*hashes, found.head.prev] if found.records else hashes, damage)


def _known_of_removed(listed: Record, head: Head) -> _Lines:
    """Only the last hash is: of a line before that one, it can only be said that there was one."""
    return _Lines([*[head.sha256] * (listed["records"] - 1), listed["sha256"]])


def _difference(head: Head, lines: _Lines) -> Difference | None:
    found = lines.hashes[head.seq - 1] if len(lines.hashes) >= head.seq else None
    if found == head.sha256:
        return None
    code, message = _told(head, lines)
    return {
        "code": code,
        "execution": head.execution,
        "seq": head.seq,
        "expected": head.sha256,
        "found": found,
        "message": message,
    }


def _told(head: Head, lines: _Lines) -> tuple[str, str]:
    """What has become of a journal, in a code and in words."""
    count = len(lines.hashes)
    if count >= head.seq:
        return "audit.rewritten", f"record {head.seq} is another one than it was"
    if lines.damage is not None:
        return "journal.damaged", lines.damage
    if count:
        return "audit.truncated", f"it ends with record {count}, and had {head.seq} or more"
    return "audit.missing", "there is no such journal, and nobody has removed it with `wfrun gc`"

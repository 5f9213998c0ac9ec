"""Journals as somebody could write them who knows how: changed at will, and with a chain that holds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from wfrun.journal.codec import GENESIS, encode, line_hash
from wfrun.journal.home import Home
from wfrun.journal.journal import Journal

Records = list[dict[str, Any]]


def chained(records: Records) -> bytes:
    """The records as a journal, numbered and chained anew."""
    lines, prev = [], GENESIS
    for seq, record in enumerate(records, start=1):
        line = encode({**record, "seq": seq, "prev": prev})
        prev = line_hash(line[:-1])
        lines.append(line)
    return b"".join(lines)


def forge(home: Home, execution: str, change: Callable[[Records], object]) -> None:
    """Change the journal of an execution in its place."""
    records = [dict(record) for record in Journal.read(home, execution)]
    change(records)
    with open(home.journal_path(execution), "wb") as file:
        file.write(chained(records))


def where(records: Records, **members: Any) -> int:
    """The position of the first record that has these members."""
    return next(at for at, record in enumerate(records) if all(record.get(key) == members[key] for key in members))

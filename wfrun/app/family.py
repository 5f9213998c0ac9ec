"""Children and parents as their journals tell of them: who waits for whom, and who has given whom up."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from wfrun.app.standing import standstill
from wfrun.core.repair_history import UNDONE
from wfrun.errors import JournalError, NotFoundError, Problem
from wfrun.journal.home import Home
from wfrun.journal.journal import Journal

if TYPE_CHECKING:
    from wfrun.core.events import Record

_ABOUT_CHILDREN = ("child.started", "child.recalled", "child.ended")


class Bond(NamedTuple):
    """A parent, as seen by its child: the step that it is, and how it ended for the parent.

    `ended` is None as long as the parent waits for it.
    """

    parent: str
    step: str
    ended: str | None
    records: list[Record]


def bond_of(home: Home, records: list[Record]) -> Bond | None:
    """The bond of the execution whose records these are to its parent, if it has one that can be read."""
    told = records[0].get("parent")
    if told is None:
        return None
    try:
        found = Journal.read(home, told["execution"])
    except (NotFoundError, JournalError):
        return None
    return Bond(told["execution"], told["step"], _end_of(records[0]["execution"], found), found)


def _end_of(child: str, records: list[Record]) -> str | None:
    for record in reversed(records):
        if record["type"] in _ABOUT_CHILDREN and record["child"] == child:
            return str(record["status"]) if record["type"] == "child.ended" else None
    return None


def reason_not_to_repair(bond: Bond, besides: tuple[str, ...] = ()) -> Problem | None:
    """None if the parent waits, or failed with its child and will take up what that has come to.

    In the place of a child that it knows to be undone it begins another one. `besides` are further states in which a
    parent can be taken up again.
    """
    stands = standstill(bond.records)
    takes_up = stands in ("failed", "paused", *besides)
    if bond.ended is None or (takes_up and bond.ended not in ("completed", *UNDONE)):
        return None
    if takes_up and bond.ended in UNDONE:
        message = f"it was undone, and its parent {bond.parent} begins another one in its place"
        return Problem("repair.parent", message, hint=f"`wfrun resume {bond.parent}` does that")
    message = f"its parent {bond.parent} has gone on from it" + (f", and has ended as {stands}" if stands else "")
    hint = f"`wfrun rewind {bond.parent} {bond.step}` runs it again as a part of its parent"
    return Problem("repair.parent", message, hint=hint)


def root_of(home: Home, execution: str) -> str:
    """The topmost execution that waits for this one, or for one that does: driving it drives all that it waits for."""
    while True:
        try:
            bond = bond_of(home, Journal.read(home, execution))
        except (NotFoundError, JournalError):
            return execution
        if bond is None or bond.ended is not None:
            return execution
        execution = bond.parent

"""Children and parents as their journals tell of them: who waits for whom, and who has given whom up."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from wfrun.app.standing import has_ended, standstill
from wfrun.core.repair_history import COMPENSATE, UNDONE, dropped_by, effective, in_force
from wfrun.errors import ConflictError, JournalError, NotFoundError, Problem
from wfrun.journal.home import Home
from wfrun.journal.journal import Journal

if TYPE_CHECKING:
    from wfrun.core.events import Record

_ABOUT_CHILDREN = ("child.started", "child.recalled", "child.ended")


class Bond(NamedTuple):
    """A parent, as seen by its child: the step that it is, and how it ended for the parent.

    `ended` is None as long as the parent waits for it. `taken_back`: a repair of the parent has set that aside.
    """

    parent: str
    step: str
    ended: str | None
    taken_back: bool
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
    last = _last_about(records[0]["execution"], found)
    if last is None or last["type"] != "child.ended":
        return Bond(told["execution"], told["step"], None, False, found)
    taken_back = last["seq"] in dropped_by(in_force(found))
    return Bond(told["execution"], told["step"], last["status"], taken_back, found)


def _last_about(child: str, records: list[Record]) -> Record | None:
    told = (record for record in reversed(records) if record["type"] in _ABOUT_CHILDREN)
    return next((record for record in told if record["child"] == child), None)


def reason_not_to_repair(bond: Bond, besides: tuple[str, ...] = ()) -> Problem | None:
    """None if the parent waits, or failed with its child and will take up what that has come to.

    In the place of a child that it knows to be undone it begins another one. `besides` are further states in which a
    parent can be taken up again.
    """
    stands = standstill(bond.records)
    takes_up = stands in ("failed", "paused", *besides)
    if bond.ended is None or (takes_up and not bond.taken_back and bond.ended not in ("completed", *UNDONE)):
        return None
    if takes_up and bond.taken_back:
        message = f"its parent {bond.parent} has been repaired since, and takes it up when it comes to {bond.step!r}"
        return Problem("repair.parent", message, hint=f"`wfrun resume {bond.parent}` drives that one on")
    if takes_up and bond.ended in UNDONE:
        message = f"it was undone, and its parent {bond.parent} begins another one in its place"
        return Problem("repair.parent", message, hint=f"`wfrun resume {bond.parent}` does that")
    return gone_on_without(bond)


def gone_on_without(bond: Bond) -> Problem:
    stands = standstill(bond.records)
    message = f"its parent {bond.parent} has gone on from it" + (f", and has ended as {stands}" if stands else "")
    hint = f"`wfrun rewind {bond.parent} {bond.step}` runs it again as a part of its parent"
    return Problem("repair.parent", message, hint=hint)


def root_of(home: Home, execution: str) -> str:
    """The topmost execution that waits for this one, or for one that does: driving it drives all that it waits for.

    One that was repaired together with its parent is driven when that comes to it.
    """
    while True:
        try:
            records = Journal.read(home, execution)
            bond = bond_of(home, records)
        except (NotFoundError, JournalError):
            return execution
        if bond is None or (bond.ended is not None and not (is_reopened(records) and standstill(bond.records) is None)):
            return execution
        execution = bond.parent


def is_reopened(records: list[Record]) -> bool:
    """Whether it failed, was repaired since, and has not come to its end again, nor has been told to stop."""
    for record in reversed(records):
        if record["type"] == "execution.ended":
            return record["status"] == "failed" and has_ended(records) is None
        if record["type"] == "cancel.requested":
            return False
    return False


def refuse_orphan(home: Home, records: list[Record]) -> None:
    """Raises ConflictError if an execution was repaired that is no more for its parent: it would do what nobody undoes.

    It can still be cancelled.
    """
    bond = bond_of(home, records) if is_reopened(records) else None
    problem = reason_not_to_repair(bond) if bond is not None else None
    if problem is not None:
        message = f"execution {records[0]['execution']}: {problem.message}"
        raise ConflictError(problem.code, message, hint=problem.hint)


def failed_children(records: list[Record]) -> Iterator[str]:
    """The children that an execution holds for failed, with nothing of them to be undone."""
    for record in effective(records):
        failed = record["type"] == "child.ended" and record["status"] == "failed"
        if failed and not record["step"].startswith(COMPENSATE):
            yield record["child"]


def has_gone_on(home: Home, child: str) -> bool:
    """Whether one that failed has been repaired since, or one that it had failed with: it may have done something."""
    try:
        records = Journal.read(home, child)
    except (NotFoundError, JournalError):
        return False
    stands = has_ended(records)
    if stands in UNDONE or not any(record["type"] == "execution.ended" for record in records):
        return False
    return stands != "failed" or any(has_gone_on(home, each) for each in failed_children(records))

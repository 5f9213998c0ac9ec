"""Which other executions a repair concerns: children that are tried again with it, and parents that go on with it.

A child execution that its parent waits for goes on with its parent. One that its parent has given up, and that the
parent has failed with, can be repaired by itself: the parent stays as it is until somebody resumes that one, too, and
nothing else is done about the parent before it has taken up what the child has come to. A parent that is paused may yet
be undone as a whole, by whoever waits for it: it goes on together with its child. What a parent has gone on from, or
has undone, is not taken from under it. And whoever has a parent try a failed child again has the child try again.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, NamedTuple

from wfrun.app.family import (
    Bond,
    bond_of,
    failed_children,
    gone_on_without,
    has_gone_on,
    is_reopened,
    reason_not_to_repair,
    root_of,
)
from wfrun.app.parts import (
    RESUME,
    Part,
    Refused,
    close,
    open_idle,
    possible,
    proposal_for,
    request_of,
    unchanged,
)
from wfrun.app.standing import has_ended, standstill
from wfrun.core.repair import Proposal
from wfrun.core.repair_history import COMPENSATE, dropped_by, in_force
from wfrun.errors import NotFoundError, Problem
from wfrun.journal.home import Home
from wfrun.journal.journal import Journal

if TYPE_CHECKING:
    from wfrun.core.events import Record


class Above(NamedTuple):
    """The parents of an execution that is repaired: the `parts` of those that go on with it, and those that `stay`, the
    topmost first.
    """

    parts: list[Part]
    stay: list[Bond]


@contextmanager
def unchanged_parents(home: Home, stay: Iterable[Bond]) -> Iterator[None]:
    """While those that stay as they are cannot be repaired. Raises ConflictError if one has been meanwhile."""
    with ExitStack() as stack:
        for bond in stay:
            journal = Journal.open(home, bond.parent)
            stack.callback(journal.close)
            stack.enter_context(unchanged(journal, len(bond.records)))
        yield


def heed_parent(home: Home, records: list[Record], besides: tuple[str, ...] = ()) -> Bond | None:
    """The bond to its parent. Raises Refused if the execution is no more for its parent, or will not be."""
    bond = bond_of(home, records)
    problem = None if bond is None else reason_not_to_repair(bond, besides)
    if problem is not None:
        raise Refused(records[0]["execution"], [problem])
    return bond


def parents(home: Home, records: list[Record]) -> Above:
    """Those above an execution that has failed, as far as they know of that. Raises Refused; ConflictError."""
    child = records[0]["execution"]
    above: list[tuple[Bond, str]] = []
    bond = heed_parent(home, records)
    while bond is not None and bond.ended == "failed":
        above.append((bond, child))
        child = bond.parent
        bond = heed_parent(home, bond.records)
    stay: list[tuple[Bond, str]] = []
    if bond is None or bond.ended is not None:
        while above and standstill(above[-1][0].records) != "paused":
            stay.append(above.pop())
    for each, child in stay:
        _check_that_it_takes_up(child, each, proposal_for(home, each.records, RESUME))
    parts: list[Part] = []
    try:
        for each, child in above:
            parts.append(_going_on(home, each, child))
    except BaseException:
        close(parts)
        raise
    return Above(parts, [each for each, _ in stay])


def paused_above(home: Home, records: list[Record]) -> str | None:
    """The topmost execution that is to go on with one that was repaired: whoever did that was interrupted before."""
    if not is_reopened(records) or root_of(home, records[0]["execution"]) != records[0]["execution"]:
        return None
    above = parents(home, records)
    close(above.parts)
    return above.parts[-1].journal.execution_id if above.parts else None


def _going_on(home: Home, bond: Bond, child: str) -> Part:
    journal = open_idle(home, bond.parent)
    try:
        proposal = possible(home, journal.records, RESUME)
        _check_that_it_takes_up(child, bond, proposal)
        seen = left_alone(home, journal.records, taken_up=proposal.children.values())
    except BaseException:
        journal.close()
        raise
    return Part(journal, request_of(proposal), seen)


def _check_that_it_takes_up(child: str, bond: Bond, proposal: Proposal) -> None:
    if child not in proposal.children.values():
        raise Refused(child, [gone_on_without(bond)])


def children_tried_again(home: Home, records: list[Record], proposal: Proposal) -> Iterator[str]:
    """The children that try again what they failed with once a repaired execution comes to them; theirs before them.

    One that was undone begins anew as another execution, by itself, and so does one that is to have another input. As
    long as the execution is held, none is tried. Raises Refused if one cannot be.
    """
    if proposal.wish.action == "compensate":
        return
    taken_back = dropped_by(in_force(records)) | set(proposal.dropped)
    again = set(proposal.again) - set(proposal.undo)
    last = {record["child"]: record for record in records if "child" in record}
    for child, record in last.items():
        is_another = proposal.children.get(record["step"], child) != child
        if record["seq"] in taken_back and record["step"] in again and not is_another and _failed_as_child(record):
            yield from _tried_again(home, child)


def left_alone(home: Home, records: list[Record], taken_up: Container[str] = ()) -> dict[str, int]:
    """How many records the children have that failed, and are not `taken_up` at once, by their ids.

    Raises Refused for one that has been repaired since, by itself: nobody would undo what it has done.
    """
    left = {}
    for child in failed_children(records):
        if child in taken_up or not home.exists(child):
            continue
        left[child] = len(Journal.read(home, child))
        if has_gone_on(home, child):
            execution = records[0]["execution"]
            message = f"its child {child} had failed, and has been repaired since"
            hint = f"`wfrun resume {execution}` goes on with it, `wfrun compensate {child}` undoes it first"
            raise Refused(execution, [Problem("repair.child-repaired", message, hint=hint)])
    return left


def _failed_as_child(record: Record) -> bool:
    return (
        record["type"] == "child.ended" and record["status"] == "failed" and not record["step"].startswith(COMPENSATE)
    )


def _tried_again(home: Home, child: str) -> Iterator[str]:
    """Nothing, if it could not even be begun or has been taken up again already."""
    try:
        records = Journal.read(home, child)
    except NotFoundError:
        return
    if has_ended(records) == "failed":
        proposal = possible(home, records, RESUME)
        left_alone(home, records, taken_up=proposal.children.values())
        yield from children_tried_again(home, records, proposal)
        yield child

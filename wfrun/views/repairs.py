"""Repairs: what somebody takes back stays in the journal, and counts no more."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from wfrun.views.steps import COMPENSATE

if TYPE_CHECKING:
    from wfrun.core.events import Record
    from wfrun.views.model import RepairView


def set_aside(records: Iterable[Record]) -> set[int]:
    """The numbers of the records that repairs in force have taken back."""
    return {seq for _, request in _in_force(records) for seq in request["dropped"]}


def counting(records: Iterable[Record]) -> Sequence[Record]:
    """The records that tell how an execution stands.

    Besides those taken back, they lack what a repair did to undo the steps before they are run again.
    """
    found = records if isinstance(records, Sequence) else list(records)
    repairs = list(_in_force(found))
    if not repairs:
        return found
    aside = {seq for _, request in repairs for seq in request["dropped"]}
    for done, request in repairs:
        aside |= _undoings(found, request, done)
    return [record for record in found if record["seq"] not in aside]


def _in_force(records: Iterable[Record]) -> Iterator[tuple[int, Record]]:
    """Each repair that is done: the number of the record that says so, and the request."""
    requests: dict[int, Record] = {}
    for record in records:
        if record["type"] == "repair.requested":
            requests[record["seq"]] = record
        elif record["type"] == "execution.repaired" and record["request"] in requests:
            yield record["seq"], requests[record["request"]]


def _undoings(records: Sequence[Record], request: Record, done: int) -> set[int]:
    undone = {step.removeprefix(COMPENSATE) for step in request["undo"]}
    between = (record for record in records if request["seq"] < record["seq"] < done)
    return {record["seq"] for record in between if _is_failed_end(record) or _undoes(record, undone)}


def _is_failed_end(record: Record) -> bool:
    """Something could not be undone, and was later: all that the repair leaves alone has gone on waiting meanwhile."""
    return bool(record["type"] == "execution.ended")


def _undoes(record: Record, steps: Container[str]) -> bool:
    """Whether it tells of the undoing of one of these steps: of its calls, its child, or a wait between attempts."""
    step = record.get("step") or record.get("timer", "").partition("#")[0]
    return step.startswith(COMPENSATE) and step.removeprefix(COMPENSATE).partition("/")[0] in steps


def repair_view(record: Record) -> RepairView:
    return {
        "seq": record["seq"],
        "at": record["at"],
        "action": record["action"],
        "step": record.get("step"),
        "by": record["by"],
        "reason": record["reason"],
        "done": False,
        "overtaken": False,
    }


_ANSWERS = {"step.completed": "set-output", "step.failed": "fail", "step.retried": "retry-now"}


def answer_view(record: Record) -> RepairView:
    """Somebody has said what became of a call that was lost with its runner."""
    return {**repair_view({"reason": "", **record, "action": _ANSWERS[record["type"]]}), "done": True}


def waiver_view(record: Record) -> RepairView:
    """Somebody has said that what could not be undone is to stay."""
    view = repair_view({"reason": "", **record, "action": "skip", "step": ", ".join(record["waived"])})
    return {**view, "done": True}

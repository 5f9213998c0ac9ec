"""What others may append to the journal of an execution, judged before it comes into the history."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from wfrun.core.human import REJECTED, Vote, judge
from wfrun.core.run import Run
from wfrun.errors import WfrunError

if TYPE_CHECKING:
    from wfrun.core.events import Event, Record

# What people, operators and sources of events say; all else only the execution itself knows.
FOREIGN = frozenset(
    {
        "cancel.requested",
        "compensation.requested",
        "driver.started",
        "driver.stopped",
        "event.received",
        "execution.resumed",
        "repair.requested",
        "step.completed",
        "step.failed",
        "step.retried",
        "task.decided",
        "task.escalated",
        "task.expired",
        "timer.fired",
    }
)


class Refusal(NamedTuple):
    """An error in words for whoever wanted to append."""

    code: str
    message: str
    hint: str = ""


def refusal(run: Run, told: Mapping[str, Any]) -> Refusal | None:
    """Why what is `told` cannot be appended, if it cannot. See `Execution.append`."""
    if run.ended is not None:
        return Refusal("execution.ended", f"it has ended: {run.ended['status']}")
    if "event" in told:
        return None
    records: list[Record] = told["records"]
    if told["after"] != len(run.records):
        return Refusal("journal.moved", "it has gone on meanwhile", "look again")
    strange = [record["type"] for record in records if record["type"] not in FOREIGN]
    if strange:
        return Refusal("journal.foreign", f"nobody else can say {strange[0]}")
    return _refused_vote(run, records[0]) if records and records[0]["type"] == "task.decided" else None


def _refused_vote(run: Run, record: Record) -> Refusal | None:
    from wfrun.load.fields import check_fields

    task = run.tasks.get(record["task"])
    if task is None or run.started is None:
        return Refusal("task.unknown", f"there is no task {record['task']!r}")
    try:
        judge(task, Vote(record["decision"], record["by"], record["comment"], record["data"]), run.started["initiator"])
        if record["decision"] != REJECTED and task.created["form"]:
            check_fields(task.created["form"], record["data"], file="", what="form")
    except WfrunError as error:
        return Refusal(error.code, error.message, error.hint)
    return None


def appended(run: Run, told: Mapping[str, Any]) -> list[Event]:
    """The facts that come of what was told. An event that is known by its id comes to nothing."""
    if "event" not in told:
        return cast("list[Event]", told["records"])
    event = told["event"]
    known = any(each["type"] == "event.received" and each["event"]["id"] == event["id"] for each in run.records)
    return [] if known else [{"type": "event.received", "event": event}]

"""Events for executions that wait for them: recorded in the journal of each, once, whether anything runs or not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wfrun.app.elsewhere import RemoteHome
from wfrun.app.executions import index_of
from wfrun.app.standing import brief_in, has_ended
from wfrun.errors import ConflictError, JournalError, NotFoundError
from wfrun.journal.home import Home
from wfrun.journal.io import OsFiles
from wfrun.journal.journal import Journal
from wfrun.views.summary import summary_of

if TYPE_CHECKING:
    from wfrun.core.events import EventData
    from wfrun.views.model import Summary

# What has ended for good takes no events. What needs attention may be taken up again.
_OPEN = ("running", "waiting", "paused", "needs-attention")


def listening(home: Home, event: str) -> list[str]:
    """The executions that have not ended and have a step that waits for such events."""
    found = _summaries(home)
    return [each["execution"] for each in found if event in each["listens"] and each["status"] in _OPEN]


def _summaries(home: Home) -> list[Summary]:
    """All executions. Only the disk of the operating system can have an index: any other has its journals read."""
    if isinstance(home.files, OsFiles):
        return index_of(home).summaries()
    return [summary_of(brief_in(home, Journal.read(home, id))) for id in home.ids()]


def deliver(home: Home, execution: str, event: EventData) -> bool:
    """Record an event durably, unless one with its id has been. False if it had been, or the execution has ended."""
    if isinstance(home, RemoteHome):
        return home.workers.deliver(execution, event)
    journal = Journal.open(home, execution)
    try:
        with journal.turn():
            if _has(journal, event["id"]) or _is_over(journal):
                return False
            journal.add({"type": "event.received", "event": event})
            journal.sync()
            return True
    finally:
        journal.close()


def deliver_all(home: Home, event: EventData) -> list[str]:
    """The executions that have been given the event now. One that ended or vanished meanwhile is passed over, and one
    that is damaged. Raises JournalError if the disk fails."""
    if isinstance(home, RemoteHome):
        return home.workers.publish(event)
    reached = []
    for execution in listening(home, event["type"]):
        try:
            if deliver(home, execution, event):
                reached.append(execution)
        except (NotFoundError, ConflictError):
            continue
        except JournalError as error:
            if error.is_of_the_disk:
                raise
    return reached


def deliver_to(home: Home, execution: str, event: EventData) -> list[str]:
    """The execution, if it has been given the event now. Raises ConflictError if it has ended."""
    if deliver(home, execution, event):
        return [execution]
    status = has_ended(Journal.read(home, execution))
    if status not in (None, "needs-attention"):
        raise ConflictError("execution.ended", f"execution {execution} has ended: {status}")
    return []


def _has(journal: Journal, id: str) -> bool:
    return any(record["type"] == "event.received" and record["event"]["id"] == id for record in journal.records)


def _is_over(journal: Journal) -> bool:
    return has_ended(journal.records) not in (None, "needs-attention")

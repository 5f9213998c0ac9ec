"""How an execution stands, which depends on those that it waits for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from wfrun.errors import JournalError, NotFoundError
from wfrun.journal.driver import is_driven
from wfrun.journal.journal import Journal
from wfrun.views.status import brief_of, fold_of, status_of

if TYPE_CHECKING:
    from wfrun.core.events import Record
    from wfrun.journal.home import Home
    from wfrun.views.children import StatusOf
    from wfrun.views.model import BriefView, ExecutionStatus, StatusView, TaskView


def view_of(home: Home, records: Sequence[Record], driven: bool | None = None) -> StatusView:
    """The status that records tell, with that of its child executions, and the people that these wait for. `driven` as
    in `status_of`."""
    view = status_of(records, driven=driven, child=statuses_in(home))
    for child in view["children"]:
        if child["status"] in _MAY_ASK and not child["detached"]:
            child["tasks"] = _tasks_in(home, child["execution"])
    return view


_MAY_ASK = ("waiting", "running", "interrupted")


def _tasks_in(home: Home, execution: str) -> list[TaskView]:
    """The open tasks of an execution that is there, and of those that it runs."""
    view = view_of(home, Journal.read(home, execution))
    return [*view["tasks"], *(task for child in view["children"] for task in child["tasks"])]


def brief_in(home: Home, records: Iterable[Record], driven: bool | None = None) -> BriefView:
    """The same for a list of many."""
    return brief_of(records, driven=driven, child=statuses_in(home))


def statuses_in(home: Home) -> StatusOf:
    """How the executions of a state directory stand; None for one that is not there, or cannot be read."""

    def status(execution: str) -> ExecutionStatus | None:
        try:
            fold = fold_of(Journal.read(home, execution))
        except (NotFoundError, JournalError):
            return None
        found = fold.status(child=status)
        return fold.status(is_driven(home, execution), status) if found == "running" else found

    return status


def has_ended(records: list[Record]) -> str | None:
    """How the execution ended, unless it has not, or was taken up again since."""
    for record in reversed(records):
        if record["type"] == "execution.ended":
            return str(record["status"])
        if record["type"] in _TAKEN_UP:
            return None
    return None


def standstill(records: list[Record]) -> str | None:
    """How the execution ended, or `paused` if a failure has stopped it; None if neither, or it was taken up since."""
    for record in reversed(records):
        if record["type"] == "execution.paused":
            return "paused"
        if record["type"] in _TAKEN_UP or record["type"] == "execution.ended":
            return has_ended(records)
    return None


_TAKEN_UP = frozenset({"execution.resumed", "compensation.requested", "repair.requested"})

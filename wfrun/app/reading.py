"""Use cases that only look. Nothing is written, and no engine, YAML or schema library is imported."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

from wfrun.app.executions import find_execution
from wfrun.core.events import Record
from wfrun.journal.driver import is_driven
from wfrun.journal.home import Home
from wfrun.journal.journal import Journal
from wfrun.views.model import StatusView, Summary, TaskView
from wfrun.views.status import status_of
from wfrun.views.summary import summary_of
from wfrun.views.tasks import open_tasks

DEFAULT_HOME = ".wfrun"
FOLLOW_EVERY_S = 0.1


def open_home(path: str | None) -> Home:
    """The state directory: the one named, else `$WFRUN_HOME`, else `.wfrun` here. It need not exist yet."""
    return Home(path or os.environ.get("WFRUN_HOME") or DEFAULT_HOME)


def status(home: Home, prefix: str) -> StatusView:
    """One execution in full. Raises NotFoundError, AmbiguousError, JournalError."""
    return _view(home, find_execution(home, prefix))


def records(home: Home, prefix: str) -> list[Record]:
    return Journal.read(home, find_execution(home, prefix))


def follow(home: Home, prefix: str) -> Iterator[Record]:
    """The records, and then each further one as it comes, until the execution has ended."""
    execution = find_execution(home, prefix)
    seen = 0
    while True:
        found = Journal.read(home, execution)
        yield from found[seen:]
        seen = len(found)
        if any(record["type"] == "execution.ended" for record in found[-3:]):
            return
        time.sleep(FOLLOW_EVERY_S)


def tasks(home: Home, assignee: str | None) -> list[TaskView]:
    """Every open task, oldest first, or those of one person, role or group."""
    found = [task for id in home.ids() for task in open_tasks(Journal.read(home, id), assignee)]
    return sorted(found, key=lambda task: task["createdAt"])


def executions(home: Home, *, status: str | None, workflow: str | None, limit: int, since: str | None) -> list[Summary]:
    """Executions, newest first."""
    found = (summary_of(_view(home, id)) for id in home.ids())
    chosen = [
        summary
        for summary in found
        if status in (None, summary["status"])
        and workflow in (None, summary["workflow"])
        and (since is None or summary["startedAt"] >= since)
    ]
    return sorted(chosen, key=lambda summary: summary["startedAt"], reverse=True)[:limit]


def _view(home: Home, execution: str) -> StatusView:
    view = status_of(Journal.read(home, execution))
    if view["status"] != "running":
        return view
    return status_of(Journal.read(home, execution), driven=is_driven(home, execution))

"""Use cases that only look. Nothing is written, and no engine, YAML or schema library is imported."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from wfrun.app.executions import find_execution, index_of
from wfrun.app.standing import standstill, view_of
from wfrun.core.instants import format_instant
from wfrun.journal.codec import encode
from wfrun.journal.driver import is_driven
from wfrun.journal.home import Home
from wfrun.journal.journal import Journal
from wfrun.views.overdue import as_of
from wfrun.views.tasks import with_overdue

if TYPE_CHECKING:
    from wfrun.core.events import Record
    from wfrun.views.model import StatusView, Summary, TaskView

DEFAULT_HOME = ".wfrun"
FOLLOW_EVERY_S = 0.1


def open_home(path: str | None) -> Home:
    """The state directory: the one named, else `$WFRUN_HOME`, else `.wfrun` here. It need not exist yet.

    With `$WFRUN_ENGINE` temporal it is the namespace that Temporal's own variables name, which has to be there.
    """
    if os.environ.get("WFRUN_ENGINE", "local") != "local":
        from wfrun.app.engine import open_engine_home

        return open_engine_home()
    return Home(path or os.environ.get("WFRUN_HOME") or DEFAULT_HOME)


def status(home: Home, prefix: str) -> StatusView:
    """One execution in full. Raises NotFoundError, AmbiguousError, JournalError."""
    return as_of(_view(home, find_execution(home, prefix)), format_instant(home.clock()))


def records(home: Home, prefix: str) -> list[Record]:
    return Journal.read(home, find_execution(home, prefix))


def line_of(record: Record) -> str:
    """The line that a record is in its journal, without the newline."""
    return encode(record).decode().removesuffix("\n")


def follow(home: Home, prefix: str) -> Iterator[Record]:
    """The records, and then each further one as it comes, until the execution has ended or is paused."""
    execution = find_execution(home, prefix)
    seen = 0
    while True:
        found = Journal.read(home, execution)
        yield from found[seen:]
        seen = len(found)
        if standstill(found) is not None:
            return
        time.sleep(FOLLOW_EVERY_S)


def tasks(home: Home, assignee: str | None) -> list[TaskView]:
    """Every open task, oldest first, or those of one person, role or group."""
    return with_overdue(index_of(home).tasks(assignee), format_instant(home.clock()))


def unknown(home: Home) -> list[Summary]:
    """The executions with a call that was lost with its runner, of which a person is to say what became."""
    index = index_of(home)
    rows = [index.summaries(status=status, keep=lambda row: bool(row["unknown"])) for status in ("waiting", "running")]
    return [row for found in rows for row in found]


def executions(
    home: Home,
    *,
    status: str | None,
    workflow: str | None,
    limit: int | None,
    since: str | None,
    where: str | None = None,
) -> list[Summary]:
    """Executions, newest first. `where` is a condition over what is listed: see views.filtering."""
    keep = None
    if where is not None:
        from wfrun.views.filtering import parse_filter

        chosen = parse_filter(where, home.clock())
        status, workflow, keep = status or chosen.status, workflow or chosen.workflow, chosen.keeps
    return index_of(home).summaries(
        status=status, workflow=workflow, limit=limit, since=since, driven=partial(is_driven, home), keep=keep
    )


def reindex(home: Home) -> int:
    """Build the index anew from all journals, which is the only thing here that writes. The number of executions."""
    from wfrun.views.index.store import index_path
    from wfrun.views.index.writer import rebuild

    home.find(index_path(home))  # StateError if nothing here can be trusted
    return rebuild(home, partial(Journal.read, home))


def _view(home: Home, execution: str) -> StatusView:
    view = view_of(home, Journal.read(home, execution))
    if view["status"] != "running":
        return view
    # Looked at in this order, for a driver that ends meanwhile has written all that it had to say.
    driven = is_driven(home, execution)
    return view_of(home, Journal.read(home, execution), driven)

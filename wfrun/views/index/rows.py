"""What the index keeps of one execution, and how it is made from the journal."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeAlias

from wfrun.core.instants import format_instant
from wfrun.core.values import canonical
from wfrun.errors import JournalError, UsageError
from wfrun.views.status import brief_of
from wfrun.views.summary import UNREADABLE, summary_of

if TYPE_CHECKING:
    from wfrun.core.events import Record
    from wfrun.views.model import BriefView, ExecutionStatus, Summary, TaskView


Read: TypeAlias = "Callable[[str], list[Record]]"
JOURNAL = ".jsonl"


class Layout(Protocol):
    """Where a state directory keeps things. `executions` holds the shards, each of which holds journals."""

    path: str
    executions: str

    def journal_path(self, execution_id: str) -> str: ...


class Row(NamedTuple):
    """`size` is the journal's, in bytes, when the row was right. `damaged` journals are shown, and never kept."""

    summary: Summary
    tasks: list[TaskView]
    size: int
    damaged: bool = False

    @property
    def execution(self) -> str:
        return self.summary["execution"]

    @property
    def ended(self) -> bool:
        """For good: what needs attention can be resumed."""
        return self.summary["endedAt"] is not None and self.summary["status"] != "needs-attention"

    def columns(self, shard: str) -> tuple[Any, ...]:
        """As COLUMNS in store.py are ordered."""
        summary = self.summary
        tasks = canonical(self.tasks) if self.tasks else None
        key = (summary["workflow"], summary["status"], summary["startedAt"])
        return (self.execution, shard, self.size, self.ended, *key, canonical(summary), tasks)


def row_of(view: BriefView, size: int) -> Row:
    """Whether anybody drives an execution changes without its journal: that is asked when the row is shown."""
    summary = summary_of(view)
    if summary["status"] == "interrupted":
        summary["status"] = "running"
    return Row(summary, view["tasks"], size)


def fold_row(home: Layout, read: Read, execution: str) -> Row | None:
    """A row from the journal itself; None if there is none that was begun. Damage becomes a row that says so."""
    size = 0
    try:
        size = journal_size(home, execution) or 0
        records = read(execution)
        return row_of(brief_of(records, child=lambda child: _child_status(read, child)), size) if records else None
    except UsageError:  # no such execution, or a file whose name is no id
        return None
    except JournalError as error:
        return Row(_damaged(home, execution, error), [], size, damaged=True)


def _child_status(read: Read, execution: str) -> ExecutionStatus | None:
    """How a child execution stands, and with it what its parent waits for; None if it cannot be told."""
    try:
        return brief_of(read(execution), child=lambda child: _child_status(read, child))["status"]
    except (UsageError, JournalError):
        return None


def journal_size(home: Layout, execution: str) -> int | None:
    """In bytes; None if there is no such journal."""
    return size_at(home.journal_path(execution))


def size_at(path: str) -> int | None:
    try:
        return os.stat(path).st_size
    except OSError:
        return None


def stored_row(summary: str, tasks: str | None, size: int) -> Row:
    return Row(json.loads(summary), json.loads(tasks) if tasks else [], size)


def _damaged(home: Layout, execution: str, error: JournalError) -> Summary:
    """A journal that cannot be read must not keep the others from being listed."""
    try:
        changed = os.stat(home.journal_path(execution)).st_mtime
    except OSError:
        changed = 0.0
    return {
        "execution": execution,
        "workflow": UNREADABLE,
        "version": None,
        "status": "needs-attention",
        "startedAt": format_instant(datetime.fromtimestamp(changed, UTC)),
        "endedAt": None,
        "progress": {"done": 0, "skipped": 0, "failed": 0, "total": 0},
        "error": error.code,
        "waitingFor": [],
        "events": [],
        "until": None,
        "unknown": [],
        "children": [],
        "listens": [],
        "parent": None,
        "initiator": "",
    }

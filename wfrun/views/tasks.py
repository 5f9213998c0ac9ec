"""Tasks that wait for people, folded from an execution's records."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wfrun.core.events import Assignee, Record
    from wfrun.views.model import TaskView, Vote


REJECTED = "rejected"


def assignee_names(assignee: Assignee) -> list[str]:
    """Everyone a task is meant for, people before groups, each once."""
    names = [*assignee.get("names", ()), *assignee.get("users", ()), *assignee.get("groups", ())]
    return list(dict.fromkeys(names))


class TaskFold:
    """The tasks of one execution. `add` takes any record; only those of the types in CONCERNED matter."""

    CONCERNED = frozenset(
        {
            "execution.started",
            "execution.ended",
            "task.created",
            "task.decided",
            "task.escalated",
            "task.expired",
            "task.withdrawn",
        }
    )

    def __init__(self) -> None:
        self._tasks: dict[str, TaskView] = {}
        self._closed: set[str] = set()
        self._execution = self._workflow = self._initiator = ""

    def add(self, record: Record) -> None:
        kind: str = record["type"]
        if kind == "execution.started":
            self._execution, self._workflow = record["execution"], record["workflow"]
            self._initiator = record["initiator"]
        elif kind == "task.created":
            self._tasks[record["task"]] = self._created(record)
        elif kind == "task.decided":
            self._decided(record)
        elif kind == "task.escalated":
            self._escalated(record)
        elif kind in ("task.withdrawn", "task.expired"):
            self._closed.add(record["task"])
        elif kind == "execution.ended":
            self._closed.update(self._tasks)

    def step_of(self, task: str) -> str:
        return self._tasks[task]["step"]

    def is_open(self, task: str) -> bool:
        return task in self._tasks and task not in self._closed

    def open(self) -> list[TaskView]:
        """The open tasks in the order in which they came."""
        return [view for task, view in self._tasks.items() if task not in self._closed]

    def _created(self, record: Record) -> TaskView:
        return {
            "task": f"{self._execution}/{record['step']}",
            "execution": self._execution,
            "workflow": self._workflow,
            "step": record["step"],
            "title": record["title"],
            "description": record["description"],
            "assignee": record["assignee"],
            "createdAt": record["at"],
            "due": record["due"],
            "overdue": False,
            "escalated": 0,
            "quorum": record["quorum"],
            "excludeInitiator": record["excludeInitiator"],
            "initiator": self._initiator,
            "decisions": record["decisions"],
            "form": record["form"],
            "data": record["data"],
            "votes": [],
        }

    def _decided(self, record: Record) -> None:
        """One refusal settles a task; otherwise as many people as its quorum says have to say the same."""
        view = self._tasks[record["task"]]
        vote: Vote = {
            "decision": record["decision"],
            "by": record["by"],
            "comment": record["comment"],
            "at": record["at"],
        }
        view["votes"].append(vote)
        people = {vote["by"] for vote in view["votes"] if vote["decision"] == record["decision"]}
        if record["decision"] == REJECTED or len(people) >= view["quorum"]:
            self._closed.add(record["task"])

    def _escalated(self, record: Record) -> None:
        view = self._tasks[record["task"]]
        view["escalated"], view["assignee"], view["due"] = record["level"], record["assignee"], record["due"]
        self._closed.discard(record["task"])


def with_overdue(tasks: Iterable[TaskView], now: str) -> list[TaskView]:
    """The tasks as they stand at `now`, an instant as journals write them."""
    return [{**task, "overdue": task["due"] is not None and task["due"] <= now} for task in tasks]


def open_tasks(records: Iterable[Record], assignee: str | None = None) -> list[TaskView]:
    """The tasks that wait, those of one person or group if `assignee` is given."""
    fold = TaskFold()
    for record in records:
        fold.add(record)
    return [view for view in fold.open() if assignee is None or assignee in assignee_names(view["assignee"])]

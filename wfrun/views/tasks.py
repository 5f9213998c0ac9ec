"""Tasks that wait for people, folded from an execution's records."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from wfrun.views.repairs import counting

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
            "execution.paused",
            "task.created",
            "task.decided",
            "task.escalated",
            "task.expired",
            "task.withdrawn",
            "repair.requested",
            "execution.repaired",
        }
    )

    def __init__(self) -> None:
        self._open: dict[str, TaskView] = {}
        self._expired: dict[str, TaskView] = {}  # until they go on to others
        self._in_repair = False  # then nobody is heard
        self._execution = self._workflow = self._initiator = ""

    def add(self, record: Record) -> None:
        kind: str = record["type"]
        if kind == "execution.started":
            self._execution, self._workflow = record["execution"], record["workflow"]
            self._initiator = record["initiator"]
        elif kind == "task.created":
            self._open[record["task"]] = self._created(record)
        elif kind == "task.decided":
            self._decided(record)
        elif kind == "task.escalated":
            self._escalated(record)
        elif kind == "task.expired" and record["task"] in self._open:
            self._expired[record["task"]] = self._open.pop(record["task"])
        elif kind == "task.withdrawn":
            self._open.pop(record["task"], None)
        elif kind in ("execution.ended", "execution.paused"):
            self._open.clear()
        else:
            self._in_repair = kind == "repair.requested"

    def any(self) -> bool:
        return bool(self._open) and not self._in_repair

    def is_open(self, task: str) -> bool:
        return task in self._open

    def open(self) -> list[TaskView]:
        """The open tasks in the order in which they came."""
        if self._in_repair:
            return []
        for task in self._open.values():
            task["stuck"] = is_stuck(task)
        return sorted(self._open.values(), key=lambda task: task["createdAt"])

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
            "stuck": False,
        }

    def _decided(self, record: Record) -> None:
        """One refusal settles a task; otherwise as many people as its quorum says have to say the same at last."""
        view = self._open.get(record["task"])
        if view is None:
            return
        vote: Vote = {
            "decision": record["decision"],
            "by": record["by"],
            "comment": record["comment"],
            "at": record["at"],
        }
        view["votes"] = [*(earlier for earlier in view["votes"] if earlier["by"] != vote["by"]), vote]
        alike = sum(vote["decision"] == record["decision"] for vote in view["votes"])
        if record["decision"] == REJECTED or alike >= view["quorum"]:
            del self._open[record["task"]]

    def _escalated(self, record: Record) -> None:
        view = self._expired.pop(record["task"], None) or self._open[record["task"]]
        view["escalated"], view["assignee"], view["due"] = record["level"], record["assignee"], record["due"]
        if "quorum" in record:  # others are asked, and anew
            view["quorum"], view["excludeInitiator"], view["votes"] = record["quorum"], record["excludeInitiator"], []
        self._open[record["task"]] = view


def may_decide(task: TaskView) -> set[str] | None:
    """The people who alone may decide it; None if that is not known, as nobody knows here who is in a group."""
    assignee = task["assignee"]
    if "users" not in assignee or "groups" in assignee or "names" in assignee:
        return None
    return {*assignee["users"]} - ({task["initiator"]} if task["excludeInitiator"] else set())


def is_stuck(task: TaskView) -> bool:
    """Whether those who have not decided yet are too few to agree with anybody who has."""
    people = may_decide(task)
    if people is None:
        return False
    words = [vote["decision"] for vote in task["votes"]]
    left = people - {vote["by"] for vote in task["votes"]}
    return max(map(words.count, words), default=0) + len(left) < task["quorum"]


def step_of(task: str) -> str:
    """The step instance that asks: a task is called after its execution and that."""
    return task.partition("/")[2] or task


def with_overdue(tasks: Iterable[TaskView], now: str) -> list[TaskView]:
    """The tasks as they stand at `now`, an instant as journals write them."""
    return [{**task, "overdue": task["due"] is not None and task["due"] <= now} for task in tasks]


def open_tasks(records: Iterable[Record], assignee: str | None = None) -> list[TaskView]:
    """The tasks that wait, those of one person or group if `assignee` is given."""
    fold = TaskFold()
    for record in counting(records):
        fold.add(record)
    return [view for view in fold.open() if assignee is None or assignee in assignee_names(view["assignee"])]

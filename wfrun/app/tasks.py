"""Which task a typed word means."""

from __future__ import annotations

from itertools import islice

from wfrun.app.executions import only
from wfrun.core.events import Record
from wfrun.journal.home import Home
from wfrun.journal.journal import Journal

# A prefix that fits more executions than this is too short to be meant.
MOST_EXECUTIONS = 200


def find_task(home: Home, prefix: str) -> tuple[str, str]:
    """The execution and full id of the task that alone begins with `prefix`, open ones first.

    Raises NotFoundError or AmbiguousError. A closed task is found, too, so that it can be said who decided it.
    """
    execution, _, _ = prefix.partition("/")
    open_ones: list[str] = []
    closed: list[str] = []
    for id in islice(home.ids(execution), MOST_EXECUTIONS):
        if "/" in prefix and id != execution:
            continue
        for task, is_open in _tasks(Journal.read(home, id)).items():
            if task.startswith(prefix):
                (open_ones if is_open else closed).append(task)
    task = only(open_ones or closed, prefix, "task")
    return task.partition("/")[0], task


def _tasks(records: list[Record]) -> dict[str, bool]:
    """Every task of an execution, and whether it may still be open."""
    tasks: dict[str, bool] = {}
    for record in records:
        if record["type"] == "task.created":
            tasks[record["task"]] = True
        elif record["type"] in ("task.withdrawn", "execution.ended"):
            tasks.update(dict.fromkeys([record["task"]] if "task" in record else tasks, False))
    return tasks

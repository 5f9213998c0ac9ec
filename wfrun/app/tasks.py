"""Which task a typed word means."""

from __future__ import annotations

from wfrun.app.executions import ids_beginning, only
from wfrun.journal.home import Home
from wfrun.journal.journal import Journal
from wfrun.views.tasks import open_tasks

# A prefix that fits more executions than this is too short to be meant.
MOST_EXECUTIONS = 200


def find_task(home: Home, prefix: str) -> tuple[str, str]:
    """The execution and full id of the task that alone begins with `prefix`, open ones first.

    Raises NotFoundError or AmbiguousError. A closed task is found, too, so that it can be said who decided it.
    """
    execution, slash, _ = prefix.partition("/")
    open_ones: list[str] = []
    closed: list[str] = []
    for id in ids_beginning(home, execution, MOST_EXECUTIONS):
        if slash and id != execution:
            continue
        records = Journal.read(home, id)
        waiting = {task["task"] for task in open_tasks(records)}
        for task in (record["task"] for record in records if record["type"] == "task.created"):
            if task.startswith(prefix):
                (open_ones if task in waiting else closed).append(task)
    task = only(home, open_ones or closed, prefix, "task")
    return task.partition("/")[0], task

"""Which task a typed word means."""

from __future__ import annotations

from wfrun.app.executions import as_id, ids_beginning, listed, only
from wfrun.app.standing import view_of
from wfrun.errors import AmbiguousError, ConflictError, NotFoundError
from wfrun.journal.home import Home
from wfrun.journal.journal import Journal
from wfrun.views.tasks import open_tasks

# A beginning that fits more executions than this is too short to be meant.
MOST_EXECUTIONS = 200


def find_task(home: Home, prefix: str) -> tuple[str, str]:
    """The execution and full id of the task that alone begins with `prefix`, open ones first.

    A complete execution id means that execution and no other. Raises NotFoundError or AmbiguousError. A closed task is
    found, too, so that it can be said who decided it; of several there is nothing to say but that they are closed
    (ConflictError).
    """
    open_ones: list[str] = []
    closed: list[str] = []
    _, slash, step = prefix.partition("/")
    for id in _executions(home, prefix):
        records = Journal.read(home, id)
        waiting = {task["task"] for task in open_tasks(records)}
        created = (record["task"] for record in records if record["type"] == "task.created")
        for task in dict.fromkeys(created):  # a step that was taken back may ask again
            if not slash or task.partition("/")[2].startswith(step):
                (open_ones if task in waiting else closed).append(task)
    if not open_ones and len(closed) > 1:
        message = f"none of the tasks that begin with {prefix!r} is open: {listed(closed)}"
        raise ConflictError("task.closed", message, hint="`wfrun tasks` shows those that wait")
    if not (open_ones or closed) and home.exists(prefix):
        _refuse_children(home, prefix)
    task = only(home, open_ones or closed, prefix, "task")
    return task.partition("/")[0], task


def _refuse_children(home: Home, execution: str) -> None:
    """One that asks nobody itself may wait for another that does: that one has to be named."""
    asked = [
        task["task"] for child in view_of(home, Journal.read(home, execution))["children"] for task in child["tasks"]
    ]
    if asked:
        message = f"{execution} asks nobody itself: it waits for an execution that it runs"
        raise NotFoundError("task.unknown", message, hint=f"name that task: {listed(asked)}")


def _executions(home: Home, prefix: str) -> list[str]:
    execution = as_id(prefix.partition("/")[0])
    if home.exists(execution):
        return [execution]
    found = ids_beginning(home, execution, MOST_EXECUTIONS + 1)
    if len(found) > MOST_EXECUTIONS:
        message = f"{prefix!r} fits more than {MOST_EXECUTIONS} executions"
        raise AmbiguousError("task.ambiguous", message, hint="type more of it; `wfrun tasks` shows those that wait")
    return found

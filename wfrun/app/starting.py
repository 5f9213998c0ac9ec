"""Beginning an execution: what its first record says, and that no start happens twice."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from wfrun import __version__
from wfrun.app.workflows import Workflow, keep
from wfrun.core.values import Json, digest
from wfrun.engines import beginning
from wfrun.errors import ConflictError, InvalidError, UsageError
from wfrun.journal.driver import DriverInfo
from wfrun.journal.home import Home
from wfrun.journal.journal import Journal
from wfrun.journal.removed import was_removed

if TYPE_CHECKING:
    from wfrun.core.events import ExecutionStarted, Record

# Crockford's base 32: no i, l, o, u, so that an id can be read out and typed.
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_ID_LENGTH = 8


def runner() -> DriverInfo:
    """This process, as it is recorded when it begins to drive."""
    return {"host": os.uname().nodename, "pid": os.getpid(), "wfrun": __version__}


def check_input(workflow: Workflow, input: Json | InvalidError) -> dict[str, Json]:
    """The input of a workflow with its defaults. Raises InvalidError, also the one that it is itself."""
    return beginning.check_input(workflow.fields, input)


def origin_of(workflow: str, services: str | None) -> dict[str, str]:
    """The files that an execution is started from, as they are kept in its journal. Raises UsageError."""
    origin = {"file": _kept_path(workflow)}
    if services is not None:
        origin["services"] = _kept_path(services)
    return origin


def _kept_path(file: str) -> str:
    """A journal is UTF-8, and a resume needs the path as it is: nothing can stand for a name that is not text."""
    path = str(Path(file).resolve())
    try:
        path.encode()
    except UnicodeEncodeError:
        message = f"{path}: the name of a folder on the way is not valid UTF-8"
        raise UsageError("usage.encoding", message, hint="rename it, or move the workflow") from None
    return path


def first_event(
    execution: str, workflow: Workflow, values: dict[str, Json], origin: dict[str, str], initiator: str, seed: str
) -> ExecutionStarted:
    """The record that an execution begins with."""
    return beginning.first_event(
        execution,
        workflow.plan,
        values,
        links=workflow.links,
        origin=origin,
        initiator=initiator,
        seed=seed,
    )


def new_seed(home: Home) -> str:
    """What the random values of an execution are derived from."""
    return home.entropy(8).hex()


def new_id(home: Home) -> str:
    """A random id of 40 bits; of two that are equal, the second is refused by the file system and made anew."""
    return "".join(_ALPHABET[byte % 32] for byte in home.entropy(_ID_LENGTH))


def create_or_open(
    home: Home,
    workflow: Workflow,
    values: dict[str, Json],
    execution: str | None,
    origin: dict[str, str],
    initiator: str,
) -> tuple[Journal, bool]:
    """A new journal, or the one of the same start made before."""
    keep(home, workflow)
    if execution is None:
        return create(home, workflow, values, origin, initiator), False
    if was_removed(home, execution):
        message = f"there was an execution {execution!r}, which ended and has been removed since"
        raise ConflictError("execution.removed", message, hint="choose another --id")
    first = first_event(execution, workflow, values, origin, initiator, new_seed(home))
    try:
        return Journal.prepare(home, execution, first, driver=runner()), False
    except ConflictError:
        journal = Journal.open(home, execution)
        same_start(journal.records[0], first)
        return journal, True


def create(home: Home, workflow: Workflow, values: dict[str, Json], origin: dict[str, str], initiator: str) -> Journal:
    """A journal with a new id. Not durable yet: its first sync makes it so."""
    while True:
        id = new_id(home)
        first = first_event(id, workflow, values, origin, initiator, new_seed(home))
        try:
            return Journal.prepare(home, id, first, driver=runner())
        except ConflictError:
            continue


def same_start(earlier: Record, now: ExecutionStarted) -> None:
    if earlier["workflow"] != now["workflow"]:
        what = f"of workflow {earlier['workflow']!r}"
    elif digest(earlier["input"]) != digest(now["input"]):
        what = "with another input"
    else:
        return
    raise ConflictError(
        "execution.exists",
        f"execution {now['execution']!r} was started before, {what}",
        hint="choose another --id, or leave it out",
    )

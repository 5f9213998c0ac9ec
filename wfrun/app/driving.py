"""Use cases that make executions go on: run, resume, decide, cancel, emit."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from wfrun.app.elsewhere import RemoteHome
from wfrun.app.executions import find_execution
from wfrun.app.in_force import workflow_of
from wfrun.app.onward import WAY, Outcome, Way, carry_on, check_local, drive, go_on, leave, seen_to
from wfrun.app.starting import check_input, create_or_open, origin_of
from wfrun.app.workflows import Workflow, open_workflow, require_local
from wfrun.core.values import Json
from wfrun.engines.beginning import as_object
from wfrun.errors import ConflictError, InvalidError, UsageError
from wfrun.journal.home import Home
from wfrun.journal.journal import Journal

if TYPE_CHECKING:
    from wfrun.core.events import EventData

# As the schema of workflows has it.
EVENT_NAME = r"[A-Za-z0-9][A-Za-z0-9._:/-]{0,127}"
MAX_EVENT_ID = 256


def run(
    home: Home,
    *,
    workflow: str,
    input: Json | InvalidError = None,
    execution: str | None = None,
    initiator: str = "",
    way: Way = WAY,
) -> Outcome:
    """Start an execution and drive it until it ends or only waits: for people, events or long times.

    The same `execution` id with the same input is the same execution: it is driven on, and never started twice (C1).
    An input that could not be read is its error, to be told together with what is wrong with the workflow.
    Raises InvalidError, ConflictError, JournalError. A signal leaves it `interrupted`, to be resumed.
    """
    opened, values = _to_be_started(home, workflow, way, input)
    if isinstance(home, RemoteHome):
        from wfrun.app.watching import run_elsewhere

        return run_elsewhere(home, opened, values, execution, origin_of(workflow, None), initiator, way)
    origin = origin_of(workflow, way.services)
    journal, existing = create_or_open(home, opened, values, execution, origin, initiator)
    return go_on(home, journal, way) if existing else drive(home, journal, opened, way)


def _to_be_started(home: Home, path: str, way: Way, input: Json | InvalidError) -> tuple[Workflow, dict[str, Json]]:
    """The workflow and its input. Raises InvalidError, for both of them if both are wrong."""
    given = as_object(input)
    try:
        workflow = open_workflow(path, way.services, home)
        if not isinstance(home, RemoteHome):
            require_local(workflow)
    except InvalidError as invalid:
        more = given.problems if isinstance(given, InvalidError) else ()
        raise InvalidError([*more, *invalid.problems]) from None
    return workflow, check_input(workflow, given)


def resume(home: Home, prefix: str, *, by: str = "", reason: str = "", way: Way = WAY) -> Outcome:
    """Drive an execution on from where its journal ends. An ended one stays as it is.

    One that needs attention has what could not be undone tried again, and nothing else: `by` has seen to it. A
    child is driven on by way of its parent, which waits for it.
    """
    return go_on(home, Journal.open(home, find_execution(home, prefix)), way, seen_to(by, reason))


def decide(
    home: Home,
    prefix: str,
    *,
    decision: str,
    by: str,
    comment: str = "",
    data: dict[str, Json] | None = None,
    resume: bool = True,
    way: Way = WAY,
) -> Outcome:
    """Record one person's decision on a task, durably, and drive the execution on unless another process does.

    Raises ConflictError if the task is decided already, UsageError if it is not this person's, InvalidError if the data
    does not fit the form.
    """
    from wfrun.app.deciding import record_decision
    from wfrun.app.tasks import find_task
    from wfrun.core.human import Vote

    execution, task = find_task(home, prefix)
    journal = Journal.open(home, execution)
    workflow = workflow_of(home, journal.records, way.services)
    if resume:
        check_local(home, journal, workflow)
    note, refused = record_decision(home, journal, workflow, task, Vote(decision, by, comment, data or {}))
    outcome = carry_on(home, journal, way, note) if resume else leave(home, journal, note)
    if refused is not None:
        raise refused
    return outcome


def cancel(home: Home, prefix: str, *, by: str, reason: str = "", way: Way = WAY) -> Outcome:
    """Ask an execution to stop and be compensated, and see to it unless another process drives it."""
    execution = find_execution(home, prefix)
    while (journal := _cancelled(home, execution, by, reason, way)) is None:
        pass  # where nobody can keep others from going on, they may have meanwhile: it counts all the same
    outcome = carry_on(home, journal, way)
    if outcome.status != "completed":
        return outcome
    return outcome._replace(note="it was not cancelled: there was nothing left to stop, and it has completed")


def _cancelled(home: Home, execution: str, by: str, reason: str, way: Way) -> Journal | None:
    """Its journal, in which that is recorded. None if it has gone on before it could be."""
    from wfrun.app.deciding import record_cancellation

    journal = Journal.open(home, execution)
    try:
        check_local(home, journal, workflow_of(home, journal.records, way.services))
        record_cancellation(journal, by, reason)
    except ConflictError as moved:
        journal.close()
        if moved.code != "journal.moved":
            raise
        return None
    return journal


class Emitted(NamedTuple):
    """An event that was made known, and the executions that have been given it now: those that had it, have it."""

    event: EventData
    reached: list[str]


def emit(
    home: Home,
    event: str,
    *,
    data: Json = None,
    id: str | None = None,
    to: str | None = None,
    source: str = "",
    resume: bool = True,
    way: Way = WAY,
) -> Emitted:
    """Give an event to every execution that has not ended and listens for it, or `to` one, and drive these on.

    The event is durable in each before this returns; an `id` makes it count once, however often it is emitted. Raises
    UsageError for a name or id that cannot be one; NotFoundError; ConflictError if the one it is for has ended.
    """
    from wfrun.app.delivering import deliver_all, deliver_to
    from wfrun.app.onward import drive_on
    from wfrun.core.instants import format_instant

    _check_event(event, id)
    told: EventData = {
        "id": home.entropy(8).hex() if id is None else id,
        "type": event,
        "source": source,
        "time": format_instant(home.clock()),
        "data": data,
    }
    reached = deliver_all(home, told) if to is None else deliver_to(home, find_execution(home, to), told)
    if resume and reached:
        drive_on(home, reached, way)
    return Emitted(told, reached)


def _check_event(event: str, id: str | None) -> None:
    if re.fullmatch(EVENT_NAME, event) is None:
        hint = "a name has letters, digits and . _ - : / in it, and at most 128 characters"
        raise UsageError("event.name", "no step can wait for an event of that name", hint=hint)
    if id is not None and not (id.isprintable() and 0 < len(id) <= MAX_EVENT_ID):
        raise UsageError("event.id", f"the id of an event is printable text of at most {MAX_EVENT_ID} characters")

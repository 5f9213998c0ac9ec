"""Use cases that make executions go on: run, resume, decide, cancel, and run many."""

from __future__ import annotations

import asyncio
import os
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from wfrun import __version__
from wfrun.adapters.registry import Services
from wfrun.app.executions import find_execution
from wfrun.app.tasks import find_task
from wfrun.app.workflows import Workflow, open_workflow, stored_workflow
from wfrun.core.events import ExecutionStarted, Record
from wfrun.core.human import Task, Vote, find_repeat, judge
from wfrun.core.run import Run
from wfrun.core.values import Json, digest
from wfrun.engines.local.driver import Driver, Observer
from wfrun.engines.local.engine import Interrupted, open_engine
from wfrun.errors import ConflictError, UsageError
from wfrun.journal.driver import DriverInfo
from wfrun.journal.home import Home
from wfrun.journal.journal import Journal
from wfrun.load.fields import check_fields
from wfrun.views.index.writer import IndexWriter
from wfrun.views.model import StatusView
from wfrun.views.status import status_of

FORMAT = 1

# Crockford's base 32: no i, l, o, u, so that an id can be read out and typed.
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_ID_LENGTH = 8


@dataclass(frozen=True, slots=True)
class Outcome:
    """Where an execution stands now that this process has let go of it. `note` says what else happened, if anything."""

    execution: str
    view: StatusView
    note: str = ""

    @property
    def status(self) -> str:
        return self.view["status"]


def clock() -> datetime:
    return datetime.now(UTC)


def runner() -> DriverInfo:
    """This process, as it is recorded when it begins to drive."""
    return {"host": os.uname().nodename, "pid": os.getpid(), "wfrun": __version__}


def ignore(execution: str, record: Record) -> None:
    """An observer that does not look."""


# ---- one execution


def run(
    home: Home,
    *,
    workflow: str,
    input: Json = None,
    execution: str | None = None,
    services: str | None = None,
    wait: bool = False,
    initiator: str = "",
    observer: Observer = ignore,
) -> Outcome:
    """Start an execution and drive it until it ends or waits for people.

    The same `execution` id with the same input is the same execution: it is driven on, and never started twice (C1).
    Raises InvalidError, ConflictError, JournalError. A signal leaves it `interrupted`, to be resumed.
    """
    opened = open_workflow(workflow, services, home)
    values = check_input(opened, input)
    origin = origin_of(workflow, services)
    journal, existing = _create_or_open(home, opened, values, execution, origin, initiator)
    if not existing:
        return _drive(home, journal, opened, wait, observer)
    return _go_on(home, journal, services, wait, observer)


def resume(
    home: Home, prefix: str, *, services: str | None = None, wait: bool = False, observer: Observer = ignore
) -> Outcome:
    """Drive an execution on from where its journal ends. An ended one stays as it is."""
    journal = Journal.open(home, find_execution(home, prefix), clock=clock)
    return _go_on(home, journal, services, wait, observer)


def decide(
    home: Home,
    prefix: str,
    *,
    decision: str,
    by: str,
    comment: str = "",
    data: dict[str, Json] | None = None,
    resume: bool = True,
    services: str | None = None,
    observer: Observer = ignore,
) -> Outcome:
    """Record one person's decision on a task, durably, and drive the execution on unless another process does.

    Raises ConflictError if the task is decided already, InvalidError if the data does not fit the form.
    """
    execution, task = find_task(home, prefix)
    journal = Journal.open(home, execution, clock=clock)
    workflow = stored_workflow(home, journal.records[0], services)
    note = _record_decision(journal, workflow, task, Vote(decision, by, comment, data or {}))
    return _continue(home, journal, workflow, resume, observer, note)


def cancel(
    home: Home,
    prefix: str,
    *,
    by: str,
    reason: str = "",
    services: str | None = None,
    observer: Observer = ignore,
) -> Outcome:
    """Ask an execution to stop and be compensated, and see to it unless another process drives it."""
    journal = Journal.open(home, find_execution(home, prefix), clock=clock)
    workflow = stored_workflow(home, journal.records[0], services)
    with journal.turn():
        run = _folded(journal, workflow)
        if run.ended is not None:
            status = run.ended["status"]
            raise ConflictError("execution.ended", f"execution {journal.execution_id} has ended: {status}")
        journal.add({"type": "cancel.requested", "by": by, "reason": reason})
        journal.sync()
    return _continue(home, journal, workflow, True, observer, "")


def check_input(workflow: Workflow, input: Json) -> dict[str, Json]:
    """The input with its defaults. Raises InvalidError; a workflow that declares nothing accepts any object."""
    values = {} if input is None else input
    if not isinstance(values, dict):
        kind = type(values).__name__
        raise UsageError(
            "input.type", f"the input must be a JSON object, not {kind}", hint='for example {"order": {…}}'
        )
    if workflow.fields is None:
        return values
    return check_fields(workflow.fields, values, file="input", what="input")


# ---- starting


def origin_of(workflow: str, services: str | None) -> dict[str, str]:
    origin = {"file": str(Path(workflow).resolve())}
    if services is not None:
        origin["services"] = str(Path(services).resolve())
    return origin


def _first_event(
    execution: str, workflow: Workflow, values: dict[str, Json], origin: dict[str, str], initiator: str
) -> ExecutionStarted:
    return {
        "type": "execution.started",
        "format": FORMAT,
        "execution": execution,
        "workflow": workflow.plan.name,
        "version": workflow.plan.version,
        "definition": workflow.document.sha256,
        "input": values,
        "seed": secrets.token_hex(8),
        "initiator": initiator,
        "steps": workflow.plan.step_names,
        "origin": origin,
    }


def new_id() -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(_ID_LENGTH))


def _create_or_open(
    home: Home,
    workflow: Workflow,
    values: dict[str, Json],
    execution: str | None,
    origin: dict[str, str],
    initiator: str,
) -> tuple[Journal, bool]:
    """A new journal, or the one of the same start made before."""
    home.write_definition(workflow.document.source)
    if execution is None:
        return create(home, workflow, values, origin, initiator), False
    first = _first_event(execution, workflow, values, origin, initiator)
    try:
        return Journal.prepare(home, execution, first, clock=clock), False
    except ConflictError:
        journal = Journal.open(home, execution, clock=clock)
        _same_start(journal.records[0], first)
        return journal, True


def create(home: Home, workflow: Workflow, values: dict[str, Json], origin: dict[str, str], initiator: str) -> Journal:
    """A journal with a new id. Not durable yet: its first sync makes it so."""
    while True:
        id = new_id()
        first = _first_event(id, workflow, values, origin, initiator)
        try:
            return Journal.prepare(home, id, first, clock=clock)
        except ConflictError:
            continue


def _same_start(earlier: Record, now: ExecutionStarted) -> None:
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


# ---- driving


def _go_on(home: Home, journal: Journal, services: str | None, wait: bool, observer: Observer) -> Outcome:
    if journal.records[-1]["type"] == "execution.ended":
        journal.close()
        return _outcome(journal, "it had ended before")
    workflow = stored_workflow(home, journal.records[0], services)
    return _drive(home, journal, workflow, wait, observer)


def _continue(home: Home, journal: Journal, workflow: Workflow, resume: bool, observer: Observer, note: str) -> Outcome:
    """Drive on after something was recorded, unless that is not wanted or another process is at it already."""
    if not resume:
        journal.close()
        return _outcome(journal, note)
    try:
        return _drive(home, journal, workflow, False, observer, note)
    except ConflictError as held:
        if held.code != "execution.held":
            raise
        journal.close()
        return _outcome(journal, f"{note}; {held.message}" if note else held.message)


def _drive(home: Home, journal: Journal, workflow: Workflow, wait: bool, observer: Observer, note: str = "") -> Outcome:
    journal.drive(runner())
    try:
        asyncio.run(_drive_one(home, journal, workflow, wait, observer))
        outcome = _outcome(journal, note)
    except Interrupted as interrupted:
        stopped = f"stopped by {interrupted.signal_name}; `wfrun resume {journal.execution_id}` goes on from here"
        outcome = Outcome(journal.execution_id, status_of(journal.records, driven=False), stopped)
    index = IndexWriter(home, partial(Journal.read, home))
    index.note(outcome.view, journal.end)
    index.close()
    return outcome


async def _drive_one(home: Home, journal: Journal, workflow: Workflow, wait: bool, observer: Observer) -> None:
    services = Services(workflow.services)
    try:
        async with open_engine(home) as engine:
            driver = Driver(journal, Run(workflow.plan), services, engine.committer, observer)
            await engine.drive(driver, park=not wait)
    finally:
        await services.close()


def _outcome(journal: Journal, note: str = "") -> Outcome:
    return Outcome(journal.execution_id, status_of(journal.records, driven=None), note)


# ---- deciding


def _folded(journal: Journal, workflow: Workflow) -> Run:
    run = Run(workflow.plan)
    for record in journal.records:
        run.apply(record)
    return run


def _record_decision(journal: Journal, workflow: Workflow, id: str, vote: Vote) -> str:
    """Fold, judge, append and sync under one lock: the first durable decision wins (C12)."""
    with journal.turn():
        run = _folded(journal, workflow)
        task = run.tasks[id]
        if task.is_expired(clock()):
            run.apply(journal.add({"type": "task.expired", "task": id}))
            journal.sync()
        repeat = find_repeat(task, vote)
        if repeat is not None:
            return f"{id} was already {repeat['decision']} by {repeat['by']} at {repeat['at']}"
        assert run.started is not None
        judge(task, vote, run.started["initiator"])
        data = _checked_form(task, vote)
        journal.add(
            {
                "type": "task.decided",
                "task": id,
                "decision": vote.decision,
                "by": vote.by,
                "comment": vote.comment,
                "data": data,
            }
        )
        journal.sync()
    return f"{id}: {vote.decision} by {vote.by}"


def _checked_form(task: Task, vote: Vote) -> dict[str, Json]:
    """A rejection needs no form. Everything else must fill it in."""
    form = task.created["form"]
    if vote.decision == "rejected" or not form:
        return vote.data
    return check_fields(form, vote.data, file="data", what="field")

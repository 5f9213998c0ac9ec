"""Use cases that make executions go on: run, resume, decide, cancel, and run many."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from wfrun.adapters.registry import Services
from wfrun.app.deciding import folded, record_decision
from wfrun.app.executions import find_execution
from wfrun.app.starting import check_input, clock, create_or_open, has_ended, origin_of, runner
from wfrun.app.tasks import find_task
from wfrun.app.workflows import Workflow, open_workflow, require_local, stored_workflow
from wfrun.core.events import Record
from wfrun.core.human import Vote
from wfrun.core.run import Run
from wfrun.core.values import Json
from wfrun.engines.local.driver import Driver, Observer
from wfrun.engines.local.engine import Interrupted, open_engine, run_loop
from wfrun.errors import ConflictError
from wfrun.journal.driver import is_driven
from wfrun.journal.home import Home
from wfrun.journal.journal import Journal
from wfrun.views.index.writer import IndexWriter
from wfrun.views.model import StatusView
from wfrun.views.status import status_of


@dataclass(frozen=True, slots=True)
class Outcome:
    """Where an execution stands now that this process has let go of it. `note` says what else happened, if anything."""

    execution: str
    view: StatusView
    note: str = ""

    @property
    def status(self) -> str:
        return self.view["status"]


def ignore(execution: str, record: Record, fresh: bool) -> None:
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
    require_local(opened)
    values = check_input(opened, input)
    origin = origin_of(workflow, services)
    journal, existing = create_or_open(home, opened, values, execution, origin, initiator)
    if not existing:
        return _drive(home, journal, opened, wait, observer)
    return _go_on(home, journal, services, wait, observer)


def resume(
    home: Home,
    prefix: str,
    *,
    services: str | None = None,
    wait: bool = False,
    by: str = "",
    observer: Observer = ignore,
) -> Outcome:
    """Drive an execution on from where its journal ends. An ended one stays as it is.

    One that needs attention has what could not be undone tried again, and nothing else: `by` says it was seen to.
    """
    journal = Journal.open(home, find_execution(home, prefix), clock=clock)
    return _go_on(home, journal, services, wait, observer, by)


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

    Raises ConflictError if the task is decided already, UsageError if it is not this person's, InvalidError if the data
    does not fit the form.
    """
    execution, task = find_task(home, prefix)
    journal = Journal.open(home, execution, clock=clock)
    workflow = stored_workflow(home, journal.records[0], services)
    if resume:
        _require_local(home, journal, workflow)
    note, refused = record_decision(journal, workflow, task, Vote(decision, by, comment, data or {}))
    outcome = _continue(home, journal, workflow, resume, observer, note)
    if refused is not None:
        raise refused
    return outcome


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
    _require_local(home, journal, workflow)
    with journal.turn():
        run = folded(journal, workflow)
        if run.ended is not None:
            status = run.ended["status"]
            raise ConflictError("execution.ended", f"execution {journal.execution_id} has ended: {status}")
        journal.add({"type": "cancel.requested", "by": by, "reason": reason})
        journal.sync()
    return _continue(home, journal, workflow, True, observer, "")


# ---- driving


def _go_on(home: Home, journal: Journal, services: str | None, wait: bool, observer: Observer, by: str = "") -> Outcome:
    status = has_ended(journal.records)
    if status not in (None, "needs-attention"):
        journal.close()
        return _outcome(journal, "it had ended before")
    workflow = stored_workflow(home, journal.records[0], services)
    _require_local(home, journal, workflow)
    return _take_up(home, journal, workflow, wait, observer, repaired_by=by)


def _require_local(home: Home, journal: Journal, workflow: Workflow) -> None:
    """Whoever drives already has what the calls need; otherwise it will be us."""
    if not is_driven(home, journal.execution_id):
        require_local(workflow)


def _continue(home: Home, journal: Journal, workflow: Workflow, resume: bool, observer: Observer, note: str) -> Outcome:
    """Drive on after something was recorded, unless that is not wanted or another process is at it already."""
    if not resume or has_ended(journal.records):
        journal.close()
        return _outcome(journal, note, is_driven(home, journal.execution_id))
    try:
        return _take_up(home, journal, workflow, False, observer, note)
    except ConflictError as held:
        if held.code != "execution.held":
            raise
        journal.close()
        return _outcome(journal, f"{note}; {held.message}" if note else held.message)


def _take_up(
    home: Home,
    journal: Journal,
    workflow: Workflow,
    wait: bool,
    observer: Observer,
    note: str = "",
    repaired_by: str = "",
) -> Outcome:
    """Become the driver of an execution that was begun before. One that needs attention is taken for repaired."""
    history = len(journal.records)
    journal.drive(runner())
    if has_ended(journal.records) == "needs-attention":
        with journal.turn():
            journal.add({"type": "execution.resumed", "by": repaired_by})
    return _drive(home, journal, workflow, wait, observer, history, note)


def _drive(
    home: Home,
    journal: Journal,
    workflow: Workflow,
    wait: bool,
    observer: Observer,
    history: int = 0,
    note: str = "",
) -> Outcome:
    try:
        run_loop(_drive_one(home, journal, workflow, wait, observer, history))
        outcome = _outcome(journal, note)
    except Interrupted as interrupted:
        stopped = f"stopped by {interrupted.signal_name}; `wfrun resume {journal.execution_id}` goes on from here"
        outcome = Outcome(journal.execution_id, status_of(journal.records, driven=False), stopped)
    index = IndexWriter(home, partial(Journal.read, home))
    index.note(outcome.view, journal.end)
    index.close()
    return outcome


async def _drive_one(
    home: Home, journal: Journal, workflow: Workflow, wait: bool, observer: Observer, history: int
) -> None:
    services = Services(workflow.services)
    try:
        async with open_engine(home) as engine:
            driver = Driver(journal, Run(workflow.plan), services, engine.committer, observer, history)
            await engine.drive(driver, park=not wait)
    finally:
        await services.close()


def _outcome(journal: Journal, note: str = "", driven: bool | None = None) -> Outcome:
    return Outcome(journal.execution_id, status_of(journal.records, driven=driven), note)

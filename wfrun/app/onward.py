"""Driving an execution from where its journal ends, in this process, until it has ended or is parked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from wfrun.app.elsewhere import RemoteHome
from wfrun.app.family import refuse_orphan, root_of
from wfrun.app.in_force import workflow_of
from wfrun.app.runtime import Runtime
from wfrun.app.standing import has_ended, view_of
from wfrun.app.starting import runner
from wfrun.app.workflows import Workflow, require_local
from wfrun.engines.local.driver import Observer
from wfrun.engines.local.engine import Interrupted, open_engine, run_loop
from wfrun.errors import ConflictError
from wfrun.journal.driver import is_driven
from wfrun.journal.home import Home
from wfrun.journal.journal import Journal
from wfrun.views.index.writer import IndexWriter

if TYPE_CHECKING:
    from wfrun.core.events import Event, ExecutionResumed, Record
    from wfrun.views.model import StatusView


class Outcome(NamedTuple):
    """Where an execution stands now that this process has let go of it. `note` says what else happened, if anything."""

    execution: str
    view: StatusView
    note: str = ""

    @property
    def status(self) -> str:
        return self.view["status"]


def ignore(execution: str, record: Record, fresh: bool) -> None:
    """An observer that does not look."""


def unheard(execution: str, facts: Sequence[Event]) -> None:
    """Nobody who wants to know what has been recorded."""


class Way(NamedTuple):
    """How to drive: with another services file, waiting for people and events or not, and who looks on.

    `told` hears what a person's word has become, once it is recorded and before anything comes of it.
    """

    services: str | None = None
    wait: bool = False
    observer: Observer = ignore
    told: Callable[[str, Sequence[Event]], None] = unheard


WAY = Way()


def seen_to(by: str, reason: str = "") -> ExecutionResumed:
    """The fact that what could not be undone is to be tried again."""
    return {"type": "execution.resumed", "by": by, "reason": reason}


def go_on(home: Home, journal: Journal, way: Way, seen: ExecutionResumed | None = None) -> Outcome:
    """Drive on what has not ended for good; with what needs attention, `seen` says that somebody has seen to it."""
    journal = _topmost(home, journal)
    if (over := _over(home, journal)) is not None:
        journal.close()
    return over or _take_up(home, journal, way, seen=seen)


def is_over(home: Home, journal: Journal) -> Outcome | None:
    """What `go_on` would give if there is nothing to go on with. The journal is closed."""
    journal = _topmost(home, journal)
    journal.close()
    return _over(home, journal)


def _over(home: Home, journal: Journal) -> Outcome | None:
    if has_ended(journal.records) in (None, "needs-attention"):
        return None
    return outcome_of(home, journal, "it had ended before")


def carry_on(home: Home, journal: Journal, way: Way, note: str = "") -> Outcome:
    """Drive on after something was recorded, unless another process is at it already."""
    journal = _topmost(home, journal)
    if has_ended(journal.records):
        return leave(home, journal, note)
    try:
        return _take_up(home, journal, way, note)
    except ConflictError as held:
        if held.code != "execution.held":
            raise
        told = f"{held.message}, which takes it up within 100 ms"
        return leave(home, journal, f"{note}; {told}" if note else told)


def leave(home: Home, journal: Journal, note: str) -> Outcome:
    """Leave it as it is, to whoever drives it."""
    journal.close()
    return outcome_of(home, journal, note, is_driven(home, journal.execution_id))


def check_local(home: Home, journal: Journal, workflow: Workflow) -> None:
    """Whoever drives already has what the calls need; otherwise it will be us. Raises InvalidError."""
    if not isinstance(home, RemoteHome) and not is_driven(home, journal.execution_id):
        require_local(workflow)


def drive(home: Home, journal: Journal, workflow: Workflow, way: Way, history: int = 0, note: str = "") -> Outcome:
    """Drive an execution whose journal is held. A signal leaves it `interrupted`, to be resumed."""
    if isinstance(home, RemoteHome):
        return _look_on(home, journal, way, note, history)
    try:
        run_loop(_drive(home, journal, workflow, way, history))
        outcome = outcome_of(home, journal, note)
    except Interrupted as interrupted:
        stopped = f"stopped by {interrupted.signal_name}; `wfrun resume {journal.execution_id}` goes on from here"
        outcome = Outcome(journal.execution_id, view_of(home, journal.records, driven=False), stopped)
    index = IndexWriter(home, partial(Journal.read, home))
    index.note(outcome.view, journal.end)
    index.close()
    return outcome


def outcome_of(home: Home, journal: Journal, note: str = "", driven: bool | None = None) -> Outcome:
    return Outcome(journal.execution_id, view_of(home, journal.records, driven), note)


def _topmost(home: Home, journal: Journal) -> Journal:
    """The parent that waits for it, if there is one: who drives that drives all its children."""
    top = root_of(home, journal.execution_id) if "parent" in journal.records[0] else journal.execution_id
    if top == journal.execution_id:
        return journal
    parent = Journal.open(home, top)
    first, last = (parent, journal) if has_ended(parent.records) else (journal, parent)
    first.close()
    return last


def _take_up(home: Home, journal: Journal, way: Way, note: str = "", seen: ExecutionResumed | None = None) -> Outcome:
    """Become the driver of an execution that was begun before. One that needs attention is taken for repaired."""
    if isinstance(home, RemoteHome):
        return _leave_to_workers(home, journal, way, note, seen)
    refuse_orphan(home, journal.records)
    workflow = workflow_of(home, journal.records, way.services)
    check_local(home, journal, workflow)
    history = len(journal.records)
    journal.drive(runner())
    if has_ended(journal.records) == "needs-attention":
        with journal.turn():
            journal.add(seen or seen_to(""))
    return drive(home, journal, workflow, way, history, note)


def _leave_to_workers(
    home: RemoteHome, journal: Journal, way: Way, note: str, seen: ExecutionResumed | None
) -> Outcome:
    history = len(journal.records)
    if has_ended(journal.records) == "needs-attention" and seen is not None:
        with journal.turn():
            journal.add(seen)
            journal.sync()
    return _look_on(home, journal, way, note, history)


def _look_on(home: RemoteHome, journal: Journal, way: Way, note: str, history: int) -> Outcome:
    from wfrun.app.watching import watch

    journal.close()
    return watch(home, journal.execution_id, way, note, history)


def drive_on(home: Home, executions: list[str], way: Way) -> None:
    """Drive several on, each by way of its topmost parent; those that another process drives are left to it."""
    if isinstance(home, RemoteHome):
        return
    try:
        run_loop(_drive_all(home, executions, way))
    except Interrupted:
        return  # each has been left to be resumed, and what was recorded for it stays


async def _drive_all(home: Home, executions: list[str], way: Way) -> None:
    async with open_engine(home) as engine:
        runtime = Runtime(home, engine, way.observer, park=not way.wait, services=way.services)
        for execution in dict.fromkeys(root_of(home, each) for each in executions):
            if not is_driven(home, execution):
                runtime.adopt(execution)
        await runtime.close()


async def _drive(home: Home, journal: Journal, workflow: Workflow, way: Way, history: int) -> None:
    async with open_engine(home) as engine:
        runtime = Runtime(home, engine, way.observer, park=not way.wait, services=way.services)
        try:
            await runtime.drive(journal, workflow, history)
        finally:
            await runtime.close()

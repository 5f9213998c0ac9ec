"""Which definition an execution goes by: the one that it started with, until a repair puts another in its place."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wfrun.app.elsewhere import RemoteHome
from wfrun.app.services import configure
from wfrun.app.workflows import Workflow, stored_plan, stored_workflow
from wfrun.core.plan import Plan
from wfrun.core.plan.nodes import walk
from wfrun.core.plan.sides import shown_names
from wfrun.core.run import Run
from wfrun.journal.home import Home
from wfrun.views.naming import id_of

if TYPE_CHECKING:
    from wfrun.core.events import Record

# What a repair that replaces the workflow says instead of execution.started.
REPLACED = ("definition", "version", "steps", "origin", "links", "listens", "parts", "names")


def in_force(records: Iterable[Record]) -> Mapping[str, Any]:
    """What execution.started says, with what has been put in its place since.

    A replacement that is still to come into force counts: whoever drives on comes to it.
    """
    *_, last = _in_turn(records)
    return last


def workflow_of(home: Home, records: Iterable[Record], services: str | None) -> Workflow:
    """The workflow by which an execution goes on, as it is stored, with its services: see `stored_workflow`.

    What an earlier definition did may have to be undone by services that only that one knows.
    """
    if isinstance(home, RemoteHome):
        return _of_workers(home, records)
    *before, last = _in_turn(records)
    return with_services_of(home, before, stored_workflow(home, last, services), services)


def _of_workers(home: Home, records: Iterable[Record]) -> Workflow:
    started = in_force(records)
    plan = stored_plan(home, started)
    return Workflow(plan.document, plan, {}, [], started.get("links", {}))


def with_services_of(
    home: Home, before: Iterable[Mapping[str, Any]], workflow: Workflow, services: str | None
) -> Workflow:
    """The workflow, with the services of earlier definitions that it does not have itself."""
    known: dict[str, Any] = {}
    for started in before:
        folder, override = Path(started["origin"]["file"]).parent, services or started["origin"].get("services")
        known |= configure(stored_plan(home, started), folder, override)[0]
    return workflow._replace(services={**known, **workflow.services}) if known else workflow


def begin_run(home: Home, records: Sequence[Record], workflow: Workflow) -> Run:
    """A fold for the records of an execution, none of them folded yet. `workflow` is the one in force."""
    return _begin_run(home, records[0], {workflow.plan.document.sha256: workflow.plan})


def fold(home: Home, records: Sequence[Record]) -> Run:
    """The records of an execution, folded. No service of its workflow is looked at."""
    run = _begin_run(home, records[0], {})
    for record in records:
        run.apply(record)
    return run


def instance_in(run: Run, step: str) -> str:
    """The instance of a step that a person names: by what it is shown as, or by what the journal calls it."""
    is_its_own = any(step.partition("@")[0] == each.id for each in walk(run.plan.root))
    return step if is_its_own else id_of(step, shown_names(run.plan.root))


def _begin_run(home: Home, started: Record, known: dict[str, Plan]) -> Run:
    def plan(definition: str) -> Plan:
        if definition not in known:
            known[definition] = stored_plan(home, {**started, "definition": definition})
        return known[definition]

    return Run(plan(started["definition"]), plan)


def _in_turn(records: Iterable[Record]) -> list[dict[str, Any]]:
    """The start, and one after the other what it would say with each definition that has come since."""
    given: list[dict[str, Any]] = []
    for record in records:
        if not given:
            given.append(record)
        elif record["type"] == "repair.requested" and "definition" in record:
            given.append({**given[-1], **{key: record[key] for key in REPLACED if key in record}})
    return given

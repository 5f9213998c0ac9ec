"""From files to plans: reading what the user wrote, and what an execution started with."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from wfrun.adapters.registry import LOCAL
from wfrun.app.checked import known, recall, remember
from wfrun.app.files import read_file
from wfrun.app.services import Configs, configure, problems_of
from wfrun.core.definition import Document
from wfrun.core.plan import Plan, build_plan, examine_plan
from wfrun.errors import InvalidError, Problem, bounded, in_order
from wfrun.journal.home import Home
from wfrun.load.definition import examine_definition
from wfrun.load.references import inline_references


class Workflow(NamedTuple):
    """A workflow's document and plan, the services it calls, each as configured, and all that was found wrong.

    `problems` are in the order of their places; those of severity `warning` are advice. `links` and `linked` are the
    workflows that it runs as steps, if it does: see linking.
    """

    document: Document
    plan: Plan
    services: Configs
    problems: list[Problem]
    links: Mapping[str, Mapping[str, str]] = {}
    linked: tuple[Document, ...] = ()

    @property
    def fields(self) -> Mapping[str, Any] | None:
        """What `input:` declares, or None if it declares nothing."""
        data: Any = self.document.data
        return data.get("input")  # type: ignore[no-any-return]


def examine_workflow(path: str, services: str | None) -> Workflow:
    """The workflow of a file, whatever is wrong with it.

    Raises InvalidError if there is no telling what it says: with that, and with what is wrong with the services file.
    """
    return _examine(*_written(read_file(path, "the workflow"), path, services), services)


def _written(source: bytes, path: str, services: str | None) -> tuple[Document, list[Problem]]:
    try:
        return examine_definition(source, path)
    except InvalidError as invalid:
        more = [] if services is None else problems_of(services)
        raise InvalidError([*invalid.problems, *bounded(more)]) from None


def _examine(written: Document, misshapen: list[Problem], services: str | None) -> Workflow:
    document, wrong = inline_references(written)
    plan, problems = examine_plan(document)
    return _surrounded(plan, [*misshapen, *wrong, *problems], services)


def _surrounded(plan: Plan, problems: list[Problem], services: str | None) -> Workflow:
    """The workflow with the services and the other workflows that it needs."""
    path = Path(plan.document.file).resolve()
    configs, more = configure(plan, path.parent, services)
    workflow = Workflow(plan.document, plan, configs, in_order([*problems, *more]))
    return _linked(workflow, path, services) if plan.workflows else workflow


def _linked(workflow: Workflow, path: Path, services: str | None) -> Workflow:
    from wfrun.app.linking import link  # most workflows are no others' parents

    links = link(path, workflow.plan, services)
    problems = in_order([*workflow.problems, *links.problems])
    return workflow._replace(problems=problems, links=links.names, linked=tuple(links.documents))


def open_workflow(path: str, services: str | None, home: Home | None = None) -> Workflow:
    """The workflow of a file. Raises InvalidError with every error of the file, its plan and its services.

    A home knows the definitions that were found valid before: they are neither read nor checked again.
    """
    if home is None:
        return _accepted(examine_workflow(path, services))
    source = read_file(path, "the workflow")
    document = known(home, source, path)
    if document is None:
        document, misshapen = _written(source, path, services)
        workflow = _accepted(_examine(document, misshapen, services))
        remember(home, document)
        return workflow
    if inline_references(document)[0] is not document:
        return _accepted(_examine(document, [], services))  # whether it is valid depends on other files, too
    return _accepted(_surrounded(build_plan(document), [], services))


def stored_workflow(home: Home, started: Mapping[str, Any], services: str | None) -> Workflow:
    """The workflow that an execution started with: the stored bytes, whatever the file says by now.

    Services are configuration, not definition: they are read again, from where they were at the start unless `services`
    names another file. The definition passed its checks when it started, and is not held against later ones.
    """
    origin = started["origin"]
    plan = stored_plan(home, started)
    configs, problems = configure(plan, Path(origin["file"]).parent, services or origin.get("services"))
    return _accepted(Workflow(plan.document, plan, configs, in_order(problems), started.get("links", {})))


def startable(workflow: Workflow, file: str) -> Workflow:
    """A stored workflow, with the schemas that its input refers to as they are now, seen from `file`.

    Raises InvalidError. Only for a start: an execution that has been started is not asked for its input again.
    """
    document, wrong = inline_references(workflow.document._replace(file=file))
    _refuse(wrong)
    return workflow._replace(document=document)


def keep(home: Home, workflow: Workflow) -> None:
    """Store the exact bytes that an execution of this workflow goes by, whatever becomes of the files."""
    for document in (workflow.document, *workflow.linked):
        home.write_definition(document.source)


def stored_plan(home: Home, started: Mapping[str, Any]) -> Plan:
    """The plan that an execution started with, without its services. Writes nothing."""
    source = home.read_definition(started["definition"])
    return build_plan(recall(home, source, Path(started["origin"]["file"]).name))


def require_local(workflow: Workflow) -> None:
    """Raises InvalidError if this machine lacks what the calls need: a variable, a Python module.

    To be asked by whoever is about to make the calls, before anything is done.
    """
    _refuse([problem for problem in workflow.problems if problem.code in LOCAL])


def _accepted(workflow: Workflow) -> Workflow:
    _refuse([each for each in workflow.problems if each.severity == "error" and each.code not in LOCAL])
    return workflow


def _refuse(problems: list[Problem]) -> None:
    if problems:
        raise InvalidError(bounded(problems))

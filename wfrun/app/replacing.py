"""Another workflow for an execution that has begun: what `resume --with FILE` reads, and says about it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from wfrun.app.in_force import REPLACED, in_force
from wfrun.app.starting import check_input, first_event, origin_of
from wfrun.app.workflows import Workflow, open_workflow
from wfrun.errors import InvalidError, Problem

if TYPE_CHECKING:
    from wfrun.core.events import Record


class Replacement(NamedTuple):
    """The workflow, and what a repair.requested says of it besides the hash of its definition."""

    workflow: Workflow
    facts: Mapping[str, Any]


def read_replacement(records: Sequence[Record], file: str, services: str | None) -> Replacement:
    """The workflow of a file, to go on with. Its services file is the one that the execution has, unless one is named.

    Raises InvalidError: for what is wrong with it, for one with another name, and if it wants another input.
    """
    services = services or in_force(records)["origin"].get("services")
    workflow = open_workflow(file, services)
    problems = list(_unfit(records[0], workflow))
    if problems:
        raise InvalidError(problems)
    told = first_event(records[0]["execution"], workflow, {}, origin_of(file, services), "", "")
    facts = {key: told[key] for key in REPLACED if key in told}  # type: ignore[literal-required]
    return Replacement(workflow, {"listens": [], "parts": [], "names": {}, **facts})


def _unfit(started: Record, workflow: Workflow) -> Iterator[Problem]:
    document = workflow.document
    if workflow.plan.name != started["workflow"]:
        message = f"this is workflow {workflow.plan.name!r}, and the execution is one of {started['workflow']!r}"
        yield Problem("repair.another-workflow", message, document.place(("name",)), "a replacement keeps the name")
        return
    given = started["input"]
    try:
        wanted = check_input(workflow, given)
    except InvalidError as invalid:
        message = "the input that the execution was started with does not fit any more: "
        yield from (each._replace(message=message + each.message) for each in invalid.problems)
        return
    for name in wanted.keys() - given.keys():
        message = f"the execution was started without the input {name!r}"
        hint = "use another key, for example one that a `set` step gives"
        yield Problem("repair.input-missing", message, document.place(("input", name), key=True), hint)

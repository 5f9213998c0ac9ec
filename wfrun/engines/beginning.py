"""How an execution begins: the record that is its first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from wfrun.core.plan import Plan
from wfrun.core.plan.sides import parts, shown_names
from wfrun.core.values import Json
from wfrun.errors import ConflictError, InvalidError, Place, Problem
from wfrun.load.departures import kind
from wfrun.load.fields import check_fields

if TYPE_CHECKING:
    from wfrun.core.events import ExecutionStarted

FORMAT = 1

# How many executions can be above one: whoever looks at a parent looks at all of its children.
MAX_DEPTH = 64


def as_object(input: Json | InvalidError) -> dict[str, Json] | InvalidError:
    """What is given as an input, as far as it can be judged without the workflow: none is an empty one."""
    values = {} if input is None else input
    if isinstance(values, dict | InvalidError):
        return values
    message = f"the input must be an object, not {kind(values)}"
    return InvalidError([Problem("input.type", message, Place("input"), 'for example {"order": {…}}')])


def check_input(fields: Mapping[str, Any] | None, input: Json | InvalidError) -> dict[str, Json]:
    """The input with its defaults; a workflow that declares nothing accepts any object.

    Raises InvalidError: what is wrong with it, be it that it could not be read.
    """
    values = as_object(input)
    if isinstance(values, InvalidError):
        raise values
    if fields is None:
        return values
    return check_fields(fields, values, file="input", what="input")


def first_event(
    execution: str,
    plan: Plan,
    values: dict[str, Json],
    *,
    links: Mapping[str, Mapping[str, str]],
    origin: dict[str, str],
    initiator: str,
    seed: str,
) -> ExecutionStarted:
    """The record that an execution begins with."""
    first: ExecutionStarted = {
        "type": "execution.started",
        "format": FORMAT,
        "execution": execution,
        "workflow": plan.name,
        "version": plan.version,
        "definition": plan.document.sha256,
        "input": values,
        "seed": seed,
        "initiator": initiator,
        "steps": plan.step_names,
        "origin": origin,
    }
    if links:
        first["links"] = {sha: dict(names) for sha, names in links.items()}
    if plan.listens:
        first["listens"] = list(plan.listens)
    if found := parts(plan.root):
        first["parts"] = found
    if names := shown_names(plan.root):
        first["names"] = names
    return first


def depth_below(started: Mapping[str, Any]) -> int:
    """How deep a child of this execution is. A workflow that runs itself must come to an end (C17)."""
    depth = int(started.get("parent", {}).get("depth", 0)) + 1
    if depth > MAX_DEPTH:
        message = f"a workflow in a workflow, {MAX_DEPTH} levels deep: one more is refused"
        raise ConflictError("workflow.depth", message, hint="let the recursion end, or use a loop")
    return depth

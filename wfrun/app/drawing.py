"""The outline of a workflow, of a file or of the definition that an execution started with: what can be drawn."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from wfrun.app.executions import find_execution
from wfrun.app.workflows import open_workflow, stored_plan
from wfrun.core.plan.nodes import Call, Conditional, HumanTask, Parallel, Sequence, Step
from wfrun.journal.home import Home
from wfrun.journal.journal import Journal
from wfrun.views.model import OutlineNode


class Outline(NamedTuple):
    """`title` is the name of the workflow."""

    title: str
    nodes: list[OutlineNode]


def outline(home: Home, subject: str) -> Outline:
    """The steps of a workflow file, or of the definition that an execution started with."""
    if Path(subject).exists():
        plan = open_workflow(subject, None).plan
    else:
        plan = stored_plan(home, Journal.read(home, find_execution(home, subject))[0])
    return Outline(plan.name, _nodes(plan.root.steps))


def _nodes(steps: tuple[Step, ...]) -> list[OutlineNode]:
    return [_node(step) for step in steps]


def _node(step: Step) -> OutlineNode:
    kind, label = _describe(step)
    condition = step.choice if isinstance(step, Conditional) else step.condition
    named = not step.id.startswith(("steps", "compensations")) or isinstance(step, Call | HumanTask)
    return {
        "id": step.id,
        "name": step.id if named else "",
        "type": kind,
        "label": label,
        "condition": condition.text if condition is not None else None,
        "compensation": _compensation(step),
        "branch": None,
        "children": _children(step),
    }


def _describe(step: Step) -> tuple[str, str]:
    match step:
        case Call(service=service, action=action):
            return "call", f"{service}.{action}"
        case HumanTask():
            return "human-task", "asks a person"
        case Sequence():
            return "sequential", ""
        case Parallel():
            return "parallel", ""
        case Conditional(choice=choice):
            return "conditional", choice.text


def _compensation(step: Step) -> str | None:
    undo = step.compensation if isinstance(step, Call) else None
    return f"{undo.service}.{undo.action}" if undo else None


def _children(step: Step) -> list[OutlineNode]:
    match step:
        case Sequence(steps=steps):
            return _nodes(steps)
        case Parallel(branches=branches):
            return _nodes(branches)
        case Conditional(then=then, otherwise=otherwise):
            sides: list[OutlineNode] = [{**node, "branch": "then"} for node in _flat(then)]
            if otherwise is not None:
                sides += [{**node, "branch": "else"} for node in _flat(otherwise)]
            return sides
    return []


def _flat(step: Step) -> list[OutlineNode]:
    """A branch without the sequence that it was written as."""
    return _nodes(step.steps) if isinstance(step, Sequence) and step.condition is None else [_node(step)]

"""The outline of a workflow, of a file or of the definition by which an execution goes: what can be drawn."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from wfrun.app.executions import find_execution
from wfrun.app.in_force import in_force
from wfrun.app.workflows import open_workflow, stored_plan
from wfrun.core.definition import Document, render_path
from wfrun.core.definition import Path as DocumentPath
from wfrun.core.plan.nodes import (
    Await,
    Call,
    Child,
    Conditional,
    Crew,
    Emit,
    Fail,
    Finish,
    Foreach,
    Handler,
    HumanTask,
    Loop,
    Parallel,
    Pause,
    Sequence,
    Set,
    Step,
    Switch,
    Try,
)
from wfrun.journal.home import Home
from wfrun.journal.journal import Journal

if TYPE_CHECKING:
    from wfrun.views.model import OutlineNode


class Outline(NamedTuple):
    """`title` is the name of the workflow."""

    title: str
    nodes: list[OutlineNode]


def outline(home: Home, subject: str) -> Outline:
    """The steps of a workflow file, or of the definition by which an execution goes."""
    if Path(subject).exists():
        plan = open_workflow(subject, None).plan
    else:
        plan = stored_plan(home, in_force(Journal.read(home, find_execution(home, subject))))
    return Outline(plan.name, draw(plan.root.steps, plan.document))


def draw(steps: Iterable[Step], document: Document) -> list[OutlineNode]:
    """One after the other. A list of steps within the list is only a way to write them."""
    return [node for step in steps for node in _flat(step, document)]


def _flat(step: Step, document: Document) -> list[OutlineNode]:
    if isinstance(step, Sequence) and not _is_told(step):
        return draw(step.steps, document)
    return [_node(step, document)]


def _is_told(step: Sequence) -> bool:
    """Whether anything is said about a sequence but that it is one."""
    return bool(_name(step) or step.condition or step.compensation or step.bound)


def _ignores(step: Try) -> bool:
    """Whether it is a step with `onError: continue`, which is that step still."""
    return step.last is None and all(handler.body is None for handler in step.handlers)


def _name(step: Step) -> str:
    return "" if step.id == render_path(step.path) else step.id


def _node(step: Step, document: Document) -> OutlineNode:
    if isinstance(step, Try) and _ignores(step):
        node = _node(step.body, document)
        return {**node, "label": ", ".join(part for part in (node["label"], "goes on after an error") if part)}
    kind, label = _describe(step, document)
    condition = step.choice if isinstance(step, Conditional) else step.condition
    return {
        "id": step.id,
        "name": _name(step),
        "type": kind,
        "label": label,
        "condition": condition.text if condition is not None else None,
        "compensation": ", ".join(f"{call.service}.{call.action}" for call in step.compensation) or None,
        "branch": None,
        "children": _children(step, document),
    }


def _describe(step: Step, document: Document) -> tuple[str, str]:
    """The type of a step, and what it is about in a few words."""
    match step:
        case Call(service=service, action=action):
            return "call", f"{service}.{action}"
        case HumanTask():
            return "human-task", "asks a person"
        case Pause(kind=kind):
            return "wait", f"{kind} {_written(document, (*step.path, kind))}"
        case Await():
            return "wait", _awaited(step)
        case Set(values=values):
            return "set", ", ".join(name for name, _ in values)
        case Emit(event=event):
            return "emit", event
        case Child(workflow=workflow, detach=detach):
            return "workflow", f"{workflow} (detached)" if detach else workflow
        case Fail():
            return "fail", _written(document, (*step.path, "error"))
        case Finish():
            return "end", ""
        case _:
            return _describe_block(step, document)


def _describe_block(step: Step, document: Document) -> tuple[str, str]:
    match step:
        case Parallel(crew=crew):
            return "parallel", _crew(crew)
        case Conditional(choice=choice):
            return "conditional", choice.text
        case Switch():
            return "switch", ""
        case Foreach(name=name, crew=crew):
            over = f"{name or 'item'} of {_written(document, (*step.path, 'items')) or 'a list'}"
            return "foreach", ", ".join(part for part in (over, _crew(crew)) if part)
        case Loop(kind="while", test=test):
            return "while", f"as long as {test.text}"
        case Loop(test=test):
            return "repeat", f"until {test.text}"
        case Try():
            return "try", ""
    return "sequential", ""


def _awaited(step: Await) -> str:
    names = [listener.event for listener in step.listeners]
    if len(names) == 1:
        return f"event {names[0]}"
    if step.complete == len(names):
        return f"events {', '.join(names)}"
    return f"{'any' if step.complete == 1 else step.complete} of the events {', '.join(names)}"


def _crew(crew: Crew) -> str:
    if crew.complete is not None:
        return "one is enough" if crew.complete == 1 else f"{crew.complete} are enough"
    if crew.tolerate.percent:
        return f"{crew.tolerate.percent:g}% may fail"
    return f"{crew.tolerate.count} may fail" if crew.tolerate.count else ""


def _written(document: Document, path: DocumentPath) -> str:
    """A text or number as it is written; nothing for anything else."""
    value: Any = document.data
    for part in path:
        value = value.get(part) if isinstance(value, dict) else value[part]
    return str(value) if isinstance(value, str | int) else ""


def _children(step: Step, document: Document) -> list[OutlineNode]:
    match step:
        case Sequence(steps=steps):
            return draw(steps, document)
        case Parallel():
            return _branches(step, document)
        case Conditional(then=then, otherwise=otherwise):
            return _side("then", then, document) + _side("else", otherwise, document)
        case Switch(cases=cases, otherwise=otherwise):
            sides = [node for case in cases for node in _side(case.condition.text, case.body, document)]
            return sides + _side("else", otherwise, document)
        case Foreach(body=body) | Loop(body=body):
            return _flat(body, document)
        case Try(body=body, handlers=handlers, last=last):
            caught = [node for handler in handlers for node in _side(_catch(handler), handler.body, document)]
            return _flat(body, document) + caught + _side("finally", last, document)
    return []


def _branches(block: Parallel, document: Document) -> list[OutlineNode]:
    nodes = [_node(branch, document) for branch in block.branches]
    for node, needs in zip(nodes, block.needs, strict=False):
        if needs:
            node["needs"] = [nodes[index]["id"] for index in needs]
    return nodes


def _side(branch: str, step: Step | None, document: Document) -> list[OutlineNode]:
    return [{**node, "branch": branch} for node in _flat(step, document)] if step is not None else []


def _catch(handler: Handler) -> str:
    condition = f" if {handler.condition.text}" if handler.condition is not None else ""
    return f"catch {', '.join(handler.patterns)}{condition}"

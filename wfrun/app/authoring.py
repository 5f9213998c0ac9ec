"""Use cases around a workflow file: check it, draw it, begin one."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from wfrun.adapters.modules import is_found
from wfrun.adapters.templates import place
from wfrun.app.executions import find_execution
from wfrun.app.workflows import Workflow, open_workflow, stored_plan
from wfrun.core.plan.nodes import Call, Conditional, HumanTask, Parallel, Sequence, Step
from wfrun.errors import ConflictError, InvalidError, NotFoundError, Problem
from wfrun.journal.home import Home
from wfrun.journal.journal import Journal
from wfrun.resources import resource
from wfrun.views.model import OutlineNode

_STARTER_SUFFIXES = (".yaml", ".json", ".py")


def validate(workflow: str, *, services: str | None) -> list[Problem]:
    """Every problem of a workflow, its plan and its services; those of severity `warning` are advice."""
    try:
        opened = open_workflow(workflow, services)
    except InvalidError as invalid:
        return list(invalid.problems)
    return [*opened.advice, *_missing_modules(opened)]


def _missing_modules(workflow: Workflow) -> Iterator[Problem]:
    """Python services whose module is not there: advice, for it may be installed where the workflow is to run."""
    data: Any = workflow.document.data
    for name, config in workflow.services.items():
        if config.settings["adapter"] != "python" or is_found(config):
            continue
        in_document = data.get("services", {}).get(name) is config.settings
        at = workflow.document.place(("services", name, "module")) if in_document else place(config, "module")
        message = f"the module {config.settings['module']} is not found"
        hint = f"it is looked for in {config.folder}, then among what is installed"
        yield Problem("service.module", message, at, hint, "warning")


def outline(home: Home, subject: str) -> list[OutlineNode]:
    """The steps of a workflow file, or of the definition that an execution started with."""
    if Path(subject).exists():
        plan = open_workflow(subject, None).plan
    else:
        plan = stored_plan(home, Journal.read(home, find_execution(home, subject))[0])
    return _nodes(plan.root.steps)


def init(folder: str) -> list[Path]:
    """Write a commented workflow to start from. Raises ConflictError rather than overwrite anything."""
    target = Path(folder)
    template = resource("workflows", "starter")
    names = _files_of(template)
    for name in names:
        if (target / name).exists():
            raise ConflictError("init.exists", f"{target / name} is there already", hint="choose an empty folder")
    try:
        return [_copy(template / name, target / name) for name in names]
    except OSError as error:
        raise NotFoundError("file.unwritable", f"cannot write to {target}: {os.strerror(error.errno or 0)}") from None


def _files_of(template: Path) -> list[Path]:
    """Relative paths. Installers compile what they install, and that is not part of a starter."""
    names = (path.relative_to(template) for path in template.rglob("*") if path.suffix in _STARTER_SUFFIXES)
    return sorted(names)


def _copy(source: Path, target: Path) -> Path:
    target.parent.mkdir(parents=True, exist_ok=True)
    return Path(shutil.copyfile(source, target))


# ---- drawing


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

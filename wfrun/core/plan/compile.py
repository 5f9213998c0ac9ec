"""Definition to plan: every step gets its id, every expression is parsed, and everything wrong is told at once.

The shape has been checked by the JSON Schema before; what is refused here is what a schema cannot say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, get_args

from wfrun.core.definition import Document
from wfrun.core.expression import Template, compile_template, defer_template
from wfrun.core.plan import retries
from wfrun.core.plan.blocks import block
from wfrun.core.plan.draft import Draft, nearest
from wfrun.core.plan.nodes import Await, Child, Plan, Sequence, Step, Task, walk
from wfrun.core.values import Json
from wfrun.errors import InvalidError, Problem, bounded, in_order

# The id of the whole: no step can have it, whether by its name or by its place.
ROOT = "$"

_TASKS = get_args(Task)


def compile_plan(document: Document) -> tuple[Plan, list[Problem]]:
    """The plan, and advice that does not keep it from running. Raises InvalidError with every error found."""
    plan, problems = examine_plan(document)
    _refuse([problem for problem in problems if problem.severity == "error"])
    return plan, problems


def examine_plan(document: Document) -> tuple[Plan, list[Problem]]:
    """The plan, and all that is wrong with it, errors as well as advice. With an error it is there for checks alone."""
    from wfrun.core.plan.check import check  # not needed by whoever goes on with an execution

    plan, wrong = _build(document, compile_template)
    return plan, in_order([*wrong, *check(plan)])


def build_plan(document: Document) -> Plan:
    """The plan of a definition that passed `compile_plan` when it started: nothing is checked again, and templates are
    compiled when they are needed. Raises InvalidError for what cannot be built at all."""
    plan, wrong = _build(document, defer_template)
    _refuse(wrong)
    return plan


def _build(document: Document, compile: Callable[[Json], Template]) -> tuple[Plan, list[Problem]]:
    draft = Draft(document, compile)
    return _plan(draft, document.data), draft.problems


def _refuse(problems: list[Problem]) -> None:
    if problems:
        raise InvalidError(bounded(problems))


def _plan(draft: Draft, data: Any) -> Plan:
    handling = data.get("errorHandling", {})
    draft.retries = retries.inherited(draft, handling)
    draft.timeout = draft.duration(handling, "timeout", ("errorHandling",))
    draft.on_crash = handling.get("onCrash", draft.on_crash)
    draft.compensations = dict(data.get("compensations", {}))
    root = _root(draft, data)
    _refuse_compensations_of_nothing(draft)
    steps = list(walk(root))
    return Plan(
        name=data["name"],
        version=data.get("version", 1),
        document=draft.document,
        root=root,
        output=draft.template(data["output"], ("output",)) if "output" in data else None,
        step_names=[step.id for step in steps if isinstance(step, _TASKS)],
        pauses=handling.get("onFailure") == "pause",
        listens=_listens(steps),
        workflows=_unique(step.workflow for step in steps if isinstance(step, Child)),
        gaps=draft.gaps,
    )


def _listens(steps: list[Step]) -> tuple[str, ...]:
    return _unique(each.event for step in steps if isinstance(step, Await) for each in step.listeners)


def _unique(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))


def _root(draft: Draft, data: Any) -> Sequence:
    steps, path = data["steps"], ("steps",)
    if isinstance(steps, list):
        inner = tuple(block(draft, item, (*path, index)) for index, item in enumerate(steps))
    else:
        inner = (block(draft, steps, path),)
    return Sequence(ROOT, path, None, inner, bound=draft.duration(data, "timeout", ()))


def _refuse_compensations_of_nothing(draft: Draft) -> None:
    if any(problem.code == "plan.duplicate-name" for problem in draft.problems):
        return  # a name given twice is most likely the one that a compensation misses, so that is told alone
    gaps = draft.gaps
    for name in draft.compensations:
        if gaps.may_name(name):
            continue
        message = f"compensation for {name!r}, but no step has that name"
        draft.error("plan.unknown-step", message, ("compensations", name), nearest(name, draft.names), key=True)

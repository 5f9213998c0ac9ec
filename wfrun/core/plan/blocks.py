"""The walk through a definition: steps that lead to other steps, compiled, and at their ends those that do not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Literal, TypeAlias

from wfrun.core.definition import Path, render_path
from wfrun.core.expression import Expression
from wfrun.core.plan import leaves
from wfrun.core.plan.common import common
from wfrun.core.plan.crews import crew, needs
from wfrun.core.plan.draft import Common, Draft
from wfrun.core.plan.nodes import (
    Case,
    Collect,
    Conditional,
    Foreach,
    Handler,
    Loop,
    Parallel,
    Sequence,
    Step,
    Switch,
    Try,
)

_Compile: TypeAlias = Callable[[Draft, Mapping[str, Any], Path, Common], Step]


def block(draft: Draft, data: Any, path: Path) -> Step:
    """A list of steps or a single one, as every place that expects steps accepts both."""
    if isinstance(data, list):
        steps = tuple(block(draft, item, (*path, index)) for index, item in enumerate(data))
        return Sequence(render_path(path), path, None, steps, in_doubt=draft.is_in_doubt(path))
    return _step(draft, data, path)


def _step(draft: Draft, data: Mapping[str, Any], path: Path) -> Step:
    compile = _KINDS.get(data.get("type", ""), leaves.call)
    step = _doubted(draft, compile(draft, data, path, common(draft, data, path)), path)
    return _doubted(draft, _with_handlers(draft, step, data["onError"]), path) if "onError" in data else step


def _doubted(draft: Draft, step: Step, path: Path) -> Step:
    return replace(step, in_doubt=True) if draft.is_in_doubt(path) else step


def _with_handlers(draft: Draft, step: Step, written: Any) -> Try:
    """`onError`: a `try` around one step."""
    path = (*step.path, "onError")
    handlers = (
        (Handler(path, ("*",), None, "error", None),) if written == "continue" else _handlers(draft, written, path)
    )
    return Try(render_path(path), path, None, step, handlers, None)


def _handlers(draft: Draft, written: Any, path: Path) -> tuple[Handler, ...]:
    if isinstance(written, list):
        return tuple(_handler(draft, item, (*path, index)) for index, item in enumerate(written))
    return (_handler(draft, written, path),)


def _handler(draft: Draft, data: Mapping[str, Any], path: Path) -> Handler:
    patterns = data.get("error", "*")
    return Handler(
        path=path,
        patterns=(patterns,) if isinstance(patterns, str) else tuple(patterns),
        condition=draft.expression(data, "condition", path),
        name=data.get("as", "error"),
        body=block(draft, data["steps"], (*path, "steps")),
    )


def _otherwise(draft: Draft, data: Mapping[str, Any], key: str, path: Path) -> Step | None:
    return block(draft, data[key], (*path, key)) if key in data else None


def _sequential(draft: Draft, data: Mapping[str, Any], path: Path, common: Common) -> Sequence:
    return Sequence(**common, steps=(block(draft, data["steps"], (*path, "steps")),))


def _parallel(draft: Draft, data: Mapping[str, Any], path: Path, common: Common) -> Parallel:
    at = (*path, "steps")
    needed = needs(draft, data["steps"], at)  # first, for a branch is in doubt if what it needs is
    branches = tuple(block(draft, _without_needs(item), (*at, index)) for index, item in enumerate(data["steps"]))
    return Parallel(**common, branches=branches, crew=crew(draft, data, path, None), needs=needed)


def _without_needs(branch: Any) -> Any:
    """A branch as a step of its own: what it needs is its parent's business."""
    if isinstance(branch, dict) and "needs" in branch:
        return {key: value for key, value in branch.items() if key != "needs"}
    return branch


def _conditional(draft: Draft, data: Mapping[str, Any], path: Path, common: Common) -> Conditional:
    choice = draft.test(data, "condition", path)
    then = block(draft, data["then"], (*path, "then"))
    return Conditional(**common, choice=choice, then=then, otherwise=_otherwise(draft, data, "else", path))


def _switch(draft: Draft, data: Mapping[str, Any], path: Path, common: Common) -> Switch:
    cases = tuple(_case(draft, item, (*path, "cases", index)) for index, item in enumerate(data["cases"]))
    return Switch(**common, cases=cases, otherwise=_otherwise(draft, data, "else", path))


def _case(draft: Draft, data: Mapping[str, Any], path: Path) -> Case:
    return Case(draft.test(data, "condition", path), block(draft, data["steps"], (*path, "steps")))


def _foreach(draft: Draft, data: Mapping[str, Any], path: Path, common: Common) -> Foreach:
    return Foreach(
        **common,
        items=draft.template(data["items"], (*path, "items")),
        name=data.get("as"),
        crew=crew(draft, data, path, 1),
        body=block(draft, data["steps"], (*path, "steps")),
        collect=_collect(draft, data, path),
    )


def _while(draft: Draft, data: Mapping[str, Any], path: Path, common: Common) -> Loop:
    return _loop(draft, data, path, common, "while", draft.test(data, "condition", path))


def _repeat(draft: Draft, data: Mapping[str, Any], path: Path, common: Common) -> Loop:
    return _loop(draft, data, path, common, "until", draft.test(data, "until", path))


def _loop(
    draft: Draft,
    data: Mapping[str, Any],
    path: Path,
    common: Common,
    kind: Literal["while", "until"],
    test: Expression,
) -> Loop:
    return Loop(
        **common,
        kind=kind,
        test=test,
        most=data["maxIterations"],
        delay=draft.duration(data, "delay", path),
        body=block(draft, data["steps"], (*path, "steps")),
        collect=_collect(draft, data, path),
    )


def _collect(draft: Draft, data: Mapping[str, Any], path: Path) -> Collect | None:
    output = data.get("output")
    if isinstance(output, dict):
        return Collect(None, draft.templates(output, (*path, "output")))
    return None if output is None else Collect(output)


def _try(draft: Draft, data: Mapping[str, Any], path: Path, common: Common) -> Try:
    return Try(
        **common,
        body=block(draft, data["steps"], (*path, "steps")),
        handlers=_handlers(draft, data.get("catch", []), (*path, "catch")),
        last=_otherwise(draft, data, "finally", path),
    )


# By type; a step without one is a call.
_KINDS: Mapping[str, _Compile] = {
    "sequential": _sequential,
    "parallel": _parallel,
    "conditional": _conditional,
    "switch": _switch,
    "foreach": _foreach,
    "while": _while,
    "repeat": _repeat,
    "try": _try,
    "human-task": leaves.human_task,
    "wait": leaves.wait,
    "set": leaves.set_values,
    "emit": leaves.emit,
    "workflow": leaves.child,
    "fail": leaves.fail,
    "end": leaves.end,
}

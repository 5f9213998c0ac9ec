"""Which keys steps set, and after which steps nothing comes any more."""

from __future__ import annotations

from collections.abc import Iterator

from wfrun.core.definition import Path
from wfrun.core.plan.nodes import (
    Await,
    Call,
    Child,
    Conditional,
    Crew,
    Fail,
    Finish,
    Foreach,
    HumanTask,
    Loop,
    Parallel,
    Sequence,
    Set,
    Step,
    Switch,
    Tolerance,
    Try,
    children,
)


def own_keys(step: Step) -> Iterator[tuple[str, Path]]:
    """The keys that a step sets itself, each with the place where that is written."""
    match step:
        case Call() | HumanTask() | Await() | Child():
            if step.output is not None:
                yield step.output, (*step.path, "output")
        case Set(values=values):
            yield from ((name, (*step.path, "values", name)) for name, _ in values)
        case Foreach() | Loop():
            collect = step.collect
            if collect is not None and collect.key is not None:
                yield collect.key, (*step.path, "output")
            elif collect is not None:
                yield from ((name, (*step.path, "output", name)) for name in collect.keys)


def left_keys(step: Step) -> Iterator[tuple[str, Step]]:
    """All keys that a step and those inside leave to what comes after it, each with the step that sets it."""
    yield from ((name, step) for name, _ in own_keys(step))
    if not isinstance(step, Foreach | Loop):
        for inner in children(step):
            yield from left_keys(inner)


def takes_all(crew: Crew, branches: int) -> bool:
    """Whether all branches are done once the block is: none is cancelled, none may fail."""
    if crew.complete is not None:
        return crew.complete >= branches
    return crew.tolerate == Tolerance()


def ends(step: Step) -> bool:
    """Whether nothing comes after a step: whichever way it goes, it fails or ends the execution."""
    return step.condition is None and not step.in_doubt and ends_if_run(step)


def ends_if_run(step: Step) -> bool:
    match step:
        case Fail() | Finish():
            return True
        case Sequence(steps=steps):
            return any(map(ends, steps))
        case Parallel(branches=branches):
            return takes_all(step.crew, len(branches)) and any(map(ends, branches))
        case Conditional(then=then, otherwise=otherwise):
            return otherwise is not None and ends(then) and ends(otherwise)
        case Switch(cases=cases, otherwise=otherwise):
            return all(ends(case.body) for case in cases) and (otherwise is None or ends(otherwise))
        case Try(body=body, handlers=handlers, last=last):
            handled = all(handler.body is not None and ends(handler.body) for handler in handlers)
            return (last is not None and ends(last)) or (handled and ends(body))
        case Loop(kind="until", body=body):
            return ends(body)
    return False

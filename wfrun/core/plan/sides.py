"""Which steps stand on which side of which block: what a reader of a journal, who has no plan, has to know of it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING

from wfrun.core.definition import render_path
from wfrun.core.plan.nodes import (
    Conditional,
    Foreach,
    Loop,
    Parallel,
    Sequence,
    Step,
    Switch,
    Task,
    Try,
    children,
    walk,
)

if TYPE_CHECKING:
    from wfrun.core.events import Part


def sides(step: Step) -> Iterator[tuple[Step, str, int | None]]:
    """What a block holds, with the side it is on (nothing for blocks that run all they hold) and, of a case or handler,
    its number."""
    match step:
        case Conditional(then=then, otherwise=otherwise):
            yield then, "then", None
            if otherwise is not None:
                yield otherwise, "else", None
        case Switch(cases=cases, otherwise=otherwise):
            yield from ((case.body, "case", index) for index, case in enumerate(cases))
            if otherwise is not None:
                yield otherwise, "else", None
        case Try(body=body, handlers=handlers, last=last):
            yield body, "body", None
            yield from ((each.body, "handler", at) for at, each in enumerate(handlers) if each.body is not None)
            if last is not None:
                yield last, "finally", None
        case Foreach(body=body) | Loop(body=body):
            yield body, "round", None
        case _:
            yield from ((inner, "", None) for inner in children(step))


@lru_cache(maxsize=8)
def parts(root: Sequence) -> list[Part]:
    """The sides of all blocks, as ranges of the steps that act, ask or wait, which stand in the order written."""
    first = dict(_numbered(root))
    counts = _counts(root)
    found: list[Part] = []
    for step in walk(root):
        if isinstance(step, Sequence | Parallel):
            if step is not root and (step.condition is not None or step.bound is not None):
                found.append(_part(step, "", None, first[step], counts[step]))
            continue
        for inner, side, number in sides(step):
            if counts[inner]:
                found.append(_part(step, side, number, first[inner], counts[inner]))
    return found


def _part(block: Step, side: str, number: int | None, first: int, count: int) -> Part:
    part: Part = {"block": block.id, "side": side, "first": first, "count": count}
    if number is not None:
        part["number"] = number
    return part


def _numbered(root: Step) -> Iterator[tuple[Step, int]]:
    """Each step with how many that act, ask or wait are written before it."""
    before = 0
    for step in walk(root):
        yield step, before
        before += isinstance(step, Task)


def _counts(root: Step) -> dict[Step, int]:
    """How many steps that act, ask or wait each step is or holds."""
    counts: dict[Step, int] = {}
    for step in reversed(list(walk(root))):
        counts[step] = isinstance(step, Task) + sum(counts[inner] for inner in children(step))
    return counts


@lru_cache(maxsize=8)
def shown_names(root: Sequence) -> dict[str, str]:
    """What to call steps without a name that stand in one with a name: `check.then[0]` for `steps[1].then[0]`, and
    `pay.onError` for what surrounds a step with `onError`. Others are called by where they stand."""
    steps = list(walk(root))
    named = {step.path: step.id for step in steps if step.id != render_path(step.path) and step is not root}
    found: dict[str, str] = {}
    for step in steps:
        if step.path not in named and not (isinstance(step, Sequence) and step.bound is None):
            path = step.path
            near = next((end for end in range(len(path) - 1, 0, -1) if path[:end] in named), None)
            if near is not None:
                found[step.id] = f"{named[path[:near]]}.{render_path(path[near:])}"
    return found

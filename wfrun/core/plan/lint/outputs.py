"""Keys that steps set and nobody reads."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass

from wfrun.core.expression import Expression, Reference, Template
from wfrun.core.plan.lint.advice import Advice
from wfrun.core.plan.nodes import Foreach, Loop, Plan, Step, children
from wfrun.core.plan.writes import own_keys


def never_read(plan: Plan) -> Iterator[Advice]:
    """A key counts as read wherever its name is, in whatever scope; `$` reads all there are."""
    read = {reference.segments[:1] for reference in (*references(plan.root), *references(plan.output))}
    if () not in read:
        for advice in _unread(plan.root, {name for (name,) in read} | plan.gaps.reads):
            if not plan.gaps.mention(str(advice.path[-1])):
                yield advice


def references(part: object) -> Iterator[Reference]:
    """Every path that is mentioned in a part of a compiled plan, and in the parts of it."""
    if isinstance(part, Expression):
        yield from part.references
    elif isinstance(part, Template):
        yield from (reference for _, reference in part.references)
    elif isinstance(part, tuple):
        for item in part:
            yield from references(item)
    elif is_dataclass(part):
        for field in fields(part):
            yield from references(getattr(part, field.name))


def _unread(step: Step, read: set[str | int]) -> Iterator[Advice]:
    for name, path in own_keys(step):
        if name not in read:
            hint = f"leave it out, or read $.{name} where it was meant"
            yield Advice("lint.unused-output", path, f"nobody reads {name!r}, which {step.id!r} sets", hint)
    if not _hands_on_all(step):
        for inner in children(step):
            yield from _unread(inner, read)


def _hands_on_all(step: Step) -> bool:
    """A loop with `output: key` hands on every key of its iterations."""
    return isinstance(step, Foreach | Loop) and step.collect is not None and step.collect.key is not None

"""Handlers and cases behind others that take all they are for, and patterns that say the same twice."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from wfrun.core.definition import Path
from wfrun.core.plan.lint.advice import Advice
from wfrun.core.plan.nodes import Handler, Plan, Switch, Try, walk
from wfrun.core.retry import matches


def never_reached(plan: Plan) -> Iterator[Advice]:
    for step in walk(plan.root):
        match step:
            case Try(handlers=handlers):
                yield from _handlers(handlers)
            case Switch():
                yield from _cases(step)


def _handlers(handlers: Sequence[Handler]) -> Iterator[Advice]:
    for position, handler in enumerate(handlers):
        yield from _twice(handler.patterns, (*handler.path, "error"))
        before = [other for other in handlers[:position] if other.condition is None]
        if any(other.patterns == ("*",) for other in before):
            continue  # the checks of the plan say that
        taken = tuple(pattern for other in before for pattern in other.patterns)
        if all(_covers(taken, pattern) for pattern in handler.patterns):
            message = f"every error that fits {_listed(handler.patterns)} is taken by a handler before this one"
            yield Advice("lint.unreachable-handler", handler.path, message, "write the more special handler first")


def _covers(patterns: Sequence[str], pattern: str) -> bool:
    """Whether one of them fits all that `pattern` does.

    It does if it fits its text, for its `*` stand for whatever those of the other do. `?` and `[` do not.
    """
    return matches(tuple(each for each in patterns if not set(each) & set("?[")), pattern)


def _twice(patterns: Sequence[str], path: Path) -> Iterator[Advice]:
    """Of two that are the same, the second is told."""
    for position, pattern in enumerate(patterns):
        others = (*patterns[:position], *(each for each in patterns[position + 1 :] if each != pattern))
        covering = next((other for other in others if _covers((other,), pattern)), None)
        if covering is not None:
            message = f"{pattern!r} adds nothing to {covering!r}, which stands beside it"
            yield Advice("lint.duplicate-pattern", (*path, position), message, "leave it out")


def _cases(step: Switch) -> Iterator[Advice]:
    seen: dict[str, int] = {}
    for position, case in enumerate(step.cases):
        text = " ".join(case.condition.text.split())
        first = seen.setdefault(text, position)
        if first != position and not case.condition.constant:
            message = f"case {first + 1} asks the same, so this one is never taken"
            path: Path = (*step.path, "cases", position, "condition")
            yield Advice("lint.unreachable-case", path, message, "write what was meant instead")


def _listed(patterns: Sequence[str]) -> str:
    return " or ".join(map(repr, patterns))

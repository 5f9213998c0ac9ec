"""Branches that run at the same time, compiled: how they go along with each other, and which waits for which."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from wfrun.core.definition import Path
from wfrun.core.plan.draft import Draft, nearest
from wfrun.core.plan.nodes import Crew, Tolerance

_COMPLETE = {"all": None, "any": 1}


def crew(draft: Draft, data: Mapping[str, Any], path: Path, concurrency: int | None) -> Crew:
    """`concurrency` is how many run at once where the author does not say."""
    complete = data.get("complete", "all")
    return Crew(
        concurrency=data.get("concurrency", concurrency),
        complete=_COMPLETE.get(complete, complete),
        tolerate=_tolerance(draft, data.get("tolerate", 0), (*path, "tolerate")),
        cancel=data.get("onFailure", "cancel") == "cancel",
    )


def _tolerance(draft: Draft, written: int | str, path: Path) -> Tolerance:
    if isinstance(written, int):
        return Tolerance(count=written)
    try:
        percent = float(written.removesuffix("%")) if written.endswith("%") else -1
    except ValueError:
        percent = -1
    if not 0 <= percent <= 100:
        draft.error(
            "plan.tolerate", f"{written!r} is not a share of the branches", path, "write a number, or 0% to 100%"
        )
        return Tolerance()
    return Tolerance(percent=percent)


def needs(draft: Draft, branches: Sequence[Any], path: Path) -> tuple[tuple[int, ...], ...]:
    """For each branch the positions of those it needs; nothing if none needs any. `path` is that of the branches."""
    names = {branch["name"]: index for index, branch in enumerate(branches) if _is_named(branch)}
    if not any(isinstance(branch, dict) and "needs" in branch for branch in branches):
        return ()
    found = [_needs(draft, branch, (*path, index), names) for index, branch in enumerate(branches)]
    if _refuse_circles(draft, found, {index: name for name, index in names.items()}, path):
        for index in range(len(branches)):
            draft.doubt((*path, index, "needs"))
        return ()
    return tuple(found)


def _is_named(branch: Any) -> bool:
    return isinstance(branch, dict) and "name" in branch


def _needs(draft: Draft, branch: Any, path: Path, names: Mapping[str, int]) -> tuple[int, ...]:
    written = branch.get("needs", []) if isinstance(branch, dict) else []
    alone = isinstance(written, str)
    found: list[int] = []
    for index, name in enumerate([written] if alone else written):
        at = (*path, "needs") if alone else (*path, "needs", index)
        if name not in names and draft.gaps.may_name(name):
            draft.doubt(at)
        elif name not in names:
            hint = nearest(name, names) or "a branch that is needed has a `name` of its own"
            draft.error("plan.unknown-step", f"`needs` names {name!r}, but no branch beside it has that name", at, hint)
        elif names[name] not in found:
            found.append(names[name])
    return tuple(found)


def _refuse_circles(draft: Draft, needed: list[tuple[int, ...]], names: Mapping[int, str], path: Path) -> bool:
    """Whether there are any."""
    done: set[int] = set()
    refused = False
    for start in range(len(needed)):
        circle = _circle(start, needed, done)
        if circle:
            told = " needs ".join(repr(names.get(index, "it")) for index in circle)
            message = "a branch cannot need itself" if len(circle) == 2 else f"they wait for each other: {told}"
            draft.error("plan.needs", message, (*path, circle[0], "needs"), "leave out one of these `needs`")
            refused = True
    return refused


def _circle(start: int, needed: list[tuple[int, ...]], done: set[int]) -> list[int]:
    """A circle that can be reached from `start`, if there is one; what was looked at is added to `done`."""
    way: dict[int, None] = {}
    open_needs = [iter((start,))]
    while open_needs:
        index = next(open_needs[-1], None)
        if index is None:
            open_needs.pop()
            if way:
                done.add(way.popitem()[0])
        elif index in way:
            done.update(way)
            before = list(way)
            return [*before[before.index(index) :], index]
        elif index not in done:
            way[index] = None
            open_needs.append(iter(needed[index]))
    return []

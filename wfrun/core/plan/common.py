"""What every kind of step has in common: a name, a condition, a bound, and what undoes it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wfrun.core.definition import Path
from wfrun.core.plan.draft import Common, Draft
from wfrun.core.plan.leaves import call
from wfrun.core.plan.nodes import Call

# The types whose `condition` is not about whether they run at all,
_TESTED = ("conditional", "while")
# and those whose `timeout` is not over all that they do. A call has no type.
_TIMED = (None, "human-task")


def common(draft: Draft, data: Mapping[str, Any], path: Path) -> Common:
    id, type = draft.identify(data, path), data.get("type")
    if "needs" in data:
        message = "only a step that stands directly in the `steps` of a `parallel` can need others"
        hint = "leave it out, or move the step: a list of steps among the branches is one branch"
        draft.error("plan.needs", message, (*path, "needs"), hint, key=True)
    return {
        "id": id,
        "path": path,
        "condition": None if type in _TESTED else draft.expression(data, "condition", path),
        "compensation": _compensation(draft, data, path, id),
        "bound": None if type in _TIMED else draft.duration(data, "timeout", path),
    }


def _compensation(draft: Draft, data: Mapping[str, Any], path: Path, id: str) -> tuple[Call, ...]:
    """What is written at the step, or under its name in `compensations`."""
    elsewhere = draft.compensations.pop(id, None)
    if "compensate" in data and elsewhere is not None:
        draft.note(
            "plan.two-compensations",
            f"{id!r} has `compensate` here and an entry in `compensations`",
            ("compensations", id),
            "keep one of them",
            key=True,
        )
    if "compensate" in data:
        return _undo(draft, data["compensate"], (*path, "compensate"), id)
    return _undo(draft, elsewhere, ("compensations", id), id) if elsewhere is not None else ()


def _undo(draft: Draft, written: Any, path: Path, id: str) -> tuple[Call, ...]:
    """One call or several. They have the id of the step that they undo."""
    listed = [(each, (*path, index)) for index, each in enumerate(written)] if isinstance(written, list) else None
    return tuple(call(draft, each, at, _of_compensation(id, at)) for each, at in listed or [(written, path)])


def _of_compensation(id: str, path: Path) -> Common:
    return {"id": id, "path": path, "condition": None, "compensation": (), "bound": None}

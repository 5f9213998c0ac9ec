"""Child executions, folded from the records of their parent."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from wfrun.views.iterations import split_instance
from wfrun.views.steps import COMPENSATE

if TYPE_CHECKING:
    from wfrun.core.events import ErrorData, Record
    from wfrun.views.model import ChildView, ExecutionStatus, StepStatus

# How an execution stands, for whoever can read its journal; None if there is none yet.
StatusOf: TypeAlias = "Callable[[str], ExecutionStatus | None]"

# A parent has nothing to do while a child stands so.
_IDLE = ("waiting", "paused")


class ChildFold:
    """The children of one execution: those under way and, outside loops, those that have ended."""

    def __init__(self) -> None:
        self._open: dict[str, ChildView] = {}
        self._ended: dict[str, ChildView] = {}
        self._workflows: dict[str, str] = {}
        self._recalled: set[str] = set()  # of those under way the ones that are undone

    def started(self, record: Record) -> None:
        self._ended.pop(record["step"], None)
        self._workflows[split_instance(record["step"])[0]] = record["workflow"]
        self._open[record["step"]] = self._begun(record, record["step"], detached=record["detach"])

    def recalled(self, record: Record) -> None:
        """It had completed, and is on its way to be undone."""
        step = record["step"].removeprefix(COMPENSATE)
        child = self._ended.pop(step, None) or self._begun(record, step)
        self._open[step] = {**child, "status": None}
        self._recalled.add(step)

    def _begun(self, record: Record, step: str, *, detached: bool = False) -> ChildView:
        return {
            "step": step,
            "execution": record["child"],
            "workflow": self._workflows.get(split_instance(step)[0], ""),
            "detached": detached,
            "startedAt": record["at"],
            "status": None,
            "tasks": [],
        }

    def ended(self, record: Record) -> None:
        step = record["step"].removeprefix(COMPENSATE)
        child = self._open.pop(step, None)
        self._recalled.discard(step)
        if child and not split_instance(step)[1]:
            # What becomes of a detached one is its own affair: that it was begun is all there is to know here.
            self._ended[step] = {**child, "status": None if child["detached"] else record["status"]}

    def stop(self) -> None:
        """None of those that seem to run does any more."""
        self._open.clear()
        self._recalled.clear()

    def views(self, status_of: StatusOf | None = None) -> list[ChildView]:
        """With the status of each, where `status_of` knows it."""
        views = [*self._ended.values(), *self._open.values()]
        if status_of is None:
            return views
        return [{**view, "status": view["status"] or status_of(view["execution"])} for view in views]

    def any(self) -> bool:
        return bool(self._open)

    def busy(self, status_of: StatusOf | None = None) -> bool:
        """Whether any has something to do, or is not known to have nothing; a detached one is still to be created."""
        if status_of is None:
            return bool(self._open)
        return any(child["detached"] or status_of(child["execution"]) not in _IDLE for child in self._open.values())

    def undoing_waits(self, status_of: StatusOf | None) -> bool:
        """Whether one that is undone waits for somebody: what undoes them, undoes one after the other."""
        if status_of is None:
            return False
        return any(status_of(self._open[step]["execution"]) in _IDLE for step in self._recalled)


def outcome(record: Record) -> tuple[StepStatus, ErrorData | None]:
    """What became of the step that a child is, or of its undoing."""
    status: str = record["status"]
    undone = record["step"].startswith(COMPENSATE)
    if status == ("compensated" if undone else "completed"):
        return "completed", None
    if status == "cancelled" and not undone:
        return "cancelled", None
    default: ErrorData = {"type": f"workflow.{status}", "message": f"execution {record['child']}: {status}"}
    return "failed", record.get("error") or default

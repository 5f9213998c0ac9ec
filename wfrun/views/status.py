"""The status of an execution: what `wfrun status` shows, as a fold that can also follow a journal as it grows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from wfrun.core.instants import elapsed_ms
from wfrun.views.fold import ExecutionFold
from wfrun.views.repairs import counting

if TYPE_CHECKING:
    from wfrun.core.events import ErrorData, Record
    from wfrun.views.children import StatusOf
    from wfrun.views.model import BriefView, ExecutionStatus, StatusView


class StatusFold(ExecutionFold):
    """Add records in order, ask for the view at any time after the first."""

    def status(self, driven: bool | None = None, child: StatusOf | None = None) -> ExecutionStatus:
        """`driven` says whether a process drives the execution now; None leaves that open and says `running`.

        `child` tells how a child execution stands. Without it, one that has not ended is taken to have things to do.
        """
        if self._ended:
            ended: ExecutionStatus = self._ended["status"]
            return ended
        if self._paused and not self._unheard:
            return "paused"
        if self._in_repair and not self._unheard and self._repair_waits(child):
            return "waiting"
        if self._is_waiting() and not (self._unheard or self._in_repair or self._is_busy(child)):
            return "waiting"
        return "interrupted" if driven is False else "running"

    def _repair_waits(self, child: StatusOf | None) -> bool:
        return bool(self._asked_in_repair) or self._children.undoing_waits(child)

    def _is_waiting(self) -> bool:
        return self._tasks.any() or self._waits.any() or self._children.any()

    def _is_busy(self, child: StatusOf | None) -> bool:
        steps = self._steps.forward.busy() or self._steps.undo.busy()
        return steps or self._waits.busy() or self._children.busy(child)

    def brief(self, driven: bool | None = None, child: StatusOf | None = None) -> BriefView:
        """What a list shows. Raises JournalError if there was no `execution.started` yet."""
        started = self._require_start()
        ended = self._ended or {}
        return {
            "execution": started["execution"],
            "workflow": started["workflow"],
            "version": started["version"],
            "status": self.status(driven, child),
            "startedAt": started["at"],
            "endedAt": ended.get("at"),
            "progress": self._steps.forward.progress(completed=ended.get("status") == "completed"),
            "tasks": self._tasks.open(),
            "waits": self._waits.views(),
            "unknown": list(self._waits.unknown.values()),
            "children": self._children.views(child),
            "parent": started.get("parent"),
            "listens": started.get("listens", []),
            "error": self._error(),
            "initiator": started["initiator"],
        }

    def view(self, driven: bool | None = None, child: StatusOf | None = None) -> StatusView:
        """The whole status, sharing its rows with the fold: they change with the next `add`.

        Raises JournalError if there was no `execution.started` yet.
        """
        brief, started, ended = self.brief(driven, child), self._require_start(), self._ended or {}
        return {
            "execution": brief["execution"],
            "workflow": brief["workflow"],
            "version": brief["version"],
            "status": brief["status"],
            "startedAt": brief["startedAt"],
            "endedAt": brief["endedAt"],
            "durationMs": elapsed_ms(started["at"], ended["at"]) if ended else None,
            "progress": brief["progress"],
            "current": self._steps.forward.active(),
            "steps": self._steps.forward.views(),
            "compensations": self._steps.undo.views(),
            "tasks": brief["tasks"],
            "waits": brief["waits"],
            "unknown": brief["unknown"],
            "children": brief["children"],
            "timers": [*self._waits.timers.values(), *self._deadlines.open(self._blocks, self._under_way())],
            "arrived": self._waits.arrived(),
            "names": started.get("names", {}),
            "repairs": [repair for repair, _ in self._repairs.values()],
            "decisions": list(self._decisions.values()),
            "cancelRequested": self._cancel is not None,
            "cancellation": self._cancel,
            "canSet": (self._paused or ended).get("settable"),
            "pivot": bool((self._paused or ended).get("pivot")),
            "error": brief["error"],
            "failures": ended.get("failures", []),
            "output": ended.get("output"),
            "initiator": brief["initiator"],
            "origin": started["origin"],
            "parent": brief["parent"],
            "listens": brief["listens"],
            "driver": self._driver,
        }

    def _error(self) -> ErrorData | None:
        told = (record.get("error") for record in (self._ended, self._paused, self._undoing) if record)
        return next((error for error in told if error), None)


def fold_of(records: Iterable[Record]) -> StatusFold:
    """The fold of all records that count. Raises JournalError for unknown events."""
    fold = StatusFold()
    for record in counting(records):
        fold.add(record)
    return fold


def status_of(records: Iterable[Record], *, driven: bool | None = None, child: StatusOf | None = None) -> StatusView:
    """The status that an execution's records tell. Raises JournalError for unknown events and an empty journal."""
    return fold_of(records).view(driven, child)


def brief_of(records: Iterable[Record], *, driven: bool | None = None, child: StatusOf | None = None) -> BriefView:
    """The same for a list of many. Raises JournalError likewise."""
    return fold_of(records).brief(driven, child)

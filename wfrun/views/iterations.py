"""A step in a loop: counted over all its iterations, so that a hundred thousand of them make one row.

Only the rows of iterations that are under way are kept, and those of the last that failed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from itertools import islice
from typing import TYPE_CHECKING

from wfrun.core.instants import elapsed_ms

if TYPE_CHECKING:
    from wfrun.core.events import ErrorData
    from wfrun.views.model import StepStatus, StepView


UNDER_WAY: tuple[StepStatus, ...] = ("running", "retrying", "waiting")
ACTIVE: tuple[StepStatus, ...] = ("running", "retrying", "compensating", "waiting")
SETTLED: tuple[StepStatus, ...] = ("completed", "skipped", "compensating", "compensated")
# What a row says when nothing is under way: the first of these that became of any iteration.
_OUTCOMES: tuple[StepStatus, ...] = ("completed", "compensated", "failed", "timed-out", "cancelled", "skipped")
# What went wrong is kept, to be looked at.
WRONG: tuple[StepStatus, ...] = ("failed", "timed-out")
SHOWN = 10
FAILED_SHOWN = 5
FAILED_KEPT = 1000

Change = Callable[["StepView"], None]


_PENDING: StepView = {
    "step": "",
    "status": "pending",
    "startedAt": None,
    "endedAt": None,
    "durationMs": None,
    "attempts": 0,
    "error": None,
    "nextAttemptAt": None,
}


def new_row(step: str) -> StepView:
    row = _PENDING.copy()
    row["step"] = step
    return row


def time(row: StepView) -> None:
    began, ended = row["startedAt"], row["endedAt"]
    row["durationMs"] = elapsed_ms(began, ended) if began and ended else None


def split_instance(instance: str) -> tuple[str, str]:
    """`ship@3.1` is iteration `3.1` of `ship`; outside loops there is none. `ship@3/2`, a second call that undoes it,
    is one of `ship/2`."""
    name, at, iteration = instance.partition("@")
    iteration, slash, call = iteration.partition("/")
    return name + slash + call, iteration if at else ""


class Iterated:
    """`row` tells of all iterations together; it is the one that a view shows."""

    def __init__(self, row: StepView) -> None:
        self.row = row
        self.counts: Counter[StepStatus] = Counter()
        self._planned: set[str] | None = None
        self._expected: Counter[int] = Counter()
        self._depth = 0
        self._active: dict[str, StepView] = {}
        self._failed: dict[str, StepView] = {}
        self._cast_off: Counter[StepStatus] = Counter()  # what went wrong and is counted without its row
        self._blamed = False

    # ---- how many there will be

    def expect(self, depth: int, count: int) -> None:
        """A loop begins that is nested so deep (1: not at all), and has so many items."""
        self._expected[depth] += count
        if not self.begun:
            self._depth = max(self._depth, depth)
        self._tell(None)

    def plan(self, instance: str) -> None:
        """It is known by name that it will come."""
        if self._planned is None:
            self._planned = set()
        if instance not in self._active:
            self._planned.add(instance)

    @property
    def begun(self) -> int:
        return self.counts.total()

    @property
    def total(self) -> int | None:
        if self._planned is not None:
            return self.begun + len(self._planned)
        return max(self._expected[self._depth], self.begun) if self._depth in self._expected else None

    @property
    def known(self) -> int:
        """How many there are, as far as one can tell."""
        return self.begun if self.total is None else self.total

    # ---- what becomes of them

    def change(self, instance: str, change: Change, at: str, was: StepStatus = "pending") -> None:
        """Something happens to an iteration. `was` is how it stood if its row is not kept: not begun, or settled."""
        self._depth = split_instance(instance)[1].count(".") + 1
        if self._planned:
            self._planned.discard(instance)
        row = self._active.pop(instance, None) or self._failed.pop(instance, None) or self._restored(instance, was)
        self._uncount(row["status"])
        change(row)
        self.counts[row["status"]] += 1
        self._keep(row)
        self._tell(row, at)

    def status_of(self, instance: str) -> StepStatus:
        """How an iteration stands; one whose row is not kept has completed, as most do."""
        row = self._active.get(instance) or self._failed.get(instance)
        return row["status"] if row else self._settled_as("completed")

    def blame(self, instance: str, error: ErrorData) -> None:
        """What it failed with ended the execution: it has failed even if it seemed to complete."""
        self._blamed = True

        def fail(row: StepView) -> None:
            row["status"], row["error"] = "failed", error

        if instance not in self._failed and self.status_of(instance) == "completed":
            self.change(instance, fail, self.row["endedAt"] or self.row["startedAt"] or "", "completed")
        self._tell(None)

    def stop(self, at: str) -> None:
        """Nothing is under way any more, and whatever still seems to be was cancelled."""

        def cancel(row: StepView) -> None:
            row["status"], row["endedAt"], row["nextAttemptAt"] = "cancelled", at, None

        for instance in [instance for instance, row in self._active.items() if row["status"] in UNDER_WAY]:
            self.change(instance, cancel, at)

    def skip_rest(self) -> None:
        self.counts["skipped"] += self.known - self.begun
        self._tell(None)

    def active(self) -> list[str]:
        return list(self._active)

    def shown(self) -> list[StepView]:
        failed = list(islice(reversed(self._failed.values()), FAILED_SHOWN))
        return [*islice(self._active.values(), SHOWN), *reversed(failed)]

    def view(self) -> StepView:
        counts = {status: count for status, count in self.counts.items() if count}
        shown = self.shown()
        for row in shown:
            time(row)
        self.row["iterations"] = {"total": self.total, "counts": counts, "shown": shown}
        return self.row

    # ---- the books

    def _restored(self, instance: str, was: StepStatus) -> StepView:
        """A row that is not kept. If what went wrong is not known here, a repair has taken it back: it begins anew."""
        row = new_row(instance)
        if was not in WRONG:
            row["status"] = self._settled_as(was)
        elif self._cast_off[was]:
            self._cast_off[was] -= 1
            row["status"] = was
        return row

    def _settled_as(self, was: StepStatus) -> StepStatus:
        if was == "pending" or self.counts[was]:
            return was
        return next((status for status in _OUTCOMES if self.counts[status]), "pending")

    def _uncount(self, status: StepStatus) -> None:
        if status != "pending":
            self.counts[status] -= 1

    def _keep(self, row: StepView) -> None:
        if row["status"] in ACTIVE:
            self._active[row["step"]] = row
        elif row["status"] in WRONG:
            self._failed[row["step"]] = row
            if len(self._failed) > FAILED_KEPT:
                self._cast_off[self._failed.pop(next(iter(self._failed)))["status"]] += 1

    def _tell(self, changed: StepView | None, at: str = "") -> None:
        row = self.row
        row["status"] = self._status()
        if changed is None:
            return
        row["attempts"] = max(row["attempts"], changed["attempts"])
        if changed["status"] in WRONG or not any(self.counts[status] for status in WRONG):
            row["error"] = changed["error"]
        if changed["startedAt"]:
            row["startedAt"] = row["startedAt"] or changed["startedAt"]
        row["endedAt"] = None if self._active else at

    def _status(self) -> StepStatus:
        for status in ACTIVE:
            if self.counts[status]:
                return status
        if self._blamed and self.counts["failed"]:
            return "failed"
        nothing: StepStatus = "skipped" if self.total == 0 else "pending"
        return next((status for status in _OUTCOMES if self.counts[status]), nothing)

"""Long loops in a pipe: their begin, their end and what fails, not a line for each of a hundred thousand items."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wfrun.views.iterations import split_instance
from wfrun.views.steps import COMPENSATE
from wfrun.views.tasks import step_of
from wfrun.views.words import count_words

if TYPE_CHECKING:
    from wfrun.core.events import Record

# A loop of more items than these is told in short.
TOLD_ITEMS = 20

_FAILURES = ("step.failed", "evaluation.failed", "failure.raised", "task.expired")
# Of a child, or of an execution.
_BAD_ENDS = ("failed", "compensated", "partly-compensated", "needs-attention")
_BEGIN = ("step.started", "task.created", "wait.started", "child.started", "event.emitted", "timer.started")
_END = (
    "step.completed",
    "step.failed",
    "step.cancelled",
    "task.decided",
    "task.expired",
    "task.withdrawn",
    "event.matched",
    "event.published",
    "child.ended",
    "timer.fired",
    "wait.withdrawn",
    "evaluation.failed",
)
# After these no loop goes on.
_OVER = ("compensation.started", "execution.paused", "execution.ended", "driver.stopped")


class _Loop:
    """A `foreach` under way."""

    def __init__(self, record: Record) -> None:
        self.step: str = record["step"]
        self.count: int = record["count"]
        self.failures = 0
        self._steps = frozenset(record.get("steps", ()))
        self._inside = iteration + "." if (iteration := split_instance(self.step)[1]) else ""
        self._last = -1
        self._open: set[str] = set()

    def holds(self, step: str) -> bool:
        iteration = split_instance(step)[1]
        return bool(iteration) and iteration.startswith(self._inside)

    def knows(self, step: str) -> bool:
        """Whether it is certainly in this loop, and not in another one beside it."""
        return split_instance(step)[0] in self._steps

    def see(self, step: str, kind: str, *, failed: bool) -> None:
        index = split_instance(step)[1].removeprefix(self._inside).partition(".")[0]
        self._last = max(self._last, int(index))
        self.failures += failed
        if kind in _BEGIN:
            self._open.add(step)
        elif kind in _END:
            self._open.discard(step)

    def is_through(self) -> bool:
        """The last item has been seen, and nothing is under way."""
        return self._last == self.count - 1 and not self._open

    def words(self) -> str:
        items = count_words(self.count, "item")
        how = f"is through its {items}" if self.is_through() else f"has seen {self._last + 1:,} of its {items}"
        return f"{self.step} {how}: {count_words(self.failures, 'failure')}"


class LoopDigest:
    """To be shown every record in order. It answers what to say before the record, and whether to tell the record."""

    def __init__(self) -> None:
        self._long: dict[str, _Loop] = {}

    def see(self, record: Record) -> tuple[list[str], bool]:
        kind, step = record["type"], _step(record)
        if kind in _OVER:
            return self._end(list(self._long)), True
        if not self._long and "@" not in step and kind != "foreach.started":
            return [], True
        loop = self._loop_of(step)
        ended = self._end([] if loop else [name for name, other in self._long.items() if other.is_through()])
        if loop:
            loop.see(step, kind, failed=went_wrong(record))
        quiet = loop is not None or _has_gone_round(record, step)
        if kind == "foreach.started" and record["count"] > TOLD_ITEMS and not quiet:
            self._long[record["step"]] = _Loop(record)
        return ended, not quiet or went_wrong(record)

    def _loop_of(self, step: str) -> _Loop | None:
        """The long loop that a step is in: where two go on at once, the one that says so, else the later."""
        holding = [loop for loop in self._long.values() if loop.holds(step)]
        certain = [loop for loop in holding if loop.knows(step)]
        return next(reversed(certain or holding), None)

    def _end(self, names: list[str]) -> list[str]:
        return [self._long.pop(name).words() for name in names]


def went_wrong(record: Record) -> bool:
    """Whether the record tells of a failure, be it one that is dealt with."""
    return record["type"] in _FAILURES or record.get("status") in _BAD_ENDS


def _step(record: Record) -> str:
    """The step instance that a record is about, whether it does or undoes it."""
    if "step" in record:
        step: str = record["step"]
    elif "task" in record:
        step = step_of(record["task"])
    else:
        step = record.get("timer", "").rpartition("!")[0].partition("#")[0]
    return step.removeprefix(COMPENSATE).partition("/")[0]


def _has_gone_round(record: Record, step: str) -> bool:
    """Whether a loop has gone round so often that it is told in short; that it is done is told all the same."""
    last = record["type"] == "decision.made" and record["of"] in ("while", "until")
    if last and record["value"] == (record["of"] == "until"):
        return False
    return any(int(index) >= TOLD_ITEMS for index in split_instance(step)[1].split(".") if index)

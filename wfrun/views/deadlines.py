"""Until when a workflow, a block or a step has time. That a block has ended needs no record, so a deadline counts as
long as anything that it is about is under way."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING

from wfrun.views.blocks import ROOT, Blocks

if TYPE_CHECKING:
    from wfrun.core.events import Record
    from wfrun.views.model import TimerView

# From so many on, those of blocks in which nothing is under way are forgotten.
KEPT = 1000


class Deadlines:
    """The timers with the reason `timeout`, by the instance that they are about."""

    def __init__(self) -> None:
        self._timers: dict[str, TimerView] = {}
        self._most = KEPT

    def started(self, timer: TimerView, blocks: Blocks, under_way: Callable[[], Collection[str]]) -> None:
        self._timers.pop(timer["step"], None)
        if len(self._timers) >= self._most:
            kept = self.open(blocks, under_way())
            self._timers = {each["step"]: each for each in kept}
            self._most = max(KEPT, 2 * len(kept))
        self._timers[timer["step"]] = timer

    def over(self, step: str) -> None:
        self._timers.pop(step, None)

    def clear(self) -> None:
        self._timers.clear()

    def open(self, blocks: Blocks, under_way: Collection[str]) -> list[TimerView]:
        return [
            timer
            for block, timer in self._timers.items()
            if block == ROOT or any(blocks.holds(block, step) for step in under_way)
        ]


def timer_view(record: Record) -> TimerView:
    return {
        "timer": record["timer"],
        "step": record["step"],
        "due": record["due"],
        "reason": record["reason"],
        "overdue": False,
    }

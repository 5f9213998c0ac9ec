"""What becomes of deadlines and timeouts when an execution is repaired: which go on counting, and which count anew."""

from __future__ import annotations

from collections.abc import Container, Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from wfrun.core.effects import OpenTask, StartTimer
from wfrun.core.instants import format_instant, parse_instant
from wfrun.core.repair_history import DEADLINE, is_timeout
from wfrun.core.repair_proposal import ANEW
from wfrun.core.repair_trial import Trial

if TYPE_CHECKING:
    from wfrun.core.events import Record


def deadline_of(trial: Trial, dropped: Container[int]) -> str | None:
    """When the whole workflow has to be done: an instant, ANEW for all of its timeout once more, None without one."""
    timer = trial.run.pending.get(DEADLINE)
    if not isinstance(timer, StartTimer):
        return None
    record = trial.run.recorded.get(DEADLINE)
    if record is None:
        return ANEW
    return format_instant(timer.due) if record["seq"] in dropped else str(record["due"])


def put_off(trial: Trial, now: datetime) -> Iterator[Record]:
    """What says when the whole workflow has to be done, if another file gives it until another time."""
    record, timer = trial.run.recorded.get(DEADLINE), trial.run.pending.get(DEADLINE)
    if record is None or not isinstance(timer, StartTimer):
        return
    if timer.due > now and timer.due != parse_instant(record["due"]):
        yield record


def timed_anew(trial: Trial) -> Iterator[Record]:
    """What counts anew once an execution that stood still goes on: that was no time in which somebody could have done
    something.
    """
    timers = (record for record in trial.run.recorded.values() if is_timeout(record))
    yield from (record for record in timers if record["timer"] != DEADLINE)
    withdrawn = {record["task"] for record in trial.dropped if record["type"] == "task.withdrawn"}
    for effect in trial.run.pending.values():
        if isinstance(effect, OpenTask) and effect.id in withdrawn:
            records = [record for record in trial.kept if record.get("task") == effect.id]
            yield from records if any(record.get("due") for record in records) else ()

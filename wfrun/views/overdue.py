"""What is overdue: a record has no clock, so that a fold cannot say it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wfrun.views.tasks import with_overdue

if TYPE_CHECKING:
    from wfrun.views.model import ChildView, StatusView, TimerView


def as_of(view: StatusView, now: str) -> StatusView:
    """The view at `now`, an instant as journals write them."""
    waits = [wait.copy() for wait in view["waits"]]
    for wait in waits:
        wait["overdue"] = wait["until"] is not None and wait["until"] <= now
    timers: list[TimerView] = [{**timer, "overdue": timer["due"] <= now} for timer in view["timers"]]
    children: list[ChildView] = [{**child, "tasks": with_overdue(child["tasks"], now)} for child in view["children"]]
    tasks = with_overdue(view["tasks"], now)
    return {**view, "tasks": tasks, "waits": waits, "timers": timers, "children": children}

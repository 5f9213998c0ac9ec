"""An execution for people: a headline, its steps, what it waits for, and what to do next."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from wfrun.cli.render.errors import error_in_row, error_lines
from wfrun.cli.render.tasks import task_lines
from wfrun.cli.text import Cell, columns, paint, safe
from wfrun.views.instants import clock, duration_words

if TYPE_CHECKING:
    from wfrun.views.model import Progress, StatusView, StepStatus, StepView


MARKS: dict[StepStatus, tuple[str, str]] = {
    "pending": ("·", "dim"),
    "running": ("▶", "blue"),
    "retrying": ("↻", "yellow"),
    "waiting": ("…", "magenta"),
    "completed": ("✓", "green"),
    "failed": ("✗", "red"),
    "skipped": ("-", "dim"),
    "cancelled": ("✗", "dim"),
    "compensating": ("↶", "yellow"),
    "compensated": ("↶", "yellow"),
}
COLOURS = {
    "running": "blue",
    "waiting": "magenta",
    "interrupted": "yellow",
    "completed": "green",
    "failed": "red",
    "compensated": "yellow",
    "cancelled": "dim",
    "needs-attention": "red",
}


def status_lines(view: StatusView) -> list[str]:
    """The whole of `wfrun status`."""
    lines = [headline(view), "", *step_lines(view["steps"], over=view["endedAt"] is not None)]
    if view["compensations"]:
        lines += ["", "Undone, last step first:", *step_lines(view["compensations"], over=False)]
    return [*lines, *footer_lines(view)]


def headline(view: StatusView) -> str:
    took = f" · took {duration_words(view['durationMs'])}" if view["durationMs"] is not None else ""
    status = paint(COLOURS[view["status"]], view["status"])
    about = f"{safe(view['workflow'])} (version {safe(view['version'])})"
    steps = progress_words(view["progress"])
    started = f"started {clock(view['startedAt'])} by {safe(view['initiator'])}"
    return f"{paint('bold', view['execution'])} · {about} · {status} · {steps} · {started}{took}"


def progress_words(progress: Progress) -> str:
    skipped = f" ({progress['skipped']} skipped)" if progress["skipped"] else ""
    return f"{progress['done']}/{progress['total']} steps{skipped}"


def step_lines(rows: Sequence[StepView], *, over: bool) -> list[str]:
    return columns([_step(row, over) for row in rows], indent="  ")


def _step(row: StepView, over: bool) -> list[Cell]:
    mark, colour = MARKS[row["status"]]
    took = duration_words(row["durationMs"]) if row["durationMs"] is not None else ""
    word = "" if row["status"] == "completed" else "not run" if over and row["status"] == "pending" else row["status"]
    tries = f"{row['attempts']} attempts" if row["attempts"] > 1 else ""
    notes = [word, tries, _retry(row), error_in_row(row["error"]) if row["error"] else ""]
    return [Cell(mark, colour), Cell(row["step"]), Cell(took, "dim"), Cell(" · ".join(note for note in notes if note))]


def _retry(row: StepView) -> str:
    return f"next at {clock(row['nextAttemptAt'])}" if row["nextAttemptAt"] else ""


def footer_lines(view: StatusView) -> list[str]:
    """Everything below the steps: errors, who is waited for, the output, what to do next."""
    errors = error_lines(view)
    blocks = [errors, *map(task_lines, view["tasks"])]
    if view["output"] is not None:
        # Sorted as in the journal: what has just been computed is told like what is read again.
        blocks.append([f"Output  {safe(json.dumps(view['output'], ensure_ascii=False, sort_keys=True))}"])
    blocks.append(next_steps(view))
    return [line for block in blocks if block for line in ("", *block)]


def next_steps(view: StatusView) -> list[str]:
    execution = view["execution"]
    if view["status"] == "interrupted":
        return [f"Nothing drives it now. To go on:  wfrun resume {execution}"]
    if view["status"] == "needs-attention":
        return [
            f"A compensation did not succeed; look at what was left:  wfrun log {execution}",
            f"To try again what could not be undone:  wfrun resume {execution}",
        ]
    if view["status"] in ("failed", "compensated"):
        return [f"What happened, in detail:  wfrun log {execution}"]
    return []

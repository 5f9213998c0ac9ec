"""An execution for people: a headline, its steps, what it waits for, and what to do next."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from wfrun.cli.text import Cell, columns, paint, safe
from wfrun.views.instants import duration_words
from wfrun.views.tasks import assignee_names

if TYPE_CHECKING:
    from wfrun.core.events import ErrorData
    from wfrun.core.values import Json
    from wfrun.views.model import StatusView, StepStatus, StepView, TaskView


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


def clock(instant: str) -> str:
    """`2026-11-23 09:00:00Z`: UTC, so that it is the same for everyone who looks."""
    return f"{instant[:10]} {instant[11:19]}Z"


def error_text(error: ErrorData) -> str:
    where = f" (in {error['step']})" if error.get("step") else ""
    return f"{error['type']}: {error['message']}{where}"


def status_lines(view: StatusView) -> list[str]:
    """The whole of `wfrun status`."""
    lines = [headline(view), "", *step_lines(view["steps"], over=view["endedAt"] is not None)]
    if view["compensations"]:
        lines += ["", "Undone, last step first:", *step_lines(view["compensations"], over=False)]
    return [*lines, *footer_lines(view)]


def headline(view: StatusView) -> str:
    progress = view["progress"]
    took = f" · took {duration_words(view['durationMs'])}" if view["durationMs"] is not None else ""
    status = paint(COLOURS[view["status"]], view["status"])
    about = f"{safe(view['workflow'])} (version {safe(view['version'])})"
    steps = f"{progress['done']}/{progress['total']} steps"
    started = f"started {clock(view['startedAt'])} by {safe(view['initiator'])}"
    return f"{paint('bold', view['execution'])} · {about} · {status} · {steps} · {started}{took}"


def step_lines(rows: Sequence[StepView], *, over: bool) -> list[str]:
    return columns([_step(row, over) for row in rows], indent="  ")


def _step(row: StepView, over: bool) -> list[Cell]:
    mark, colour = MARKS[row["status"]]
    took = duration_words(row["durationMs"]) if row["durationMs"] is not None else ""
    word = "" if row["status"] == "completed" else "not run" if over and row["status"] == "pending" else row["status"]
    tries = f"{row['attempts']} attempts" if row["attempts"] > 1 else ""
    notes = [word, tries, _retry(row), f"{row['error']['type']}: {row['error']['message']}" if row["error"] else ""]
    return [Cell(mark, colour), Cell(row["step"]), Cell(took, "dim"), Cell(" · ".join(note for note in notes if note))]


def _retry(row: StepView) -> str:
    return f"next at {clock(row['nextAttemptAt'])}" if row["nextAttemptAt"] else ""


def footer_lines(view: StatusView) -> list[str]:
    """Everything below the steps: errors, who is waited for, the output, what to do next."""
    lines: list[str] = []
    if view["error"]:
        lines += ["", f"{paint('red', 'Error')}  {safe(error_text(view['error']))}"]
    lines += [f"{paint('red', 'Not undone')}  {safe(error_text(failure))}" for failure in view["failures"]]
    for task in view["tasks"]:
        lines += ["", *task_lines(task)]
    if view["output"] is not None:
        lines += ["", f"Output  {safe(json.dumps(view['output'], ensure_ascii=False))}"]
    hints = next_steps(view)
    return [*lines, *([""] if hints else []), *hints]


def task_lines(task: TaskView) -> list[str]:
    """What is asked of whom, until when, and the command that answers."""
    people = ", ".join(assignee_names(task["assignee"])) or "anyone"
    due = f", until {clock(task['due'])}" if task["due"] else ""
    quorum = f", {len(task['votes'])} of {task['quorum']} decided" if task["quorum"] > 1 else ""
    raised = f", escalated {task['escalated']}×" if task["escalated"] else ""
    title = safe(task["title"] or task["step"])
    return [
        f"{paint('magenta', 'Waiting')}  {title}: for {safe(people)}{due}{quorum}{raised}",
        f"  wfrun approve {task['task']}{_form(task)}",
        f"  wfrun reject {task['task']} --comment 'why'",
    ]


def _form(task: TaskView) -> str:
    """The fields that an approval has to fill in."""
    return "".join(f" --data {safe(name)}=…" for name, field in task["form"].items() if _is_required(field))


def _is_required(field: Json) -> bool:
    return "default" not in field if isinstance(field, dict) else not str(field).endswith("?")


def next_steps(view: StatusView) -> list[str]:
    if view["status"] == "interrupted":
        return [f"Nothing drives it now. To go on:  wfrun resume {view['execution']}"]
    if view["status"] == "needs-attention":
        return [f"A compensation did not succeed; look at what was left:  wfrun log {view['execution']}"]
    if view["status"] in ("failed", "compensated"):
        return [f"What happened, in detail:  wfrun log {view['execution']}"]
    return []

"""An execution for people: a headline, its steps, what it waits for, and what to do next."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from wfrun.cli.render.errors import error_in_row, error_lines
from wfrun.cli.render.next_steps import next_steps
from wfrun.cli.render.tasks import task_lines, tasks_of_children
from wfrun.cli.render.waits import cancel_lines, child_lines, deadline_lines, repair_lines, unknown_lines, wait_lines
from wfrun.cli.text import Cell, columns, paint, safe
from wfrun.views.instants import clock, duration_words
from wfrun.views.iterations import ACTIVE, SETTLED
from wfrun.views.naming import called

if TYPE_CHECKING:
    from wfrun.views.model import Iterations, StatusView, StepStatus, StepView, Summary


MARKS: dict[StepStatus, tuple[str, str]] = {
    "pending": ("·", "dim"),
    "running": ("▶", "blue"),
    "retrying": ("↻", "yellow"),
    "waiting": ("…", "magenta"),
    "completed": ("✓", "green"),
    "failed": ("✗", "red"),
    "timed-out": ("✗", "red"),
    "skipped": ("-", "dim"),
    "cancelled": ("✗", "dim"),
    "compensating": ("↶", "yellow"),
    "compensated": ("↶", "yellow"),
}
COLOURS = {
    "running": "blue",
    "waiting": "magenta",
    "interrupted": "yellow",
    "paused": "red",
    "completed": "green",
    "failed": "red",
    "compensated": "yellow",
    "partly-compensated": "red",
    "cancelled": "dim",
    "needs-attention": "red",
}

# Of an output, for people, in characters.
MOST_OUTPUT = 10_000


def status_lines(view: StatusView) -> list[str]:
    """The whole of `wfrun status`."""
    lines = [headline(view), "", *step_lines(view, over=view["endedAt"] is not None)]
    if view["compensations"]:
        lines += [
            "",
            "Undone, last step first:",
            *columns(_rows(view["compensations"], _standing(view), over=False), indent="  "),
        ]
    return [*lines, *footer_lines(view)]


def headline(view: StatusView) -> str:
    took = f" · took {duration_words(view['durationMs'])}" if view["durationMs"] is not None else ""
    status = paint(COLOURS[view["status"]], view["status"])
    about = f"{safe(view['workflow'])} (version {safe(view['version'])})"
    steps = progress_words(view)
    started = f"started {clock(view['startedAt'])} by {safe(view['initiator'])}"
    return f"{paint('bold', view['execution'])} · {about} · {status} · {steps} · {started}{took}"


def progress_words(view: StatusView) -> str:
    """`1,006/1,009 steps (3 failed, 3 skipped)`."""
    aside = [("failed", failed_on_the_way(view)), ("skipped", view["progress"]["skipped"])]
    words = ", ".join(f"{count:,} {word}" for word, count in aside if count)
    return f"{well_done(view):,}/{view['progress']['total']:,} steps{f' ({words})' if words else ''}"


def well_done(view: StatusView | Summary) -> int:
    """How many need no more work, without those that have failed: a completed execution has gone on without them."""
    progress = view["progress"]
    return progress["done"] - progress["failed"] if view["status"] == "completed" else progress["done"]


def failed_on_the_way(view: StatusView | Summary) -> int:
    """How many have failed and did not end it; where there is an error, that tells enough."""
    return 0 if view["error"] else view["progress"]["failed"]


def step_lines(view: StatusView, *, over: bool) -> list[str]:
    """A line for each step, and one for each loop that waits for its next round."""
    return columns([*_rows(view["steps"], _standing(view), over=over), *_pauses(view)], indent="  ")


def _standing(view: StatusView) -> dict[str, str]:
    """How the executions stand that are waited for, by step."""
    return {each["step"]: each["status"] for each in view["children"] if each["status"] and not each["detached"]}


def _rows(rows: Sequence[StepView], standing: Mapping[str, str], *, over: bool) -> list[list[Cell]]:
    """Below a step in a loop stand the iterations that are under way or failed, as far as shown."""
    return [cells for row in rows for cells in (_step(row, standing, over), *_iterations(row, standing))]


def _pauses(view: StatusView) -> list[list[Cell]]:
    mark, colour = MARKS["waiting"]
    return [
        [
            Cell(mark, colour),
            Cell(called(timer["step"], view["names"])),
            Cell(""),
            Cell(f"next round at {clock(timer['due'])}"),
        ]
        for timer in view["timers"]
        if timer["reason"] == "delay"
    ]


def iteration_words(iterations: Iterations) -> str:
    """`1,204 of 100,000 done · 4 running · 3 failed`."""
    counts, total = iterations["counts"], iterations["total"]
    done = sum(counts.get(status, 0) for status in SETTLED if status != "skipped")
    told = [f"{done:,} done" if total is None else f"{done:,} of {total:,} done"]
    told += [f"{counts[status]:,} {status}" for status in _TOLD if counts.get(status)]
    return " · ".join(told)


_TOLD: tuple[StepStatus, ...] = (*ACTIVE, "failed", "timed-out", "cancelled", "skipped", "compensated")


def _iterations(row: StepView, standing: Mapping[str, str]) -> list[list[Cell]]:
    iterations = row.get("iterations")
    if iterations is None:
        return []
    cells = [[Cell(""), *_step(inside, standing, False, indent=True)[1:]] for inside in iterations["shown"]]
    shown: tuple[StepStatus, ...] = (*ACTIVE, "failed", "timed-out")
    more = sum(iterations["counts"].get(status, 0) for status in shown) - len(iterations["shown"])
    return [*cells, [Cell(""), Cell(f"… and {more:,} more", "dim")]] if more > 0 else cells


def _step(row: StepView, standing: Mapping[str, str], over: bool, *, indent: bool = False) -> list[Cell]:
    """A step that runs an execution is said to stand as that one does."""
    mark, colour = MARKS[row["status"]]
    took = duration_words(row["durationMs"]) if row["durationMs"] is not None else ""
    status = standing.get(row["step"], row["status"]) if row["status"] == "waiting" else row["status"]
    word = "" if status == "completed" else "not run" if over and status == "pending" else status
    tries = f"{row['attempts']} attempts" if row["attempts"] > 1 else ""
    told = row["error"] and row["status"] != "timed-out"
    notes = [word, tries, _retry(row), error_in_row(row["error"]) if row["error"] and told else ""]
    if "iterations" in row:
        notes = [iteration_words(row["iterations"])]
    name = Cell(f"{mark} {row['step']}", colour) if indent else Cell(row["step"])
    return [Cell(mark, colour), name, Cell(took, "dim"), Cell(" · ".join(note for note in notes if note))]


def _retry(row: StepView) -> str:
    return f"next at {clock(row['nextAttemptAt'])}" if row["nextAttemptAt"] else ""


def _output(view: StatusView) -> str:
    # Sorted as in the journal: what has just been computed is told like what is read again.
    text = json.dumps(view["output"], ensure_ascii=False, sort_keys=True)
    if len(text) <= MOST_OUTPUT:
        return f"Output  {safe(text)}"
    rest = f"{len(text) - MOST_OUTPUT:,} more characters: `wfrun status {view['execution']} --json` shows all"
    return f"Output  {safe(text[:MOST_OUTPUT])} … {rest}"


def footer_lines(view: StatusView) -> list[str]:
    """Everything below the steps: errors, who and what is waited for, the output, what to do next."""
    blocks = [error_lines(view), cancel_lines(view), repair_lines(view["repairs"]), *map(task_lines, view["tasks"])]
    blocks += tasks_of_children(view["children"])
    blocks += [unknown_lines(view["execution"], call) for call in view["unknown"]]
    blocks += [wait_lines(view), child_lines(view["children"]), deadline_lines(view)]
    if view["output"] is not None:
        blocks.append([_output(view)])
    blocks.append(next_steps(view))
    return [line for block in blocks if block for line in ("", *block)]

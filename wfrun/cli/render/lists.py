"""Tables and lines: `tasks`, `list`, `log`, `graph`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from wfrun.cli.render.status import COLOURS, MARKS, clock
from wfrun.cli.text import Cell, columns, paint, safe
from wfrun.core.instants import elapsed_ms
from wfrun.views.graph import TreeLine
from wfrun.views.instants import duration_words
from wfrun.views.tasks import assignee_names

if TYPE_CHECKING:
    from wfrun.views.model import Moment, Summary, TaskView


def task_table(tasks: Sequence[TaskView]) -> list[str]:
    head = [Cell(word, "dim") for word in ("TASK", "WORKFLOW", "TITLE", "FOR", "DUE", "DATA")]
    return columns([head, *(_task(task) for task in tasks)])


def _task(task: TaskView) -> list[Cell]:
    people = ", ".join(assignee_names(task["assignee"]))
    data = json.dumps(task["data"], ensure_ascii=False) if task["data"] is not None else ""
    due = clock(task["due"]) if task["due"] else "-"
    return [*map(Cell, (task["task"], task["workflow"], task["title"] or task["step"], people, due, data))]


def execution_table(rows: Sequence[Summary]) -> list[str]:
    head = [Cell(word, "dim") for word in ("EXECUTION", "WORKFLOW", "STATUS", "STEPS", "STARTED", "TOOK", "")]
    return columns([head, *(_execution(row) for row in rows)])


def _execution(row: Summary) -> list[Cell]:
    took = duration_words(elapsed_ms(row["startedAt"], row["endedAt"])) if row["endedAt"] else "-"
    waiting = f"for {', '.join(row['waitingFor'])}" if row["waitingFor"] else ""
    return [
        Cell(row["execution"]),
        Cell(f"{row['workflow']}:{row['version']}"),
        Cell(row["status"], COLOURS[row["status"]]),
        Cell(f"{row['progress']['done']}/{row['progress']['total']}"),
        Cell(clock(row["startedAt"])),
        Cell(took),
        Cell(row["error"] or waiting),
    ]


def summary_line(row: Summary) -> str:
    """One line for one execution of a batch; unlike a table it can be printed before the others are known."""
    took = duration_words(elapsed_ms(row["startedAt"], row["endedAt"])) if row["endedAt"] else "-"
    progress = f"{row['progress']['done']}/{row['progress']['total']}"
    status = paint(COLOURS[row["status"]], row["status"])
    notes = safe(row["error"] or ", ".join(row["waitingFor"]))
    return f"{row['execution']}  {status}  {progress}  {took}  {notes}".rstrip()


def moment_line(moment: Moment) -> str:
    offset = f"+{duration_words(moment['offsetMs'])}"
    return f"{paint('dim', moment['at'][11:23])}  {paint('dim', f'{offset:>8}')}  {safe(moment['text'])}"


def tree_lines(title: str, lines: Sequence[TreeLine]) -> list[str]:
    return [paint("bold", safe(title)), *(_tree_line(line) for line in lines)]


def _tree_line(line: TreeLine) -> str:
    if line.status is None:
        return f"{paint('dim', line.rails)}{safe(line.text)}"
    mark, colour = MARKS[line.status]
    return f"{paint('dim', line.rails)}{paint(colour, f'{mark} {safe(line.text)}')}"

"""Tables and lines: `list`, `batch`, `log`, `graph`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from wfrun.cli.render.status import COLOURS, MARKS
from wfrun.cli.text import Cell, columns, paint, safe
from wfrun.core.instants import elapsed_ms
from wfrun.views.instants import clock, duration_words
from wfrun.views.summary import UNREADABLE

if TYPE_CHECKING:
    from wfrun.views.graph import TreeLine
    from wfrun.views.model import Moment, Summary


def execution_table(rows: Sequence[Summary]) -> list[str]:
    head = [Cell(word, "dim") for word in ("EXECUTION", "WORKFLOW", "STATUS", "STEPS", "STARTED", "TOOK", "")]
    return columns([head, *(_execution(row) for row in rows)])


def _execution(row: Summary) -> list[Cell]:
    if row["workflow"] == UNREADABLE:
        damaged = Cell("damaged", COLOURS["needs-attention"])
        return [*map(Cell, (row["execution"], "-")), damaged, *map(Cell, ("-", "-", "-", row["error"] or ""))]
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


def summary_line(number: int, row: Summary) -> str:
    """One line for one execution of a batch, begun with that line of its inputs; it waits for no other to be known."""
    took = duration_words(elapsed_ms(row["startedAt"], row["endedAt"])) if row["endedAt"] else "-"
    progress = f"{row['progress']['done']}/{row['progress']['total']}"
    status = paint(COLOURS[row["status"]], row["status"])
    notes = safe(row["error"] or ", ".join(row["waitingFor"]))
    return f"line {number}  {row['execution']}  {status}  {progress}  {took}  {notes}".rstrip()


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

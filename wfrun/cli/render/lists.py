"""Tables and lines: `list`, `batch`, `log`, `graph`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from wfrun.cli.render.status import COLOURS, MARKS, failed_on_the_way, well_done
from wfrun.cli.text import Cell, columns, paint, safe
from wfrun.core.instants import elapsed_ms
from wfrun.views.instants import clock, duration_words
from wfrun.views.summary import UNREADABLE

if TYPE_CHECKING:
    from wfrun.views.graph import TreeLine
    from wfrun.views.model import Moment, Summary


# Whom and what is waited for, on one line.
SHOWN = 5


def execution_table(rows: Sequence[Summary]) -> list[str]:
    head = [Cell(word, "dim") for word in ("EXECUTION", "WORKFLOW", "STATUS", "STEPS", "STARTED", "TOOK", "")]
    return columns([head, *(_execution(row) for row in rows)])


def _execution(row: Summary) -> list[Cell]:
    if row["workflow"] == UNREADABLE:
        damaged = Cell("damaged", COLOURS["needs-attention"])
        return [*map(Cell, (row["execution"], "-")), damaged, *map(Cell, ("-", "-", "-", row["error"] or ""))]
    took = duration_words(elapsed_ms(row["startedAt"], row["endedAt"])) if row["endedAt"] else "-"
    words = waiting_words(row)
    waiting = f"for {words}" if words and not words.startswith("until ") else words
    return [
        Cell(row["execution"]),
        Cell(f"{row['workflow']}:{row['version']}"),
        Cell(row["status"], COLOURS[row["status"]]),
        Cell(_progress(row)),
        Cell(clock(row["startedAt"])),
        Cell(took),
        Cell(_notes(row, waiting)),
    ]


def _notes(row: Summary, waiting: str) -> str:
    """What is waited for, and what has gone wrong: both if it waits in the middle of its undoing."""
    return "; ".join(note for note in (waiting, row["error"]) if note)


def _progress(row: Summary) -> str:
    failed = failed_on_the_way(row)
    return f"{well_done(row)}/{row['progress']['total']}{f' ({failed} failed)' if failed else ''}"


def waiting_words(row: Summary) -> str:
    """Whom and what an execution waits for: people first."""
    until = [f"until {clock(row['until'])}"] if row["until"] else []
    events = [f"event {name}" for name in row["events"]]
    children = [f"execution {name}" for name in row["children"]]
    unknown = [f"a word about {name}" for name in row["unknown"]]
    return _few([*row["waitingFor"], *unknown, *events, *until, *children])


def _few(words: Sequence[str]) -> str:
    more = f" and {len(words) - SHOWN} more" if len(words) > SHOWN else ""
    return ", ".join(words[:SHOWN]) + more


def summary_line(head: str, row: Summary) -> str:
    """One line for one of many executions; it waits for no other to be known. `head` stands before its id, or is it."""
    took = duration_words(elapsed_ms(row["startedAt"], row["endedAt"])) if row["endedAt"] else "-"
    progress = _progress(row)
    status = paint(COLOURS[row["status"]], row["status"])
    notes = safe(_notes(row, waiting_words(row)))
    names = head if head == row["execution"] else f"{head}  {row['execution']}"
    return f"{names}  {status}  {progress}  {took}  {notes}".rstrip()


def moment_line(moment: Moment) -> str:
    """A record in words; one that a repair has taken back is told all the same, and marked."""
    offset = f"+{duration_words(moment['offsetMs'])}"
    aside = paint("dim", "[set aside] ") if moment["setAside"] else ""
    return f"{paint('dim', moment['at'][11:23])}  {paint('dim', f'{offset:>8}')}  {aside}{safe(moment['text'])}"


def tree_lines(title: str, lines: Sequence[TreeLine]) -> list[str]:
    return [paint("bold", safe(title)), *(_tree_line(line) for line in lines)]


def _tree_line(line: TreeLine) -> str:
    if line.status is None:
        return f"{paint('dim', line.rails)}{safe(line.text)}"
    mark, colour = MARKS[line.status]
    return f"{paint('dim', line.rails)}{paint(colour, f'{mark} {safe(line.text)}')}"

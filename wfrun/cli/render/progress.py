"""An execution while it runs: plain lines in a pipe, a moving list of steps on a terminal.

The records arrive in the driving thread, already durable. Nothing here may disturb the run: standard output has been
reserved, so that what cannot be written is lost and the execution goes on.
"""

from __future__ import annotations

import os
import sys
from itertools import islice
from threading import Lock
from typing import TYPE_CHECKING, Protocol

from wfrun.cli.render.lists import moment_line
from wfrun.cli.render.loops import LoopDigest, went_wrong
from wfrun.cli.render.status import MARKS, iteration_words, progress_words
from wfrun.cli.streams import ours
from wfrun.cli.text import is_lively, is_terminal, safe
from wfrun.core.instants import elapsed_ms, format_instant
from wfrun.views.instants import duration_words
from wfrun.views.iterations import ACTIVE
from wfrun.views.status import StatusFold, fold_of
from wfrun.views.timeline import Timeline
from wfrun.views.words import count_words

if TYPE_CHECKING:
    from rich.console import RenderableType

    from wfrun.core.events import Record
    from wfrun.views.model import StatusView, StepView

OTHERS_SHOWN = 5
_QUIET_TYPES = ("driver.started", "driver.stopped")


class Progress(Protocol):
    """Observes a run between `with` and its end."""

    def __enter__(self) -> Progress: ...
    def __exit__(self, *exception: object) -> None: ...
    def observe(self, execution: str, record: Record, fresh: bool) -> None: ...


def progress_for(*, silent: bool) -> Progress:
    """What suits standard output."""
    if silent:
        return Silence()
    return LiveSteps() if is_lively(ours()) else Lines()


class Silence:
    """Nothing: with `--json` the outcome is one document, with `--quiet` one id."""

    def __enter__(self) -> Silence:
        return self

    def __exit__(self, *exception: object) -> None:
        pass

    def observe(self, execution: str, record: Record, fresh: bool) -> None:
        pass


class _Told:
    """One execution as its lines are told. `quiet`: it is one of very many, and only what goes wrong has a line."""

    def __init__(self, *, quiet: bool) -> None:
        self.timeline = Timeline()
        self.loops = LoopDigest()
        self.quiet = quiet


class Lines(Silence):
    """A line for each thing that happens, at once. Long loops are told in short.

    The first execution seen is what the command is about. What others do, its children and those that its events
    reach, is told with their id before it.
    """

    def __init__(self) -> None:
        self._told: dict[str, _Told] = {}
        self._first: str | None = None
        self._quiet: set[str] = set()

    def observe(self, execution: str, record: Record, fresh: bool) -> None:
        self._first = self._first or execution
        told = self._told.get(execution) or self._begin(execution)
        before, shown = told.loops.see(record)
        if record["type"] == "child.started" and (told.quiet or not shown):
            self._quiet.add(record["child"])
        if fresh:
            self._tell(execution, told, record, before, shown)
        else:
            told.timeline.begin(record)
        if record["type"] == "execution.ended" and execution != self._first:
            del self._told[execution]
            self._quiet.discard(execution)

    def _begin(self, execution: str) -> _Told:
        told = self._told[execution] = _Told(quiet=execution in self._quiet)
        return told

    def _tell(self, execution: str, told: _Told, record: Record, before: list[str], shown: bool) -> None:
        moment = told.timeline.moment(record)
        texts = [] if told.quiet else before
        if shown and (not told.quiet or went_wrong(record)) and not _is_quiet(record):
            texts.append(moment["text"])
        others = "" if execution == self._first else f"{execution}: "
        lines = [f"execution {execution}"] if record["type"] == "execution.started" and not others else []
        lines += [moment_line({**moment, "text": f"{others}{text}"}) for text in texts]
        if lines:
            print("\n".join(lines), file=ours(), flush=True)


def _is_quiet(record: Record) -> bool:
    """Whether the next line tells as much: after a time has come, what had waited for it goes on."""
    return record["type"] in _QUIET_TYPES or (
        record["type"] == "timer.fired" and not record["timer"].endswith("!timeout")
    )


class _Seen:
    """One execution as its frame is drawn."""

    def __init__(self) -> None:
        self.fold = StatusFold()
        self._records: list[Record] = []

    def add(self, record: Record) -> None:
        self._records.append(record)
        if record["type"] == "execution.repaired":
            self.fold = fold_of(self._records)
        else:
            self.fold.add(record)


class LiveSteps:
    """The steps with what they are doing, redrawn ten times a second by a thread of rich.

    Below them stands a line for each other execution that this process drives: children, and what events have reached.
    What services print goes above all, unless standard error goes elsewhere.
    """

    def __init__(self) -> None:
        from rich.console import Console
        from rich.live import Live

        self._lock = Lock()
        self._seen: dict[str, _Seen] = {}
        console, together = Console(file=ours()), is_terminal(sys.stderr)
        self._live = Live(
            get_renderable=self._draw,
            console=console,
            refresh_per_second=10,
            transient=True,
            redirect_stdout=together,
            redirect_stderr=together,
        )

    def __enter__(self) -> LiveSteps:
        self._live.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._live.stop()

    def observe(self, execution: str, record: Record, fresh: bool) -> None:
        with self._lock:
            if execution not in self._seen:
                self._seen[execution] = _Seen()
            self._seen[execution].add(record)
            if record["type"] == "execution.ended" and execution != next(iter(self._seen)):
                del self._seen[execution]

    def _draw(self) -> RenderableType:
        from rich.text import Text

        with self._lock:
            if not self._seen:
                return Text("starting …")
            first, *others = islice(self._seen.values(), OTHERS_SHOWN + 1)
            return _frame(first.fold.view(), [seen.fold.view() for seen in others], len(self._seen) - 1)


def _frame(view: StatusView, others: list[StatusView], count: int) -> RenderableType:
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 2))
    for row in _visible(_rows(view), less=len(others) + (count > len(others))):
        mark, colour = MARKS[row["status"]]
        took, notes = Text(_elapsed(row), style="dim"), Text(_notes(row))
        table.add_row(
            _spinner() if row["status"] == "running" else Text(mark, style=colour), safe(row["step"]), took, notes
        )
    below = [Text(_headline(other), style="dim") for other in others]
    if count > len(others):
        below.append(Text(f"… and {count_words(count - len(others), 'more execution')}", style="dim"))
    return Group(Text(_headline(view)), table, *below)


def _headline(view: StatusView) -> str:
    doing = "undoing" if _is_undoing(view) else view["status"]
    return f"{view['execution']} · {safe(view['workflow'])} · {doing} · {progress_words(view)}"


def _rows(view: StatusView) -> list[StepView]:
    return view["compensations"] if _is_undoing(view) else view["steps"]


def _is_undoing(view: StatusView) -> bool:
    return any(row["status"] in (*ACTIVE, "pending") for row in view["compensations"])


def _spinner() -> RenderableType:
    from time import monotonic

    from rich.text import Text

    return Text("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"[int(monotonic() * 10) % 10], style="blue")


def _visible(rows: list[StepView], *, less: int) -> list[StepView]:
    """As many rows as fit on the screen beside so many other lines, around the first that is active."""
    room = max(3, _terminal_height() - 4 - less)
    if len(rows) <= room:
        return rows
    active = next((i for i, row in enumerate(rows) if row["status"] in (*ACTIVE, "pending")), len(rows))
    first = min(max(0, active - room // 2), len(rows) - room)
    return rows[first : first + room]


def _terminal_height() -> int:
    try:
        return os.get_terminal_size(ours().fileno()).lines or 24
    except (OSError, ValueError):
        return 24


def _elapsed(row: StepView) -> str:
    from datetime import UTC, datetime

    if row["startedAt"] is None:
        return ""
    return duration_words(elapsed_ms(row["startedAt"], row["endedAt"] or format_instant(datetime.now(UTC))))


def _notes(row: StepView) -> str:
    if "iterations" in row:
        return iteration_words(row["iterations"])
    tries = f"attempt {row['attempts']}" if row["attempts"] > 1 else ""
    error = f"{row['error']['type']}: {safe(row['error']['message'])}" if row["error"] else ""
    word = row["status"] if row["status"] in ("retrying", "waiting", "skipped", "compensated") else ""
    return " · ".join(note for note in (word, tries, error) if note)

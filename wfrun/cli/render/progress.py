"""An execution while it runs: plain lines in a pipe, a moving list of steps on a terminal.

The records arrive in the driving thread, already durable. Nothing here may disturb the run: standard output has been
reserved, so that what cannot be written is lost and the execution goes on.
"""

from __future__ import annotations

import os
import sys
from threading import Lock
from typing import TYPE_CHECKING, Protocol

from wfrun.cli.render.lists import moment_line
from wfrun.cli.render.loops import LoopDigest
from wfrun.cli.render.status import MARKS, iteration_words, progress_words
from wfrun.cli.streams import ours
from wfrun.cli.text import is_lively, is_terminal, safe
from wfrun.core.instants import elapsed_ms, format_instant
from wfrun.views.instants import duration_words
from wfrun.views.iterations import ACTIVE
from wfrun.views.status import StatusFold, fold_of
from wfrun.views.timeline import Timeline

if TYPE_CHECKING:
    from rich.console import RenderableType

    from wfrun.core.events import Record
    from wfrun.views.model import StatusView, StepView

_QUIET_TYPES = ("driver.started", "driver.stopped", "timer.fired")


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


class Lines(Silence):
    """A line for each thing that happens, at once. Long loops are told in short."""

    def __init__(self) -> None:
        self._timeline = Timeline()
        self._loops = LoopDigest()

    def observe(self, execution: str, record: Record, fresh: bool) -> None:
        moment = self._timeline.moment(record)
        before, told = self._loops.see(record)
        if not fresh:
            return
        lines = [moment_line({**moment, "text": text}) for text in before]
        if record["type"] == "execution.started":
            lines.append(f"execution {execution}")
        if told and record["type"] not in _QUIET_TYPES:
            lines.append(moment_line(moment))
        if lines:
            print("\n".join(lines), file=ours(), flush=True)


class LiveSteps:
    """The steps with what they are doing, redrawn ten times a second by a thread of rich.

    What services print goes above them, unless standard error goes elsewhere.
    """

    def __init__(self) -> None:
        from rich.console import Console
        from rich.live import Live

        self._lock = Lock()
        self._fold = StatusFold()
        self._records: list[Record] = []
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
            self._records.append(record)
            if record["type"] == "execution.repaired":
                self._fold = fold_of(self._records)
            else:
                self._fold.add(record)

    def _draw(self) -> RenderableType:
        from rich.text import Text

        with self._lock:
            if not self._records:
                return Text("starting …")
            return _frame(self._fold.view())


def _frame(view: StatusView) -> RenderableType:
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 2))
    undoing = any(row["status"] in (*ACTIVE, "pending") for row in view["compensations"])
    for row in _visible(view["compensations"] if undoing else view["steps"]):
        mark, colour = MARKS[row["status"]]
        took, notes = Text(_elapsed(row), style="dim"), Text(_notes(row))
        table.add_row(
            _spinner() if row["status"] == "running" else Text(mark, style=colour), safe(row["step"]), took, notes
        )
    doing = "undoing" if undoing else view["status"]
    head = Text(f"{view['execution']} · {safe(view['workflow'])} · {doing} · {progress_words(view['progress'])}")
    return Group(head, table)


def _spinner() -> RenderableType:
    from time import monotonic

    from rich.text import Text

    return Text("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"[int(monotonic() * 10) % 10], style="blue")


def _visible(rows: list[StepView]) -> list[StepView]:
    """As many rows as fit on the screen, around the first that is active."""
    room = max(3, _terminal_height() - 4)
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

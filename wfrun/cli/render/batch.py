"""A batch while it runs: a line for each execution as it ends, a progress bar beside it, totals at the end."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from wfrun.cli.invoke import print_json_line
from wfrun.cli.render.lists import summary_line
from wfrun.cli.text import is_lively
from wfrun.views.model import Summary

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


class BatchReport:
    """Lines go to standard output; the bar, which moves, to standard error if that is a terminal."""

    def __init__(self, inputs: str, *, as_json: bool, quiet: bool) -> None:
        self.counts: Counter[str] = Counter()
        self._as_json = as_json
        self._quiet = quiet
        self._open = True
        self._inputs = inputs
        self._bar: tuple[Progress, TaskID] | None = None

    def __enter__(self) -> BatchReport:
        if is_lively(sys.stderr):
            self._bar = _start_bar(self._inputs)
        return self

    def __exit__(self, *exception: object) -> None:
        if self._bar:
            self._bar[0].stop()

    def finished(self, row: Summary) -> None:
        """One execution has ended, or waits. If nobody reads any more, the work goes on in silence."""
        self.counts[row["status"]] += 1
        if self._bar:
            self._bar[0].advance(self._bar[1])
        if self._open and not (self._quiet and not self._as_json):
            self._print(row)

    def totals(self) -> None:
        total = sum(self.counts.values())
        if self._as_json:
            print_json_line({"total": total, "counts": dict(sorted(self.counts.items()))})
            return
        words = ", ".join(f"{count} {status}" for status, count in sorted(self.counts.items()))
        print(f"{total} executions: {words}" if total else "0 executions: there was no input")

    def _print(self, row: Summary) -> None:
        try:
            if self._as_json:
                print_json_line(row)
            elif self._bar and sys.stdout.isatty():
                self._bar[0].console.out(summary_line(row), highlight=False)
            else:
                print(summary_line(row))
        except BrokenPipeError:
            self._open = False


def _start_bar(inputs: str) -> tuple[Progress, TaskID]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeElapsedColumn

    bar = Progress(BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), console=Console(stderr=True), transient=True)
    task = bar.add_task("", total=_count_lines(inputs))
    bar.start()
    return bar, task


def _count_lines(inputs: str) -> int | None:
    """How many inputs to expect; unknown when they come through a pipe."""
    path = Path(inputs)
    if not path.is_file():
        return None
    with path.open("rb") as lines:
        return sum(1 for line in lines if line.strip())

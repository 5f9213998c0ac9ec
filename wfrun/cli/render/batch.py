"""A batch while it runs: a line for each execution as it ends, a progress bar beside it, totals at the end."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from wfrun.cli.invoke import print_json_line, problem_data, problem_text
from wfrun.cli.outcome import tell_loss
from wfrun.cli.render.lists import summary_line
from wfrun.cli.streams import ours
from wfrun.cli.text import is_lively
from wfrun.errors import DivergenceError, JournalError, WfrunError

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from wfrun.views.model import Summary


# What ends an execution that may have begun. Any other error is an input that was not accepted.
_STOPS = (JournalError, DivergenceError)


class BatchReport:
    """Lines go to standard output; the bar, which moves, to standard error if that is a terminal."""

    def __init__(self, inputs: str, *, as_json: bool, quiet: bool) -> None:
        self.counts: Counter[str] = Counter()
        self._as_json = as_json
        self._quiet = quiet
        self._inputs = inputs
        self._bar: tuple[Progress, TaskID] | None = None

    def __enter__(self) -> BatchReport:
        if is_lively(sys.stderr):
            self._bar = _start_bar(self._inputs)
        return self

    def __exit__(self, *exception: object) -> None:
        if self._bar:
            self._bar[0].stop()

    def finished(self, number: int, outcome: Summary | WfrunError) -> None:
        """An execution ended, or waits, or had to be let go, or its input was refused."""
        self.counts[_word(outcome)] += 1
        if self._bar:
            self._bar[0].advance(self._bar[1])
        if self._as_json or not self._quiet:
            self._print(number, outcome)

    def totals(self) -> None:
        self._print_totals()
        tell_loss()

    def _print_totals(self) -> None:
        total = sum(self.counts.values())
        if self._as_json:
            print_json_line({"total": total, "counts": dict(sorted(self.counts.items()))})
            return
        words = ", ".join(f"{count} {status}" for status, count in sorted(self.counts.items()))
        print(f"{total} executions: {words}" if total else "0 executions: there was no input", file=ours())

    def _print(self, number: int, outcome: Summary | WfrunError) -> None:
        if self._as_json:
            print_json_line({"input": number, **_data(outcome)})
        elif self._bar and ours().isatty():
            self._bar[0].console.out(_line(number, outcome), highlight=False)
        else:
            print(_line(number, outcome), file=ours())


def _word(outcome: Summary | WfrunError) -> str:
    if isinstance(outcome, WfrunError):
        return "stopped" if isinstance(outcome, _STOPS) else "refused"
    return outcome["status"]


def _data(outcome: Summary | WfrunError) -> Mapping[str, object]:
    if isinstance(outcome, WfrunError):
        return {_word(outcome): [*map(problem_data, outcome.problems)]}
    return outcome


def _line(number: int, outcome: Summary | WfrunError) -> str:
    if isinstance(outcome, WfrunError):
        return "\n".join(f"line {number}  {_word(outcome)}  {problem_text(problem)}" for problem in outcome.problems)
    return summary_line(number, outcome)


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
    try:
        with path.open("rb") as lines:
            return sum(1 for line in lines if line.strip())
    except OSError:
        return None

"""Many executions while they run: a line for each execution as it ends, a progress bar beside it, totals at the end."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Generic, Self, TypeVar

from wfrun.cli.invoke import print_json_line, problem_data, problem_text
from wfrun.cli.outcome import tell_loss
from wfrun.cli.render.lists import summary_line
from wfrun.cli.streams import ours
from wfrun.cli.text import is_lively
from wfrun.errors import DivergenceError, JournalError, WfrunError
from wfrun.views.words import count_words

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from wfrun.views.model import Summary


# What a line is about.
Key = TypeVar("Key")

# What ends an execution that may have begun. Any other error is an input that was not accepted.
_STOPS = (JournalError, DivergenceError)


class _Report(Generic[Key]):
    """Lines go to standard output; the bar, which moves, to standard error if that is a terminal."""

    nothing: str

    def __init__(self, total: Callable[[], int | None], *, as_json: bool, quiet: bool) -> None:
        self.counts: Counter[str] = Counter()
        self._as_json = as_json
        self._quiet = quiet
        self._total = total
        self._bar: tuple[Progress, TaskID] | None = None

    def __enter__(self) -> Self:
        if is_lively(sys.stderr):
            self._bar = _start_bar(self._total())
        return self

    def __exit__(self, *exception: object) -> None:
        if self._bar:
            self._bar[0].stop()

    def finished(self, key: Key, outcome: Summary | WfrunError) -> None:
        """An execution ended, or waits, or had to be let go, or was refused."""
        self.counts[_word(outcome)] += 1
        if self._bar:
            self._bar[0].advance(self._bar[1])
        if self._as_json or not self._quiet:
            self._print(key, outcome)

    def totals(self) -> None:
        self._print_totals()
        tell_loss()

    def head(self, key: Key) -> str:
        """What a line begins with."""
        raise NotImplementedError

    def data(self, key: Key) -> Mapping[str, object]:
        """The same as JSON."""
        raise NotImplementedError

    def _print_totals(self) -> None:
        total = sum(self.counts.values())
        if self._as_json:
            print_json_line({"total": total, "counts": dict(sorted(self.counts.items()))})
            return
        words = ", ".join(f"{count} {status}" for status, count in sorted(self.counts.items()))
        print(f"{count_words(total, 'execution')}: {words}" if total else f"0 executions: {self.nothing}", file=ours())

    def _print(self, key: Key, outcome: Summary | WfrunError) -> None:
        if self._as_json:
            print_json_line({**self.data(key), **_data(outcome)})
        elif self._bar and ours().isatty():
            self._bar[0].console.out(_line(self.head(key), outcome), highlight=False)
        else:
            print(_line(self.head(key), outcome), file=ours())


class BatchReport(_Report[int]):
    """By the lines of the inputs."""

    nothing = "there was no input"

    def __init__(self, inputs: str, *, as_json: bool, quiet: bool) -> None:
        super().__init__(partial(_count_lines, inputs), as_json=as_json, quiet=quiet)

    def head(self, key: int) -> str:
        return f"line {key}"

    def data(self, key: int) -> Mapping[str, object]:
        return {"input": key}


class ResumeReport(_Report[str]):
    """By the ids of executions."""

    nothing = "there is none that --where fits and that can be resumed"

    def __init__(self, count: int, *, as_json: bool, quiet: bool) -> None:
        super().__init__(lambda: count, as_json=as_json, quiet=quiet)

    def head(self, key: str) -> str:
        return key

    def data(self, key: str) -> Mapping[str, object]:
        return {"execution": key}


def _word(outcome: Summary | WfrunError) -> str:
    if isinstance(outcome, WfrunError):
        return "stopped" if isinstance(outcome, _STOPS) else "refused"
    return outcome["status"]


def _data(outcome: Summary | WfrunError) -> Mapping[str, object]:
    if isinstance(outcome, WfrunError):
        return {_word(outcome): [*map(problem_data, outcome.problems)]}
    return outcome


def _line(head: str, outcome: Summary | WfrunError) -> str:
    if isinstance(outcome, WfrunError):
        return "\n".join(f"{head}  {_word(outcome)}  {problem_text(problem)}" for problem in outcome.problems)
    return summary_line(head, outcome)


def _start_bar(total: int | None) -> tuple[Progress, TaskID]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeElapsedColumn

    bar = Progress(BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), console=Console(stderr=True), transient=True)
    task = bar.add_task("", total=total)
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

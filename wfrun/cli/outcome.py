"""The end of every command that drives an execution: what it came to, in the form asked for, and the exit code."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wfrun.cli.invoke import EXIT_CODES, print_json, report
from wfrun.cli.render.status import status_lines
from wfrun.cli.streams import loss, ours
from wfrun.cli.text import safe

if TYPE_CHECKING:
    from wfrun.views.model import StatusView


def finish(view: StatusView, *, note: str, as_json: bool, quiet: bool) -> int:
    """Print the outcome: the status view as JSON, only the id, or the status in words. The exit code of its status.

    `note` is what else there is to say, for people only ("it had ended before").
    """
    _print(view, note, as_json, quiet)
    tell_loss()
    return EXIT_CODES[view["status"]]


def tell_loss() -> None:
    """Say what became of output that was lost. What was done is done, and the exit code still says what."""
    ours().flush()
    if lost := loss():
        report(lost, as_json=False)


def _print(view: StatusView, note: str, as_json: bool, quiet: bool) -> None:
    if as_json:
        print_json(view)
    elif quiet:
        print(view["execution"], file=ours())
    else:
        print("\n".join(["", *([safe(note)] if note else []), *status_lines(view)]), file=ours())

"""The end of every command that drives an execution: what it came to, in the form asked for, and the exit code."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from wfrun.cli.invoke import EXIT_CODES, abandon_stdout, print_json
from wfrun.cli.render.status import status_lines
from wfrun.cli.text import safe

if TYPE_CHECKING:
    from wfrun.views.model import StatusView


def finish(view: StatusView, *, note: str, as_json: bool, quiet: bool) -> int:
    """Print the outcome: the status view as JSON, only the id, or the status in words. The exit code of its status.

    `note` is what else there is to say, for people only ("it had ended before").
    """
    try:
        _print(view, note, as_json, quiet)
        sys.stdout.flush()
    except BrokenPipeError:  # what was done is done, and the exit code still says what
        abandon_stdout()
    return EXIT_CODES[view["status"]]


def _print(view: StatusView, note: str, as_json: bool, quiet: bool) -> None:
    if as_json:
        print_json(view)
    elif quiet:
        print(view["execution"])
    else:
        print("\n".join(["", *([safe(note)] if note else []), *status_lines(view)]))

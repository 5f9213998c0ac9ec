"""Which execution or task a typed word means."""

from __future__ import annotations

import os
from collections.abc import Iterable
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING

from wfrun.app.elsewhere import Catalogue, RemoteHome
from wfrun.errors import AmbiguousError, NotFoundError
from wfrun.journal.home import Home
from wfrun.journal.journal import Journal

if TYPE_CHECKING:
    from wfrun.views.index.reader import Index

INDEX = "index.sqlite"
SHOWN = 5


def find_execution(home: Home, prefix: str) -> str:
    """The execution whose id is, or alone begins with, `prefix`. Raises NotFoundError or AmbiguousError."""
    beginning = as_id(prefix)
    if home.exists(beginning):
        return beginning
    return only(home, ids_beginning(home, beginning, SHOWN + 1), prefix, "execution")


def as_id(typed: str) -> str:
    """A child in a loop may be typed as its step is shown: `o1.ship@3` is the execution `o1.ship..3`."""
    return typed.replace("@", "..").replace("~", "..r")


def ids_beginning(home: Home, prefix: str, most: int) -> list[str]:
    """Executions whose ids begin so: asked of the index where there is one, else of the directories."""
    if isinstance(home, RemoteHome) or home.find(f"{home.path}/{INDEX}") is not None:
        return index_of(home).ids(prefix, most)
    return list(islice(home.ids(prefix), most))


def index_of(home: Home) -> Index | Catalogue:
    if isinstance(home, RemoteHome):
        return home.workers.catalogue
    from wfrun.views.index.reader import Index

    home.find(f"{home.path}/{INDEX}")  # StateError if what stands there cannot be trusted
    return Index(home, partial(Journal.read, home))


def only(home: Home, found: list[str], prefix: str, what: str) -> str:
    if not found:
        raise _unknown(home, prefix, what)
    if len(found) > 1:
        raise AmbiguousError(f"{what}.ambiguous", f"{prefix!r} could be {listed(found)}", hint="type more of it")
    return found[0]


def _unknown(home: Home, prefix: str, what: str) -> NotFoundError:
    """Whoever stands in another folder than before looks into another state directory, which is not there."""
    code, message = f"{what}.unknown", f"no {what} begins with {prefix!r} in {home.path}"
    if os.path.isdir(home.path):
        return NotFoundError(code, message, hint=_SEE[what])
    hint = "go to where it was started, or name its state directory with --home or WFRUN_HOME"
    return NotFoundError(code, f"{message}, which is not there", hint=hint)


_SEE = {"execution": "`wfrun list` shows them", "task": "`wfrun tasks` shows those that wait"}


def listed(found: Iterable[str]) -> str:
    names = sorted(found)
    more = ", …" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more

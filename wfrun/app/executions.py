"""Which execution or task a typed word means."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

from wfrun.errors import AmbiguousError, NotFoundError
from wfrun.journal.home import Home, is_id

SHOWN = 5


def find_execution(home: Home, prefix: str) -> str:
    """The execution whose id is, or alone begins with, `prefix`. Raises NotFoundError or AmbiguousError."""
    if is_id(prefix) and home.find(home.journal_path(prefix)) is not None:
        return prefix
    return only(list(islice(home.ids(prefix), SHOWN + 1)), prefix, "execution")


def only(found: list[str], prefix: str, what: str) -> str:
    if not found:
        raise NotFoundError(f"{what}.unknown", f"no {what} begins with {prefix!r}", hint=_SEE[what])
    if len(found) > 1:
        raise AmbiguousError(f"{what}.ambiguous", f"{prefix!r} could be {_listed(found)}", hint="type more of it")
    return found[0]


_SEE = {"execution": "`wfrun list` shows them", "task": "`wfrun tasks` shows those that wait"}


def _listed(found: Iterable[str]) -> str:
    names = sorted(found)
    more = ", …" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more

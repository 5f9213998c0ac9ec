"""Named points at which a process can be made to die, so that tests can prove what survives.

`reach("journal.appended")` stands in the source right where the promise is at stake. It does nothing, unless
`WFRUN_CRASH_AT=journal.appended` is set (`journal.appended:3`: the third time), or a test armed the point itself. The
process then kills itself with SIGKILL: no handler, no `finally`, no flush gets a chance to tidy up.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from wfrun.errors import UsageError

POINTS = frozenset(
    {
        "blob.written",
        "create.named",
        "create.written",
        "definition.written",
        "driver.after-sync",
        "driver.before-sync",
        "driver.claimed",
        "journal.appending",
        "journal.appended",
        "journal.syncing",
        "journal.synced",
        "journal.sync-failed",
        "journal.resting",
        "replace.created",
        "replace.written",
        "replace.synced",
        "replace.renamed",
        "commit.syncing",
        "commit.synced",
        "gc.listed",
        "gc.removed",
        "gc.swept",
    }
)


class Crash(BaseException):
    """What an armed point raises in place of killing the process: no Exception, so that nothing recovers from it."""


class _Armed:
    """One point, and what happens when it is reached for the n-th time."""

    def __init__(self, text: str, act: Callable[[], None]) -> None:
        self.name, _, count = text.partition(":")
        if self.name not in POINTS or not (count or "1").isdigit():
            raise UsageError(
                "crash.unknown", f"{text!r} is no crash point", hint=f"there are: {', '.join(sorted(POINTS))}"
            )
        self.left = int(count or "1")
        self.act = act

    def hit(self, name: str) -> None:
        if name != self.name:
            return
        self.left -= 1
        if self.left == 0:
            self.act()


def reach(name: str) -> None:
    """The process dies here if this point is armed."""
    if _armed is not None:
        _armed.hit(name)


@contextmanager
def crashing(point: str) -> Iterator[None]:
    """Within the block, reaching the point (`name` or `name:n`) raises `Crash`."""
    global _armed
    before, _armed = _armed, _Armed(point, _raise)
    try:
        yield
    finally:
        _armed = before


def _raise() -> None:
    raise Crash


def _die() -> None:
    import signal

    os.kill(os.getpid(), signal.SIGKILL)


_armed: _Armed | None = _Armed(os.environ["WFRUN_CRASH_AT"], _die) if os.environ.get("WFRUN_CRASH_AT") else None

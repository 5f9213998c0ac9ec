"""The one door to the time of day, as `io` is the one to the disk: a state directory has both (`Home`).

Whoever stamps a record, judges whether a task is overdue or sets an alarm asks the clock of its home and no other. So
all of them agree, and a simulation has days pass in no time.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from datetime import datetime

# Answers with an instant in UTC. It may be set, forwards and backwards, while it is being looked at.
Clock: TypeAlias = "Callable[[], datetime]"


def utc_now() -> datetime:
    """The clock of the operating system."""
    return _system()()


@cache
def _system() -> Clock:
    from datetime import UTC, datetime  # whoever only reads journals needs no time

    return partial(datetime.now, UTC)

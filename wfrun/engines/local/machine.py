"""What an engine has of the machine that it runs on, besides the disk and the clock of its state directory.

A simulation gives it all of these, and an event loop: then nothing else is left that could make two runs differ.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from hashlib import sha256
from typing import NamedTuple

from wfrun.journal.commit import Committer


def chance() -> float:
    """At least 0 and less than 1, in 2⁵³ steps. Importing `random` for it takes as long as 20 steps."""
    return (int.from_bytes(os.urandom(7)) >> 3) / 2**53


class Machine(NamedTuple):
    """`chance` answers with numbers from 0 to 1. A sleep until an instant is cut into pieces of `longest_sleep_s`, so
    that a clock that was set, or a machine that slept, is noticed. The folder `running` holds a lock for each call that
    has processes of its own; without one there are none."""

    committer: Committer
    chance: Callable[[], float] = chance
    longest_sleep_s: float = 30.0
    running: str | None = None

    def lock(self, execution: str, call: str) -> str | None:
        """The path of the lock of a call, whose id is that of its effect: of one attempt at one step."""
        return f"{self.running}/{execution}.{sha256(call.encode()).hexdigest()[:16]}" if self.running else None

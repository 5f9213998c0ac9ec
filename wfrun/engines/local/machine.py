"""What an engine has of the machine that it runs on, besides the disk and the clock of its state directory.

A simulation gives it all of these, and an event loop: then nothing else is left that could make two runs differ.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import random

from wfrun.journal.commit import Committer


@dataclass(frozen=True, slots=True)
class Machine:
    """`chance` answers with numbers from 0 to 1. A sleep until an instant is cut into pieces of `longest_sleep_s`, so
    that a clock that was set, or a machine that slept, is noticed."""

    committer: Committer
    chance: Callable[[], float] = random
    longest_sleep_s: float = 30.0

"""Processes that do something at the same moment, round after round: people who decide, runners that start and resume.

They are forked once from a server that has imported everything, so that a round costs what the doing costs.
"""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from datetime import datetime, timedelta
from multiprocessing.synchronize import Barrier
from types import TracebackType
from typing import NamedTuple

from wfrun.errors import WfrunError
from wfrun.journal.clock import utc_now
from wfrun.journal.home import Home
from wfrun.journal.journal import Journal

_WARM = [
    "tests.support.crowd",
    "tests.support.ledger",
    "wfrun.app.driving",
    "wfrun.app.deciding",
    "wfrun.adapters.python",
]
_SECONDS = 60


class Said(NamedTuple):
    """What one of them was told: the execution's status, `heard`, or the code of an error; and the words for people."""

    code: str
    words: str


Deed = Callable[[], Said]


class Crowd:
    """`size` processes. Each round gives each of them one deed."""

    def __init__(self, size: int) -> None:
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(_WARM)
        self.size = size
        self._pool = ProcessPoolExecutor(size, context, _join, (context.Barrier(size),))

    def __enter__(self) -> Crowd:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._pool.shutdown()

    def at_once(self, deeds: Sequence[Deed]) -> list[Said]:
        assert len(deeds) == self.size
        return [each.result(_SECONDS) for each in [self._pool.submit(_do, deed) for deed in deeds]]


_together: Barrier


def _join(barrier: Barrier) -> None:
    global _together
    _together = barrier


def _do(deed: Deed) -> Said:
    _together.wait(_SECONDS)
    try:
        return deed()
    except WfrunError as error:
        return Said(error.code, error.message)


def home_at(path: str, ahead_s: float) -> Home:
    """A home by a clock that is ahead, or behind."""

    def clock() -> datetime:
        return utc_now() + timedelta(seconds=ahead_s)

    return Home(path, clock=clock)


def start(path: str, workflow: str, execution: str, input: dict[str, int], ahead_s: float = 0) -> Said:
    from wfrun.app.driving import run

    outcome = run(home_at(path, ahead_s), workflow=workflow, input=dict(input), execution=execution, initiator="ann")
    return Said(outcome.status, outcome.note)


def resume(path: str, execution: str, ahead_s: float = 0) -> Said:
    from wfrun.app.driving import resume

    outcome = resume(home_at(path, ahead_s), execution)
    return Said(outcome.status, outcome.note)


def decide(path: str, execution: str, decision: str, by: str, ahead_s: float = 0) -> Said:
    """Record a decision, and leave the execution to be driven on."""
    from wfrun.app.driving import decide

    outcome = decide(home_at(path, ahead_s), execution, decision=decision, by=by, resume=False)
    return Said("heard", outcome.note)


def decide_carelessly(path: str, execution: str, decision: str, by: str) -> Said:
    """What must not be: a look whether the task is open, and only then the lock and the record."""
    with closing(Journal.open(Home(path), execution)) as journal:
        (task,) = (each["task"] for each in journal.records if each["type"] == "task.created")
        if any(each["type"] == "task.decided" for each in journal.records):
            return Said("task.closed", "")
        time.sleep(0.01)
        with journal.turn():
            journal.add(
                {"type": "task.decided", "task": task, "decision": decision, "by": by, "comment": "", "data": {}}
            )
        journal.sync()
    return Said("heard", "")

"""Whether there is anything to do about an execution that waits: nobody should write that nothing happened."""

from __future__ import annotations

from datetime import datetime

from wfrun.app.in_force import fold
from wfrun.app.standing import standstill
from wfrun.core.effects import AwaitRepair, CallService, Effect, Listen, OpenTask, StartChild, StartPause, StartTimer
from wfrun.core.instants import parse_instant
from wfrun.core.run import Run
from wfrun.errors import JournalError, NotFoundError
from wfrun.journal.home import Home
from wfrun.journal.journal import Journal


def idles(home: Home, execution: str, now: datetime) -> bool:
    """Whether it, and every child that it waits for, only waits for what has not come and for times that are to come.

    Raises JournalError.
    """
    records = Journal.read(home, execution)
    if standstill(records) == "paused":
        return True
    run = fold(home, records)
    return run.ended is None and all(_only_waits(home, run, effect, now) for effect in run.outstanding())


def _only_waits(home: Home, run: Run, effect: Effect, now: datetime) -> bool:
    recorded = run.recorded.get(effect.id)
    match effect:
        case AwaitRepair():
            return True
        case _ if recorded is None:
            return False
        case Listen() | CallService():  # a call that is recorded so is one that a person is asked about
            return True
        case OpenTask(id=id):
            return not run.tasks[id].is_expired(now)
        case StartTimer() | StartPause():
            return parse_instant(recorded["due"]) > now
        case StartChild():
            return _child_idles(home, recorded["child"], now)
    return False


def _child_idles(home: Home, child: str, now: datetime) -> bool:
    """One that has ended has something to say to its parent, and one that is not there yet has to be begun."""
    try:
        return idles(home, child, now)
    except (NotFoundError, JournalError):
        return False

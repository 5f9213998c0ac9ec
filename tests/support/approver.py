"""A person with a list of executions, in a process of their own: approves the task of each, and tells what came of it.

    python -m tests.support.approver NAME < executions

As `wfrun approve` would on Temporal, one after the other. Of each a line: `mine`, or the code of the refusal.
"""

from __future__ import annotations

import os
import sys

from wfrun.app import driving
from wfrun.app.elsewhere import RemoteHome
from wfrun.app.temporal import TemporalWorkers, open_namespace
from wfrun.engines.temporal.files import JournalFiles
from wfrun.errors import WfrunError


def approve(home: RemoteHome, person: str, execution: str) -> str:
    """If it has gone on between looking and telling, or no worker has answered in time, once more."""
    while True:
        try:
            driving.decide(again(home), execution, decision="approved", by=person)
        except WfrunError as error:
            if error.code not in ("journal.moved", "temporal.no-worker"):
                return error.code
        else:
            return "mine"


def again(home: RemoteHome) -> RemoteHome:
    """As the next command has it, but for the connection."""
    workers = home.workers
    assert isinstance(workers, TemporalWorkers)
    return RemoteHome(home.path, JournalFiles(workers._namespace, workers._ask), workers)


if __name__ == "__main__":
    namespace = open_namespace()
    for execution in sys.stdin.read().split():
        print(execution, approve(namespace, sys.argv[1], execution), flush=True)
    os._exit(0)  # as the command does: the client's threads are in no state to be waited for

"""A child that its parent begins once more: one that failed tries again what it failed with."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from wfrun.core.repair import propose
from wfrun.core.run import Run
from wfrun.errors import ConflictError

if TYPE_CHECKING:
    from wfrun.core.events import Record, RepairRequested


def times_begun(parent: Iterable[Record], child: str) -> int:
    """How often a parent has begun a child, by its own records."""
    return sum(record["type"] == "child.started" and record["child"] == child for record in parent)


def is_to_try_again(child: Iterable[Record], by: str, begun: int) -> bool:
    """Whether a child that has ended is to try again for its parent, `by`, which has begun it so many times.

    Each time but the first it is asked once: a runner that died may have asked, and the child have ended since.
    """
    status, asked = "", 0
    for record in child:
        if record["type"] == "execution.ended":
            status = record["status"]
        elif record["type"] == "repair.requested":
            status = ""
            asked += record["by"] == by
    return status == "failed" and asked < begun - 1


def try_again(run: Run, by: str, now: datetime) -> RepairRequested:
    """The fact that has a child try again, whose records `run` has folded. ConflictError if it cannot."""
    proposal = propose(run, "resume", now=now)
    for reason in proposal.reasons:
        raise ConflictError(reason.code, reason.message, hint=reason.hint)
    return proposal.request(by, "its parent tries it again")

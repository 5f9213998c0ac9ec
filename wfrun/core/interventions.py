"""What a person says that sets nothing aside: that an execution need not wait, or that what it has done is to stay."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from wfrun.core.effects import StartPause, StartTimer
from wfrun.core.run import Run
from wfrun.errors import ConflictError, NotFoundError

if TYPE_CHECKING:
    from wfrun.core.events import ExecutionResumed, Record, TimerFired


def waive(run: Run, compensation: str, by: str, reason: str = "") -> ExecutionResumed:
    """The fact that what a step has done stays, though it should have been undone: `compensation` has failed.

    Other compensations that have failed are tried again. Raises ConflictError if this one has not. Of one that is
    paused because of it, `propose` it to be skipped.
    """
    from wfrun.core.repair_refusals import not_failed  # whoever drives on has no need of it

    if (reason_not_to := not_failed(run, compensation)) is not None:
        raise ConflictError(reason_not_to.code, reason_not_to.message, hint=reason_not_to.hint)
    return {"type": "execution.resumed", "by": by, "reason": reason, "waived": [compensation]}


def is_told_to_stop(records: Sequence[Record], by: str) -> bool:
    """Whether a child has heard from its parent, `by`, that it is to stop, which it is told once.

    Behind its point of no return it only pauses then; when somebody has it go on it must not be told again.
    """
    for record in reversed(records):
        if record["type"] == "execution.ended":
            return False
        if record["type"] == "cancel.requested" and record["by"] == by:
            return True
    return False


def fire_now(run: Run, step: str, by: str, reason: str = "") -> TimerFired:
    """The fact that ends a wait at once: for a retry, between iterations, or of a `wait` step for a time.

    Raises NotFoundError if the step waits for no time, ConflictError if `step` means several iterations.
    """
    waiting = [effect.id for effect in run.pending.values() if _waits(effect, step) and effect.id in run.recorded]
    if not waiting:
        hint = "`status` shows what it waits for"
        raise NotFoundError("repair.not-waiting", f"{step!r} does not wait for a time", hint=hint)
    if len(waiting) > 1:
        names = ", ".join(sorted(id.partition("!")[0].partition("#")[0] for id in waiting))
        raise ConflictError("repair.iteration", f"{step!r} could be {names}", hint="name one of them")
    return {"type": "timer.fired", "timer": waiting[0], "by": by, "reason": reason}


def _waits(effect: object, step: str) -> bool:
    if not isinstance(effect, StartTimer | StartPause) or effect.id.endswith("!timeout"):
        return False
    return step in (effect.step, effect.step.partition("@")[0])

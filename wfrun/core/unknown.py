"""Calls of which nobody knows: they were begun, and whoever had begun them ended before the outcome was written down.

    onCrash: retry    the same attempt is begun again, with the same key
             fail     the step fails with `crash.unknown-outcome`, and is undone with the rest
             ask      a person is asked, and says what became of it

With `fail` and `ask` nothing is called a second time without somebody's word: at most once per decision (C4).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wfrun.core.effects import CallService, Effect
from wfrun.core.repair_refusals import not_asked
from wfrun.core.retry import UNKNOWN_OUTCOME
from wfrun.core.run import Run
from wfrun.core.values import Json
from wfrun.errors import ConflictError, NotFoundError

if TYPE_CHECKING:
    from wfrun.core.events import Record, StepCompleted, StepFailed, StepRetried, StepUnknown


def lost(run: Run, effect: Effect) -> StepUnknown | StepFailed | None:
    """What whoever takes over a call that is out records, instead of calling again. None if it is to be called."""
    if not isinstance(effect, CallService) or effect.id not in run.begun or effect.id in run.again:
        return None
    started = run.begun[effect.id]
    match effect.node.on_crash:
        case "fail":
            return _failed(started, f"begun at {started['at']}; its runner ended before the outcome was known")
        case "ask":
            key, since = started["key"], started["at"]
            return {"type": "step.unknown", "step": effect.step, "attempt": effect.attempt, "key": key, "since": since}
    return None


def is_asked(run: Run, step: str) -> bool:
    """Whether a person is to say what became of a call of this step, or of one iteration of it."""
    return bool(_questions(run, step))


def call_again(run: Run, step: str, by: str, reason: str = "") -> StepRetried:
    """The fact that has it called again.

    Like the other two raises NotFoundError if nobody is asked about the step, ConflictError if somebody has answered or
    `step` means several.
    """
    asked = _question(run, step)
    return {
        "type": "step.retried",
        "step": asked["step"],
        "attempt": asked["attempt"],
        "by": by,
        "reason": reason,
    }


def it_happened(run: Run, step: str, result: Json, by: str, reason: str = "") -> StepCompleted:
    """The fact that the call had its effect, and what it gave."""
    asked = _question(run, step)
    return {
        "type": "step.completed",
        "step": asked["step"],
        "attempt": asked["attempt"],
        "result": result,
        "by": by,
        "reason": reason,
    }


def give_up(run: Run, step: str, by: str, reason: str = "") -> StepFailed:
    """The fact that the step fails, as under `onCrash: fail`: whether there is something to undo is not known still."""
    asked = _question(run, step)
    failed = _failed(asked, f"begun at {asked['since']}; what became of it is not known, and {by} had it fail")
    failed["by"], failed["reason"] = by, reason
    return failed


def _failed(about: Record, message: str) -> StepFailed:
    return {
        "type": "step.failed",
        "step": about["step"],
        "attempt": about["attempt"],
        "error": {"type": UNKNOWN_OUTCOME, "message": message},
        "random": 0.0,
    }


def _question(run: Run, step: str) -> Record:
    found = _questions(run, step)
    if not found:
        raise _not_asked(run, step)
    if len(found) > 1:
        names = ", ".join(sorted(each["step"] for each in found))
        raise ConflictError("repair.iteration", f"{step!r} could be {names}", hint="name one of them")
    return found[0]


def _not_asked(run: Run, step: str) -> ConflictError | NotFoundError:
    """The first word counts, and whoever comes later is told whose that was."""
    for record in reversed(run.records):
        if record.get("step") == step and record["type"] in _ANSWERS and "by" in record:
            message = f"{record['by']} said at {record['at']} what became of {step!r}"
            return ConflictError("repair.answered", message, hint="`log` shows what was said")
    nobody = not_asked(step)
    return NotFoundError(nobody.code, nobody.message, hint=nobody.hint)


_ANSWERS = ("step.retried", "step.completed", "step.failed")


def _questions(run: Run, step: str) -> list[Record]:
    return [
        record
        for record in run.recorded.values()
        if record["type"] == "step.unknown" and step in (record["step"], record["step"].partition("@")[0])
    ]

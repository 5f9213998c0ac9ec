"""Which effect a fact belongs to: the one whose intent it records, or that it answers.

The name of an effect comes from its place, and so do the facts about it: none has to say which effect it means. And
which answers of a call leave open whether it had an effect.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from wfrun.core.retry import UNKNOWN_OUTCOME, matches

if TYPE_CHECKING:
    from wfrun.core.events import ErrorData, Record

# Errors after which nobody knows whether the call had an effect: there was no answer, or one that could not be taken.
AMBIGUOUS = (
    "timeout",
    UNKNOWN_OUTCOME,
    "adapter.defect",
    "adapter.result",
    "http.502",
    "http.504",
    "http.body",
    "http.connection",
    "http.result",
    "http.too-large",
    "python.exit-*",
    "python.signal-*",
    "python.too-large",
    "shell.output",
    "shell.signal-*",
    "shell.too-large",
    "temporal.too-large",
)


def _attempt(record: Record) -> str:
    return f"{record['step']}#{record['attempt']}"


def _decision(record: Record) -> str:
    return f"{record['step']}?{record['of']}{record.get('case', '')}"


def _values(record: Record) -> str:
    return f"{record['step']}!set"


def _items(record: Record) -> str:
    return f"{record['step']}!items"


def _failure(record: Record) -> str:
    return f"{record['step']}!fail"


def _match(record: Record) -> str:
    return f"{record['wait']}{record['listener']}/{record['event']}"


def _emission(record: Record) -> str:
    return f"{record['step']}!emit"


def _child(record: Record) -> str:
    return f"{record['step']}!child"


def _wait(record: Record) -> str:
    return str(record["wait"])


def _timer(record: Record) -> str:
    return str(record["timer"])


def _task(record: Record) -> str:
    return str(record["task"])


def _escalation(record: Record) -> str:
    return f"{record['task']}!{record['level']}"


def _evaluation(record: Record) -> str:
    return str(record["effect"])


def _end(record: Record) -> str:
    return f"end:{record['status']}"


EFFECTS: Mapping[str, Callable[[Record], str]] = {
    "step.started": _attempt,
    "step.completed": _attempt,
    "step.failed": _attempt,
    "step.cancelled": _attempt,
    "step.unknown": _attempt,
    "step.retried": _attempt,
    "decision.made": _decision,
    "values.set": _values,
    "foreach.started": _items,
    "failure.raised": _failure,
    "wait.started": _wait,
    "wait.withdrawn": _wait,
    "event.matched": _match,
    "event.emitted": _emission,
    "event.published": _emission,
    "child.started": _child,
    "child.recalled": _child,
    "child.ended": _child,
    "timer.started": _timer,
    "timer.fired": _timer,
    "task.created": _task,
    "task.decided": _task,
    "task.expired": _task,
    "task.escalated": _escalation,
    "task.withdrawn": _task,
    "evaluation.failed": _evaluation,
    "execution.paused": lambda record: "pause",
    "compensation.started": lambda record: "compensate",
    "execution.repaired": lambda record: "repaired",
    "execution.ended": _end,
}


# Facts about the journal itself, which may follow even the end.
BESIDES = frozenset(
    {
        "driver.started",
        "driver.stopped",
        "journal.recovered",
        "cancel.requested",
        "event.received",
        "execution.resumed",
        "compensation.requested",
        "repair.requested",
    }
)

MAY_CLOSE_A_TASK = frozenset({"task.decided", "task.expired", "evaluation.failed"})


def effect_of(record: Record) -> str | None:
    """The id of the effect that a fact is about; None if it is about none, or about whichever there is."""
    name = EFFECTS.get(record["type"])
    return name(record) if name is not None else None


def is_ambiguous(error: ErrorData) -> bool:
    return matches(AMBIGUOUS, error["type"])

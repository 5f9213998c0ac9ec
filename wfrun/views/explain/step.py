"""Why one step is what it is: the turns that led to it, or past it, and what became of it then."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from wfrun.views.explain.attempts import attempt_failed, last_attempt
from wfrun.views.explain.facts import StepFacts, instance_of
from wfrun.views.explain.reasons import Reason, What, reason
from wfrun.views.explain.turns import caught, condition, reason_of_turn
from wfrun.views.instants import clock
from wfrun.views.iterations import split_instance
from wfrun.views.lineage import Place
from wfrun.views.steps import COMPENSATE

if TYPE_CHECKING:
    from wfrun.core.events import Record

SHOWN = 5


def reasons_of_step(facts: StepFacts, step: str) -> Iterator[Reason]:
    """From the outermost turn to the last thing that happened. A turn past the step is the last one."""
    name, iteration = split_instance(step)
    place = facts.places.get(name)
    for turn in place.turns if place else ():
        found = reason_of_turn(facts, turn, iteration)
        if found is not None:
            yield found
            if found["what"] in ("not-taken", "skipped"):
                return
    if place and place.depth > len([part for part in iteration.split(".") if part]) and not facts.of(step):
        yield from _iterations(facts, step)
        return
    yield from _own(facts, step, place)


def _own(facts: StepFacts, step: str, place: Place | None) -> Iterator[Reason]:
    for record in facts.of(step):
        found = _EXPLAINED.get(record["type"], _told)(facts, record)
        if found is not None:
            yield found
    yield from caught(facts, step, place)
    yield from _undoing(facts, step)


def _told(facts: StepFacts, record: Record) -> Reason | None:
    """What needs no more words than the journal's own."""
    what, name = _WHAT.get(record["type"]), record["type"]
    values = {key: record[key] for key in _VALUES.get(name, ()) if key in record}
    return reason(instance_of(record), what, facts.describe(record), record["at"], values) if what else None


_WHAT: dict[str, What] = {
    "step.started": "called",
    "step.completed": "completed",
    "step.unknown": "unknown",
    "step.retried": "decided",
    "evaluation.failed": "failed",
    "failure.raised": "failed",
    "foreach.started": "iterates",
    "values.set": "sets",
    "task.created": "asked",
    "task.decided": "decided",
    "task.expired": "timed-out",
    "task.escalated": "escalated",
    "wait.started": "waits",
    "event.emitted": "emits",
    "event.published": "emitted",
    "child.started": "runs",
    "child.ended": "ended",
    "child.recalled": "undone",
}
_VALUES = {
    "step.started": ("input", "attempt"),
    "step.completed": ("result", "by", "reason"),
    "step.unknown": ("attempt", "key", "since"),
    "step.retried": ("by", "reason"),
    "evaluation.failed": ("error",),
    "failure.raised": ("error",),
    "foreach.started": ("count",),
    "values.set": ("values",),
    "task.created": ("assignee", "due"),
    "task.decided": ("decision", "by", "comment", "data"),
    "wait.started": ("events",),
    "child.started": ("child", "input"),
    "child.ended": ("status", "output", "error"),
}


def _decided(facts: StepFacts, record: Record) -> Reason:
    if record["of"] == "step":
        return condition(facts, record)
    return reason(record["step"], "decided", facts.describe(record), record["at"], record["operands"])


def _timer(_facts: StepFacts, record: Record) -> Reason | None:
    """When an attempt is repeated is told with its failure, and that a time has come by what follows."""
    if record["reason"] == "retry":
        return None
    why = f"{_TIMERS.get(record['reason'], 'waits until')} {clock(record['due'])}"
    return reason(record["step"], "waits", why, record["at"], {"due": record["due"]})


_TIMERS = {"timeout": "has time until", "delay": "goes round again at"}


def _fired(facts: StepFacts, record: Record) -> Reason | None:
    """A time that ran out, or that somebody did not want to wait for."""
    if record["timer"].endswith("!timeout"):
        return reason(instance_of(record), "timed-out", facts.describe(record), record["at"])
    if "by" in record:
        values: dict[str, Any] = {key: record[key] for key in ("by", "reason") if key in record}
        return reason(instance_of(record), "repaired", facts.describe(record), record["at"], values)
    return None


def _stopped(facts: StepFacts, record: Record) -> Reason | None:
    """Stopped together with what it is part of. That a wait is over whose own time has run out is told already."""
    step = instance_of(record)
    late = [each for each in facts.timed_out if each["at"] == record["at"] and each["seq"] < record["seq"]]
    if any(instance_of(each) == step for each in late):
        return None
    because = f", as {facts.called(instance_of(late[-1]))} has timed out" if late else ""
    what: What = "cancelled" if record["type"] == "step.cancelled" else "withdrawn"
    return reason(step, what, facts.describe(record) + because, record["at"])


def _matched(_facts: StepFacts, record: Record) -> Reason:
    return _event(record)


def _event(record: Record) -> Reason:
    what: What = "took" if record["value"] else "refused"
    why = f"event {record['event']} is the one" if record["value"] else f"`match` is false for event {record['event']}"
    return reason(record["step"], what, why, record["at"], record["operands"])


_EXPLAINED: dict[str, Callable[[StepFacts, Record], Reason | None]] = {
    "decision.made": _decided,
    "step.failed": attempt_failed,
    "timer.started": _timer,
    "timer.fired": _fired,
    "step.cancelled": _stopped,
    "task.withdrawn": _stopped,
    "wait.withdrawn": _stopped,
    "event.matched": _matched,
}


def refused(facts: StepFacts, step: str) -> Iterator[Reason]:
    """The events that came and were not the ones."""
    for record in facts.of(step, "event.matched"):
        if not record["value"]:
            yield _event(record)


# ---- its undoing, and loops


def _undoing(facts: StepFacts, step: str) -> Iterator[Reason]:
    undo = f"{COMPENSATE}{step}"
    own = [record for name, found in facts.by_step.items() if name.partition("/")[0] == undo for record in found]
    if not own:
        return
    yield reason(undo, "undone", _why_undone(facts, step, own[0]), own[0]["at"])
    for record in own:
        found = _EXPLAINED.get(record["type"], _told)(facts, record)
        if found is not None:
            yield found


def _why_undone(facts: StepFacts, step: str, first: Record) -> str:
    for record in reversed(facts.of("", "compensation.started")):
        named = [each.removeprefix(COMPENSATE) for each in record["steps"]]
        if step in named and record["seq"] <= first["seq"]:
            error = record.get("error")
            whose = f" of {error['step']}" if error and error.get("step") else ""
            because = f", because{whose} {error['type']}: {error['message']}" if error else ""
            return f"undone as number {named.index(step) + 1} of {len(named)} ({_REASONS[record['reason']]}){because}"
    return "undone, as what it was part of did not count in the end"


_REASONS = {"failure": "the execution failed", "cancel": "it was cancelled", "request": "somebody asked for it"}


def _iterations(facts: StepFacts, step: str) -> Iterator[Reason]:
    """A step in a loop, asked about without saying which iteration."""
    row = facts.rows.get(step)
    if row is None or "iterations" not in row:
        return
    counts = ", ".join(f"{count:,} {status}" for status, count in row["iterations"]["counts"].items())
    example = f"; `{step}@0` is its first iteration" if counts else ""
    yield reason(step, "iterates", f"it runs in a loop: {counts or 'none yet'}{example}", None)
    for shown in row["iterations"]["shown"][:SHOWN]:
        yield from last_attempt(facts, shown["step"])

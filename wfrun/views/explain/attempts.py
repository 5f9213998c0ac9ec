"""Attempts at a call: what failed, whether another followed and by which policy, or why there was none."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from wfrun.core.plan.nodes import Call
from wfrun.core.retry import choose
from wfrun.views.explain.facts import StepFacts
from wfrun.views.explain.reasons import Reason, What, reason
from wfrun.views.instants import clock, duration_words
from wfrun.views.iterations import split_instance
from wfrun.views.steps import COMPENSATE
from wfrun.views.words import count_words, describe

if TYPE_CHECKING:
    from wfrun.core.events import ErrorData, Record


def last_attempt(facts: StepFacts, step: str) -> Iterator[Reason]:
    """Of a call under way: the attempt that runs, or the failure after which another is due."""
    for record in facts.of(step, "step.started", "step.failed")[-1:]:
        if record["type"] == "step.started":
            yield reason(step, "runs", describe(record), record["at"], {"attempt": record["attempt"]})
        else:
            yield attempt_failed(facts, record)


def attempt_failed(facts: StepFacts, record: Record) -> Reason:
    error: ErrorData = record["error"]
    why = f"attempt {record['attempt']} failed with {error['type']}: {error['message']}; {_what_then(facts, record)}"
    due = _retry_timer(facts, record)
    what: What = "retried" if due else "failed"
    values: dict[str, Any] = {"error": error, "attempt": record["attempt"]}
    return reason(record["step"], what, why, record["at"], values | ({"due": due["due"]} if due else {}))


def _retry_timer(facts: StepFacts, record: Record) -> Record | None:
    name = f"{record['step']}#{record['attempt']}!retry"
    return next((each for each in facts.of(record["step"], "timer.started") if each["timer"] == name), None)


def _what_then(facts: StepFacts, record: Record) -> str:
    """Whether another attempt followed, by which policy, or why there is none."""
    call, due = _call_of(facts, record["step"]), _retry_timer(facts, record)
    if due is not None:
        return f"tried again at {clock(due['due'])}{_policy(call, record)}"
    if call is None:
        return "not tried again"
    chosen = choose(call.retries, record["error"])
    if chosen is None and all(each.policy == "none" or not each.max_retries for each in call.retries):
        return "not tried again, as no retries are asked for"
    if chosen is None:
        return "not tried again, as errors of this type are not retried"
    most = call.retries[chosen].max_retries
    within = f" within {duration_words(call.deadline)}" if call.deadline is not None else ""
    return f"not tried again, as that is allowed {count_words(most, 'time')}{within}"


def _policy(call: Call | None, record: Record) -> str:
    chosen = choose(call.retries, record["error"]) if call else None
    if call is None or chosen is None:
        return ""
    retry = call.retries[chosen]
    most = f"at most {count_words(retry.max_retries, 'time')}"
    asked = record["error"].get("retryAfterMs")
    after = f", the service asked for {duration_words(asked)}" if asked else ""
    return f" ({retry.policy}, from {duration_words(retry.initial_delay)} on, {most}{after})"


def _call_of(facts: StepFacts, instance: str) -> Call | None:
    """The call of an instance. Of several that undo a step, `/2` is the second."""
    undoing = instance.startswith(COMPENSATE)
    name, _, number = instance.removeprefix(COMPENSATE).partition("/")
    place = facts.places.get(split_instance(name)[0])
    if place is None or not undoing:
        return place.step if place and isinstance(place.step, Call) else None
    index = int(number or 1) - 1
    return place.step.compensation[index] if index < len(place.step.compensation) else None

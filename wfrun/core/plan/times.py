"""Times that cannot have been meant."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from wfrun.core.definition import Document, Path
from wfrun.core.expression import parse_duration
from wfrun.core.plan.nodes import Call, HumanTask, Loop, Pause, Step
from wfrun.errors import ExpressionError, Problem

# A bare number below this is milliseconds only for somebody who did not mean milliseconds. Delays are shorter.
_SHORTEST_BARE = 1_000
_SHORTEST_DELAY = 100


def check_plan_times(document: Document) -> Iterator[Problem]:
    """Those of the whole workflow, and of every call that says none."""
    yield from _limit(document, (), "timeout")
    if "errorHandling" in mapping_at(document, ()):
        yield from _limit(document, ("errorHandling",), "timeout")


def check_times(step: Step, document: Document) -> Iterator[Problem]:
    """The timeouts, deadlines, delays and waits of a step."""
    if not isinstance(step, Call):
        yield from _limit(document, step.path, "timeout")
    for call in (step, *step.compensation) if isinstance(step, Call) else step.compensation:
        yield from _of_call(call, document)
    match step:
        case HumanTask(audiences=audiences):
            for index in range(len(audiences) - 1):
                yield from _limit(document, (*step.path, "escalation", index), "timeout")
        case Loop():
            yield from _bare(document, step.path, "delay", _SHORTEST_DELAY)
        case Pause(kind="for"):
            yield from _bare(document, step.path, "for")


def _of_call(call: Call, document: Document) -> Iterator[Problem]:
    yield from _limit(document, call.path, "timeout")
    yield from _limit(document, call.path, "deadline")
    yield from _limit(document, call.path, "heartbeat")
    if call.heartbeat and call.timeout and call.heartbeat >= call.timeout:
        message = "the heartbeat is not shorter than the timeout, which therefore always comes first"
        yield Problem("plan.heartbeat", message, document.place((*call.path, "heartbeat")), severity="warning")
    if call.deadline and call.timeout and call.deadline < call.timeout:
        message = "the deadline of all attempts is shorter than the timeout of one"
        place = document.place((*call.path, "deadline"))
        yield Problem("plan.deadline", message, place, "an attempt never gets its whole timeout", "warning")


def _limit(document: Document, path: Path, key: str) -> Iterator[Problem]:
    """A time that something may take at most: one that is up at once cannot be meant."""
    written = mapping_at(document, path).get(key)
    if written is not None and _is_none(written):
        message = f"a {key} of {written} is over before anything can happen"
        yield Problem("plan.duration", message, document.place((*path, key)), "leave it out, or write 30s, 5m, 24h")
    else:
        yield from _bare(document, path, key)


def _is_none(written: Any) -> bool:
    try:
        return parse_duration(written) == 0
    except ExpressionError:
        return False  # which has been told


def _bare(document: Document, path: Path, key: str, shortest: int = _SHORTEST_BARE) -> Iterator[Problem]:
    """A bare number that is too small to be milliseconds."""
    written = mapping_at(document, path).get(key)
    if isinstance(written, int) and 0 < written < shortest:
        message = f"{_WORDS.get(key, f'a {key}')} of {written} is {written} milliseconds"
        hint = f"write {written}s, {written}m or {written}h, or {written}ms if that is meant"
        yield Problem("plan.duration", message, document.place((*path, key)), hint, "warning")


_WORDS = {"for": "a wait"}


def mapping_at(document: Document, path: Path) -> Mapping[str, Any]:
    """What is written at a path, if it is a mapping."""
    value: Any = document.data
    for part in path:
        value = value[part]
    return value if isinstance(value, dict) else {}

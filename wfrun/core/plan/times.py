"""Times and numbers of people that cannot have been meant."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from wfrun.core.definition import Document, Path
from wfrun.core.expression import parse_duration
from wfrun.core.plan.nodes import Call, HumanTask, Step
from wfrun.errors import Problem

# A bare number below this is milliseconds only for somebody who did not mean milliseconds.
_SHORTEST_BARE = 1_000


def check_limits(step: Step, document: Document) -> Iterator[Problem]:
    """The timeouts, deadline and quorum of a step."""
    match step:
        case Call():
            yield from _of_call(step, document)
            if step.compensation is not None:
                yield from _of_call(step.compensation, document)
        case HumanTask():
            yield from check_time(document, step.path, "timeout")
            yield from _quorum(step, document)
            for index in range(len(step.audiences) - 1):
                yield from check_time(document, (*step.path, "escalation", index), "timeout")


def check_time(document: Document, path: Path, key: str) -> Iterator[Problem]:
    """A time that is up at once, or a bare number that is too small to be milliseconds."""
    written = _at(document, path).get(key)
    if written is None:
        return
    if parse_duration(written) == 0:
        message = f"a {key} of {written} is over before anything can happen"
        yield Problem("plan.duration", message, document.place((*path, key)), "leave it out, or write 30s, 5m, 24h")
    elif isinstance(written, int) and written < _SHORTEST_BARE:
        message = f"a {key} of {written} is {written} milliseconds"
        hint = f"write {written}s, {written}m or {written}h, or {written}ms if that is meant"
        yield Problem("plan.duration", message, document.place((*path, key)), hint, "warning")


def _of_call(call: Call, document: Document) -> Iterator[Problem]:
    yield from check_time(document, call.path, "timeout")
    yield from check_time(document, call.path, "deadline")
    if call.deadline and call.timeout and call.deadline < call.timeout:
        message = "the deadline of all attempts is shorter than the timeout of one"
        place = document.place((*call.path, "deadline"))
        yield Problem("plan.deadline", message, place, "an attempt never gets its whole timeout", "warning")


def _quorum(task: HumanTask, document: Document) -> Iterator[Problem]:
    assignee = _at(document, task.path).get("assignee")
    if not isinstance(assignee, dict) or assignee.keys() & {"groups", "names"} or "users" not in assignee:
        return
    users = assignee["users"] if isinstance(assignee["users"], list) else [assignee["users"]]
    if task.quorum > len(set(users)) and not any("$" in user for user in users):
        message = f"{task.quorum} people have to decide, and only {len(set(users))} may"
        place = document.place((*task.path, "assignee", "quorum"))
        yield Problem("plan.quorum", message, place, "name more users, or a group, or lower the quorum")


def _at(document: Document, path: Path) -> Mapping[str, Any]:
    """What is written at a path, if it is a mapping."""
    value: Any = document.data
    for part in path:
        value = value[part]
    return value if isinstance(value, dict) else {}

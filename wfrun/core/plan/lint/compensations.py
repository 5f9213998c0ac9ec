"""Steps that stay done when what was done around them is undone.

Only where a workflow undoes anything at all: there somebody has thought about it, and may have forgotten a step. What
changes nothing needs no undoing, and what only tells somebody something cannot be undone. Both are known by the word
that an action begins with, and for HTTP by the method.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from wfrun.core.plan.lint.advice import Advice, ignores
from wfrun.core.plan.nodes import (
    Await,
    Call,
    Child,
    Conditional,
    Fail,
    Foreach,
    HumanTask,
    Loop,
    Parallel,
    Plan,
    Step,
    Switch,
    Try,
    children,
    walk,
)
from wfrun.core.plan.nodes import Sequence as SequenceOfSteps

CODE = "lint.no-compensation"
SHOWN = 5

# What is asked or worked out, what is made of data, and what is told.
_WORDS = (
    "ask assess analyse analyze appraise calculate check classify compare compute count describe detect diff estimate "
    "evaluate fetch find get has inspect is list load look lookup measure peek ping poll predict preview query quote "
    "rate read resolve retrieve review scan score search select show simulate test underwrite validate verify view "
    "convert encode extract format generate hash parse print render transform translate "
    "alert announce email inform log message notify ping remind report send tell text trace"
)
_HARMLESS = frozenset(_WORDS.split())
_SAFE_METHODS = ("GET", "HEAD", "OPTIONS")


def not_undone(plan: Plan) -> Iterator[Advice]:
    """One piece of advice for the whole workflow, at the first of the steps; none if a part of it cannot be read."""
    if plan.gaps or plan.pauses or not any(step.compensation for step in walk(plan.root)):
        return
    services = _services(plan)
    left = [call for call in _exposed(plan.root, False) if not _is_harmless(call, services)]
    wanted = [call for call in left if not ignores(plan.document, call.path, CODE)]
    if wanted:
        names = ", ".join(repr(call.id) for call in wanted[:SHOWN]) + (", …" if len(wanted) > SHOWN else "")
        many = len(wanted) > 1
        message = f"{names} {'stay' if many else 'stays'} done when a later step fails, while others are undone"
        hint = f"give {'each' if many else 'it'} a `compensate`, or say that there is nothing to undo: {_IGNORED}"
        yield Advice(CODE, wanted[0].path, message, hint)


_IGNORED = f"`metadata: {{ ignore: [{CODE}] }}`"


# ---- which calls can be followed by a failure


def _exposed(step: Step, danger: bool) -> Iterator[Call]:
    """The calls that nothing undoes although something that comes after them, or beside them, can fail."""
    if step.compensation:
        return  # of a block, it undoes all that is inside
    match step:
        case Call():
            if danger and not step.pivot:
                yield step
        case SequenceOfSteps(steps=steps):
            yield from _in_sequence(steps, danger)
        case Parallel(branches=branches):
            for branch in branches:
                yield from _exposed(branch, danger or any(_can_fail(each) for each in branches if each is not branch))
        case Foreach(body=body) | Loop(body=body):
            yield from _exposed(body, danger or _can_fail(body))
        case Try():
            yield from _in_try(step, danger)
        case Conditional() | Switch():
            for inner in children(step):
                yield from _exposed(inner, danger)


def _in_sequence(steps: Sequence[Step], danger: bool) -> Iterator[Call]:
    """Behind a pivot nothing is undone any more."""
    pivot = next((position for position, step in enumerate(steps) if isinstance(step, Call) and step.pivot), None)
    before, danger = (steps, danger) if pivot is None else (steps[: pivot + 1], False)
    for position, step in enumerate(before):
        yield from _exposed(step, danger or any(map(_can_fail, before[position + 1 :])))


def _in_try(block: Try, danger: bool) -> Iterator[Call]:
    """What is caught undoes nothing, so inside only what comes after the block counts."""
    body, *others = children(block)
    if _catches_all(block):
        yield from (call for call in _exposed(body, danger) if danger)
    else:
        yield from _exposed(body, danger)
    for other in others:
        yield from _exposed(other, danger)


def _catches_all(block: Try) -> bool:
    return any(handler.patterns == ("*",) and handler.condition is None for handler in block.handlers)


def _can_fail(step: Step) -> bool:
    if isinstance(step, Try) and _catches_all(step):
        return any(map(_can_fail, children(step)[1:]))
    if isinstance(step, Call | HumanTask | Child | Fail) or step.bound is not None:
        return not (isinstance(step, Await) and step.accept_timeout)
    return any(map(_can_fail, children(step)))


# ---- which calls change nothing


def _is_harmless(call: Call, services: Any) -> bool:
    word = re.match(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", call.action)
    return (word is not None and word[0].lower() in _HARMLESS) or _is_safe_request(call, services)


def _is_safe_request(call: Call, services: Any) -> bool:
    """`GET /orders/{id}`, or `{method: GET, path: …}`: RFC 9110, 9.2.1."""
    service = services.get(call.service)
    if not isinstance(service, dict) or service.get("adapter") != "http":
        return False
    request = service.get("actions", {}).get(call.action)
    method = request.get("method", "") if isinstance(request, dict) else str(request).partition(" ")[0]
    return str(method).upper() in _SAFE_METHODS


def _services(plan: Plan) -> Any:
    data: Any = plan.document.data
    return data.get("services", {})

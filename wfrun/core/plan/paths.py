"""Paths against what is known of the context: those that lead nowhere, and those that may."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from wfrun.core.expression import Reference
from wfrun.core.expression.hints import nearest, render_keys
from wfrun.core.gaps import NO_GAPS, Gaps
from wfrun.core.plan.keys import Keys
from wfrun.core.plan.shapes import ANY, Shape, Trouble, a_kind, at, is_error, troubles
from wfrun.errors import Problem

EXECUTION_KEYS = ("id", "workflow", "version", "startedAt", "attempt")
NOBODY = "neither the input nor a step sets it"
# Names with a meaning of their own, and where they have it.
RESERVED = {
    "item": "inside of a `foreach`",
    "index": "inside of a loop",
    "error": "where an error is handled, and in compensations",
    "result": "in the compensation of a call, a human task, a wait for events or a workflow",
    "event": "in the `match` of a `wait`",
}


class Known(NamedTuple):
    """What is known of a whole plan. `outputs` is the first step that sets a key, `steps` the key that a step sets.

    `inside`: the keys that only iterations of a loop have, with the loop. `open_input`: nothing is declared, so any key
    that no step sets may be part of the input. `gaps`: what could set more.
    """

    outputs: Mapping[str, str]
    steps: Mapping[str, str | None]
    inside: Mapping[str, str]
    open_input: bool
    gaps: Gaps = NO_GAPS


def shape_of(segments: tuple[str | int, ...], keys: Keys) -> Shape:
    """The shape of the value at a path."""
    if not segments or not isinstance(segments[0], str):
        return ANY
    key = keys.get(segments[0])
    return at(key.shape, segments[1:]) if key is not None else ANY


def check_reference(reference: Reference, keys: Keys, known: Known) -> Iterator[Problem]:
    """Errors for a path that is never there, warnings for one that may be missing; without their place."""
    if not reference.segments:
        return
    name, *rest = reference.segments
    if name == "execution":
        yield from _execution_key(reference)
        return
    if not isinstance(name, str):
        yield _unknown(reference, f"{reference.text}: the context is an object, not a list", "name a key")
        return
    key = keys.get(name)
    if key is None:
        yield from _unset(reference, name, keys, known)
        return
    found = list(troubles(key.shape, tuple(rest)))
    if astray := [trouble for trouble in found if trouble.what != "optional"]:
        yield _astray(reference, astray[0])
        return
    reason = key.missing or next((trouble.reason for trouble in found), "")
    excused = reference.optional or reference.conditional or keys.excuses(name) or known.gaps.mention(name)
    if reason and not excused:
        yield _may_be_missing(reference, reason, key.instead)


def _unset(reference: Reference, name: str, keys: Keys, known: Known) -> Iterator[Problem]:
    foreign = _foreign_hint(reference, known)
    if reference.optional or known.gaps.may_set(name):
        return
    if name in RESERVED:
        hint = _error_called(reference, keys) if name == "error" else ""
        hint = hint or f"`{name}` is known {RESERVED[name]}"
        yield _unknown(reference, f"{reference.text} has no meaning here", hint)
    elif name in known.outputs:
        if keys.is_open():
            return
        # A key of an iteration may have the name of one of an input that is not declared.
        severity = "warning" if known.open_input and name in known.inside else "error"
        yield _unknown(reference, f"{reference.text} is not set here", _set_elsewhere(name, known), severity)
    elif not known.open_input:
        hint = foreign or _did_you_mean((), reference.segments, keys.names())
        yield _unknown(reference, f"{reference.text} is never set", hint or NOBODY)
    elif foreign:
        yield _unknown(reference, f"{reference.text} is never set, unless the input has it", foreign, "warning")


def _error_called(reference: Reference, keys: Keys) -> str:
    """What the error is called instead, in a handler that has its own name for it."""
    for name in keys.names():
        key = keys.get(name)
        if key is not None and is_error(key.shape):
            return f"the error is called {render_keys((name, *reference.segments[1:]))} here"
    return ""


def _set_elsewhere(name: str, known: Known) -> str:
    by, loop = known.outputs[name], known.inside.get(name)
    if loop is None:
        return f"only step {by!r} sets it, which is not done before this place; default(…, …) accepts that"
    return f"only step {by!r} sets it, in {loop!r} and not before this place; what outlives a loop is in its `output`"


def _foreign_hint(reference: Reference, known: Known) -> str:
    """`$.input.x` and `$.steps.a.output.x`, as other tools have it."""
    first, *rest = reference.segments
    if first in ("input", "inputs"):
        return f"a key of the input is written {render_keys(tuple(rest)) if rest else '$.key'}"
    if first not in ("steps", "outputs") or not rest or rest[0] not in known.steps:
        return ""
    output = known.steps[str(rest[0])]
    if output is None:
        return f"give step {rest[0]!r} an `output: key`, and write $.key"
    below = rest[2:] if rest[1:2] in (["output"], ["outputs"], ["result"]) else rest[1:]
    return f"the result of {rest[0]!r} is {render_keys((output, *below))}"


def _execution_key(reference: Reference) -> Iterator[Problem]:
    key = reference.segments[1] if len(reference.segments) > 1 else "id"
    if key not in EXECUTION_KEYS and not reference.optional:
        near = _did_you_mean(("execution",), (key,), EXECUTION_KEYS)
        hint = near or f"it has {', '.join(EXECUTION_KEYS)}"
        yield _unknown(reference, f"{reference.text}: an execution has no {key!r}", hint)


def _astray(reference: Reference, trouble: Trouble) -> Problem:
    """A path that goes on where there is nothing. With a default for it, that default is always taken."""
    before = reference.segments[: trouble.position + 1]
    parent, part = render_keys(before), reference.segments[trouble.position + 1]
    severity = "error" if trouble.what != "unsaid" and not reference.optional else "warning"
    if trouble.what == "kind":
        return _unknown(reference, f"{reference.text}: {parent} is {a_kind(trouble.parent)}", "", severity)
    fields = trouble.parent.fields or {}
    hint = _did_you_mean(before, reference.segments[trouble.position + 1 :], fields)
    told = "has" if trouble.what == "refused" else "declares"
    message = f"{reference.text}: {parent} {told} no key {part!r}"
    return _unknown(reference, message, hint or f"it has {', '.join(fields) or 'none'}", severity)


def _did_you_mean(before: tuple[str | int, ...], rest: tuple[str | int, ...], known: Iterable[str]) -> str:
    near = nearest(str(rest[0]), known)
    return f"did you mean {render_keys((*before, near, *rest[1:]))}?" if near else ""


def _may_be_missing(reference: Reference, reason: str, instead: str) -> Problem:
    message = f"{reference.text} may be missing here: {reason}"
    hint = f"{f'{instead}, or ' if instead else ''}say what then: ${{default({reference.text}, …)}}"
    return Problem("plan.may-be-missing", message, hint=hint, severity="warning")


def _unknown(reference: Reference, message: str, hint: str, severity: str = "error") -> Problem:
    return Problem("plan.unknown-path", message, hint=hint, severity=severity)

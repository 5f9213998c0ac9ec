"""What is left of a file that is not of the right shape: enough for a plan, with gaps where something is broken.

What is broken is left out as narrowly as can be: one key of a step, one case, one step. Something that says nothing
stands in for what a plan cannot do without.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from wfrun.core.definition import Document, Path
from wfrun.core.gaps import BLOCKS, Gaps, reads, words
from wfrun.core.values import Json
from wfrun.load.departures import Departure
from wfrun.load.telling import is_step_of_no_kind

# A template and a condition of which nothing is known but that it may read everything.
_ANYTHING = "$"
_NO_STEPS: list[Json] = []


class _Part(NamedTuple):
    """A part of a file that can be broken for itself. `inner` are the parts below its keys, or below `any` of them;
    `listed`: a list of such parts may stand in its place."""

    stand_in: Json = None
    inner: Mapping[str, str] = {}
    any: str = ""
    listed: bool = False


_NOTHING = _Part()
_PARTS: Mapping[str, _Part] = {
    "workflow": _Part({}, {"steps": "steps", "compensations": "undoing", "services": "entries", "input": "fields"}),
    "steps": _Part(
        _NO_STEPS,
        {**dict.fromkeys(BLOCKS, "steps"), "cases": "case", "catch": "handler", "onError": "handler"}
        | {"compensate": "call", "form": "fields"},
        listed=True,
    ),
    "case": _Part({"condition": _ANYTHING, "steps": _NO_STEPS}, {"steps": "steps"}, listed=True),
    "handler": _Part({"steps": _NO_STEPS}, {"steps": "steps"}, listed=True),
    "call": _Part({"service": "", "action": ""}, listed=True),
    "undoing": _Part({}, any="call"),
    "fields": _Part(None, any="field"),
    "field": _Part({}),
    "entries": _Part({}, {"services": "entries"}, any="entry"),
    "entry": _Part({}, {"actions": "actions"}),
    "actions": _Part({}, any="action"),
    "action": _Part({}),
}
_ROOTS = {"workflow": "workflow", "services": "entries"}

# What stands for the value of a key that a plan cannot do without.
_STAND_INS: Mapping[str, Json] = {
    **dict.fromkeys(("condition", "until", "items", "for", "assignee"), _ANYTHING),
    **dict.fromkeys(("service", "action", "workflow", "event"), ""),
    **dict.fromkeys(("steps", "then", "cases"), _NO_STEPS),
    "maxIterations": 1,
    "values": {},
}
_SET_KEYS = {"output", "as", "values"} | BLOCKS


class _Loss(NamedTuple):
    """`path` is where something is missing, or a `name` that cannot be one; `stand_in` what is put there, if anything
    is."""

    path: Path
    stand_in: Json = None
    name: str = ""


def salvage(document: Document, schema: str, found: Iterable[Departure], fields: Iterable[Path] = ()) -> Document:
    """What is left of a document that departs from the schema as `found`, and whose `fields` are unsound."""
    losses = [loss for each in found for loss in _losses(each, _ROOTS[schema])]
    losses += [_Loss(path, {}) for path in fields]
    data = document.data
    for loss in losses:
        data = _with(data, loss.path, loss.stand_in)
    return document._replace(data=data, gaps=_gaps(document, losses))


def _gaps(document: Document, losses: list[_Loss]) -> Gaps:
    before = document.gaps
    lost = [[loss.name, _value(document.data, loss.path)] for loss in losses]
    mentioned = [frozenset(words(value)) - {""} for value in lost]
    silent = [loss.path for loss, said in zip(losses, mentioned, strict=True) if not said]
    steps = any(not path or isinstance(path[-1], int) or path[-1] in BLOCKS for path in silent)
    return Gaps(
        before.paths | {loss.path for loss in losses},
        before.words.union(*mentioned),
        before.reads.union(*map(reads, lost)),
        before.any_key or steps or any(path[-1] in _SET_KEYS for path in silent),
        before.any_name or steps or any(path[-1] == "name" for path in silent),
    )


def _losses(found: Departure, root: str) -> Iterator[_Loss]:
    """What cannot be kept because of one departure."""
    end, part = _part_around(found.path, root)
    unit, inside = found.path[:end], found.path[end:]
    if found.of_key and not inside:
        yield _Loss((*unit, found.value), name=found.value)
    elif is_step_of_no_kind(found):
        yield _of_type(unit)
    elif inside:
        yield _of_type(unit) if part == "steps" and inside[0] == "type" else _of_key(unit, str(inside[0]))
    elif found.keyword == "additionalProperties":
        known = found.schema.get("properties", {})
        yield from (_Loss((*unit, key)) for key in found.value if key not in known)
    elif found.keyword == "required":
        yield from (_of_key(unit, key) for key in found.wanted if key not in found.value)
    elif found.keyword == "dependencies":
        others = (other for key, companions in found.wanted.items() if key in found.value for other in companions)
        yield from (_Loss((*unit, other)) for other in others if other not in found.value)
    else:
        # Cases are always a list; of all else, one alone will do.
        yield _Loss(unit, [] if unit[-1:] == ("cases",) else _PARTS[part].stand_in)


def _of_type(step: Path) -> _Loss:
    """Of a step of which it cannot be told what kind it is, nothing can be told."""
    return _Loss(step, _NO_STEPS)


def _of_key(unit: Path, key: str) -> _Loss:
    return _Loss((*unit, key), "" if not unit and key == "name" else _STAND_INS.get(key))


def _part_around(path: Path, root: str) -> tuple[int, str]:
    """How much of a path leads to the innermost part around what is there, and which part that is."""
    part, end = root, 0
    for key in path:
        around = _PARTS[part]
        inner = part if isinstance(key, int) and around.listed else around.inner.get(str(key), around.any)
        if not inner:
            break
        part, end = inner, end + 1
    return end, part


def _value(data: Any, path: Path) -> Any:
    """What stands at a path, if anything does."""
    for key in path:
        if isinstance(data, list) and isinstance(key, int) and key < len(data):
            data = data[key]
        else:
            data = data.get(key) if isinstance(data, dict) else None
    return data


def _with(data: Any, path: Path, value: Json) -> Any:
    """A copy of the data with another value at a path, or with none. What something stands in for already is kept."""
    if not path:
        return value
    key, *rest = path
    if isinstance(data, list) and isinstance(key, int) and key < len(data):
        return [*data[:key], _with(data[key], tuple(rest), value), *data[key + 1 :]]
    if not isinstance(data, dict) or isinstance(key, int) or (rest and key not in data):
        return data
    inner = _with(data.get(key), tuple(rest), value)
    kept = {name: each for name, each in data.items() if name != key}
    return {**kept, key: inner} if rest or inner is not None else kept

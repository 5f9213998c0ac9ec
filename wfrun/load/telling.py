"""What departs from our schemas, told to people: where (by the name of the step), what, and what to write instead."""

from __future__ import annotations

import operator
from collections.abc import Iterator
from functools import reduce
from itertools import islice
from typing import Any

from wfrun.core.definition import Document, Path, render_path
from wfrun.errors import Problem
from wfrun.load.departures import Departure, shown
from wfrun.load.hints import kind_hint, meaning, value_hint

MAX_NAME = 128  # of a step
MAX_UNKNOWN = 100  # keys of one mapping of which it is asked what they were meant to be


def tell(document: Document, found: Departure) -> Iterator[Problem]:
    """The problems that one departure amounts to."""
    if is_step_of_no_kind(found):
        yield _step_of_no_kind(document, found)
    elif found.keyword in ("required", "additionalProperties") and _is_step_instead(found):
        yield _step_instead(document, found)
    elif found.keyword == "additionalProperties":
        yield from _unknown_keys(document, found)
    elif found.keyword == "required":
        yield from _missing_keys(document, found)
    elif found.keyword == "anyOf":
        yield from _missing_alternatives(document, found)
    elif found.keyword == "dependencies":
        yield from _missing_companions(document, found)
    elif found.keyword == "enum" and "errorMessage" in found.schema:
        yield _conflict(document, found)
    elif found.of_key:
        yield _bad_key(document, found)
    else:
        yield _bad_value(document, found)


def _unknown_keys(document: Document, found: Departure) -> Iterator[Problem]:
    known = found.schema.get("properties", {})
    for key in found.value:
        if key not in known:
            place = document.place((*found.path, key), key=True)
            message = f"{_where(document, found.path)} has no key `{shown(key)}`"
            yield Problem("schema.unknown-key", message, place, meaning(key, known).hint)


def _missing_keys(document: Document, found: Departure) -> Iterator[Problem]:
    # The validator reports each missing key, but not which one it was: equal problems are told once.
    meant = _meant_keys(found)
    for key in found.wanted:
        if key not in found.value and key not in meant:
            message = f"{_where(document, found.path)} needs the key `{key}`"
            yield Problem("schema.missing-key", message, document.place(found.path))


def _meant_keys(found: Departure) -> set[str]:
    """The keys that are there under a wrong name, which is told as such."""
    known = found.schema.get("properties", {})
    unknown = islice((key for key in found.value if key not in known), MAX_UNKNOWN)
    return {meaning(key, known).key for key in unknown} if known else set()


def _missing_alternatives(document: Document, found: Departure) -> Iterator[Problem]:
    keys = [key for alternative in found.wanted for key in alternative["required"]]
    if not _meant_keys(found) & {*keys}:
        choice = " or ".join(f"`{key}`" for key in keys)
        message = f"{_where(document, found.path)} needs one of the keys {choice}"
        yield Problem("schema.missing-key", message, document.place(found.path))


def _missing_companions(document: Document, found: Departure) -> Iterator[Problem]:
    for key, companions in found.wanted.items():
        for other in companions:
            if key in found.value and other not in {*found.value, *_meant_keys(found)}:
                place = document.place((*found.path, key), key=True)
                message = f"`{key}` of {_where(document, found.path)} needs the key `{other}` beside it"
                yield Problem("schema.missing-key", message, place)


def _conflict(document: Document, found: Departure) -> Problem:
    """A key that has a meaning here, but not together with what else is written."""
    *around, key = found.path
    message = f"{_where(document, tuple(around))} cannot have `{key}`"
    return Problem("schema.conflict", message, document.place(found.path, key=True), found.schema["errorMessage"])


def _bad_key(document: Document, found: Departure) -> Problem:
    place = document.place((*found.path, found.value), key=True)
    message = f"`{shown(found.value)}` cannot stand here, it must be {found.expectation}"
    return Problem("schema.key", message, place)


def _bad_value(document: Document, found: Departure) -> Problem:
    code = "schema.type" if found.keyword == "type" else "schema.value"
    start = _start_of_step(document.data, found.path[:-1])
    if found.path[start:] == ("name",):
        start = 0  # nothing is called by a name that is itself what is wrong
    message = f"{_described(document.data, found.path, start)} {found}"
    return Problem(code, message, document.place(found.path), value_hint(found))


def _where(document: Document, path: Path) -> str:
    """A mapping as people know it: by the name of the step that it is or belongs to, or by its key path."""
    return _described(document.data, path, _start_of_step(document.data, path))


def _described(data: Any, path: Path, start: int) -> str:
    if not path:
        return "the file"
    if not start:
        return f"`{render_path(path)}`"
    name, inside = reduce(operator.getitem, path[:start], data)["name"], path[start:]
    return f"`{render_path(inside)}` of step `{name}`" if inside else f"step `{name}`"


def _start_of_step(data: Any, path: Path) -> int:
    """How much of a path leads to the innermost step around a value; 0 if that step has no name."""
    start, is_part = 0, False
    for position, part in enumerate(path, 1):
        if not isinstance(part, int):
            if part not in _BLOCKS | _PARTS:
                break
            is_part = part in _PARTS
        data = data[part]
        if isinstance(data, dict) and not is_part:
            name = data.get("name")
            start = position if isinstance(name, str) and 0 < len(name) <= MAX_NAME else 0
    return start


_BLOCKS = {"steps", "then", "else", "finally"}
_PARTS = {"cases", "catch", "onError"}  # below them stand parts of a step, which hold steps and are none themselves


def is_step_of_no_kind(found: Departure) -> bool:
    """Whether it is for want of any key that says so that it cannot be told what kind of step this is."""
    if found.keyword not in ("required", "additionalProperties") or found.schema.get("title") != "Service call":
        return False
    return not {"type", "service", "action"} & found.value.keys()


def _step_of_no_kind(document: Document, found: Departure) -> Problem:
    message = "it cannot be told what kind of step this is"
    return Problem("schema.step-kind", message, document.place(found.path), kind_hint(found.value))


def _is_step_instead(found: Departure) -> bool:
    return found.schema.get("title") in ("Handler", "Case") and bool({"type", "service"} & found.value.keys())


def _step_instead(document: Document, found: Departure) -> Problem:
    part = str(found.schema["title"]).lower()
    message = f"{_where(document, found.path)} is a step instead of a {part}"
    hint = f"put it into the {part}'s `steps`: `{_PATTERN[part]}`"
    return Problem("schema.step-kind", message, document.place(found.path), hint)


_PATTERN = {"handler": "{ error: http.5*, steps: [ … ] }", "case": "{ condition: $.amount > 100, steps: [ … ] }"}

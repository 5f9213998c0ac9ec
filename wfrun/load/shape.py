"""The shape of a file, checked against a JSON Schema of ours, in words for people.

The schemas choose between alternatives by `if`/`then`/`else`, never by `oneOf`, so every error of the validator points
at the one value that is wrong. Importing the validator costs more than everything else here, so it is only asked when
something is wrong.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Iterator
from functools import cache, reduce
from itertools import islice
from typing import Any

from wfrun.core.definition import Document, Path, render_path
from wfrun.errors import Problem, in_order
from wfrun.load.acceptance import is_accepted
from wfrun.load.departures import Departure, departures, shown, with_pattern
from wfrun.load.hints import kind_hint, meaning, value_hint
from wfrun.load.schemas import shape_schema

MAX_DEPARTURES = 500  # nobody reads more, and finding them all takes time
MAX_NAME = 128  # of a step


def check_shape(document: Document, schema: str) -> list[Problem]:
    """The ways in which `document` departs from the schema `workflow` or `services`, ordered by place; 500 at most."""
    if is_accepted(shape_schema(schema), document.data):
        return []
    found = list(islice(departures(_validator(schema), document.data), MAX_DEPARTURES))
    of_wrong_type = {each.path for each in found if each.keyword == "type"}
    problems: list[Problem] = []
    for each in found:
        if each.keyword == "type" or each.path not in of_wrong_type:
            problems.extend(_translate(document, each))
    return in_order(problems)


@cache
def _validator(name: str) -> Any:
    from jsonschema.validators import Draft7Validator

    # Our patterns are anchored; Python's `$` would let a line end through that JSON Schema (ECMA-262) refuses.
    return with_pattern(Draft7Validator, re.fullmatch)(shape_schema(name))


def _translate(document: Document, found: Departure) -> Iterator[Problem]:
    if found.keyword in ("required", "additionalProperties") and _is_step_of_no_kind(found):
        yield _step_of_no_kind(document, found)
    elif found.keyword == "additionalProperties":
        yield from _unknown_keys(document, found)
    elif found.keyword == "required":
        yield from _missing_keys(document, found)
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
    known = found.schema.get("properties")
    return {meaning(key, known).key for key in found.value if key not in known} if known else set()


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
    start = 0
    for position, part in enumerate(path, 1):
        if part not in _BLOCKS and not isinstance(part, int):
            break
        data = data[part]
        if isinstance(data, dict):
            name = data.get("name")
            start = position if isinstance(name, str) and 0 < len(name) <= MAX_NAME else 0
    return start


_BLOCKS = ("steps", "then", "else")


def _is_step_of_no_kind(found: Departure) -> bool:
    return found.schema.get("title") == "Service call" and not {"type", "service", "action"} & found.value.keys()


def _step_of_no_kind(document: Document, found: Departure) -> Problem:
    message = "it cannot be told what kind of step this is"
    return Problem("schema.step-kind", message, document.place(found.path), kind_hint(found.value))

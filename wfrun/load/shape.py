"""The shape of a file, checked against a JSON Schema of ours, in words for people.

The schemas choose between alternatives by `if`/`then`/`else`, never by `oneOf`, so every error of the validator points
at the one value that is wrong. Importing the validator and the words costs more than everything else here, so that is
only done when something is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING, Any

from wfrun.core.definition import Document
from wfrun.core.gaps import Gaps
from wfrun.errors import InvalidError, Problem, bounded, in_order
from wfrun.load.acceptance import is_accepted, is_for_another_type
from wfrun.load.schemas import shape_schema

if TYPE_CHECKING:
    from wfrun.load.departures import Departure

MAX_DEPARTURES = 500  # nobody reads more, and finding them all takes time; as many problems are told of them at most


def check_shape(document: Document, schema: str) -> list[Problem]:
    """The ways in which `document` departs from the schema `workflow` or `services`, ordered by place; 500 at most."""
    return examine_shape(document, schema)[1]


def examine_shape(document: Document, schema: str) -> tuple[Document, list[Problem]]:
    """What is left of a document without the parts that depart from the schema, and all that is wrong with those.

    Raises InvalidError if nothing is left.
    """
    if is_accepted(shape_schema(schema), document.data):
        return document, []
    from wfrun.load.salvage import salvage

    found = list(islice(_departures(document, schema), MAX_DEPARTURES))
    told = _told(document, found)
    problems = in_order(told)
    if max(len(found), len(told)) == MAX_DEPARTURES or not isinstance(document.data, dict):
        raise InvalidError(bounded(problems))
    return _settled(salvage(document, schema, found), schema, problems), problems


def _departures(document: Document, schema: str) -> Iterator[Departure]:
    from wfrun.load.departures import departures

    return departures(_validator(schema), document.data)


def _told(document: Document, found: Sequence[Departure]) -> list[Problem]:
    from wfrun.load.telling import tell

    of_wrong_type = {each.path: each for each in reversed(found) if each.keyword == "type"}
    judged = (each for each in found if of_wrong_type.get(each.path, each) is each)
    # Of a value of the wrong type, that alone, and once. One departure may be thousands of unknown keys.
    told = (problem for each in judged for problem in tell(document, each))
    return list(islice(told, MAX_DEPARTURES))


def _settled(left: Document, schema: str, problems: list[Problem]) -> Document:
    """The document once nothing departs from the schema but what stands in for something that is missing.

    A part that is left may not do without one that is not.
    """
    from wfrun.load.salvage import salvage

    for _ in range(_ROUNDS):
        found = [each for each in _departures(left, schema) if not _is_about_gap(left.gaps, each)]
        if not found:
            return left
        left = salvage(left, schema, found)
    raise InvalidError(bounded(problems))


_ROUNDS = 5


def _is_about_gap(gaps: Gaps, found: Departure) -> bool:
    """Whether a gap is what departs: something stands in for it, or a key that is needed is in it."""
    if any(found.path[:length] in gaps.paths for length in range(len(found.path) + 1)):
        return True
    if found.keyword == "required":
        return all(key in found.value or (*found.path, key) in gaps.paths for key in found.wanted)
    return found.keyword == "dependencies" and gaps.directly_in(found.path)


@cache
def _validator(name: str) -> Any:
    from jsonschema import validators

    from wfrun.load.departures import with_pattern

    # Our patterns are anchored; Python's `$` would let a line end through that JSON Schema (ECMA-262) refuses.
    base = with_pattern(validators.Draft7Validator, re.fullmatch)
    return validators.extend(base, {"allOf": _all_of})(shape_schema(name))  # type: ignore[no-untyped-call]


def _all_of(validator: Any, schemas: Sequence[Any], value: object, _schema: object) -> Iterator[Any]:
    for index, each in enumerate(schemas):
        if not is_for_another_type(each, value):
            yield from validator.descend(value, each, schema_path=index)

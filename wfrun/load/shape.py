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
from typing import Any

from wfrun.core.definition import Document
from wfrun.errors import Problem, in_order
from wfrun.load.acceptance import is_accepted, is_for_another_type
from wfrun.load.schemas import shape_schema

MAX_DEPARTURES = 500  # nobody reads more, and finding them all takes time


def check_shape(document: Document, schema: str) -> list[Problem]:
    """The ways in which `document` departs from the schema `workflow` or `services`, ordered by place; 500 at most."""
    if is_accepted(shape_schema(schema), document.data):
        return []
    from wfrun.load.departures import departures
    from wfrun.load.telling import tell

    found = list(islice(departures(_validator(schema), document.data), MAX_DEPARTURES))
    of_wrong_type = {each.path: each for each in reversed(found) if each.keyword == "type"}
    problems: list[Problem] = []
    for each in found:
        if of_wrong_type.get(each.path, each) is each:  # of a value of the wrong type, that alone, and once
            problems.extend(tell(document, each))
    return in_order(problems)


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

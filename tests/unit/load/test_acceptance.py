"""What is accepted without jsonschema is what jsonschema accepts."""

from __future__ import annotations

import copy
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft7Validator

from wfrun.errors import InvalidError
from wfrun.load.acceptance import KEYWORDS, is_accepted
from wfrun.load.departures import with_pattern
from wfrun.load.schemas import shape_schema
from wfrun.load.yaml import parse_document
from wfrun.resources import resource

CASES = Path(__file__).parents[2] / "cases"
FILES = sorted([*CASES.glob("*/*.yaml"), *resource("workflows").glob("*/*.yaml")])
NAMES = ("workflow", "services")


def judged(name: str, value: object) -> bool:
    return bool(validator(name).is_valid(value))


@cache
def validator(name: str) -> Any:
    return with_pattern(Draft7Validator, re.fullmatch)(shape_schema(name))


def read(path: Path) -> Any:
    try:
        return parse_document(path.read_bytes(), path.name).data
    except InvalidError:
        return None


@pytest.mark.parametrize("name", NAMES)
def test_every_keyword_of_our_schemas_is_known(name: str) -> None:
    schema = json.loads(resource("schemas", f"{name}.schema.json").read_bytes())
    assert {*keywords(schema)} <= {*KEYWORDS, "$id", "$ref", "$defs"}


def keywords(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        yield from schema
        for keyword, value in schema.items():
            if keyword in ("properties", "$defs"):
                for inner in value.values():
                    yield from keywords(inner)
            elif keyword not in ("default", "examples", "enum", "const"):
                yield from keywords(value)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_files_are_accepted_as_jsonschema_judges(path: Path, name: str) -> None:
    data = read(path)
    assert is_accepted(shape_schema(name), data) == judged(name, data)


WORDS = [
    "name",
    "type",
    "steps",
    "then",
    "else",
    "condition",
    "service",
    "action",
    "form",
    "input",
    "retry",
    "onFailure",
    "adapter",
    "actions",
    "module",
    "url",
    "auth",
    "body",
    "ok",
    "sequential",
    "parallel",
    "human-task",
    "mock",
    "http",
    "python",
    "shell",
    "bearer",
    "GET",
    "exponential",
    "30s",
    "string?",
    "execution",
]
VALUES: st.SearchStrategy[Any] = st.sampled_from(
    [
        *WORDS,
        "",
        "a b",
        "a\n",
        "POST /a/{id}",
        None,
        True,
        False,
        0,
        1,
        -1,
        1.0,
        1.5,
        99,
        1000,
        10**9,
        [],
        {},
        ["a", "a"],
    ]
)
BASES = [data for data in map(read, FILES) if isinstance(data, dict)]


@st.composite
def changed(draw: st.DrawFn) -> Any:
    """A file of ours with a few values replaced, keys added and keys removed anywhere in it."""
    data = copy.deepcopy(draw(st.sampled_from(BASES)))
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.sampled_from(list(collections_in(data))))
        keys = [*at] if isinstance(at, dict) else [*range(len(at))]
        value = copy.deepcopy(draw(VALUES | st.sampled_from(list(collections_in(data)))))
        key = draw(st.sampled_from([*keys, *WORDS]) if isinstance(at, dict) else st.sampled_from([*keys, -1]))
        if isinstance(at, list) and key == -1:
            at.append(value)
        elif draw(st.booleans()) or key not in keys:
            at[key] = value
        else:
            del at[key]
    return data


def collections_in(value: Any) -> Iterator[Any]:
    if isinstance(value, dict | list):
        yield value
        for item in value.values() if isinstance(value, dict) else value:
            yield from collections_in(item)


@settings(max_examples=400, deadline=None)
@given(changed(), st.sampled_from(NAMES))
def test_changed_files_are_accepted_as_jsonschema_judges(data: Any, name: str) -> None:
    assert is_accepted(shape_schema(name), data) is judged(name, data)


@pytest.mark.parametrize(
    ("schema", "value", "accepted"),
    [
        ({"type": "integer"}, 1.0, True),
        ({"type": "integer"}, 1.5, False),
        ({"type": ["number", "null"]}, True, False),
        ({"type": ["number", "null"]}, None, True),
        ({"minimum": 1, "maximum": 2}, 3, False),
        ({"minimum": 1}, "a", True),
        ({"minLength": 1, "maxLength": 2}, "abc", False),
        ({"minItems": 1}, [], False),
        ({"minProperties": 1}, {}, False),
        ({"pattern": "^a$"}, "a\n", False),
        ({"uniqueItems": True}, [1, 2, 1], False),
        ({"required": ["a"]}, {"b": 1}, False),
        ({"propertyNames": {"maxLength": 1}}, {"bb": 1}, False),
        ({"additionalProperties": {"type": "string"}, "properties": {"a": {}}}, {"a": 1, "b": "x"}, True),
        ({"additionalProperties": {"type": "string"}, "properties": {"a": {}}}, {"b": 1}, False),
        ({"if": {"type": "string"}, "then": {"minLength": 1}, "else": {"type": "null"}}, "", False),
        ({"if": {"type": "string"}, "then": {"minLength": 1}, "else": {"type": "null"}}, 1, False),
        ({"if": {"type": "string"}, "then": {"minLength": 1}}, 1, True),
        ({"not": {"enum": ["a"]}}, "a", False),
    ],
)
def test_each_keyword_means_what_jsonschema_makes_of_it(schema: dict[str, Any], value: object, accepted: bool) -> None:
    assert is_accepted(schema, value) is accepted
    assert with_pattern(Draft7Validator, re.fullmatch)(schema).is_valid(value) is accepted


def test_one_beside_true_is_left_to_jsonschema() -> None:
    assert not is_accepted({"uniqueItems": True}, [1, True])


def nested(depth: int) -> dict[str, Any]:
    step: dict[str, Any] = {"name": "call", "service": "s", "action": "a"}
    for number in range(depth):
        step = {"name": f"n{number}", "type": "sequential", "steps": step}
    return {"name": "w", "steps": step}


def test_what_is_nested_too_deep_is_left_to_jsonschema() -> None:
    assert is_accepted(shape_schema("workflow"), nested(20))
    assert not is_accepted(shape_schema("workflow"), nested(500))


def test_what_is_accepted_needs_no_jsonschema(tmp_path: Path) -> None:
    file = tmp_path / "w.yaml"
    file.write_text("name: w\nsteps: { name: a, service: s, action: x }\n")
    code = (
        "import pathlib, sys; from wfrun.load.definition import load_definition\n"
        "load_definition(pathlib.Path(sys.argv[1]).read_bytes(), 'w'); sys.exit('jsonschema' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code, str(file)], check=False).returncode == 0

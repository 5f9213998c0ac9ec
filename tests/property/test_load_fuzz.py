"""The readers of YAML and JSON against what was written, against each other, and against anything at all."""

from __future__ import annotations

import json
import re
import time
import warnings
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML
from ruamel.yaml.error import ReusedAnchorWarning

from wfrun.core.definition import Path
from wfrun.core.values import Json
from wfrun.errors import InvalidError, Problem
from wfrun.load.definition import load_definition, load_services
from wfrun.load.json import parse_json
from wfrun.load.yaml import parse_document

FRAGMENTS = [
    *("a", "b: ", "- ", "\n", "\n  ", "\n    ", "\n ", "\n\n", "\n- ", "- - ", "\n  k: ", "  ", " "),
    *('"q"', "'s'", "'it''s'", '"\\n"', '"a\n b"', "'", '"', "[", "]", "{", "}", ", ", ": ", ":", "?", "x y"),
    *("#c", " # c", "|", ">", "|-", ">+", "&x ", "*x", "$.a.b", "1", "key: v", "\\", "---", "...", "@", "%", "!"),
]


@settings(max_examples=1500, deadline=None)
@given(st.lists(st.sampled_from(FRAGMENTS), min_size=1, max_size=9).map("".join))
def test_what_is_built_is_what_the_library_itself_builds(text: str) -> None:
    """Anchors, nesting, scalars: our own building against the library's."""
    try:
        ours = parse_document(text.encode(), "f").data
    except InvalidError:
        return
    with warnings.catch_warnings(action="ignore", category=ReusedAnchorWarning):
        theirs = YAML(typ="safe", pure=True).load(text)
    assert ours == with_text_keys(theirs)


def with_text_keys(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): with_text_keys(item) for key, item in value.items()}
    return [with_text_keys(item) for item in value] if isinstance(value, list) else value


texts = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"], exclude_characters="\u2028\u2029\ufeff\ufffe\uffff"),
    max_size=20,
) | st.text(" abc:-#'\"[]{}\n\t\\,?!&*|>%@`$~019.", max_size=30)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=20,
)


def written(value: Json, random: Random, indent: int) -> str:
    """`value` as it may stand behind a colon or a dash, in one of the many ways that YAML has."""
    pad = "\n" + " " * indent
    if isinstance(value, dict) and value and random.random() < 0.8:
        entries = [json.dumps(key) + ":" + nested(item, random, indent) for key, item in value.items()]
        return pad + pad.join(entries)
    if isinstance(value, list) and value and random.random() < 0.8:
        return pad + pad.join("-" + nested(item, random, indent) for item in value)
    if isinstance(value, str) and random.random() < 0.3:
        return quoted(value, pad)
    return " " + json.dumps(value, ensure_ascii=random.random() < 0.5) + random.choice(["", "  ", " # comment: x"])


def nested(item: Json, random: Random, indent: int) -> str:
    return written(item, random, indent + random.randint(1, 4))


def quoted(value: str, pad: str) -> str:
    """In single quotes, unless blanks beside a line end would be lost."""
    if any(line != line.strip(" \t") for line in value.split("\n")):
        return " " + json.dumps(value)
    # Of line ends in a row one is lost.
    return " '" + re.sub("\n+", lambda ends: ends[0] + pad, value.replace("'", "''")) + "'"


@settings(max_examples=400, deadline=None)
@given(values, st.randoms(use_true_random=False))
def test_what_is_written_is_read(value: Json, random: Random) -> None:
    text = "value:" + written(value, random, random.randint(1, 3)) + "\n"
    assert parse_document(text.encode(), "f").data == {"value": value}


@settings(max_examples=400, deadline=None)
@given(values, st.booleans(), st.sampled_from([None, 2]))
def test_json_is_yaml(value: Json, ascii_only: bool, indent: int | None) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only, indent=indent)
    assert parse_document(text.encode(), "f").data == value
    assert parse_json(text, "f") == value


@settings(max_examples=300, deadline=None)
@given(values, st.randoms(use_true_random=False))
def test_every_value_has_its_place(value: Json, random: Random) -> None:
    """What is written at the place of a scalar begins like it, and so do keys."""
    text = "value:" + written(value, random, 1) + "\n"
    document = parse_document(text.encode(), "f")
    lines = text.split("\n")

    def at(line: int, column: int) -> str:
        return lines[line - 1][column - 1 :]

    assert all(at(*place).startswith(('"', "value:")) for place in document.keys.values())
    for path, place in document.marks.items():
        assert at(*place).startswith(beginnings(inside(document.data, path)))


def inside(data: Any, path: Path) -> Any:
    for part in path:
        data = data[part]
    return data


def beginnings(value: Json) -> tuple[str, ...]:
    if isinstance(value, dict):
        return ("{", '"', "value:")
    if isinstance(value, list):
        return ("[", "-")
    return ("'", '"') if isinstance(value, str) else (json.dumps(value),)


def settles(read: Callable[[bytes, str], object], source: bytes) -> None:
    """Either a value or one InvalidError whose every problem has a place; nothing else, and soon."""
    started = time.process_time()
    assert all(problem.place.file == "f" for problem in problems(read, source))
    assert time.process_time() - started < 4


def problems(read: Callable[[bytes, str], object], source: bytes) -> Sequence[Problem]:
    try:
        read(source, "f")
    except InvalidError as error:
        return error.problems
    return ()


@settings(max_examples=600, deadline=None)
@given(
    st.binary(max_size=60)
    | st.lists(st.sampled_from(FRAGMENTS), max_size=25).map(lambda parts: "".join(parts).encode())
)
def test_any_bytes_settle(source: bytes) -> None:
    for read in (parse_document, parse_json, load_definition, load_services):
        settles(read, source)


KEYS = ["name", "steps", "type", "service", "action", "input", "form", "assignee", "then", "condition", "timeout", "x"]
WORDS = st.sampled_from(["a", "parallel", "conditional", "human-task", "sequential", "string", "30s", "$.a", ""])
shapes = st.recursive(
    WORDS | st.none() | st.integers() | st.booleans(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=5),
    max_leaves=25,
)


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(st.sampled_from([*KEYS, "services", "compensations", "errorHandling", "output"]), shapes))
def test_any_shape_settles(data: dict[str, Json]) -> None:
    source = json.dumps(data).encode()
    settles(load_definition, source)
    settles(load_services, source)

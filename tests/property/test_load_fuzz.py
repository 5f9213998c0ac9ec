"""The reader of YAML and JSON against oracles (ruamel.yaml, the standard parser), and against anything at all."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml.error import YAMLError as RuamelError
from ruamel.yaml.parser import Parser
from ruamel.yaml.reader import Reader
from ruamel.yaml.scanner import Scanner

from wfrun.core.values import Json
from wfrun.errors import InvalidError, Problem
from wfrun.load.definition import load_definition, load_services
from wfrun.load.json import parse_json
from wfrun.load.scanner.block import scan
from wfrun.load.scanner.cursor import Event, YamlError
from wfrun.load.yaml import parse_document


class _Ruamel:
    """What ruamel.yaml's parser wants to find around itself."""

    typ = "events"
    comment_handling = None
    processing_version = (1, 2)

    def __init__(self, text: str) -> None:
        self.resolver = self
        self.reader: Any = Reader(None, self)
        self.reader.stream = text
        self.scanner = Scanner(self)
        self.parser = Parser(self)


_KINDS = {"MappingStartEvent": "{", "MappingEndEvent": "}", "SequenceStartEvent": "[", "SequenceEndEvent": "]"}


def ruamel_events(text: str) -> list[tuple[Any, ...]] | None:
    """Kind and content of every event, with positions of scalars; None if the text is refused."""
    parser = _Ruamel(text).parser
    found: list[tuple[Any, ...]] = []
    documents = 0
    try:
        while parser.check_event():
            event = parser.get_event()
            kind = type(event).__name__
            documents += kind == "DocumentStartEvent"
            if kind == "ScalarEvent":
                found.append(("scalar", event.value, event.style is None, event.anchor or ""))
            elif kind == "AliasEvent":
                found.append(("alias", event.anchor))
            elif kind in _KINDS:
                found.append((_KINDS[kind], getattr(event, "anchor", None) or ""))
            if getattr(event, "tag", None):
                return None
    except (RuamelError, AttributeError, IndexError):
        return None
    if found == [("scalar", "", True, "")]:
        return []  # an empty document, which it tells from no document
    return found if documents <= 1 else None


def our_events(text: str) -> list[tuple[Any, ...]] | None:
    found: list[tuple[Any, ...]] = []

    def emit(event: Event) -> None:
        if event.kind == "scalar":
            found.append(("scalar", event.text, event.plain, event.anchor))
        else:
            found.append((event.kind, event.text) if event.kind == "alias" else (event.kind, event.anchor))

    try:
        scan(text, emit)
    except YamlError:
        return None
    return found


FRAGMENTS = [
    *("a", "b: ", "- ", "\n", "\n  ", "\n    ", "\n ", "\n\n", "\n- ", "- - ", "\n  k: ", "  ", " "),
    *('"q"', "'s'", "'it''s'", '"\\n"', '"a\n b"', "'", '"', "[", "]", "{", "}", ", ", ": ", ":", "?", "x y"),
    *("#c", " # c", "|", ">", "|-", ">+", "&x ", "*x", "$.a.b", "1", "key: v", "\\", "---", "...", "@", "%", "!"),
]

# What ruamel.yaml reads, or reads otherwise, and we don't on purpose.
REFUSED_ON_PURPOSE = {
    "yaml.key",  # keys that are no text, and empty ones
    "yaml.quote",  # lines of a quoted text that are not indented
    "yaml.documents",  # content on the line of the document's start
    "yaml.colon",  # [a: b] and {a}
    "yaml.sign",  # a lone colon or question mark in a flow collection
    "yaml.alias",  # anchors on aliases
    "yaml.directive",
}


def refusal_code(text: str) -> str:
    with pytest.raises(YamlError) as caught:
        scan(text, lambda event: None)
    return caught.value.code


def is_read_otherwise_by_ruamel(text: str) -> bool:
    """Where it departs from the specification: block texts at the margin, `?` and `::` in brackets, a lone `...`."""
    return any(sign in text for sign in ("|", ">", "?", "::")) or text.strip().startswith("...")


@settings(max_examples=3000, deadline=None)
@given(st.lists(st.sampled_from(FRAGMENTS), min_size=1, max_size=9).map("".join))
def test_what_we_and_ruamel_read_is_the_same(text: str) -> None:
    text += "\n"
    ours, theirs = our_events(text), ruamel_events(text)
    if is_read_otherwise_by_ruamel(text):
        return
    if ours is not None and theirs is not None:
        assert ours == theirs
    elif theirs is not None and "#" not in text:
        assert refusal_code(text) in REFUSED_ON_PURPOSE


texts = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"], exclude_characters="\ufeff\ufffe\uffff"), max_size=20
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
    return " '" + value.replace("'", "''").replace("\n", "\n" + pad) + "'"


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


lines = st.lists(
    st.sampled_from(["\n", "\n\n", " ", "  ", "\t", "a", "b c", "e#d", ": ", "- ", "'", "\\"]), max_size=12
)


@settings(max_examples=600, deadline=None)
@given(st.sampled_from(["|", ">", "|-", ">-", "|+", ">+", "|2", ">1-", '"', "'", ""]), lines.map("".join))
def test_texts_of_several_lines_are_folded_as_ruamel_does(start: str, content: str) -> None:
    body = ("\n" if start[:1] in "|>" else "") + content.replace("\n", "\n    ")
    quote = start if start in ("'", '"') else ""
    text = f"- {start}{body}{quote}\n- next\n"
    ours, theirs = our_events(text), ruamel_events(text)
    if ours is not None and theirs is not None:
        assert ours == theirs


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

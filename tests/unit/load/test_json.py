from __future__ import annotations

import time

import pytest

from wfrun.core.values import Json
from wfrun.errors import InvalidError, Problem
from wfrun.load.json import MAX_BYTES, parse_json

SECONDS = 4.0  # the promise is 2 on a core of its own


def refusal(source: bytes | str) -> Problem:
    with pytest.raises(InvalidError) as caught:
        parse_json(source, "in.json")
    (problem,) = caught.value.problems
    assert problem.place.file == "in.json"
    return problem


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a": [1, 2.5, null, true, "x"]}', {"a": [1, 2.5, None, True, "x"]}),
        (" 5 ", 5),
        ('"\\ud83d\\ude00"', "\U0001f600"),
        ('"\\\\ud800"', "\\ud800"),
        ('"\\u0000\\u007f"', "\0\x7f"),
        ("1180591620717411303424", 2**70),
        ('{"a": {"b": 1}, "b": {"b": 2}}', {"a": {"b": 1}, "b": {"b": 2}}),
        ("-0.0", -0.0),
        ("1e-999", 0.0),
        ('["[[[[{{{{"]', ["[[[[{{{{"]),
    ],
)
def test_json_is_read(text: str, value: Json) -> None:
    assert parse_json(text, "in.json") == value
    assert parse_json(text.encode(), "in.json") == value


@pytest.mark.parametrize(
    ("source", "code", "line", "column"),
    [
        (b"", "json.syntax", 1, 1),
        (b"  \n ", "json.syntax", 2, 2),
        (b"[1,]", "json.syntax", 1, 4),
        (b'{"a": 1,}', "json.syntax", 1, 9),
        (b"{'a': 1}", "json.syntax", 1, 2),
        (b'{"a" 1}', "json.syntax", 1, 6),
        (b"[1 2]", "json.syntax", 1, 4),
        (b"1 2", "json.syntax", 1, 3),
        (b'["abc', "json.syntax", 1, 2),
        (b'["a\nb"]', "json.syntax", 1, 4),
        (b"[\n // no\n 1]", "json.syntax", 2, 2),
        (b"nul", "json.syntax", 1, 1),
        (b"01", "json.syntax", 1, 2),
        (b'{"a": 1,\n "a": 2}', "json.duplicate-key", 2, 2),
        (b'{"x": {"a": 1}, "y": [{"b": 1, "\\u0062": 2}]}', "json.duplicate-key", 1, 32),
        (b"[1,\n NaN]", "json.number", 2, 2),
        (b"[-Infinity]", "json.number", 1, 2),
        (b"[1e999]", "json.number", 1, 2),
        (b"[-1e999]", "json.number", 1, 3),
        (b"[" + b"9" * 5000 + b"]", "json.number", 1, 2),
        (b"[" + b"9" * 400 + b".0]", "json.number", 1, 2),
        (b'["ok", "\\ud800"]', "json.text", 1, 8),
        (b'{"\\udc00": 1}', "json.text", 1, 2),
        (b"[1, \xff]", "json.encoding", 1, 5),
        (b"\xef\xbb\xbf{}", "json.encoding", 1, 1),
        ("{}".encode("utf-16"), "json.encoding", 1, 1),
        (b"[" * 65 + b"]" * 65, "json.depth", 1, 65),
        (b'{"a":' * 65 + b"1" + b"}" * 65, "json.depth", 1, 321),
        (b"[" * 100_000, "json.depth", 1, 65),
    ],
    ids=lambda value: str(value)[:24],
)
def test_refusals_have_code_line_and_column(source: bytes, code: str, line: int, column: int) -> None:
    problem = refusal(source)
    assert (problem.code, problem.place.line, problem.place.column) == (code, line, column)


def test_text_with_half_of_a_pair() -> None:
    assert refusal('["\ud800"]').code == "json.text"


def test_a_depth_of_64_is_accepted() -> None:
    assert parse_json("[" * 64 + "]" * 64, "in.json")


@pytest.mark.parametrize(
    ("source", "hint"),
    [
        (b"{'a': 1}", "double quotes"),
        (b"[1,]", "comma"),
        (b'{"a": 1, }', "comma"),
        (b'{"a": }', "`null` says that there is no value"),
        (b'{"id"}', 'every key has a value, as in {"key": 1}'),
        (b'{"id", "b": 1}', 'every key has a value, as in {"key": 1}'),
        (b"[#]", "comments"),
        (b"[NaN]", "null"),
    ],
)
def test_hints(source: bytes, hint: str) -> None:
    assert hint in refusal(source).hint


@pytest.mark.parametrize("source", [b"[}", b"[1 2]", b'{"a" 1}', b"]"])
def test_no_comma_is_blamed_where_there_is_none(source: bytes) -> None:
    assert "comma" not in refusal(source).hint


def test_size() -> None:
    assert refusal(b" " * (MAX_BYTES + 1)).code == "json.size"
    assert refusal(b"[" + b"1," * 1_000_001 + b"1]").code == "json.size"


@pytest.mark.parametrize(
    "source",
    [
        b"1" * 8_000_000,
        b"[" + b"1" * 299 + (b"," + b"1" * 299) * 20_000 + b",1e999]",
        b'"' + b"\\" * 8_000_000,
        b"[" + b"1." * 4_000_000,
        b"[" + b"[]," * 300_000 + b"NaN]",
        b"[" + b'"a",' * 600_000 + b"NaN]",
        b" " * 16_000_000,
    ],
    ids=lambda source: source[:12].decode(),
)
def test_hostile_input_is_refused_in_little_time(source: bytes) -> None:
    started = time.process_time()
    refusal(source)
    assert time.process_time() - started < SECONDS

from __future__ import annotations

import contextlib
import time
from hashlib import sha256
from typing import Any

import pytest

from wfrun.core.values import Json
from wfrun.errors import InvalidError, Problem
from wfrun.load.builder import MAX_NODES
from wfrun.load.yaml import MAX_BYTES, parse_document


def read(text: str) -> Any:
    return parse_document(text.encode(), "f.yaml").data


SECONDS = 6.0  # the promise is about 2 on a core of its own


def refusal(source: str | bytes) -> Problem:
    with pytest.raises(InvalidError) as caught:
        parse_document(source if isinstance(source, bytes) else source.encode(), "f.yaml")
    (problem,) = caught.value.problems
    return problem


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("on", "on"),
        ("no", "no"),
        ("Yes", "Yes"),
        ("1:30", "1:30"),
        ("2026-01-01", "2026-01-01"),
        ("1_000", "1_000"),
        ("0b11", "0b11"),
        ("true", True),
        ("FALSE", False),
        ("tRue", "tRue"),
        ("null", None),
        ("~", None),
        ("", None),
        ("12", 12),
        ("-12", -12),
        ("+12", 12),
        ("0123", 123),
        ("0o17", 15),
        ("0xFf", 255),
        ("1180591620717411303424", 2**70),
        ("1.5", 1.5),
        (".5", 0.5),
        ("5.", 5.0),
        ("1e3", 1000.0),
        ("-1.5E-3", -0.0015),
        ("1.2.3", "1.2.3"),
        ("--", "--"),
        (".", "."),
        ("+", "+"),
        ("'12'", "12"),
        ('"null"', "null"),
    ],
)
def test_scalars_follow_the_core_schema(text: str, value: Json) -> None:
    got = read(f"a: {text}")["a"]
    assert got == value
    assert type(got) is type(value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: b", {"a": "b"}),
        ("a:\n  b: 1\n  c: 2\nd: 3", {"a": {"b": 1, "c": 2}, "d": 3}),
        ("a:\n- 1\n- 2\nb: 3", {"a": [1, 2], "b": 3}),
        ("a:\n  - 1\n  - 2", {"a": [1, 2]}),
        ("- a: 1\n  b: 2\n- c: 3", [{"a": 1, "b": 2}, {"c": 3}]),
        ("- - 1\n  - 2\n- 3", [[1, 2], 3]),
        ("-\n  a: 1\n-\n  - 2", [{"a": 1}, [2]]),
        ("a:\nb:\n  - \n  -", {"a": None, "b": [None, None]}),
        ("{a: 1, 'b': [1, {c: d}], \"e\":2,}", {"a": 1, "b": [1, {"c": "d"}], "e": 2}),
        ("[]", []),
        ("{}", {}),
        ("[\n  1, # one\n  2\n]", [1, 2]),
        ("{a: , b: 1}", {"a": None, "b": 1}),
        ("{url: http://x.y/z?a=b}", {"url": "http://x.y/z?a=b"}),
        ("a: [\n]\nb: 1", {"a": [], "b": 1}),
        ("a: b # comment", {"a": "b"}),
        ("a: b#c", {"a": "b#c"}),
        ("# only\n\n  # comments\n", None),
        ("", None),
        ("---\na: 1\n...\n", {"a": 1}),
        ("a: x\r\nb: y\r\n", {"a": "x", "b": "y"}),
        ("a: ${$.b}-c", {"a": "${$.b}-c"}),
        ("a: $.b[0].c == 'x'", {"a": "$.b[0].c == 'x'"}),
        ("a: b # a\ttab in a comment", {"a": "b"}),
        ("{a:\tb}", {"a": "b"}),
        ("--- a", "a"),
        ("a: -1 - -2", {"a": "-1 - -2"}),
        ("a: ?b :c", {"a": "?b :c"}),
        ("a b: c d", {"a b": "c d"}),
        ('"a: b": c', {"a: b": "c"}),
        ("'it''s' : x", {"it's": "x"}),
        ("200: a\nnull: b\ntrue: c", {"200": "a", "null": "b", "true": "c"}),
        ("just text\n  in two lines", "just text in two lines"),
    ],
)
def test_structure(text: str, value: Json) -> None:
    assert read(text) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: one\n  two\n\n  three", "one two\nthree"),
        ("a: 'one\n  two\n\n\n  three'", "one two\n\nthree"),
        ('a: "one  \n  two\\\n  three\\n"', "one twothree\n"),
        ("a: |\n  one\n   two\n\n  three\n\n", "one\n two\n\nthree\n"),
        ("a: |-\n  one\n\n", "one"),
        ("a: |+\n  one\n\n", "one\n\n"),
        ("a: |2\n   one\n", " one\n"),
        ("a: >\n  one\n  two\n\n  three\n", "one two\nthree\n"),
        ("a: >-\n  one\n    two\n  three", "one\n  two\nthree"),
        ("a: > # comment\n  one\n", "one\n"),
        ("a: >\n  one", "one"),
        ("a: |\n\n\nb: 1", ""),
        ("a: >+\n\n\n", "\n\n"),
        ("a: |\n  # no comment\n# a comment", "# no comment\n"),
        (r'a: "\x41\u00e9\U0001F600\ud83d\ude00\0\e\/\_"', "A\u00e9\U0001f600\U0001f600\0\x1b/\xa0"),
    ],
)
def test_text_over_several_lines(text: str, value: str) -> None:
    assert read(text)["a"] == value


def test_anchors_are_shared_and_may_be_used_again() -> None:
    assert read("a: &x [1, 2]\nb: *x\nc: &x 3\nd: *x\ne: {f: *x}") == {
        "a": [1, 2],
        "b": [1, 2],
        "c": 3,
        "d": 3,
        "e": {"f": 3},
    }


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: &x\n  b: 1\nc: *x", {"a": {"b": 1}, "c": {"b": 1}}),
        ("&x a: 1\nb: *x", {"a": 1, "b": "a"}),
        ("a: &x\nb: *x", {"a": None, "b": None}),
        ("- &x a\n- *x", ["a", "a"]),
        ("- &x\n  - 1\n- *x", [[1], [1]]),
        ("[&x {a: 1}, *x]", [{"a": 1}, {"a": 1}]),
    ],
)
def test_where_anchors_stand(text: str, value: Json) -> None:
    assert read(text) == value


def test_places() -> None:
    document = parse_document(b"name: demo\nsteps:\n  - name: a\n    input: { b: [1, x] }\n", "f.yaml")
    assert str(document.place(("name",))) == "f.yaml:1:7"
    assert str(document.place(("name",), key=True)) == "f.yaml:1:1"
    assert str(document.place(("steps", 0))) == "f.yaml:3:5"
    assert str(document.place(("steps", 0, "input", "b", 1))) == "f.yaml:4:21"
    assert document.place(("steps", 0, "input", "b", 1)).path == "steps[0].input.b[1]"
    assert str(document.place(("steps", 0, "input", "b"), key=True)) == "f.yaml:4:14"
    assert str(document.place(("steps", 0, "nothing"))) == "f.yaml:3:5"


def test_what_an_alias_stands_for_is_placed_at_the_alias() -> None:
    document = parse_document(b"a: &x {b: 1}\nc: *x\n", "f.yaml")
    assert str(document.place(("c", "b"))) == "f.yaml:2:4"


def test_source_and_hash_are_of_the_exact_bytes() -> None:
    source = b"a: 1\r\n"
    document = parse_document(source, "f.yaml")
    assert document.source == source
    assert document.sha256 == sha256(source).hexdigest()


@pytest.mark.parametrize(
    ("text", "code", "line", "column"),
    [
        ("a: 1\nb", "yaml.colon", 2, 1),
        ("a: 1\n- b", "yaml.indentation", 2, 1),
        ("- a\nb: 1", "yaml.indentation", 2, 1),
        (" a: 1\nb: 2", "yaml.indentation", 2, 1),
        ("- a\n\t- b", "yaml.tab", 2, 1),
        ("-\ta: 1", "yaml.tab", 1, 2),
        ("a:\tb", "yaml.tab", 1, 3),
        ("a: b\t", "yaml.tab", 1, 5),
        ("a: ]", "yaml.sign", 1, 4),
        ("[> a]", "yaml.sign", 1, 2),
        ("a: 1\n}", "yaml.indentation", 2, 1),
        ("[a]\n- b", "yaml.indentation", 2, 1),
        ("[1, 2}", "yaml.bracket", 1, 6),
        ("[1 2", "yaml.bracket", 1, 1),
        ("[1,", "yaml.bracket", 1, 1),
        ("[1,\n---\na: 1", "yaml.bracket", 1, 1),
        ("a: [1\nb: 2", "yaml.bracket", 2, 2),
        ("{a 1", "yaml.bracket", 1, 1),
        ("['a' 'b']", "yaml.bracket", 1, 6),
        ("{'a' 'b'}", "yaml.bracket", 1, 6),
        ("[a, , b]", "yaml.comma", 1, 5),
        ("{: a}", "yaml.key", 1, 3),
        ("{? a: b}", "yaml.key", 1, 2),
        ("{<<: a}", "yaml.key", 1, 2),
        ("{[a]: b}", "yaml.key", 1, 2),
        ("{*a : b}", "yaml.key", 1, 2),
        (": a", "yaml.key", 1, 1),
        ("a: &x *x", "yaml.syntax", 1, 7),
        ("a: * * *", "yaml.alias", 1, 4),
        ("a: & b", "yaml.syntax", 1, 4),
        ("x: &x 1\na: *x y", "yaml.syntax", 2, 7),
        ("a: 'b' c", "yaml.syntax", 1, 8),
        ("a: [b] c", "yaml.syntax", 1, 8),
        ("a: 'b\nc: d'", "yaml.quote", 1, 4),
        ("a: |3x\n b", "yaml.block-text", 1, 4),
        ("a: |\n \n   b", "yaml.block-text", 3, 4),
        ("--- a: 1", "yaml.colon", 1, 6),
        ("--- a\n... b", "yaml.documents", 2, 5),
        ("a: 1\n...\nb: 2", "yaml.documents", 3, 1),
        ('a: "\\U00110000"', "yaml.escape", 1, 5),
        ('a: "b\\x4g"', "yaml.escape", 1, 6),
        ("a: " + "9" * 5000, "yaml.number", 1, 4),
        ("a: -.inf", "yaml.number", 1, 4),
        ("a: 'b\x01'", "yaml.character", 1, 6),
        ("a: 1\rb: 'c\u2028'", "yaml.character", 2, 6),
        ("a: b\x85", "yaml.character", 1, 5),
    ],
)
def test_refusals_have_code_line_and_column(text: str, code: str, line: int, column: int) -> None:
    problem = refusal(text)
    assert (problem.code, problem.place.line, problem.place.column) == (code, line, column)


def test_size() -> None:
    assert refusal(b" " * (MAX_BYTES + 1)).code == "yaml.size"
    assert read(" " * MAX_BYTES) is None


@pytest.mark.parametrize("start", [b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff"])
def test_byte_order_marks(start: bytes) -> None:
    problem = refusal(start + b"a: 1")
    assert problem.code == "yaml.encoding"
    assert "byte order mark" in problem.message


def test_depth_counts_what_an_alias_brings_along() -> None:
    deep = "[" * 40 + "]" * 40
    assert refusal(f"a: &x {deep}\nb: {'[' * 30}*x{']' * 30}").code == "yaml.depth"
    assert read(f"a: &x {deep}\nb: {'[' * 20}*x{']' * 20}")["a"] is not None


def test_depth_of_64_is_the_last_that_is_accepted() -> None:
    assert read("[" * 64 + "]" * 64)
    assert refusal("[" * 65 + "]" * 65).code == "yaml.depth"


def bomb(levels: int) -> str:
    lines = ["a: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"b{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, levels)]
    return "\n".join(lines)


def test_aliases_count_as_if_written_out() -> None:
    assert read(bomb(4))
    assert refusal(bomb(9)).code == "yaml.size"


def seconds(source: str) -> float:
    started = time.process_time()
    with contextlib.suppress(InvalidError):
        read(source)
    return time.process_time() - started


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        "- " * 100_000,
        "{a: " * 100_000,
        "".join(" " * i + "a:\n" for i in range(1, 1400)),
        "a: " * 100_000,
        "*a " * 100_000,
        "*" + "a" * 1_000_000,
        "&a " * 100_000,
        "'" * 100_001,
        '"' + "\\" * 100_001,
        "a: [" + "x\n" * 100_000,
        "1" * 1_000_000,
        "%a\n" * 300_000,
        "...\n" * 250_000,
    ],
    ids=lambda text: text[:8],
)
def test_hostile_text_is_refused_in_little_time(text: str) -> None:
    assert seconds(text) < SECONDS
    assert len(refusal(text).message) < 200


@pytest.mark.parametrize(
    "text",
    [
        "a: |\n" + " x\n" * 340_000,
        "a: " + "x " * 520_000,
        "\n" * MAX_BYTES,
        "[" + "[]," * MAX_NODES + "]",
        "[" + ("[" * 61 + "]" * 61 + ",") * (MAX_NODES // 61 + 1) + "]",
        "- &a x\n" * MAX_NODES,
    ],
    ids=lambda text: text[:8],
)
def test_nothing_takes_long(text: str) -> None:
    assert seconds(text) < SECONDS


def test_text_that_aliases_repeat_counts_as_if_written_out() -> None:
    text = "- &a " + "x" * 1000 + "\n" + "- *a\n" * 1000
    assert len(read(text)) == 1001
    assert refusal(text + "- *a\n" * 100).code == "yaml.size"


def test_five_thousand_steps_are_read_in_linear_time() -> None:
    step = "  - name: step-{0}\n    service: s\n    action: x\n    input: $.items[{0}]\n"

    def steps(count: int) -> str:
        return "steps:\n" + "".join(step.format(number) for number in range(count))

    assert len(read(steps(5000))["steps"]) == 5000
    assert seconds(steps(5000)) < 8 * max(seconds(steps(1250)), 0.05)

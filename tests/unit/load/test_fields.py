from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
from typing import Any

import pytest

from wfrun.errors import InvalidError, Problem
from wfrun.load.definition import load_definition
from wfrun.load.fields import check_fields


def problems(fields: dict[str, Any], values: dict[str, Any], what: str = "input") -> list[Problem]:
    with pytest.raises(InvalidError) as caught:
        check_fields(fields, values, file="in.json", what=what)
    return list(caught.value.problems)


def accepted(fields: dict[str, Any], values: dict[str, Any]) -> dict[str, Any]:
    return check_fields(fields, values, file="in.json", what="input")


@pytest.mark.parametrize(
    ("kind", "right", "wrong"),
    [
        ("string", ["", "x"], [1, None, [], True]),
        ("number", [1, 1.5, -2], ["1", True, None]),
        ("integer", [1, 1.0, 2**70], [1.5, "1", False]),
        ("boolean", [True, False], [0, "true", None]),
        ("object", [{}, {"a": 1}], [[], "x", None]),
        ("array", [[], [1]], [{}, "x", None]),
        ("null", [None], [0, "", False]),
        ("any", [None, 1, "x", [], {}], []),
    ],
)
def test_types(kind: str, right: list[Any], wrong: list[Any]) -> None:
    for field in (kind, {"type": kind}, kind + "?"):
        for value in right:
            assert accepted({"a": field}, {"a": value}) == {"a": value}
        for value in wrong:
            assert [problem.code for problem in problems({"a": field}, {"a": value})] == ["field.type"]


def test_every_problem_is_told_at_once_with_its_place() -> None:
    fields = {"applicant": "object", "loanAmount": {"type": "number", "exclusiveMinimum": 0}, "note": "string?"}
    found = problems(fields, {"aplicant": {}, "loanAmount": 0, "note": None})
    assert [(problem.code, problem.place.path) for problem in found] == [
        ("field.missing", "input.applicant"),
        ("field.unknown", "input.aplicant"),
        ("field.value", "input.loanAmount"),
        ("field.type", "input.note"),
    ]
    assert found[1].hint == "did you mean `applicant`?"
    assert found[2].message == "`input.loanAmount` must be more than 0, not `0`"
    assert found[3].hint == "leave it out instead"
    assert {problem.place.file for problem in found} == {"in.json"}


def test_defaults_are_applied_in_the_order_declared() -> None:
    fields = {"a": {"type": "integer", "default": 5}, "b": "string", "c": "any?", "d": {"default": None}}
    values = accepted(fields, {"b": "x"})
    assert list(values.items()) == [("a", 5), ("b", "x"), ("d", None)]


def test_defaults_within_what_is_there_are_applied_too() -> None:
    inner = {"type": "object", "properties": {"n": {"type": "integer", "default": 2}, "m": {"type": "integer"}}}
    outer = {
        "type": "object",
        "properties": {"one": {**inner, "default": {}}, "all": {"type": "array", "items": inner}},
    }
    fields: dict[str, Any] = {"o": {**outer, "default": {}}, "p": {**outer, "type": "object?"}}
    assert accepted(fields, {}) == {"o": {"one": {"n": 2}}}
    given = {"o": {"all": [{"m": 1}, {"n": 7}]}, "p": {"one": {"n": 1}}}
    assert accepted(fields, given) == {
        "o": {"one": {"n": 2}, "all": [{"n": 2, "m": 1}, {"n": 7}]},
        "p": {"one": {"n": 1}},
    }


def test_a_default_within_has_to_fit() -> None:
    fields: dict[str, Any] = {"o": {"type": "object", "properties": {"n": {"type": "integer", "default": "x"}}}}
    assert [(each.code, each.place.path) for each in problems(fields, {"o": {}})] == [("field.value", "input.o.n")]


def test_a_value_is_never_replaced_by_its_default() -> None:
    fields = {"a": {"type": ["integer", "null"], "default": 5}}
    assert accepted(fields, {"a": None}) == {"a": None}


def test_a_schema_with_a_question_mark_is_optional() -> None:
    fields = {"a": {"type": "number?", "minimum": 3}}
    assert accepted(fields, {}) == {}
    assert problems(fields, {"a": 2}, "form")[0].message == "`form.a` must be 3 or more, not `2`"


def test_nested_values_are_named_by_their_path() -> None:
    line = {"type": "object", "properties": {"qty": {"type": "integer"}}, "required": ["qty"]}
    found = problems({"items": {"type": "array", "items": line}}, {"items": [{"qty": 1}, {"qty": "2"}, {}]})
    assert found[0].message == "`input.items[1].qty` must be a whole number, not text"
    assert "'qty' is a required property" in found[1].message


def test_patterns_are_linear() -> None:
    fields = {"a": {"type": "string", "pattern": "^(a+)+$"}}
    assert [problem.code for problem in problems(fields, {"a": "a" * 40 + "!"})] == ["field.value"]
    assert accepted(fields, {"a": "a" * 40})


@pytest.mark.parametrize("number", [0, 0.3, -0.7, 1.1, 5, 1e22, 1e300, 10**400])
def test_multiples_are_those_of_the_numbers_as_they_are_written(number: float) -> None:
    assert accepted({"a": {"type": "number", "multipleOf": 0.1}}, {"a": number})


@pytest.mark.parametrize("number", [0.31, 1e-300, 0.30000000000000004])
def test_everything_else_is_no_multiple(number: float) -> None:
    [problem] = problems({"a": {"type": "number", "multipleOf": 0.1}}, {"a": number})
    assert problem.message == f"`input.a` must be a multiple of 0.1, not `{number}`"


def test_what_is_no_number_is_no_multiple_of_anything_and_need_not_be() -> None:
    assert accepted({"a": {"multipleOf": 0.5}}, {"a": "text"})
    assert accepted({"a": {"multipleOf": 2}}, {"a": True})


def test_numbers_beyond_a_double_are_no_traceback() -> None:
    assert problems({"a": {"type": "number", "multipleOf": 0.3}}, {"a": 10**400})[0].code == "field.value"


@pytest.mark.parametrize("keyword", ["$dynamicRef", "$id", "$anchor", "$defs", "$schema", "patternProperties"])
def test_keywords_that_are_refused_at_any_depth(keyword: str) -> None:
    source = f"name: a\ninput: {{ a: {{ allOf: [{{ {keyword}: x }}] }} }}\nsteps: {{ name: a, service: s, action: x }}"
    with pytest.raises(InvalidError) as caught:
        load_definition(source.encode(), "f.yaml")
    assert "field.keyword" in [problem.code for problem in caught.value.problems]


def test_a_reference_that_is_still_there_is_never_fetched() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.1)
        with pytest.raises(Exception, match="Unresolvable"):
            accepted({"a": {"$ref": f"http://127.0.0.1:{server.getsockname()[1]}/x"}}, {"a": 1})
        with pytest.raises(TimeoutError):
            server.accept()


@pytest.mark.parametrize(
    "field",
    [
        "{ type: object, properties: { $ref: { type: string } } }",
        "{ enum: [a, { $ref: b }] }",
        "{ const: { $id: b } }",
        "{ type: object, additionalProperties: false }",
        "{ anyOf: [{ type: string }, { type: number }] }",
    ],
)
def test_what_only_looks_like_a_reference(field: str) -> None:
    source = f"name: a\ninput: {{ a: {field} }}\nsteps: {{ name: a, service: s, action: x }}".encode()
    assert load_definition(source, "f.yaml").data


def test_a_schema_nested_as_deep_as_yaml_goes_is_no_traceback() -> None:
    field = "{ not: " * 58 + "{}" + " }" * 58
    source = f"name: a\ninput:\n a: {field}\nsteps: {{ name: a, service: s, action: x }}".encode()
    with contextlib.suppress(InvalidError):
        load_definition(source, "f.yaml")


def test_short_types_import_no_schema_library() -> None:
    code = (
        "import sys; from wfrun.load.fields import check_fields;"
        "check_fields({'a': 'string', 'b': 'number?'}, {'a': 'x'}, file='', what='input');"
        "sys.exit('jsonschema' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    ("field", "value", "wanted"),
    [
        ({"type": "boolean", "const": True}, False, "`input.a` must be `true`, not `false`"),
        ({"type": "any", "enum": [None, False, "x"]}, 3, "`input.a` must be `null` or `false` or `x`, not `3`"),
        ({"type": "object", "const": {"b": True}}, {"b": None}, '`input.a` must be `{"b": true}`, not `{"b": null}`'),
    ],
)
def test_values_are_told_as_people_write_them(field: dict[str, Any], value: Any, wanted: str) -> None:
    with pytest.raises(InvalidError) as error:
        check_fields({"a": field}, {"a": value}, file="f.yaml", what="input")
    assert [problem.message for problem in error.value.problems] == [wanted]

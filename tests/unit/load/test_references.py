"""`$ref` in the input of a workflow: schemas of other files in their places, or a clear word about why not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from wfrun.core.definition import Document
from wfrun.errors import InvalidError, Problem
from wfrun.load.definition import load_definition
from wfrun.load.fields import check_fields
from wfrun.load.references import MAX_FILES, inline_references

STEPS = "steps: { name: s, service: s, action: x }"
CUSTOMER = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "https://example.com/customer.json",
    "type": "object",
    "properties": {"name": {"type": "string"}, "address": {"$ref": "defs/address.yaml#/$defs/address"}},
    "required": ["name"],
    "additionalProperties": False,
}
ADDRESS = """
$defs:
  address: { type: object, properties: { zip: { $ref: "#/$defs/zip" } }, required: [zip] }
  zip: { type: string, pattern: "^[0-9]{5}$" }
  odd/na~me: { const: odd }
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "defs").mkdir()
    (tmp_path / "customer.json").write_text(json.dumps(CUSTOMER, indent="\t"))
    (tmp_path / "defs" / "address.yaml").write_text(ADDRESS)
    return tmp_path


def document(field: str, file: str = "w.yaml") -> Document:
    return load_definition(f"name: a\ninput:\n  f: {field}\n{STEPS}\n".encode(), file)


def inlined(field: str, file: str = "w.yaml") -> Any:
    found, problems = inline_references(document(field, file))
    assert problems == []
    data: Any = found.data
    return data["input"]["f"]


def problems_of(field: str) -> list[Problem]:
    found, problems = inline_references(document(field))
    data: Any = found.data
    assert data["input"]["f"] == {}, "a field that is wrong may be anything"
    return problems


def told(field: str) -> list[str]:
    return [f"{each.place}: {each.code}: {each.message}" for each in problems_of(field)]


# ---- what is put in place


def test_a_file_stands_for_its_schema(folder: Path) -> None:
    address = {
        "type": "object",
        "properties": {"zip": {"type": "string", "pattern": "^[0-9]{5}$"}},
        "required": ["zip"],
    }
    assert inlined("{ $ref: ./customer.json }") == {
        "type": "object",
        "properties": {"name": {"type": "string"}, "address": address},
        "required": ["name"],
        "additionalProperties": False,
    }


def test_the_input_is_checked_against_what_the_files_say(folder: Path) -> None:
    fields = {"f": inlined("{ $ref: ./customer.json }")}
    right: dict[str, Any] = {"f": {"name": "Zoë", "address": {"zip": "12345"}}}
    assert check_fields(fields, right, file="in", what="input") == right
    with pytest.raises(InvalidError) as caught:
        check_fields(fields, {"f": {"name": 1, "address": {"zip": "x"}}}, file="in", what="input")
    assert [problem.place.path for problem in caught.value.problems] == ["input.f.name", "input.f.address.zip"]


@pytest.mark.parametrize(
    ("reference", "schema"),
    [
        ("defs/address.yaml#/$defs/zip", {"type": "string", "pattern": "^[0-9]{5}$"}),
        ("./defs/../defs/address.yaml#/$defs/zip", {"type": "string", "pattern": "^[0-9]{5}$"}),
        ("defs/address.yaml#/$defs/odd~1na~0me", {"const": "odd"}),
        ("defs/address.yaml#/$defs/odd~1na%7E0me", {"const": "odd"}),
        ("two%20words.json", {"const": 2}),
        ("list.json#/allOf/1", {"const": 1}),
        ("list.json#/not", {"not": {}}),
        ("list.json#/if", {}),
        ("empty.json#", {}),
    ],
)
def test_pointers_and_names(folder: Path, reference: str, schema: Any) -> None:
    (folder / "two words.json").write_text('{"const": 2}')
    (folder / "list.json").write_text('{"allOf": [{"const": 0}, {"const": 1}], "not": false, "if": true}')
    (folder / "empty.json").write_text("{}")
    assert inlined(f'{{ $ref: "{reference}" }}') == schema


@pytest.mark.parametrize("where", ["items", "not", "contains", "additionalProperties", "propertyNames"])
def test_any_place_inside_a_schema(folder: Path, where: str) -> None:
    (folder / "s.json").write_text('{"maxLength": 3}')
    assert inlined(f"{{ {where}: {{ $ref: s.json }} }}") == {where: {"maxLength": 3}}
    assert inlined(f"{{ allOf: [{{ {where}: {{ $ref: s.json }} }}] }}") == {"allOf": [{where: {"maxLength": 3}}]}
    assert inlined(f"{{ properties: {{ {where}: {{ $ref: s.json }} }} }}") == {"properties": {where: {"maxLength": 3}}}


@pytest.mark.parametrize(
    "field",
    [
        "{ type: object, properties: { $ref: { type: string } } }",
        "{ properties: { properties: { properties: { $ref: { type: string } } } } }",
        "{ enum: [a, { $ref: b }] }",
        "{ const: { $ref: b } }",
        "{ default: { $ref: b } }",
    ],
)
def test_what_only_looks_like_a_reference_is_left_alone(folder: Path, field: str) -> None:
    read = document(field)
    assert inline_references(read) == (read, [])


def test_without_references_it_is_the_very_same_document() -> None:
    read = document("string")
    assert inline_references(read)[0] is read


def test_the_bytes_and_their_hash_stay_what_they_are(folder: Path) -> None:
    read = document("{ $ref: customer.json }")
    found, _ = inline_references(read)
    assert (found.source, found.sha256, found.place(("steps",))) == (read.source, read.sha256, read.place(("steps",)))


# ---- what stands beside a reference


def test_notes_stand_beside_a_reference(folder: Path) -> None:
    found = inlined("{ $ref: defs/address.yaml#/$defs/zip, description: of the sender, default: '00000' }")
    assert found == {"type": "string", "pattern": "^[0-9]{5}$", "description": "of the sender", "default": "00000"}


def test_a_question_mark_makes_it_optional(folder: Path) -> None:
    found = inlined("{ $ref: defs/address.yaml#/$defs/zip, type: string? }")
    assert check_fields({"f": found}, {}, file="in", what="input") == {}
    with pytest.raises(InvalidError):
        check_fields({"f": found}, {"f": "x"}, file="in", what="input")


def test_keywords_beside_a_reference_do_not_see_those_behind_it(folder: Path) -> None:
    """JSON Schema core, 10.3.2.3: `additionalProperties` looks at the `properties` beside it alone."""
    (folder / "base.json").write_text('{"properties": {"a": {"type": "string"}}}')
    found = inlined(
        "{ $ref: base.json, properties: { b: {} }, additionalProperties: false, allOf: [{ minProperties: 1 }] }"
    )
    assert check_fields({"f": found}, {"f": {"b": 1}}, file="in", what="input")
    wrongs: list[dict[str, Any]] = [{"a": "x"}, {"a": 1, "b": 1}, {}]
    for wrong in wrongs:
        with pytest.raises(InvalidError):
            check_fields({"f": found}, {"f": wrong}, file="in", what="input")


def test_references_lead_on_and_keep_what_stands_on_the_way(folder: Path) -> None:
    (folder / "one.json").write_text('{"$ref": "two.json", "minLength": 1}')
    (folder / "two.json").write_text('{"$ref": "#/$defs/x", "$defs": {"x": {"type": "string"}}}')
    assert inlined("{ $ref: one.json, maxLength: 3 }") == {
        "maxLength": 3,
        "allOf": [{"minLength": 1, "allOf": [{"type": "string"}]}],
    }


def test_one_schema_can_stand_in_many_places(folder: Path) -> None:
    (folder / "p.json").write_text(
        '{"prefixItems": [{"$ref": "#/$defs/x"}, {"$ref": "#/$defs/x"}], "$defs": {"x": {}}}'
    )
    assert inlined("{ $ref: p.json }") == {"prefixItems": [{}, {}]}


# ---- what is refused


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("nope.json", "cannot read nope.json: No such file or directory"),
        ("defs", "defs is not a file"),
        ("fifo", "fifo is not a file"),
        ("defs/address.yaml#/$defs/zap", "leads nowhere: there is no 'zap' in defs/address.yaml"),
        ("defs/address.yaml#/$defs/zip/type/0", "leads nowhere: there is no '0' in defs/address.yaml"),
        ("defs/address.yaml#/$defs/zip/type", "does not lead to a schema"),
        ("defs/address.yaml#zip", "'#zip' is not a JSON Pointer"),
        ("list.json#/allOf/2", "leads nowhere: there is no '2' in list.json"),
        ("list.json#/allOf/00", "leads nowhere: there is no '00' in list.json"),
        ("https://example.com/a.json", "is a URL, and nothing is fetched"),
        ("file:///etc/passwd", "is a URL, and nothing is fetched"),
        ("//host/a.json", "is a URL, and nothing is fetched"),
        ("a.json?version=2", "is a URL, and nothing is fetched"),
        ("http://[", "is not the path of a file"),
        ("/etc/passwd", "'/etc/passwd' is not a relative path"),
        ("%2Fetc/passwd", "'/etc/passwd' is not a relative path"),
        ("a%00b", "is not a relative path"),
        ("#/input/f", "leads into the workflow itself"),
        ("w.yaml#/input/f", "leads into the workflow itself"),
        ("", "leads into the workflow itself"),
    ],
)
def test_a_wrong_reference_is_told_at_its_place(folder: Path, reference: str, message: str) -> None:
    (folder / "list.json").write_text('{"allOf": [{"const": 0}, {"const": 1}]}')
    os.mkfifo(folder / "fifo")
    (problem,) = problems_of(f'{{ items: {{ $ref: "{reference}" }} }}')
    assert (str(problem.place), problem.code) == ("w.yaml:3:23", "field.reference")
    assert message in problem.message


def test_an_all_of_that_is_none_beside_a_reference(folder: Path) -> None:
    assert told("{ $ref: defs/address.yaml#/$defs/zip, allOf: 3 }") == [
        "w.yaml:3:51: field.reference: `allOf` is a list of schemas"
    ]


def test_a_reference_that_is_no_text(folder: Path) -> None:
    assert told("{ $ref: 3 }") == ["w.yaml:3:14: field.reference: a $ref is text"]


def test_the_nearest_name_is_told(folder: Path) -> None:
    (problem,) = problems_of('{ $ref: "defs/address.yaml#/$defs/adress" }')
    assert problem.hint == "did you mean `address`?"


@pytest.mark.parametrize(
    ("one", "two", "where"),
    [
        ('{"items": {"$ref": "#"}}', "{}", "one.json:1:20"),
        ('{"items": {"$ref": "two.json"}}', '{"not": {"$ref": "./one.json"}}', "two.json:1:18"),
        ('{"$ref": "two.json"}', '{"$ref": "one.json#"}', "two.json:1:10"),
        ('{"$ref": "#"}', "{}", "one.json:1:10"),
        ('{"items": {"items": {"$ref": "#/items"}}}', "{}", "one.json:1:30"),
    ],
)
def test_circles(folder: Path, one: str, two: str, where: str) -> None:
    (folder / "one.json").write_text(one)
    (folder / "two.json").write_text(two)
    assert told("{ $ref: one.json }") == [f"{where}: field.reference: this $ref leads back to where it stands"]


def test_what_is_wrong_in_a_file_is_told_where_it_stands_there(folder: Path) -> None:
    (folder / "bad.yaml").write_text(
        'type: object\nproperties:\n  a: { type: strin }\n  b: { pattern: "(" }\n  c: { $ref: x.json }\n'
    )
    assert told("{ $ref: bad.yaml }") == [
        "bad.yaml:5:14: field.reference: cannot read x.json: No such file or directory",
        "bad.yaml:4:17: field.pattern: not a pattern: missing ): (",
        *[each for each in told("{ $ref: bad.yaml }") if each.startswith("bad.yaml:3:14: field.schema: ")],
    ]


def test_a_file_that_cannot_be_read_says_who_refers_to_it(folder: Path) -> None:
    (folder / "bad.yaml").write_text("a: [\n")
    found = problems_of("{ items: { $ref: bad.yaml }, not: { $ref: bad.yaml } }")
    (problem,) = found
    assert (str(problem.place), problem.code) == ("bad.yaml:1:4", "yaml.bracket")
    assert problem.hint.endswith("referred to in w.yaml:3:23")


@pytest.mark.parametrize(
    ("schema", "keyword"),
    [
        ('{"$schema": "http://json-schema.org/draft-07/schema#"}', "$schema"),
        ('{"items": {"$id": "https://example.com/else"}}', "$id"),
        ('{"$anchor": "x"}', "$anchor"),
        ('{"items": {"$dynamicRef": "#x"}}', "$dynamicRef"),
        ('{"patternProperties": {"^a": {}}}', "patternProperties"),
    ],
)
def test_what_no_field_can_have(folder: Path, schema: str, keyword: str) -> None:
    (folder / "s.json").write_text(schema)
    (problem,) = problems_of("{ $ref: s.json }")
    assert problem.code == "field.keyword"
    assert problem.place.file == "s.json"
    assert problem.place.column == schema.index(keyword) + len(keyword) + 4


def test_a_default_is_held_against_the_file(folder: Path) -> None:
    (problem,) = problems_of("{ $ref: defs/address.yaml#/$defs/zip, default: abc }")
    assert (str(problem.place), problem.code) == ("w.yaml:3:53", "field.default")


def test_every_wrong_reference_is_told_at_once(folder: Path) -> None:
    read = load_definition(
        f"name: a\ninput: {{ a: {{ $ref: x }}, b: {{ $ref: y }}, c: string }}\n{STEPS}".encode(), "w.yaml"
    )
    found, problems = inline_references(read)
    data: Any = found.data
    assert [problem.place.column for problem in problems] == [21, 37]
    assert data["input"] == {"a": {}, "b": {}, "c": "string"}


# ---- bounds


def test_too_many_files(folder: Path) -> None:
    for number in range(MAX_FILES + 1):
        (folder / f"{number}.json").write_text("{}")
    field = ", ".join(f"{{ $ref: {number}.json }}" for number in range(MAX_FILES + 1))
    assert [each.partition(": ")[2] for each in told(f"{{ allOf: [{field}] }}")] == [
        f"field.reference: more than {MAX_FILES} files are referred to"
    ]


def test_too_large_files(folder: Path) -> None:
    (folder / "large.json").write_text(" " * 600_000 + "{}")
    (folder / "other.json").write_text(" " * 600_000 + "{}")
    (message,) = told("{ allOf: [{ $ref: large.json }, { $ref: other.json }] }")
    assert "the files that are referred to have more than 1,048,576 bytes together" in message


def test_what_grows_without_end_is_stopped(folder: Path) -> None:
    defs = {f"d{n}": {"allOf": [{"$ref": f"#/$defs/d{n + 1}"}] * 8} for n in range(10)}
    (folder / "bomb.json").write_text(json.dumps({"$defs": {**defs, "d10": {"pattern": "("}}}))
    (message,) = told('{ $ref: "bomb.json#/$defs/d0" }')
    assert "the input has more than 50,000 values" in message


@pytest.mark.parametrize("link", ['{"$ref": "#/$defs/%s"}', '{"not": {"$ref": "#/$defs/%s"}}'])
def test_a_long_chain_is_no_traceback(folder: Path, link: str) -> None:
    defs = ", ".join(f'"d{n}": {link % f"d{n + 1}"}' for n in range(1_000))
    (folder / "chain.json").write_text(f'{{"$defs": {{{defs}, "d1000": {{}}}}}}')
    (message,) = told('{ $ref: "chain.json#/$defs/d0" }')
    assert "nested deeper than 64 levels" in message


# ---- elsewhere


def test_in_a_form_it_is_refused_with_the_reason() -> None:
    source = "name: a\nsteps: { name: t, type: human-task, assignee: x, form: { f: { $ref: customer.json } } }"
    with pytest.raises(InvalidError) as caught:
        load_definition(source.encode(), "w.yaml")
    (problem,) = caught.value.problems
    assert problem.code == "field.keyword"
    assert problem.hint == "a form is kept in the journal as it is: write it out, or use a YAML anchor"


def test_in_a_field_named_like_a_keyword_it_is_still_a_reference() -> None:
    field = "{ properties: { properties: { $ref: 'http://localhost:1/x' } } }"
    source = f"name: a\nsteps: {{ name: t, type: human-task, assignee: x, form: {{ f: {field} }} }}"
    with pytest.raises(InvalidError) as caught:
        load_definition(source.encode(), "w.yaml")
    assert caught.value.code == "field.keyword"


def test_looking_for_references_imports_no_schema_library() -> None:
    code = (
        "import sys; from wfrun.load.references import inline_references; from wfrun.load.yaml import parse_document;"
        "inline_references(parse_document(b'input: { a: { type: string, minLength: 1 } }', 'w'));"
        "sys.exit('jsonschema' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

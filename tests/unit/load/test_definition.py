from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft7Validator

from wfrun.core.expression import parse_duration
from wfrun.errors import MOST_ERRORS, ExpressionError, InvalidError
from wfrun.load.definition import (
    load_definition,
    load_services,
    services_in,
    shape_fingerprint,
)
from wfrun.load.shape import check_shape
from wfrun.load.yaml import parse_document
from wfrun.resources import resource

CALL = "{ name: a, service: s, action: x }"


def schemas() -> Iterator[Any]:
    for name in ("workflow", "services"):
        yield json.loads(resource("schemas", f"{name}.schema.json").read_text())


def kinds_of_steps() -> list[str]:
    (workflow, _) = schemas()
    return ["call", *workflow["$defs"]["stepType"]["enum"]]


def accepted(text: str) -> Any:
    return load_definition(text.encode(), "f.yaml").data


def refusals(text: str) -> list[str]:
    with pytest.raises(InvalidError) as caught:
        load_definition(text.encode(), "f.yaml")
    return [str(problem) for problem in caught.value.problems]


def test_the_words_of_the_first_documents_are_accepted_as_written() -> None:
    text = f"name: a\nerrorHandling: {{ retryPolicy: exponential, maxRetries: 3, timeout: 30000 }}\nsteps: {CALL}"
    assert accepted(text)["errorHandling"]["timeout"] == 30000
    assert accepted(f"name: a\nsteps:\n  type: sequential\n  steps:\n    - {CALL}")


DURATIONS = ["0s", "30s", "5m", "24h", "2w", "1h30m", "250ms", "1d2h", "PT24H", "P1D", "P2W", "P1DT2H3M4.5S", "PT1.5S"]
NO_DURATIONS = [
    "30",
    "30 s",
    "s",
    "1.5s",
    "30m1h",
    "P",
    "PT",
    "P1DT",
    "P1Y",
    "P1.5D",
    "soon",
    "30s\n",
    "1234567890s",
    "",
]


@pytest.mark.parametrize("duration", [*DURATIONS, 0, 30000])
def test_durations(duration: str | int) -> None:
    assert accepted(f"name: a\nsteps: {{ name: a, service: s, action: x, timeout: {json.dumps(duration)} }}")
    assert parse_duration(duration) >= 0


@pytest.mark.parametrize("duration", [*NO_DURATIONS, -1, 1.5, True, None, [1]])
def test_no_durations(duration: Any) -> None:
    (problem,) = refusals(f"name: a\nsteps: {{ name: a, service: s, action: x, timeout: {json.dumps(duration)} }}")
    assert "`timeout` of step `a`" in problem


@pytest.mark.parametrize("duration", NO_DURATIONS)
def test_what_the_schema_calls_no_duration_is_none(duration: str) -> None:
    with pytest.raises(ExpressionError):
        parse_duration(duration)


@pytest.mark.parametrize("name", ["a", "a-b.c_d", "A1", "x" * 128])
def test_step_names(name: str) -> None:
    assert accepted(f"name: a\nsteps: {{ name: {name}, service: s, action: x }}")


@pytest.mark.parametrize("name", ["''", "a b", "a:b", "a@1", "a/b", "a#b", "-a", "../a", "é", "x" * 129, '"a\\n"', "1"])
def test_no_step_names(name: str) -> None:
    problem = refusals(
        f'name: a\nsteps: {{ name: "{name}", service: s, action: x }}'
        if name == "é"
        else f"name: a\nsteps: {{ name: {name}, service: s, action: x }}"
    )[0]
    assert "schema." in problem


@pytest.mark.parametrize("later", ["remind: 1h", "renamedFrom: b"])
def test_keys_of_later_versions_are_refused_until_they_work(later: str) -> None:
    key = later.split(":")[0]
    (problem,) = refusals(f"name: a\nsteps: {{ name: a, service: s, action: x, {later} }}")
    assert f"has no key `{key}`" in problem


COMMON = ["name", "type", "description", "condition", "needs", "onError", "compensate", "metadata"]


@pytest.mark.parametrize("kind", kinds_of_steps())
def test_every_step_can_have_what_steps_have_in_common(kind: str) -> None:
    (workflow, _) = schemas()
    assert {*COMMON} <= workflow["$defs"][kind]["properties"].keys()
    assert workflow["$defs"][kind]["additionalProperties"] is False


def test_every_type_of_step_leads_to_its_keys() -> None:
    (workflow, _) = schemas()
    types = workflow["$defs"]["stepType"]
    ways = workflow["$defs"]["typedStep"]["allOf"]
    assert [way["if"]["properties"]["type"]["const"] for way in ways] == types["enum"]
    assert [way["then"]["$ref"] for way in ways] == [f"#/$defs/{name}" for name in types["enum"]]
    assert len(types["enumDescriptions"]) == len(types["enum"])


BODY = "{ name: inner, service: s, action: x }"
WRAPPED = [
    "type: sequential, steps: {}",
    "type: parallel, steps: [{}]",
    "type: conditional, condition: true, then: {}",
    "type: switch, cases: [{{ condition: true, steps: {} }}]",
    "type: switch, cases: [{{ condition: true, steps: {{ type: end }} }}], else: {}",
    "type: foreach, items: $.a, steps: {}",
    "type: while, condition: true, maxIterations: 1, steps: {}",
    "type: repeat, until: true, maxIterations: 1, steps: {}",
    "type: try, steps: {}, finally: {{ type: end }}",
    "type: try, steps: {{ type: end }}, finally: {}",
    "type: try, steps: {{ type: end }}, catch: [{{ steps: {} }}]",
    "name: outer, service: s, action: x, onError: {{ steps: {} }}",
    "name: outer, service: s, action: x, onError: [{{ steps: {} }}]",
]


@pytest.mark.parametrize("wrapped", WRAPPED)
def test_wherever_steps_are_expected_one_or_a_list_will_do(wrapped: str) -> None:
    assert accepted(f"name: a\nsteps: {{ {wrapped.format(BODY)} }}")
    assert accepted(f"name: a\nsteps: {{ {wrapped.format(f'[{BODY}]')} }}")


@pytest.mark.parametrize("wrapped", WRAPPED)
def test_a_mistake_is_told_by_the_name_of_the_innermost_step(wrapped: str) -> None:
    wrong = "{ name: inner, service: s, action: x, timeout: soon }"
    (problem,) = refusals(f"name: a\nsteps: {{ {wrapped.format(wrong)} }}")
    assert "`timeout` of step `inner` must be a duration" in problem


@pytest.mark.parametrize("wrapped", WRAPPED)
def test_forms_are_checked_wherever_tasks_can_stand(wrapped: str) -> None:
    task = "{ name: ask, type: human-task, assignee: ann, form: { a: { type: integer, default: x } } }"
    (problem,) = refusals(f"name: a\nsteps: {{ {wrapped.format(task)} }}")
    assert "field.default" in problem


def test_problems_are_told_in_the_order_of_the_file_and_not_endlessly() -> None:
    steps = "".join(f"\n  - {{ name: s{number}, service: s, action: x, zzz: 1 }}" for number in range(MOST_ERRORS + 5))
    with pytest.raises(InvalidError) as caught:
        load_definition(f"name: a\nsteps:{steps}".encode(), "f.yaml")
    found = caught.value.problems
    assert [problem.place.line for problem in found[:-1]] == list(range(3, 3 + MOST_ERRORS))
    assert found[-1].message == "and 5 more problems"


def test_shape_and_parse_are_separate() -> None:
    document = parse_document(f"name: a\nstep: {CALL}".encode(), "f.yaml")
    assert [problem.code for problem in check_shape(document, "workflow")] == ["schema.unknown-key"]
    assert check_shape(parse_document(f"name: a\nsteps: {CALL}".encode(), "f.yaml"), "workflow") == []


def test_the_fingerprint_is_a_hash_that_stays() -> None:
    assert re.fullmatch("[0-9a-f]{64}", shape_fingerprint())
    assert shape_fingerprint() == shape_fingerprint()


SERVICE = "{ adapter: python, module: services.a }"


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (f"a: {SERVICE}\nb: {SERVICE}", {"a", "b"}),
        (f"services:\n  a: {SERVICE}", {"a"}),
        (f"services: {SERVICE}", {"services"}),
        (f"services: {SERVICE}\na: {SERVICE}", {"services", "a"}),
        ("services: {}", set()),
        ("{}", set()),
    ],
)
def test_both_layouts_of_a_services_file(text: str, names: set[str]) -> None:
    document = load_services(text.encode(), "s.yaml")
    entries: Any = document.data
    for key in services_in(document):
        entries = entries[key]
    assert set(entries) == names


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("a: { module: x }", "schema.missing-key"),
        ("a: { adapter: http, url: x }", "schema.missing-key"),
        ("a: { adapter: http, baseUrl: x }", "schema.missing-key"),
        ("a: { adapter: http, baseUrl: x, actions: {} }", "schema.value"),
        ("a: { adapter: http, baseUrl: x, actions: { x: GET /a }, url: x }", "schema.unknown-key"),
        ("a: { adapter: http, baseUrl: x, actions: { x: FETCH /a } }", "schema.value"),
        ("a: { adapter: http, baseUrl: x, actions: { x: GET a } }", "schema.value"),
        ("a: { adapter: http, baseUrl: x, actions: { x: 5 } }", "schema.type"),
        ("a: { adapter: http, baseUrl: x, actions: { x: { path: /a } } }", "schema.missing-key"),
        ("a: { adapter: http, baseUrl: x, actions: { x: { method: GET } } }", "schema.missing-key"),
        ("a: { adapter: http, baseUrl: x, actions: { x: { method: GET, path: a } } }", "schema.value"),
        ("a: { adapter: http, baseUrl: x, actions: { x: { method: GET, path: /a, boby: 1 } } }", "schema.unknown-key"),
        ("a: { adapter: http, baseUrl: x, actions: { x: GET /a }, auth: { type: bearer } }", "schema.missing-key"),
        (
            "a: { adapter: http, baseUrl: x, actions: { x: GET /a }, auth: { type: header, name: X } }",
            "schema.missing-key",
        ),
        ("a: { adapter: shell }", "schema.missing-key"),
        ("a: { adapter: shell, actions: {} }", "schema.value"),
        ("a: { adapter: shell, actions: { x: { command: [ls], shell: true } } }", "schema.unknown-key"),
        ("a: { adapter: http, baseUrl: x, timeout: 5sec, actions: { x: GET /a } }", "schema.value"),
        ("a: { adapter: mock, actions: { x: { reslt: hi } } }", "schema.unknown-key"),
        (
            "a: { adapter: mock, actions: { x: [{ result: hi }, { error: { tpye: x, type: y } }] } }",
            "schema.unknown-key",
        ),
        ("a: { adapter: mock, actions: { x: [] } }", "schema.value"),
        ("a: { adapter: mock, default: { error: { message: x } } }", "schema.missing-key"),
        ("a: { adapter: mock, default: hi }", "schema.type"),
        ("services: { a: { adapter: python } }", "schema.missing-key"),
        (f"services: {{}}\na: {SERVICE}", "schema.unknown-key"),
        ("a: { adapter: python, module: os.system() }", "schema.value"),
        ("'a b': { adapter: plugin }", "schema.key"),
        ("[a]", "schema.type"),
        ("services: [a]", "schema.type"),
    ],
)
def test_bad_services_files(text: str, code: str) -> None:
    with pytest.raises(InvalidError) as caught:
        load_services(text.encode(), "s.yaml")
    assert caught.value.code == code


def parts(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    yield path, value
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in children:
        yield from parts(child, (*path, key))


def test_the_schemas_are_sound_draft_7() -> None:
    for schema in schemas():
        Draft7Validator.check_schema(schema)


def test_patterns_are_anchored_because_they_are_matched_as_a_whole() -> None:
    patterns = [value for schema in schemas() for path, value in parts(schema) if path and path[-1] == "pattern"]
    assert len(patterns) > 5
    assert all(pattern.startswith("^") and pattern.endswith("$") for pattern in patterns)


def test_every_key_that_people_write_is_explained_to_their_editor() -> None:
    for schema in schemas():
        keys = [(path, value) for path, value in parts(schema) if len(path) > 1 and path[-2] == "properties"]
        keys = [(path, value) for path, value in keys if not {"if", "then"} & set(path) or "properties" in path[:-2]]
        for path, value in keys:
            local = schema["$defs"].get(str(value.get("$ref", "")).removeprefix("#/$defs/"), {})
            elsewhere = "services.schema.json" in f"{value}{local}"  # explained there
            assert elsewhere or {"title", "description", "const", "errorMessage"} & {*value, *local}, path


def mappings(schema: Any) -> Iterator[tuple[str, Any]]:
    """Name and keys of every mapping whose keys are listed."""
    yield "the file", schema["properties"]
    for name, definition in schema["$defs"].items():
        if definition.get("additionalProperties") is False:
            yield name, definition["properties"]


def test_every_key_of_every_kind_has_a_title_and_a_description() -> None:
    (workflow, services) = schemas()
    found = [*mappings(workflow)]
    assert len(found) > 20
    for name, keys in found:
        for key, value in keys.items():
            words = {**referred(value, workflow, services), **value}
            assert words.get("title"), f"{name}.{key}"
            assert str(words.get("description", "")).endswith((".", "`")), f"{name}.{key}"


def referred(value: Any, workflow: Any, services: Any) -> Any:
    """What a `$ref` leads to, and what that leads to."""
    if "$ref" not in value:
        return {}
    file, _, name = value["$ref"].partition("#/$defs/")
    target = (services if file else workflow)["$defs"][name]
    return {**referred(target, workflow, services), **target}


def test_examples_in_the_schemas_are_valid() -> None:
    (workflow, _) = schemas()
    durations = workflow["$defs"]["duration"]
    for example in durations["examples"]:
        Draft7Validator(durations).validate(example)

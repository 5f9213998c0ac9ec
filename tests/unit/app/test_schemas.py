"""Schemas that need no other file: nothing leads out of them, and they say what the files say."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from wfrun.app.schemas import bundled, described, names
from wfrun.errors import NotFoundError
from wfrun.load.yaml import parse_document

REPOSITORY = Path(__file__).parent.parent.parent.parent
GALLERY = sorted(path for path in (REPOSITORY / "workflows").rglob("*.yaml"))


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for item in value.values():
            yield from references(item)
    elif isinstance(value, list):
        for item in value:
            yield from references(item)


def test_all_files_are_listed_those_that_people_write_first() -> None:
    files = {path.name.removesuffix(".schema.json") for path in (REPOSITORY / "schemas").glob("*.json")}
    assert set(names()) == files
    assert names()[:2] == ["workflow", "services"]
    assert all(each.title and each.description for each in described())


@pytest.mark.parametrize("name", names())
def test_every_reference_leads_to_a_place_in_the_schema(name: str) -> None:
    schema = bundled(name)
    jsonschema.Draft7Validator.check_schema(schema)
    assert "$id" not in schema
    for reference in references(schema):
        place: Any = schema
        assert reference.startswith("#/")
        for key in reference.split("/")[1:]:
            place = place[key]
        assert place, reference


@pytest.mark.parametrize("path", GALLERY, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_it_accepts_the_gallery(path: Path) -> None:
    data = parse_document(path.read_bytes(), str(path)).data
    name = "services" if path.name.startswith("services") else "workflow"
    jsonschema.Draft7Validator(bundled(name)).validate(data)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (["services", "payment"], {"adapter": "http"}),
        (["services", "payment"], {"adapter": "mock", "sript": []}),
        (["steps"], [{"type": "parallel", "steps": [{"name": "a", "service": "s"}]}]),
        (["errorHandling", "timeout"], "soon"),
    ],
)
def test_it_refuses_what_the_files_refuse(path: list[str], value: Any) -> None:
    data: Any = parse_document((REPOSITORY / "workflows/order/order.yaml").read_bytes(), "").data
    inner = data
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    assert not jsonschema.Draft7Validator(bundled("workflow")).is_valid(data)


def test_what_is_shared_stands_in_it_once() -> None:
    parts = bundled("cli-lint")["$defs"]
    assert list(parts) == ["cli-error.problem"]
    file = json.loads((REPOSITORY / "schemas/cli-error.schema.json").read_text())
    assert parts["cli-error.problem"] == file["definitions"]["problem"]


def test_an_unknown_one() -> None:
    with pytest.raises(NotFoundError) as error:
        bundled("servces")
    assert (error.value.code, error.value.hint) == ("schema.unknown", "did you mean `services`?")


def test_what_editors_say_of_an_unknown_key_lists_all_there_are() -> None:
    schema = json.loads((REPOSITORY / "schemas/workflow.schema.json").read_text())
    closed = [schema, *(each for each in schema["$defs"].values() if each.get("additionalProperties") is False)]
    assert len(closed) > 20
    for each in closed:
        needs, _, can_have = each["errorMessage"].partition("can have ")
        needed = needs.partition(" needs ")[2].removesuffix(", and ")
        listed = [name for part in (needed, can_have) if part for name in part.split(", ")]
        assert listed[: len(each.get("required", []))] == each.get("required", [])
        assert set(listed) == each["properties"].keys() - {"metadata", "description", "needs"}

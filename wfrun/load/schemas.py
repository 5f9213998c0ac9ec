"""The JSON Schemas of the files that people write."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from typing import Any

from wfrun.resources import resource

_NAMES = ("workflow", "services")


@cache
def shape_fingerprint() -> str:
    """SHA-256 of the schemas: what was accepted under one fingerprint need not be checked again under it."""
    return sha256(b"".join(_file(name) for name in _NAMES)).hexdigest()


@cache
def shape_schema(name: str) -> Any:
    """The schema of that name with every `$ref` replaced by what it names, three times as fast as looking each up.

    A step holds steps, so the result is a graph with circles.
    """
    import json

    schemas = {f"{each}.schema.json": json.loads(_file(each)) for each in _NAMES}
    return _resolved(schemas, f"{name}.schema.json")


@cache
def record_schemas() -> Mapping[str, Any]:
    """The schema of each type of record in a journal, with every `$ref` replaced by what it names."""
    import json

    file = "journal.schema.json"
    whole = _resolved({file: json.loads(_file("journal"))}, file)
    return {rule["if"]["properties"]["type"]["const"]: rule["then"] for rule in whole["else"]["allOf"]}


def _file(name: str) -> bytes:
    return resource("schemas", f"{name}.schema.json").read_bytes()


def _resolved(schemas: Mapping[str, Any], file: str) -> Any:
    known: dict[tuple[str, str], dict[str, Any]] = {}

    def resolve(value: Any, file: str) -> Any:
        if isinstance(value, list):
            return [resolve(item, file) for item in value]
        if not isinstance(value, dict):
            return value
        if "$ref" in value:
            return refer(value["$ref"], file)
        return {key: resolve(item, file) for key, item in value.items() if key not in ("$defs", "$id")}

    def refer(reference: str, file: str) -> dict[str, Any]:
        other, _, pointer = reference.partition("#/")
        target = (other or file, pointer)
        if target not in known:
            known[target] = {}  # before its content is resolved, which may lead back here
            content = schemas[target[0]]
            for key in pointer.split("/"):
                content = content[key]
            known[target].update(resolve(content, target[0]))
        return known[target]

    return resolve(schemas[file], file)

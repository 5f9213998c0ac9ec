"""The published schemas of what `--json` prints, to hold answers against."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import jsonschema
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT7

from tests.support.shell import ROOT

SCHEMAS = {path.name: json.loads(path.read_text()) for path in (ROOT / "schemas").glob("cli-*.json")}


@cache
def validator(name: str, part: str = "") -> jsonschema.Draft7Validator:
    resources = [(id, Resource.from_contents(schema, DRAFT7)) for id, schema in SCHEMAS.items()]
    registry: Registry[Any] = Registry().with_resources(resources)
    return jsonschema.Draft7Validator({"$ref": f"{name}.schema.json{part}"}, registry=registry)

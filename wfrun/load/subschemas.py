"""Where in a JSON Schema (draft 2020-12) other schemas stand, and where names and data of the author's do."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from wfrun.core.definition import Path
from wfrun.core.values import Json

# What stands behind these is data, and looks like a schema only by chance.
_DATA = ("const", "enum", "default", "examples")
# Below these stand names of the author's, each with a schema.
_NAMED = ("properties", "dependentSchemas", "patternProperties", "$defs", "definitions")


def subschemas(schema: Json, path: Path = ()) -> Iterator[tuple[Path, dict[str, Any]]]:
    """A schema and all those in it, each with its path; the true and false that stand for schemas are left out."""
    if isinstance(schema, dict):
        yield path, schema
        for inner, value in _parts(schema):
            yield from subschemas(value, (*path, *inner))


def rebuilt(schema: Mapping[str, Json], change: Callable[[Path, Json], Json]) -> dict[str, Json]:
    """A schema with `change(path, value)` in place of each value directly in it that may be a schema."""
    built: dict[str, Json] = {}
    for key, value in schema.items():
        if key in _DATA:
            built[key] = value
        elif isinstance(value, list):
            built[key] = [change((key, index), item) for index, item in enumerate(value)]
        elif key in _NAMED and isinstance(value, dict):
            built[key] = {name: change((key, name), item) for name, item in value.items()}
        else:
            built[key] = change((key,), value)
    return built


def _parts(schema: Mapping[str, Json]) -> Iterator[tuple[Path, Json]]:
    found: list[tuple[Path, Json]] = []

    def note(path: Path, value: Json) -> Json:
        found.append((path, value))
        return value

    rebuilt(schema, note)
    yield from found

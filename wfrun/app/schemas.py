"""The JSON Schemas of what people write and of what is printed, each as one file that needs no other."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from wfrun.errors import NotFoundError
from wfrun.resources import resource

_SUFFIX = ".schema.json"
# In which order they are listed: what people write, what is kept, what is printed.
_FIRST = ("workflow", "services", "calls", "journal")


class Described(NamedTuple):
    name: str
    title: str
    description: str


def described() -> Iterator[Described]:
    """Every schema there is."""
    for name in names():
        schema = _read(name)
        yield Described(name, schema.get("title", ""), schema.get("description", ""))


def names() -> list[str]:
    found = sorted(path.name.removesuffix(_SUFFIX) for path in resource("schemas").glob(f"*{_SUFFIX}"))
    return sorted(found, key=lambda name: _FIRST.index(name) if name in _FIRST else len(_FIRST))


def bundled(name: str) -> dict[str, Any]:
    """A schema in which every `$ref` leads to a place in itself. Raises NotFoundError."""
    if name not in names():
        raise NotFoundError("schema.unknown", f"there is no schema {name!r}", hint=_nearest(name))
    return _Bundle(name).schema()


def _nearest(name: str) -> str:
    from wfrun.load.names import did_you_mean

    return did_you_mean(name, names()) or "`wfrun schema --list` shows them"


def _read(name: str) -> dict[str, Any]:
    schema: dict[str, Any] = json.loads(resource("schemas", f"{name}{_SUFFIX}").read_bytes())
    return schema


class _Bundle:
    """One schema, into whose `$defs` go the parts of others that it refers to, under `<file>.<name>`."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._files: dict[str, Any] = {}
        self._taken: dict[str, Any] = {}

    def schema(self) -> dict[str, Any]:
        whole: dict[str, Any] = self._rewritten(self._file(self._name), self._name)
        del whole["$id"]  # it would say what the references are relative to
        if self._taken:
            whole["$defs"] = whole.get("$defs", {}) | self._taken
        return whole

    def _file(self, name: str) -> Any:
        if name not in self._files:
            self._files[name] = _read(name)
        return self._files[name]

    def _rewritten(self, value: Any, file: str) -> Any:
        if isinstance(value, list):
            return [self._rewritten(item, file) for item in value]
        if not isinstance(value, dict):
            return value
        return {
            key: self._reference(item, file) if key == "$ref" and isinstance(item, str) else self._rewritten(item, file)
            for key, item in value.items()
        }

    def _reference(self, reference: str, file: str) -> str:
        other, _, pointer = reference.partition("#")
        target = other.removesuffix(_SUFFIX) or file
        if target == self._name:
            return f"#{pointer}"
        name = ".".join([target, *pointer.split("/")[2:]])
        if name not in self._taken:
            self._taken[name] = {}  # before its content, which may lead back here
            self._taken[name] = self._rewritten(_at(self._file(target), pointer), target)
        return f"#/$defs/{name}"


def _at(schema: Mapping[str, Any], pointer: str) -> Any:
    found: Any = schema
    for key in pointer.split("/")[1:]:
        found = found[key]
    if not pointer:
        return {key: value for key, value in schema.items() if key not in ("$id", "$schema")}
    return found

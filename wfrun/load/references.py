"""`$ref` in the `input` of a workflow: the schemas of other files, put where they are referred to.

A reference is the path of a JSON or YAML file, relative to the file that it stands in, and behind `#` a JSON Pointer
(RFC 6901). Nothing is fetched. What comes of it is a schema that stands for itself, for the check of the input and for
those before the run alike; where its parts really stand is remembered for messages.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from typing import Any, NamedTuple

from wfrun.core.definition import Document, Path
from wfrun.core.values import MAX_DEPTH, Json
from wfrun.errors import InvalidError, Place, Problem
from wfrun.load.field_types import check_schema, refers
from wfrun.load.names import did_you_mean
from wfrun.load.subschemas import rebuilt
from wfrun.load.yaml import MAX_BYTES, parse_document

MAX_FILES = 50
MAX_VALUES = 50_000
DIALECT = "https://json-schema.org/draft/2020-12/schema"

# Beside a `$ref` they ask for nothing, so that what is referred to can take them in.
_NOTES = ("default", "title", "description", "examples", "$comment", "format", "readOnly", "writeOnly", "deprecated")
# What a file says about itself, and what is only there to be referred to.
_OF_FILES = ("$schema", "$id")
_KEPT_READY = ("$defs", "definitions")


def inline_references(document: Document) -> tuple[Document, list[Problem]]:
    """A workflow with the schemas that its `input` refers to in their places, and what is wrong with them.

    A field with a wrong reference may be anything. Without references it is the very same document.
    """
    data: Any = document.data
    fields = data.get("input") if isinstance(data, dict) else None
    if not isinstance(fields, dict) or not any(map(refers, fields.values())):
        return document, []
    inliner = _Inliner(document)
    inlined = {name: inliner.field(name, field) if refers(field) else field for name, field in fields.items()}
    return document._replace(data={**data, "input": inlined}), inliner.problems


class _Spot(NamedTuple):
    """A place in a file: where something that was put elsewhere really stands."""

    document: Document
    path: Path

    def below(self, path: Path) -> _Spot:
        return self._replace(path=(*self.path, *path))

    def place(self) -> Place:
        return self.document.place(self.path)


class _Wrong(Exception):
    def __init__(self, *problems: Problem) -> None:
        super().__init__()
        self.problems = problems


def _wrong(message: str, spot: _Spot, hint: str = "") -> _Wrong:
    return _Wrong(Problem("field.reference", message, spot.place(), hint))


class _Inliner:
    """`spots` says of every path in the outcome at which something else was put where that stands."""

    def __init__(self, document: Document) -> None:
        self.problems: list[Problem] = []
        self._workflow = document
        self._spots: dict[Path, _Spot] = {}
        self._files: dict[str, Document | None] = {}
        self._bytes = 0
        self._under_way: list[tuple[str, Path]] = []
        self._values = 0

    def field(self, name: str, declared: Json) -> Json:
        path: Path = ("input", name)
        before = len(self.problems)
        found = self._schema(declared, path, _Spot(self._workflow, path), 2)
        if isinstance(found, dict) and self._values <= MAX_VALUES:
            self.problems.extend(check_schema(found, path, self._place))
        return found if len(self.problems) == before else {}

    def _place(self, path: Path) -> Place:
        for end in range(len(path), 0, -1):
            if path[:end] in self._spots:
                return self._spots[path[:end]].below(path[end:]).place()
        return self._workflow.place(path)

    def _schema(self, schema: Json, at: Path, spot: _Spot, depth: int) -> Json:
        """The schema that stands at a spot, for the path `at` of the outcome. A reference that is wrong is told."""
        self._values += 1
        if self._values > MAX_VALUES or not isinstance(schema, dict):
            if self._values == MAX_VALUES + 1:
                self.problems.extend(_wrong(f"the input has more than {MAX_VALUES:,} values, {_PUT_IN}", spot).problems)
            return schema
        try:
            if depth > MAX_DEPTH:
                raise _wrong(f"nested deeper than {MAX_DEPTH} levels, {_PUT_IN}", spot)
            if "$ref" in schema:
                return self._referred(schema, at, spot, depth)
        except _Wrong as wrong:
            self.problems.extend(wrong.problems)
            return {}
        return rebuilt(
            self._own(schema, spot),
            lambda path, each: self._schema(each, (*at, *path), spot.below(path), depth + len(path)),
        )

    def _own(self, schema: dict[str, Json], spot: _Spot) -> dict[str, Json]:
        """Of a schema in a file what it asks for."""
        if spot.document is self._workflow:
            return schema
        left_out = _KEPT_READY if spot.path else (*_OF_FILES, *_KEPT_READY)
        return {key: value for key, value in schema.items() if key not in left_out}

    def _referred(self, schema: dict[str, Json], at: Path, spot: _Spot, depth: int) -> Json:
        """What a `$ref` leads to, and what stands beside it."""
        target = self._target(schema["$ref"], spot.below(("$ref",)))
        key = (target.document.file, target.path)
        if key in self._under_way:
            raise _wrong(
                "this $ref leads back to where it stands", spot.below(("$ref",)), "a schema cannot hold itself"
            )
        self._under_way.append(key)
        try:
            return self._joined(schema, target, at, spot, depth)
        finally:
            self._under_way.pop()

    def _joined(self, schema: dict[str, Json], target: _Spot, at: Path, spot: _Spot, depth: int) -> Json:
        beside = {key: value for key, value in self._own(schema, spot).items() if key != "$ref"}
        content = _follow(target)
        if _is_taken_in(beside, content):
            self._spots[at] = target
            found = self._schema(content, at, target, depth + 1)
            self._spots.update({(*at, key): spot.below((key,)) for key in beside})
            return {**(found if isinstance(found, dict) else _of_boolean(found)), **beside}
        # Keywords look at those beside them (`additionalProperties` at `properties`), and must not see the others.
        others = beside.get("allOf", [])
        if not isinstance(others, list):
            raise _wrong("`allOf` is a list of schemas", spot.below(("allOf",)))
        inner = (*at, "allOf", len(others))
        self._spots[inner] = target
        found = self._schema(content, inner, target, depth + 2)
        rest: Any = self._schema({**beside, "allOf": others}, at, spot, depth)
        return {**rest, "allOf": [*rest["allOf"], found]}

    def _target(self, reference: Json, spot: _Spot) -> _Spot:
        if not isinstance(reference, str):
            raise _wrong("a $ref is text", spot)
        file, _, fragment = reference.partition("#")
        document = self._file(file, spot) if file else spot.document
        if document is self._workflow:
            raise _wrong(
                f"{reference!r} leads into the workflow itself", spot, "put what is shared into a file of its own"
            )
        return _Spot(document, _pointed(reference, fragment, document, spot))

    def _file(self, reference: str, spot: _Spot) -> Document:
        path = _relative(reference, spot)
        # Not resolved: what a person reads is what was written, seen from where they are.
        name = os.path.normpath(os.path.join(os.path.dirname(spot.document.file), path))
        if name == os.path.normpath(self._workflow.file):
            return self._workflow
        if name not in self._files:
            source = self._read(name, spot)
            self._files[name] = None
            self._files[name] = _parsed(source, name, spot)
        document = self._files[name]
        if document is None:
            raise _Wrong()  # which was told where the file was referred to first
        return document

    def _read(self, name: str, spot: _Spot) -> bytes:
        if len(self._files) == MAX_FILES:
            raise _wrong(f"more than {MAX_FILES} files are referred to", spot)
        source = _bytes(name, spot)
        self._bytes += len(source)
        if self._bytes > MAX_BYTES:
            raise _wrong(f"the files that are referred to have more than {MAX_BYTES:,} bytes together", spot)
        return source


def _relative(reference: str, spot: _Spot) -> str:
    """The path that a reference without its fragment stands for."""
    from urllib.parse import unquote, urlsplit

    try:
        parts = urlsplit(reference)
    except ValueError:
        raise _wrong(f"{reference!r} is not the path of a file", spot) from None
    path = unquote(parts.path)
    if parts.scheme or parts.netloc or parts.query:
        raise _wrong(f"{reference!r} is a URL, and nothing is fetched", spot, "keep the file beside the workflow")
    if path.startswith(("/", "\\")) or "\0" in path:
        raise _wrong(f"{path!r} is not a relative path", spot, "write it as seen from this file: ./customer.json")
    return path


def _bytes(name: str, spot: _Spot) -> bytes:
    try:
        if not stat.S_ISREG(os.stat(name).st_mode):
            raise _wrong(f"{name} is not a file", spot)
        with open(name, "rb") as file:
            return file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise _wrong(
            f"cannot read {name}: {reason}", spot, "the path starts in the folder of the file that the $ref stands in"
        ) from None


def _parsed(source: bytes, name: str, spot: _Spot) -> Document:
    """A file of schemas, which has to be of the dialect that fields have."""
    try:
        document = parse_document(source, name)
    except InvalidError as invalid:
        raise _Wrong(*(_with_referrer(problem, spot) for problem in invalid.problems)) from None
    data: Any = document.data
    dialect = data.get("$schema", DIALECT) if isinstance(data, dict) else DIALECT
    if str(dialect).removesuffix("#") != DIALECT:
        hint = f"if it is one, write {DIALECT}"
        wrong = Problem("field.keyword", "fields are JSON Schema draft 2020-12", document.place(("$schema",)), hint)
        raise _Wrong(_with_referrer(wrong, spot))
    return document


def _with_referrer(problem: Problem, spot: _Spot) -> Problem:
    referrer = f"referred to in {spot.place()}"
    return problem._replace(hint=f"{problem.hint}; {referrer}" if problem.hint else referrer)


def _pointed(reference: str, fragment: str, document: Document, spot: _Spot) -> Path:
    """The path that a fragment stands for: one that leads to something."""
    from urllib.parse import unquote

    pointer = unquote(fragment)
    if pointer and not pointer.startswith("/"):
        raise _wrong(f"'#{pointer}' is not a JSON Pointer", spot, "write the way to the schema: #/$defs/customer")
    value: Any = document.data
    path: Path = ()
    for part in _parts(pointer):
        key = _key(value, part)
        if key is None:
            hint = did_you_mean(part, value) if isinstance(value, dict) else ""
            raise _wrong(f"{reference!r} leads nowhere: there is no {part!r} in {document.file}", spot, hint)
        path = (*path, key)
        value = value[key]
    if not isinstance(value, dict | bool):
        raise _wrong(f"{reference!r} does not lead to a schema", spot, f"what is there is at {document.place(path)}")
    return path


def _parts(pointer: str) -> Iterator[str]:
    for part in pointer.split("/")[1:]:
        yield part.replace("~1", "/").replace("~0", "~")


def _key(value: Json, part: str) -> str | int | None:
    if isinstance(value, dict) and part in value:
        return part
    if isinstance(value, list) and part.isascii() and part.isdigit() and str(int(part)) == part:
        return int(part) if int(part) < len(value) else None
    return None


def _follow(spot: _Spot) -> Json:
    value: Any = spot.document.data
    for part in spot.path:
        value = value[part]
    return value  # type: ignore[no-any-return]


def _is_taken_in(beside: dict[str, Json], content: Json) -> bool:
    """Whether what stands beside a `$ref` can be written into what it leads to without a change of what either says."""
    kind = content.get("type") if isinstance(content, dict) else None
    return all(key in _NOTES or (key == "type" and value in (kind, f"{kind}?")) for key, value in beside.items())


def _of_boolean(schema: Json) -> dict[str, Json]:
    return {} if schema is True else {"not": {}}


_PUT_IN = "with what is referred to in its place"

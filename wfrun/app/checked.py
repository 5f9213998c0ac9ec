"""Definitions that were read and found valid before: a home keeps what they say, so that nobody has to read them again.

Reading YAML and checking its shape takes longer than all the rest of a start, and more than half of that is the import
of two libraries. What is kept is named after everything it depends on: the bytes of the definition, the schema that
they passed, the version of wfrun. It is a cache. A file that is missing, torn, or not what its name says is as good as
none.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import Any

from wfrun import __version__
from wfrun.core.definition import Document, Path
from wfrun.core.values import Json
from wfrun.journal.home import Home
from wfrun.load.definition import shape_fingerprint
from wfrun.load.yaml import parse_document

Marks = dict[Path, tuple[int, int]]


def remember(home: Home, document: Document) -> None:
    """Keep a definition that has passed every check of its own."""
    name = _name(document.sha256)
    home.write_cache(name, _encode(name, document))


def recall(home: Home, source: bytes, file: str) -> Document:
    """The definition in `source`, which was checked when it was stored, maybe by another version. Writes nothing."""
    return known(home, source, file) or parse_document(source, file)


def known(home: Home, source: bytes, file: str) -> Document | None:
    """The definition in `source`, if this version has found it valid before."""
    digest = sha256(source).hexdigest()
    name = _name(digest)
    kept = home.read_cache(name)
    body = None if kept is None else _proven(name, kept)
    if body is None:
        return None
    written, _, numbers = body.partition(b"\n")
    data = json.loads(written)
    places = _Places(data, numbers)
    return Document(data, _Table(places, False), _Table(places, True), file, source, digest)


def _name(digest: str) -> str:
    return f"{digest}-{shape_fingerprint()[:16]}-{__version__}.kept"


# ---- the file: three lines. The SHA-256 of its name and the rest, the data in compact JSON, and the places


def _encode(name: str, document: Document) -> bytes:
    data = json.dumps(document.data, separators=(",", ":"))
    body = f"{data}\n{json.dumps(list(_places(document)), separators=(',', ':'))}".encode()
    return _proof(name, body) + b"\n" + body


def _proven(name: str, kept: bytes) -> bytes | None:
    """The rest, if it is what was written under this name."""
    proof, _, body = kept.partition(b"\n")
    return body if proof == _proof(name, body) else None


def _proof(name: str, body: bytes) -> bytes:
    return sha256(name.encode() + b"\n" + body).hexdigest().encode()


# Positions are kept as numbers alone, in the order in which a walk through the data meets values and keys: line and
# column, or two zeros for what has no position of its own, as nothing has behind an alias.


def _places(document: Document) -> Iterator[int]:
    for path, is_key in _walk(document.data, ()):
        yield from (document.keys if is_key else document.marks).get(path, (0, 0))


@dataclass(eq=False, repr=False)
class _Places:
    """The inverse, made when somebody first asks where something stands, which is to say when something is wrong."""

    data: Json
    written: bytes

    @cached_property
    def tables(self) -> tuple[Marks, Marks]:
        """The marks of values, and those of keys."""
        tables: tuple[Marks, Marks] = ({}, {})
        numbers = iter(json.loads(self.written))
        for (path, is_key), line, column in zip(_walk(self.data, ()), numbers, numbers, strict=True):
            if line:
                tables[is_key][path] = (line, column)
        return tables


class _Table(Mapping[Path, tuple[int, int]]):
    def __init__(self, places: _Places, of_keys: bool) -> None:
        self._places = places
        self._of_keys = of_keys

    def __getitem__(self, path: Path) -> tuple[int, int]:
        return self._places.tables[self._of_keys][path]

    def __iter__(self) -> Iterator[Path]:
        return iter(self._places.tables[self._of_keys])

    def __len__(self) -> int:
        return len(self._places.tables[self._of_keys])


def _walk(data: Json, root: Path) -> Iterator[tuple[Path, bool]]:
    """The path of every value and, just before that of its value, of every key."""
    stack: list[tuple[Path, Any, bool]] = [(root, data, False)]
    while stack:
        path, value, is_key = stack.pop()
        if is_key:
            yield path, True
        yield path, False
        if isinstance(value, dict):
            stack.extend(((*path, key), item, True) for key, item in value.items())
        elif isinstance(value, list):
            stack.extend(((*path, index), item, False) for index, item in enumerate(value))

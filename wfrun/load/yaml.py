"""YAML at the door: bytes become JSON data with positions, or one clear error.

Accepted is what JSON can say: mappings with text keys, lists, text, finite numbers, true, false, null. A plain scalar
as a key is its text, so `200:` is the key "200" and collides with `"200":`. Anchors and aliases are fine, and share
the value; what they expand to is counted as if it had been written out. Nothing here recurses: size, depth and the
number of keys and values are bounded, so a hostile file costs little before it is refused.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256

from wfrun.core.definition import Document, Path
from wfrun.core.values import MAX_DEPTH, Json
from wfrun.errors import InvalidError, Place, Problem
from wfrun.load.departures import shown
from wfrun.load.events import Event, YamlError
from wfrun.load.scalars import plain_value
from wfrun.load.syntax import STAR_HINT
from wfrun.load.text import decode, refuse_controls

MAX_BYTES = 1024 * 1024
MAX_NODES = 50_000  # keys and values: 5,000 steps with name, service, action and input have 45,000


def parse_document(source: bytes, file: str) -> Document:
    """Raises InvalidError with code `yaml.*` and the line and column of the first thing that cannot be accepted."""
    text = decode(source, file, kind="yaml", max_bytes=MAX_BYTES).replace("\r\n", "\n").replace("\r", "\n")
    refuse_controls(text, file, kind="yaml")
    from wfrun.load.parser import events  # late, for its import takes longer than most files

    builder = _Builder()
    try:
        for event in events(text):
            builder.feed(event)
    except YamlError as error:
        place = Place(file, error.line, error.column)
        raise InvalidError([Problem(error.code, error.message, place, error.hint)]) from None
    return Document(builder.root, builder.marks, builder.keys, file, source, sha256(source).hexdigest())


@dataclass(slots=True)
class _Frame:
    """A collection that is still open. `key` is the mapping key whose value comes next."""

    value: dict[str, Json] | list[Json]
    path: Path
    anchor: str
    nodes_before: int
    characters_before: int
    key: str | None = None
    height: int = 1


@dataclass(slots=True)
class _Anchored:
    """What an alias to it adds: `nodes`, `characters`, `height`. A collection that is still open has no `value` yet."""

    value: Json = None
    nodes: int = 0
    characters: int = 0
    height: int = 0
    closed: bool = False


@dataclass(slots=True)
class _Builder:
    root: Json = None
    marks: dict[Path, tuple[int, int]] = field(default_factory=dict)
    keys: dict[Path, tuple[int, int]] = field(default_factory=dict)
    stack: list[_Frame] = field(default_factory=list)
    anchors: dict[str, _Anchored] = field(default_factory=dict)
    nodes: int = 0
    characters: int = 0

    def feed(self, event: Event) -> None:
        if event.kind == "}" or event.kind == "]":
            self._close()
        elif self.stack and isinstance(self.stack[-1].value, dict) and self.stack[-1].key is None:
            self._key(self.stack[-1], event)
        elif event.kind == "scalar":
            self._scalar(event)
        elif event.kind == "alias":
            self._alias(event)
        else:
            self._open(event)

    def _key(self, frame: _Frame, event: Event) -> None:
        if event.kind != "scalar":
            raise _error(event, "yaml.key", "a key must be text, not a list, a mapping or an alias", _quote_hint(event))
        if event.plain and event.text in ("", "<<"):
            raise _error(event, "yaml.key", *_NO_KEY[event.text])
        path = (*frame.path, event.text)
        if path in self.keys:
            line, column = self.keys[path]
            raise _error(
                event,
                "yaml.duplicate-key",
                f"the key `{shown(event.text)}` stands here twice",
                f"first on line {line}, column {column}",
            )
        self._count(event, 1, len(event.text))
        frame.key = event.text
        if event.anchor:
            self.anchors[event.anchor] = _Anchored(event.text, 1, len(event.text), 0, closed=True)
        self.keys[path] = (event.line, event.column)

    def _scalar(self, event: Event) -> None:
        value: Json = event.text
        if event.plain:
            try:
                value = plain_value(event.text)
            except ValueError as error:
                raise _error(event, "yaml.number", str(error), "put it in quotes if it is text") from None
        self._count(event, 1, len(event.text))
        self._place(event, value)
        if event.anchor:
            self.anchors[event.anchor] = _Anchored(value, 1, len(event.text), 0, closed=True)

    def _alias(self, event: Event) -> None:
        target = self.anchors.get(event.text)
        if target is None:
            raise _error(event, "yaml.alias", f"no anchor &{shown(event.text)} stands before this alias", STAR_HINT)
        if not target.closed:
            raise _error(event, "yaml.alias", f"the alias *{shown(event.text)} stands inside its own anchor")
        self._count(event, target.nodes, target.characters)
        self._deepen(event, target.height)
        self._place(event, target.value)

    def _open(self, event: Event) -> None:
        self._count(event, 1, 0)
        self._deepen(event, 1)
        value: dict[str, Json] | list[Json] = {} if event.kind == "{" else []
        path = self._place(event, value)
        self.stack.append(_Frame(value, path, event.anchor, self.nodes - 1, self.characters))
        if event.anchor:
            self.anchors[event.anchor] = _Anchored()

    def _close(self) -> None:
        frame = self.stack.pop()
        if self.stack:
            self.stack[-1].height = max(self.stack[-1].height, frame.height + 1)
        if frame.anchor:
            nodes, characters = self.nodes - frame.nodes_before, self.characters - frame.characters_before
            self.anchors[frame.anchor] = _Anchored(frame.value, nodes, characters, frame.height, closed=True)

    def _place(self, event: Event, value: Json) -> Path:
        """Puts the value where it belongs and remembers its position."""
        path: Path = ()
        if not self.stack:
            self.root = value
        else:
            frame = self.stack[-1]
            if isinstance(frame.value, list):
                path = (*frame.path, len(frame.value))
                frame.value.append(value)
            elif frame.key is not None:
                path = (*frame.path, frame.key)
                frame.value[frame.key] = value
                frame.key = None
        self.marks[path] = (event.line, event.column)
        return path

    def _count(self, event: Event, nodes: int, characters: int) -> None:
        self.nodes += nodes
        self.characters += characters
        if self.nodes > MAX_NODES:
            raise _error(event, "yaml.size", f"more than {MAX_NODES:,} keys and values, {_WRITTEN_OUT}")
        if self.characters > MAX_BYTES:
            raise _error(event, "yaml.size", f"more than {MAX_BYTES:,} characters, {_WRITTEN_OUT}")

    def _deepen(self, event: Event, height: int) -> None:
        if len(self.stack) + height > MAX_DEPTH:
            raise _error(event, "yaml.depth", f"nested deeper than {MAX_DEPTH} levels")
        if self.stack:
            self.stack[-1].height = max(self.stack[-1].height, height + 1)


_WRITTEN_OUT = "aliases counted as written out"
_NO_KEY = {
    "": ("a key is missing before the colon", "write the key, or put text that holds a colon in quotes"),
    "<<": ("`<<` (merge) is not part of YAML 1.2", "write the keys out"),
}


def _quote_hint(event: Event) -> str:
    return 'text with braces or brackets needs quotes: "${ ... }"' if event.kind in "{[" else ""


def _error(event: Event, code: str, message: str, hint: str = "") -> YamlError:
    return YamlError(code, message, event.line, event.column, hint)

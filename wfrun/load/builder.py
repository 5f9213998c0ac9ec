"""Events of a YAML text become JSON data with positions, within bounds."""

from __future__ import annotations

from wfrun.core.definition import Path
from wfrun.core.values import MAX_DEPTH, Json
from wfrun.load.departures import shown
from wfrun.load.events import Event, YamlError
from wfrun.load.scalars import plain_value
from wfrun.load.syntax import STAR_HINT

MAX_NODES = 50_000  # keys and values: 5,000 steps with name, service, action and input have 45,000


class _Frame:
    """A collection that is still open. `key` is the mapping key whose value comes next."""

    __slots__ = ("anchor", "characters_before", "height", "key", "nodes_before", "path", "value")

    def __init__(
        self, value: dict[str, Json] | list[Json], path: Path, anchor: str, nodes_before: int, characters_before: int
    ) -> None:
        self.value = value
        self.path = path
        self.anchor = anchor
        self.nodes_before = nodes_before
        self.characters_before = characters_before
        self.key: str | None = None
        self.height = 1


class _Anchored:
    """What an alias to it adds: `nodes`, `characters`, `height`. A collection that is still open has no `value` yet."""

    __slots__ = ("characters", "closed", "height", "nodes", "value")

    def __init__(
        self, value: Json = None, nodes: int = 0, characters: int = 0, height: int = 0, *, closed: bool = False
    ) -> None:
        self.value = value
        self.nodes = nodes
        self.characters = characters
        self.height = height
        self.closed = closed


class Builder:
    """`root` is the data; `marks` and `keys` are the lines and columns of its values and keys, counted from 1.

    `max_characters` may be in all keys and values together.
    """

    def __init__(self, max_characters: int) -> None:
        self._max_characters = max_characters
        self.root: Json = None
        self.marks: dict[Path, tuple[int, int]] = {}
        self.keys: dict[Path, tuple[int, int]] = {}
        self._stack: list[_Frame] = []
        self._anchors: dict[str, _Anchored] = {}
        self._nodes = 0
        self._characters = 0

    def feed(self, event: Event) -> None:
        """Raises YamlError for what JSON cannot say, and for what is too large or too deep."""
        if event.kind == "}" or event.kind == "]":
            self._close()
        elif self._stack and isinstance(self._stack[-1].value, dict) and self._stack[-1].key is None:
            self._key(self._stack[-1], event)
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
            self._anchors[event.anchor] = _Anchored(event.text, 1, len(event.text), 0, closed=True)
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
            self._anchors[event.anchor] = _Anchored(value, 1, len(event.text), 0, closed=True)

    def _alias(self, event: Event) -> None:
        target = self._anchors.get(event.text)
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
        self._stack.append(_Frame(value, path, event.anchor, self._nodes - 1, self._characters))
        if event.anchor:
            self._anchors[event.anchor] = _Anchored()

    def _close(self) -> None:
        frame = self._stack.pop()
        if self._stack:
            self._stack[-1].height = max(self._stack[-1].height, frame.height + 1)
        if frame.anchor:
            nodes, characters = self._nodes - frame.nodes_before, self._characters - frame.characters_before
            self._anchors[frame.anchor] = _Anchored(frame.value, nodes, characters, frame.height, closed=True)

    def _place(self, event: Event, value: Json) -> Path:
        """Puts the value where it belongs and remembers its position."""
        path: Path = ()
        if not self._stack:
            self.root = value
        else:
            frame = self._stack[-1]
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
        self._nodes += nodes
        self._characters += characters
        if self._nodes > MAX_NODES:
            raise _error(event, "yaml.size", f"more than {MAX_NODES:,} keys and values, {_WRITTEN_OUT}")
        if self._characters > self._max_characters:
            raise _error(event, "yaml.size", f"more than {self._max_characters:,} characters, {_WRITTEN_OUT}")

    def _deepen(self, event: Event, height: int) -> None:
        if len(self._stack) + height > MAX_DEPTH:
            raise _error(event, "yaml.depth", f"nested deeper than {MAX_DEPTH} levels")
        if self._stack:
            self._stack[-1].height = max(self._stack[-1].height, height + 1)


_WRITTEN_OUT = "aliases counted as written out"
_NO_KEY = {
    "": ("a key is missing before the colon", "write the key, or put text that holds a colon in quotes"),
    "<<": ("`<<` (merge) is not part of YAML 1.2", "write the keys out"),
}


def _quote_hint(event: Event) -> str:
    return 'text with braces or brackets needs quotes: "${ ... }"' if event.kind in "{[" else ""


def _error(event: Event, code: str, message: str, hint: str = "") -> YamlError:
    return YamlError(code, message, event.line, event.column, hint)

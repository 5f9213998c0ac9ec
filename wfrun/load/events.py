"""YAML text as a flat stream of events: no recursion, so that depth is a matter of the reader's own bounds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple


class Event(NamedTuple):
    """`kind` is `scalar`, `alias`, `{`, `}`, `[` or `]`; lines and columns count from 1.

    `text` is a scalar's content or an alias's name, `plain` says that the scalar stood without quotes.
    """

    kind: str
    line: int
    column: int
    text: str = ""
    plain: bool = False
    anchor: str = ""


class YamlError(Exception):
    """Text that is no YAML, or YAML that is no JSON."""

    def __init__(self, code: str, message: str, line: int, column: int, hint: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.line = line
        self.column = column
        self.hint = hint


class _Loader:
    """What ruamel.yaml's parser wants to find around itself; its own loaders import everything else too."""

    typ = "events"
    comment_handling = None
    processing_version = (1, 2)

    def __init__(self, text: str) -> None:
        from ruamel.yaml.parser import Parser
        from ruamel.yaml.reader import Reader
        from ruamel.yaml.scanner import Scanner

        self.resolver = self
        self.reader = Reader(None, self)
        self.reader.stream = text
        self.scanner = Scanner(self)
        self.parser = Parser(self)


def events(text: str) -> Iterator[Event]:
    """The events of the one document in `text`; nothing for an empty one. Raises YamlError."""
    from ruamel.yaml.error import MarkedYAMLError

    try:
        yield from _events(_Loader(text).parser)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise YamlError("yaml.syntax", str(error.problem or error.context), mark.line + 1, mark.column + 1) from None


def _events(parser: Any) -> Iterator[Event]:
    documents = 0
    while parser.check_event():
        event = parser.get_event()
        line, column = event.start_mark.line + 1, event.start_mark.column + 1
        kind = type(event).__name__
        if kind == "DocumentStartEvent":
            documents += 1
            if documents > 1:
                raise YamlError(
                    "yaml.documents", "a second document starts here", line, column, "one file, one document"
                )
        if getattr(event, "tag", None):
            raise YamlError("yaml.tag", f"the tag {event.tag}", line, column, "put the text in quotes")
        if kind == "ScalarEvent":
            yield Event("scalar", line, column, event.value, event.style is None, event.anchor or "")
        elif kind == "AliasEvent":
            yield Event("alias", line, column, event.anchor)
        elif kind in _BRACKETS:
            yield Event(_BRACKETS[kind], line, column, "", False, getattr(event, "anchor", None) or "")


_BRACKETS = {"MappingStartEvent": "{", "MappingEndEvent": "}", "SequenceStartEvent": "[", "SequenceEndEvent": "]"}

"""YAML text as a flat stream of events: the pure parser of ruamel.yaml, which keeps a stack and never recurses.

The parser is stopped in its tracks where the text has something that no JSON has, where people fell into a trap of YAML
that is legal all the same, and where the text grows so deep that looking for its end would take long. All else that it
refuses is put into our words afterwards, in `syntax`. Importing this takes about 50 ms.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.events import ScalarEvent
from ruamel.yaml.parser import Parser, ParserError
from ruamel.yaml.scanner import ScannerError
from ruamel.yaml.tokens import (
    DocumentEndToken,
    DocumentStartToken,
    FlowEntryToken,
    FlowMappingEndToken,
    ScalarToken,
    StreamEndToken,
)

from wfrun.core.values import MAX_DEPTH
from wfrun.load.events import Event, YamlError
from wfrun.load.scanner import LineReader, RunScanner
from wfrun.load.syntax import explain

_KINDS = {
    "ScalarEvent": "scalar",
    "AliasEvent": "alias",
    "MappingStartEvent": "{",
    "MappingEndEvent": "}",
    "SequenceStartEvent": "[",
    "SequenceEndEvent": "]",
}
_SURROGATE = re.compile("[\ud800-\udfff]")


def events(text: str) -> Iterator[Event]:
    """The events of the one document in `text`, whose lines end with a line feed alone; nothing for an empty one.

    Raises YamlError.
    """
    yaml = YAML(typ="safe", pure=True)
    yaml.Reader, yaml.Scanner, yaml.Parser = LineReader, _Scanner, _Parser
    documents = 0
    try:
        for event in yaml.parse(text):
            name, mark = type(event).__name__, event.start_mark
            if name in _KINDS:
                yield _event(_KINDS[name], event, mark.line + 1, mark.column + 1)
            elif name == "DocumentStartEvent":
                documents += 1
                if documents > 1:
                    raise _refused(mark, "yaml.documents", "a second document starts here", _ONE_DOCUMENT)
    except MarkedYAMLError as error:
        raise explain(error, text) from None


def _event(kind: str, event: Any, line: int, column: int) -> Event:
    if kind == "scalar":
        return Event(kind, line, column, event.value, event.style is None, event.anchor or "")
    if kind == "alias":
        return Event(kind, line, column, event.anchor)
    return Event(kind, line, column, anchor=getattr(event, "anchor", None) or "")


_ONE_DOCUMENT = "one file holds one document"


def _refused(mark: Any, code: str, message: str, hint: str) -> YamlError:
    return YamlError(code, message, mark.line + 1, mark.column + 1, hint)


class _Scanner(RunScanner):
    """Stops at tags, directives, keys that are no text, depth, and quotes that somebody forgot to close."""

    def _stop(self, code: str, message: str, hint: str) -> YamlError:
        return _refused(self.reader.get_mark(), code, message, hint)

    def fetch_tag(self) -> None:
        hint = "put the text in quotes, or write `not` instead of `!`"
        raise self._stop("yaml.tag", "`!` starts a YAML tag, which is not accepted", hint)

    def fetch_directive(self) -> None:
        raise self._stop("yaml.directive", "`%` starts a YAML directive, which is not accepted", "delete this line")

    def fetch_key(self) -> None:
        hint = 'text that starts with a question mark needs quotes: "?..."'
        raise self._stop("yaml.key", "`?` starts a key that is no text, which is not accepted", hint)

    def fetch_flow_sequence_start(self) -> None:
        self._deepen()
        super().fetch_flow_sequence_start()

    def fetch_flow_mapping_start(self) -> None:
        self._deepen()
        super().fetch_flow_mapping_start()

    def _deepen(self) -> None:
        """A bracket may begin a key, so the scanner runs ahead of whoever counts the events."""
        if len(self.indents) + self.flow_level >= MAX_DEPTH:
            raise self._stop("yaml.depth", f"nested deeper than {MAX_DEPTH} levels", "")

    def fetch_flow_scalar(self, style: Any) -> None:
        try:
            super().fetch_flow_scalar(style)
        except ValueError:
            mark = self.reader.get_mark()
            raise ScannerError(None, None, "found an escape beyond the last character", mark) from None
        token = self.tokens[-1]
        if token.end_mark.line > token.start_mark.line:
            self._check_indentation(token)
        if _SURROGATE.search(token.value):
            token.value = _whole_characters(token)

    def _check_indentation(self, token: Any) -> None:
        """Lines that follow in a quoted text are indented deeper than what it belongs to (YAML 1.2, chapter 7.3)."""
        start, end = token.start_mark, token.end_mark
        for line in start.buffer[start.pointer : end.pointer].split("\n")[1:]:
            content = line.lstrip(" \t")
            if content and len(line) - len(content) <= self.indent:
                message = "the text that starts here has no closing quote on its line"
                raise _refused(start, "yaml.quote", message, "close the quote, or indent the lines that follow")


def _whole_characters(token: Any) -> str:
    """Joins surrogate pairs, which is how JSON writes characters beyond U+FFFF."""
    value: str = token.value
    try:
        return value.encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeDecodeError:
        hint = "a character beyond U+FFFF is written as two \\u escapes, or as one \\U"
        raise _refused(token.start_mark, "yaml.escape", "this text holds half of a surrogate pair", hint) from None


class _Parser(Parser):
    """Stops at keys in brackets that are likely slips of the pen, and knows which bracket was left open."""

    scanner: Any = None
    resolver: Any = None

    def __init__(self, loader: Any) -> None:
        self.scanner, self.resolver = loader.scanner, loader.resolver
        super().__init__(loader)

    def parse_node(self, block: bool = False, indentless_sequence: bool = False) -> Any:
        """A scalar is what most nodes are: it is told first, instead of after all else that a node may be."""
        if not self.scanner.check_token(ScalarToken):
            return super().parse_node(block, indentless_sequence)
        token = self.scanner.get_token()
        self.state = self.states.pop()
        implicit = (token.plain, not token.plain)
        return ScalarEvent(None, None, implicit, token.value, token.start_mark, token.end_mark, style=token.style)

    def parse_flow_node(self) -> Any:
        if self.scanner.check_token(StreamEndToken, DocumentStartToken, DocumentEndToken):
            end = self.scanner.peek_token().start_mark
            raise ParserError("while parsing a flow node", self.marks[-1], "found the end of the document", end)
        return super().parse_flow_node()

    def parse_flow_mapping_empty_value(self) -> Any:
        if self.scanner.check_token(FlowEntryToken, FlowMappingEndToken):
            mark = self.scanner.peek_token().start_mark
            message = "a colon and a value are missing before this"
            raise _refused(mark, "yaml.colon", message, "braces hold `key: value`")
        return super().parse_flow_mapping_empty_value()

    def parse_flow_sequence_entry_mapping_key(self) -> Any:
        mark = self.scanner.peek_token().start_mark
        hint = "a pair needs braces, text with a colon needs quotes"
        raise _refused(mark, "yaml.colon", "a key inside a list", hint)

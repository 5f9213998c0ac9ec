"""A position in the text, and what is found there."""

from __future__ import annotations

import re
from typing import NamedTuple


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


_REST = re.compile(r"(?:[ \t]++(?:#[^\n]*+)?)?\n")
_BLANKS = re.compile(r"(?:[ \t]*+(?:#[^\n]*+)?\n)*+ *+")
_NAME = re.compile(r"[^ \t\n,\[\]{}]+")
_COLON = re.compile(r"[ \t]*+:(?=[ \t\n])")


class Cursor:
    """Moves over `text`, which has no carriage returns and ends with a line end, and knows line and column."""

    __slots__ = ("line", "line_start", "pos", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self.pos = 0
        self.line = 1
        self.line_start = 0

    @property
    def column(self) -> int:
        """The column of the next character, from 0: what indentation is measured in."""
        return self.pos - self.line_start

    def move(self, pos: int) -> None:
        """Goes on to `pos`, over line ends too."""
        breaks = self.text.count("\n", self.pos, pos)
        if breaks:
            self.line += breaks
            self.line_start = self.text.rindex("\n", self.pos, pos) + 1
        self.pos = pos

    def skip_blanks(self) -> bool:
        """From the start of a line to the first character that is neither indentation nor comment; False at the end."""
        found = _BLANKS.match(self.text, self.pos)
        if found:
            self.move(found.end())
        if self.pos < len(self.text) and self.text[self.pos] == "\t":
            raise self.error("yaml.tab", "a tab in the indentation", "indent with spaces")
        return self.pos < len(self.text)

    def skip_rest(self) -> bool:
        """Over what may follow a value on its line: nothing or a comment. False, and no move, if there is more."""
        found = _REST.match(self.text, self.pos)
        if found:
            self.pos = self.line_start = found.end()
            self.line += 1
        return found is not None

    def skip_spaces(self) -> None:
        while self.text[self.pos] in " \t":
            self.pos += 1

    def colon_at(self, pos: int) -> int:
        """The position behind the colon that makes what ends at `pos` a key; 0 if it is none."""
        found = _COLON.match(self.text, pos)
        return found.end() if found else 0

    def name(self) -> str:
        """The name of an anchor or alias, behind its sign."""
        found = _NAME.match(self.text, self.pos + 1)
        if not found:
            raise self.error("yaml.syntax", f"a name is missing after `{self.text[self.pos]}`", QUOTES_HINT)
        self.pos = found.end()
        return found[0]

    def anchor(self) -> str:
        """The name of the anchor that stands here, if one does; refuses tags."""
        name = ""
        if self.text[self.pos] == "&":
            name = self.name()
            if not _REST.match(self.text, self.pos):
                self.skip_spaces()
            if self.text[self.pos] == "*":
                raise self.error("yaml.alias", "an alias cannot have an anchor of its own")
        if self.text[self.pos] == "!":
            raise self.error("yaml.tag", "`!` starts a YAML tag, which is not accepted", NOT_HINT)
        return name

    def scalar(self, text: str, *, plain: bool = False, anchor: str = "") -> Event:
        return Event("scalar", self.line, self.pos - self.line_start + 1, text, plain, anchor)

    def nothing(self) -> Event:
        """The value that was not written: null."""
        return Event("scalar", self.line, self.pos - self.line_start + 1, "", True)

    def error(self, code: str, message: str, hint: str = "", *, at: int | None = None) -> YamlError:
        """An error here, or at the position `at`."""
        pos = self.pos if at is None else at
        line_start = self.text.rfind("\n", 0, pos) + 1
        return YamlError(code, message, self.text.count("\n", 0, pos) + 1, pos - line_start + 1, hint)


QUOTES_HINT = "put the whole text in quotes"
NOT_HINT = "put the text in quotes, or write `not` instead of `!`"

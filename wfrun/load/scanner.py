"""The reader and the scanner of ruamel.yaml, faster: what they take a character at a time is taken as a whole here.

Only what is common and plain is taken so, and with the same tokens as the library's own, which is asked for all else;
the tests hold the two against each other. The text has no line ends but line feeds, and no control characters but tabs:
see `yaml`.
"""

from __future__ import annotations

import re
from typing import Any

from ruamel.yaml.error import StringMark
from ruamel.yaml.reader import Reader
from ruamel.yaml.scanner import Scanner
from ruamel.yaml.tokens import ScalarToken

# Blanks, comments and line ends up to the next token. Tabs are blanks only inside of brackets.
_GAP = re.compile(r"(?: *+(?:#[^\n\0]*+)?\n)*+ *+(?:#[^\n\0]*+)?")
_GAP_IN_BRACKETS = re.compile(r"(?:[ \t]*+(?:#[^\n\0]*+)?\n)*+[ \t]*+(?:#[^\n\0]*+)?")

# The words of a plain scalar on one line, of which the next one begins with no `#`.
_WORD = r"(?:[^ \t\n\0:]|:(?![ \t\n\0]))++"
_PLAIN = re.compile(rf"{_WORD}(?: ++(?!\#){_WORD})*+(?P<end>:| ++\#|(?P<lines> *+\n[ \n]*+)(?!\t))")
_WORD_IN_BRACKETS = r"(?:[^ \t\n\0:,\[\]{}]|:(?![ \t\n\0]))++"
_PLAIN_IN_BRACKETS = re.compile(rf"{_WORD_IN_BRACKETS}(?: ++(?!\#){_WORD_IN_BRACKETS})*+(?=:| ++\#| *+[,\]}}])")


class LineReader(Reader):
    """Moves on by as much as it is told to in one go."""

    def forward(self, length: int = 1) -> None:
        start, end = self.pointer, self.pointer + length
        lines = self.buffer.count("\n", start, end)
        self.pointer = end
        self.index += length
        if lines:
            self.line += lines
            self.column = end - self.buffer.rindex("\n", start, end) - 1
        else:
            self.column += length

    def get_mark(self) -> Any:
        return StringMark(self.name, self.index, self.line, self.column, self.buffer, self.pointer)


class RunScanner(Scanner):
    """Takes gaps and plain scalars as a whole, and looks no further ahead than it must.

    `reader` is an attribute instead of a property.
    """

    reader: Any = None

    def __init__(self, loader: Any) -> None:
        self.reader = loader.reader
        super().__init__(loader)

    def check_token(self, *choices: Any) -> bool:
        while self.need_more_tokens():
            self.fetch_more_tokens()
        return bool(self.tokens) and (not choices or isinstance(self.tokens[0], choices))

    def need_more_tokens(self) -> bool:
        if self.tokens and not self.possible_simple_keys:
            return False
        return bool(super().need_more_tokens())

    def scan_to_next_token(self) -> None:
        reader = self.reader
        gap = (_GAP_IN_BRACKETS if self.flow_context else _GAP).match(reader.buffer, reader.pointer)
        if gap and gap[0]:
            line = reader.line
            reader.forward(len(gap[0]))
            if reader.line > line and not self.flow_context:
                self.allow_simple_key = True

    def scan_plain(self) -> Any:
        length = self._length_of_line()
        if not length:
            return super().scan_plain()
        reader = self.reader
        start = reader.get_mark()
        value = reader.prefix(length)
        reader.forward(length)
        self.allow_simple_key = False
        return ScalarToken(value, True, start, reader.get_mark())

    def _length_of_line(self) -> int:
        """The length of a plain scalar that ends on its line for sure, and otherwise 0."""
        text: str = self.reader.buffer
        start: int = self.reader.pointer
        if self.flow_context:
            inside = _PLAIN_IN_BRACKETS.match(text, start)
            return inside.end() - start if inside else 0
        found = _PLAIN.match(text, start)
        if not found:
            return 0
        if found["lines"] and not self._is_dedented(text, found.end()):
            return 0
        return found.start("end") - start

    def _is_dedented(self, text: str, at: int) -> bool:
        """Whether what follows belongs to something further out, or is a comment."""
        column: int = at - text.rindex("\n", 0, at) - 1
        return column <= self.indent or text[at] in "#\0"

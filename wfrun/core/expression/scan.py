"""Reading characters: what paths and expressions have in common."""

from __future__ import annotations

import json
import re

from wfrun.core.expression.kinds import syntax_error
from wfrun.errors import ExpressionError

_SPACE = re.compile(r"[ \t\n\r]*")
# Everything but the ASCII characters that no name has: the same set written as ranges up to U+10FFFF takes 14 ms to
# compile.
NAME_CHAR = r"[^\x00-/:-@\[-^`{-\x7f]"
_NAME = re.compile(rf"(?![0-9]){NAME_CHAR}+")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_STRING = {
    "'": re.compile(r"'((?:[^'\\\x00-\x1f]|\\(?:[bfnrt/\\']|u[0-9A-Fa-f]{4}))*)'"),
    '"': re.compile(r'"((?:[^"\\\x00-\x1f]|\\(?:[bfnrt/\\"]|u[0-9A-Fa-f]{4}))*)"'),
}
_SINGLE_TO_DOUBLE = re.compile(r"""\\'|\\.|\"""", re.DOTALL)


class Scanner:
    """A text and a position in it. Columns in errors count from 1."""

    __slots__ = ("pos", "text")

    def __init__(self, text: str, pos: int = 0) -> None:
        self.text = text
        self.pos = pos

    def space(self) -> None:
        match = _SPACE.match(self.text, self.pos)
        self.pos = match.end() if match else self.pos

    def looking_at(self, prefix: str) -> bool:
        return self.text.startswith(prefix, self.pos)

    def accept(self, prefix: str) -> bool:
        if not self.text.startswith(prefix, self.pos):
            return False
        self.pos += len(prefix)
        return True

    def expect(self, prefix: str, where: str) -> None:
        if not self.accept(prefix):
            raise self.error(f"expected {prefix!r} {where}, not {self.here()}")

    def here(self) -> str:
        """The next character, for messages."""
        return repr(self.text[self.pos]) if self.pos < len(self.text) else "the end"

    def error(self, message: str, *, hint: str = "", pos: int | None = None) -> ExpressionError:
        return syntax_error(message, (self.pos if pos is None else pos) + 1, hint=hint)

    def name(self) -> str | None:
        """A member name as RFC 9535 writes it after a dot (`member-name-shorthand`)."""
        match = _NAME.match(self.text, self.pos)
        if match is None:
            return None
        name = match.group()
        if not name.isascii() and any(char.isspace() or not (char.isprintable() or char.isalnum()) for char in name):
            raise self.error("there is an invisible character in this name", hint="retype it, or quote the name: ['…']")
        self.pos = match.end()
        return name

    def number(self) -> int | float | None:
        """A number as JSON writes it."""
        start = self.pos
        match = _NUMBER.match(self.text, start)
        if match is None:
            return None
        self.pos = match.end()
        if self.text[self.pos : self.pos + 1].isalnum() or self.text[self.pos : self.pos + 1] in ("_", "."):
            raise self.error("this is not a number", hint="numbers are written 7, 0.5, 1e3", pos=start)
        if match.group(1) is None and match.group(2) is None:
            return self._integer(match.group(), start)
        number = float(match.group())
        if number in (float("inf"), float("-inf")):
            raise self.error("this number is too large", pos=start)
        return number

    def _integer(self, digits: str, start: int) -> int:
        try:
            return int(digits)
        except ValueError:
            raise self.error("this number has too many digits", pos=start) from None

    def string(self) -> str:
        """A quoted string with the escapes of RFC 9535: those of JSON, and `\\'` in single quotes."""
        start = self.pos
        quote = self.text[start]
        match = _STRING[quote].match(self.text, start)
        if match is None:
            raise self._bad_string(start, quote)
        self.pos = match.end()
        body = match.group(1)
        if "\\" in body:
            body = self._unescape(body, start)
        if not body.isascii() and any("\ud800" <= char <= "\udfff" for char in body):
            raise self.error("half of a surrogate pair is not a character", pos=start)
        return body

    def _unescape(self, body: str, start: int) -> str:
        try:
            text = json.loads(f'"{_SINGLE_TO_DOUBLE.sub(_as_double, body)}"')
        except ValueError:
            raise self.error("this string has a broken escape", pos=start) from None
        return str(text)

    def _bad_string(self, start: int, quote: str) -> ExpressionError:
        for offset, char in enumerate(self.text[start + 1 :], start + 1):
            if char == quote and self.text[offset - 1] != "\\":
                return self.error("this string has a broken escape", hint="a backslash is written \\\\", pos=start)
            if char < " ":
                return self.error(
                    "a string cannot hold a line break or control character",
                    hint="write \\n, \\t or \\u00XX",
                    pos=offset,
                )
        return self.error(f"this string has no closing {quote}", pos=start)


def _as_double(match: re.Match[str]) -> str:
    """One escape of a single-quoted string as JSON writes it."""
    found = match.group()
    return "'" if found == "\\'" else '\\"' if found == '"' else found


def is_name(text: str) -> bool:
    """Whether a key can be written after a dot, without quotes."""
    return _NAME.fullmatch(text) is not None and text.isprintable() and " " not in text

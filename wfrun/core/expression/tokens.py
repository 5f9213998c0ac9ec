"""Tokens of an expression, read one ahead, and what to say about those that nobody expects."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple, TypeVar

from wfrun.core.expression.scan import Scanner
from wfrun.errors import ExpressionError

T = TypeVar("T")

_TOKEN = re.compile(
    r"[ \t\r\n]*(?:(?P<name>[A-Za-z_][A-Za-z0-9_]*)|(?P<number>[0-9])|(?P<quote>['\"])|(?P<path>\$)"
    r"|(?P<sign>\?\?|\|\||&&|==|!=|<=|>=|[-+*/%<>!?:,.()\[\]{}])|(?P<end>\Z))"
)
WORDS = {"or": "||", "and": "&&", "not": "!", "in": "in"}
# What other languages write, and what is written here.
FOREIGN = {
    "True": "write true",
    "False": "write false",
    "None": "write null",
    "nil": "write null",
    "undefined": "write has($.path) to ask whether something is there",
    "AND": "write and",
    "OR": "write or",
    "NOT": "write not",
    "is": "write ==",
    "if": "write condition ? this : that",
    "len": "write size(…)",
    "length": "write size(…)",
    "str": "write string(…)",
    "float": "write number(…)",
}


class Token(NamedTuple):
    kind: str
    text: str
    pos: int


class TokenReader:
    """A text and the next token in it."""

    def __init__(self, text: str, pos: int) -> None:
        self._text = text
        self.token = self._scan(pos)

    def end(self) -> None:
        """The expression must be all there is."""
        if self.token.kind != "end":
            raise self._unexpected()

    def close(self) -> int:
        """Where the `}` stands that must end the expression inside a text."""
        if self.token.kind == "end":
            raise self._error("'${' is never closed", hint="write ${ … }, or $${ for the two characters")
        if self.token.kind != "sign" or self.token.text != "}":
            raise self._unexpected("expected '}' after the expression")
        return self.token.pos

    def _scan(self, pos: int) -> Token:
        match = _TOKEN.match(self._text, pos)
        if match is None:
            raise self._foreign(pos)
        kind = match.lastgroup or "end"
        return Token(kind, match.group(kind), match.start(kind))

    def _advance(self) -> Token:
        token = self.token
        self.token = self._scan(token.pos + len(token.text))
        return token

    def _read(self, scanner: Scanner, read: Callable[[], T]) -> T:
        """A token that has a grammar of its own."""
        value = read()
        self.token = self._scan(scanner.pos)
        return value

    def _sign(self) -> str:
        """The token as an operator; words and signs mean the same."""
        kind, text, _ = self.token
        return text if kind == "sign" else WORDS.get(text, "") if kind == "name" else ""

    def _accept(self, sign: str) -> bool:
        if self.token.kind != "sign" or self.token.text != sign:
            return False
        self._advance()
        return True

    def _expect(self, sign: str, where: str) -> None:
        if not self._accept(sign):
            if self.token.kind == "end":
                raise self._error(f"expected {sign!r} {where}, but the expression ends")
            raise self._unexpected(f"expected {sign!r} {where}")

    def _error(self, message: str, *, hint: str = "", pos: int | None = None) -> ExpressionError:
        column = (self.token.pos if pos is None else pos) + 1
        return ExpressionError("expression.syntax", message, column=column, hint=hint)

    def _unexpected(self, message: str = "") -> ExpressionError:
        kind, text, pos = self.token
        if kind == "end":
            return self._error("the expression ends too early")
        hint = FOREIGN.get(text, "")
        if text in ("not", "!"):
            hint = "'not' binds loosely: write (not a) == b, not (a in b)"
        shown = "a string" if kind == "quote" else repr(self._text[pos : pos + max(1, len(text))])
        return self._error(f"{message}, not {shown}" if message else f"unexpected {shown}", hint=hint)

    def _foreign(self, pos: int) -> ExpressionError:
        start = len(self._text) - len(self._text[pos:].lstrip(" \t\r\n"))
        char = self._text[start]
        hints = {"=": "write == to compare", "&": "write and", "|": "write or", "`": "text is quoted with ' or \""}
        hints.update(dict.fromkeys("“”„‘’", "text is quoted with straight quotes, ' or \""))
        hints["@"] = "'@' stands only in the filter of a path: $.items[?@.qty > 0]"
        return self._error(f"unexpected {char!r}", hint=hints.get(char, ""), pos=start)

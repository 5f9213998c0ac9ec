"""Flow collections: `[a, b]` and `{a: b}`, over as many lines as they like (YAML 1.2, chapter 7.4)."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from wfrun.load.scanner.cursor import Cursor, Event, YamlError
from wfrun.load.scanner.quoted import fold, quoted

_SPACE = re.compile(r"(?:[ \t\n]++|(?<=[ \t\n])#[^\n]*+)*+")
_FIRST = r"(?:[^ \t\n\-?:,\[\]{}#&*!|>'\"%@`]|[-?:](?=[^ \t\n,\[\]{}]))"
_INNER = r"(?:[^ \t\n,\[\]{}:#]++|:(?=[^ \t\n,\[\]{}])|(?<![ \t\n])#)"
_PLAIN = re.compile(rf"{_FIRST}{_INNER}*+(?:[ \t\n]++{_INNER}++)*+")
_BREAK = re.compile(r"(?<![ \t])[ \t]*+\n[ \t\n]*+")

_BRACES_HINT = 'text with brackets or braces needs quotes here: "$.items[0]", "${ ... }"'
_CLOSING = {"[": "]", "{": "}"}


@dataclass(slots=True)
class _Open:
    """A bracket that is open: `sign` at position `start`. `due` is what may come next in it.

    In a list that is an `item`, then a `comma`; in a mapping a `key`, a `colon`, a `value`, a `comma`.
    """

    sign: str
    start: int
    due: str


class Flow:
    """Reads one flow collection, and those inside it from a stack."""

    def __init__(self, cursor: Cursor, emit: Callable[[Event], None], indent: int) -> None:
        self._cursor = cursor
        self._emit = emit
        self._indent = indent
        self._stack: list[_Open] = []

    def read(self, anchor: str) -> None:
        """From the bracket at the cursor to behind the one that closes it."""
        self._start(anchor)
        while self._stack:
            self._skip_space()
            self._part(self._cursor.text[self._cursor.pos])

    def _part(self, sign: str) -> None:
        if sign in "]}":
            self._end(sign)
        elif sign == ",":
            self._comma()
        elif sign == ":" and self._stack[-1].due == "colon":
            self._cursor.pos += 1
            self._stack[-1].due = "value"
        else:
            self._value()

    def _start(self, anchor: str) -> None:
        cursor = self._cursor
        bracket = cursor.text[cursor.pos]
        self._emit(Event(bracket, cursor.line, cursor.column + 1, anchor=anchor))
        self._stack.append(_Open(bracket, cursor.pos, "item" if bracket == "[" else "key"))
        cursor.pos += 1

    def _skip_space(self) -> None:
        found = _SPACE.match(self._cursor.text, self._cursor.pos)
        if found:
            self._cursor.move(found.end())
        if self._cursor.pos >= len(self._cursor.text):
            top = self._stack[-1]
            message = f"the `{top.sign}` that stands here is never closed"
            raise self._cursor.error("yaml.bracket", message, f"add the `{_CLOSING[top.sign]}`", at=top.start)

    def _end(self, sign: str) -> None:
        top = self._stack[-1]
        if _CLOSING[top.sign] != sign:
            line = self._cursor.text.count("\n", 0, top.start) + 1
            message = f"`{sign}` does not close the `{top.sign}` of line {line}"
            raise self._cursor.error("yaml.bracket", message, _BRACES_HINT)
        self._fill()
        self._emit(Event(sign, self._cursor.line, self._cursor.column + 1))
        self._cursor.pos += 1
        self._stack.pop()
        if self._stack:
            self._stack[-1].due = "comma"

    def _comma(self) -> None:
        if self._stack[-1].due in ("item", "key"):
            raise self._cursor.error("yaml.comma", "a value is missing before this comma")
        self._fill()
        self._cursor.pos += 1
        self._stack[-1].due = "item" if self._stack[-1].sign == "[" else "key"

    def _fill(self) -> None:
        """A key with nothing behind its colon has the value null; a key without a colon is a slip of the pen."""
        if self._stack[-1].due == "colon":
            raise self._cursor.error(
                "yaml.colon", "a colon and a value are missing before this", "braces hold `key: value`"
            )
        if self._stack[-1].due == "value":
            self._emit(self._cursor.nothing())

    def _value(self) -> None:
        cursor = self._cursor
        if self._stack[-1].due not in ("item", "key", "value"):
            raise self._misplaced()
        is_key = self._stack[-1].due == "key"
        anchor = cursor.anchor()
        if anchor:
            self._skip_space()
        self._stack[-1].due = "colon" if is_key else "comma"
        if cursor.text[cursor.pos] in "[{":
            self._start(anchor)
        elif cursor.text[cursor.pos] == "*":
            line, column = cursor.line, cursor.column + 1
            self._emit(Event("alias", line, column, cursor.name()))
        else:
            self._scalar(anchor)

    def _scalar(self, anchor: str) -> None:
        cursor = self._cursor
        if cursor.text[cursor.pos] in "\"'":
            text, end = quoted(cursor, self._indent)
            self._emit(cursor.scalar(text, anchor=anchor))
        else:
            found = _PLAIN.match(cursor.text, cursor.pos)
            if not found:
                raise self._unexpected()
            text, end = found[0], found.end()
            text = _BREAK.sub(lambda breaks: fold(breaks[0]), text) if "\n" in text else text
            self._emit(cursor.scalar(text, plain=True, anchor=anchor))
        cursor.move(end)

    def _misplaced(self) -> YamlError:
        cursor = self._cursor
        sign = cursor.text[cursor.pos]
        if sign == ":" and self._stack[-1].sign == "[":
            return cursor.error(
                "yaml.colon", "a key inside a list", "a pair needs braces, text with a colon needs quotes"
            )
        missing = "a colon" if self._stack[-1].due == "colon" else "a comma or the closing bracket"
        hint = _BRACES_HINT if sign in "[{" else "text with a comma, a quote or a colon needs quotes around all of it"
        return cursor.error("yaml.bracket", f"{missing} is missing before this", hint)

    def _unexpected(self) -> YamlError:
        sign = self._cursor.text[self._cursor.pos]
        if sign == ":" and self._stack[-1].sign == "{":
            return self._cursor.error("yaml.key", "a key is missing before this colon")
        if sign == "?":
            return self._cursor.error("yaml.key", "`? ` starts a key that is no text, which is not accepted")
        return self._cursor.error("yaml.sign", f"text cannot start with `{sign}`", f'quote it: "{sign}..."')

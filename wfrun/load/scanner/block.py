"""Block structure: the collections that indentation makes (YAML 1.2, chapter 8.2), with everything else inside them.

A stack of open collections is kept, each with its indentation. Every line closes those that are indented deeper, and
then continues the one on top: a mapping with a key, a list with a dash, or either with the value that was still due.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from wfrun.load.scanner.cursor import QUOTES_HINT, Cursor, Event, YamlError
from wfrun.load.scanner.flow import Flow
from wfrun.load.scanner.folded import PLAIN, at_document_mark, block_scalar, plain_lines
from wfrun.load.scanner.quoted import quoted


def scan(text: str, emit: Callable[[Event], None]) -> None:
    """Emits the events of the one document in `text`, none if it is empty. Raises YamlError; `emit` may raise too."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    _Block(Cursor(text if text.endswith("\n") else text + "\n"), emit).read()


@dataclass(slots=True)
class _Open:
    """An open collection. `due`: a key or a dash was written, its value not yet; `anchor` is that value's."""

    kind: str
    indent: int
    due: bool = False
    anchor: str = ""


class _Block:
    def __init__(self, cursor: Cursor, emit: Callable[[Event], None]) -> None:
        self._cursor = cursor
        self._emit = emit
        # The document is a list with room for one value.
        self._stack = [_Open("", -1, due=True)]

    def read(self) -> None:
        self._document_start()
        while self._cursor.skip_blanks() and not self._document_end():
            self._line()
        while len(self._stack) > 1:
            self._close()
        if self._stack[0].anchor:
            self._no_value(self._stack[0])

    def _document_start(self) -> None:
        cursor = self._cursor
        if not cursor.skip_blanks():
            return
        if cursor.column == 0 and cursor.text[cursor.pos] == "%":
            raise cursor.error(
                "yaml.directive", "`%` starts a YAML directive, which is not accepted", "delete this line"
            )
        if at_document_mark(cursor) and cursor.text[cursor.pos] == "-":
            cursor.pos += 3
            if not cursor.skip_rest():
                raise cursor.error("yaml.documents", "the document starts on the line after `---`")

    def _document_end(self) -> bool:
        cursor = self._cursor
        if not at_document_mark(cursor):
            return False
        if cursor.text[cursor.pos] == "-":
            raise cursor.error("yaml.documents", "a second document starts here", "one file holds one document")
        cursor.pos += 3
        if not cursor.skip_rest() or cursor.skip_blanks():
            raise cursor.error("yaml.documents", "something follows after the end of the document")
        return True

    def _line(self) -> None:
        """The cursor stands on the first character of a line."""
        column = self._cursor.column
        dash = self._at("-")
        while self._stack[-1].indent > column:
            self._close()
        top = self._stack[-1]
        if top.kind == "[" and top.indent == column and not dash and self._stack[-2].indent == column:
            self._close()
            top = self._stack[-1]
        if top.indent < column:
            self._due_value(top)
        elif top.kind == "[":
            self._item(top)
        elif dash:
            self._list_under_key(top)
        else:
            self._key(top)

    def _at(self, sign: str) -> bool:
        """Whether `sign` stands here as an indicator: with a space or the line's end behind it."""
        text, pos = self._cursor.text, self._cursor.pos
        return text[pos] == sign and text[pos + 1] in " \t\n"

    def _close(self) -> None:
        top = self._stack[-1]
        self._no_value(top)
        self._stack.pop()
        self._emit(Event("}" if top.kind == "{" else "]", self._cursor.line, self._cursor.column + 1))

    def _no_value(self, top: _Open) -> None:
        if top.due:
            self._emit(self._cursor.nothing()._replace(anchor=top.anchor))
            top.due, top.anchor = False, ""

    def _due_value(self, top: _Open) -> None:
        if not top.due:
            message = "this line is indented deeper than the ones it belongs to"
            if top.kind == "":
                message = "something follows after the end of the document"
            raise self._cursor.error("yaml.indentation", message, "lines that belong together start in the same column")
        self._value(top, block=True)

    def _list_under_key(self, top: _Open) -> None:
        """`- ` in the column of the key whose value it is: the list needs no indentation of its own."""
        if not top.due:
            raise self._cursor.error(
                "yaml.indentation", "a list entry where a key is due", "indent the list under its key"
            )
        self._open("[", top, self._cursor.column)
        self._item(self._stack[-1])

    def _open(self, kind: str, parent: _Open, column: int) -> None:
        self._done(parent, Event(kind, self._cursor.line, column + 1, anchor=parent.anchor))
        self._stack.append(_Open(kind, column))

    def _item(self, top: _Open) -> None:
        """The cursor stands on a dash."""
        if not self._at("-"):
            raise self._cursor.error("yaml.indentation", "a `-` is missing before this entry of the list")
        self._no_value(top)
        top.due = True
        self._cursor.pos += 1
        self._value_on_this_line(top, block=True)

    def _key(self, top: _Open) -> None:
        """The cursor stands on the next key of a mapping."""
        cursor = self._cursor
        self._no_value(top)
        anchor = cursor.anchor()
        if cursor.text[cursor.pos] in "\"'":
            text, end = quoted(cursor, top.indent)
            plain = False
        else:
            text, end = self._plain()
            plain = True
        colon = cursor.colon_at(end)
        if not colon:
            raise self._no_colon(text)
        self._add_key(top, cursor.scalar(text, plain=plain, anchor=anchor), colon)

    def _add_key(self, top: _Open, key: Event, colon: int) -> None:
        self._emit(key)
        top.due = True
        self._cursor.move(colon)
        self._value_on_this_line(top, block=False)

    def _value_on_this_line(self, top: _Open, *, block: bool) -> None:
        cursor = self._cursor
        if cursor.skip_rest():
            return
        start = cursor.pos
        cursor.skip_spaces()
        if block and "\t" in cursor.text[start : cursor.pos]:
            raise cursor.error("yaml.tab", "a tab after the dash", "use a space", at=start)
        self._value(top, block=block)

    def _value(self, top: _Open, *, block: bool) -> None:
        """A value at the cursor. `block`: a mapping or list may start here, as it may not behind a key on its line."""
        cursor = self._cursor
        column = cursor.column if block else None
        anchor = cursor.anchor()
        if anchor:
            top.anchor = anchor
            if cursor.skip_rest():
                return
        sign = cursor.text[cursor.pos]
        if self._at("-"):
            self._list(top, block and not anchor)
        elif sign in "|>":
            line, column = cursor.line, cursor.column + 1
            self._done(top, Event("scalar", line, column, block_scalar(cursor, top.indent), False, top.anchor))
        elif sign in "[{":
            self._flow(top)
        elif sign == "*":
            self._alias(top)
        elif sign in "\"'":
            self._quoted(top, column, anchor)
        else:
            self._plain_value(top, column, anchor)

    def _done(self, top: _Open, event: Event) -> None:
        self._emit(event)
        top.due, top.anchor = False, ""

    def _list(self, top: _Open, block: bool) -> None:
        if not block:
            hint = "put it on the next line, or quote the text if it is one"
            raise self._cursor.error("yaml.indentation", "a list cannot start on the line of its key or anchor", hint)
        self._open("[", top, self._cursor.column)
        self._item(self._stack[-1])

    def _alias(self, top: _Open) -> None:
        cursor = self._cursor
        line, column, start = cursor.line, cursor.column + 1, cursor.pos
        name = cursor.name()
        if cursor.colon_at(cursor.pos):
            raise cursor.error("yaml.key", "a key must be text, not an alias", QUOTES_HINT, at=start)
        self._done(top, Event("alias", line, column, name))
        self._end_of_line("the alias")

    def _flow(self, top: _Open) -> None:
        start = self._cursor.pos
        top.due = False
        Flow(self._cursor, self._emit, top.indent).read(top.anchor)
        top.anchor = ""
        if self._cursor.colon_at(self._cursor.pos):
            message = "a key must be text, not a list or a mapping"
            raise self._cursor.error("yaml.key", message, 'quote it: "${ ... }"', at=start)
        self._end_of_line("the closing bracket")

    def _quoted(self, top: _Open, column: int | None, anchor: str) -> None:
        cursor = self._cursor
        text, end = quoted(cursor, top.indent)
        colon = cursor.colon_at(end)
        if colon and "\n" not in cursor.text[cursor.pos : end]:
            self._mapping(top, cursor.scalar(text, anchor=anchor), colon, column)
            return
        self._done(top, cursor.scalar(text, anchor=top.anchor))
        cursor.move(end)
        self._end_of_line("the closing quote")

    def _plain_value(self, top: _Open, column: int | None, anchor: str) -> None:
        cursor = self._cursor
        text, end = self._plain()
        colon = cursor.colon_at(end)
        if colon:
            self._mapping(top, cursor.scalar(text, plain=True, anchor=anchor), colon, column)
            return
        event = cursor.scalar(text, plain=True, anchor=top.anchor)
        cursor.pos = end
        self._done(top, event._replace(text=plain_lines(cursor, text, top.indent)))
        self._end_of_line("the text")

    def _mapping(self, top: _Open, key: Event, colon: int, column: int | None) -> None:
        """A mapping that starts with `key`, in `column`, which is that of the key's anchor if it has one."""
        if column is None:
            hint = "text with `: ` in it needs quotes around all of it"
            raise self._cursor.error("yaml.colon", "a second colon on this line", hint, at=colon - 1)
        if key.anchor:  # an anchor on the line of the first key is the key's, not the mapping's
            top.anchor = ""
        self._open("{", top, column)
        self._add_key(self._stack[-1], key, colon)

    def _plain(self) -> tuple[str, int]:
        found = PLAIN.match(self._cursor.text, self._cursor.pos)
        if not found:
            raise self._unexpected()
        return found[0], found.end()

    def _end_of_line(self, after: str) -> None:
        cursor = self._cursor
        # A block scalar, or a text of several lines, leaves the cursor at the start of a line or before its end.
        if cursor.column and not cursor.skip_rest():
            cursor.skip_spaces()
            raise cursor.error("yaml.syntax", f"something follows after {after}", QUOTES_HINT)

    def _no_colon(self, text: str) -> YamlError:
        shown = text if len(text) <= 40 else text[:37] + "..."
        hint = "a space is missing after the colon" if ":" in text else "every line of a mapping is `key: value`"
        return self._cursor.error("yaml.colon", f"`{shown}` is no key: a colon is missing", hint)

    def _unexpected(self) -> YamlError:
        cursor = self._cursor
        sign = cursor.text[cursor.pos]
        if self._at("?"):
            return cursor.error("yaml.key", "`? ` starts a key that is no text, which is not accepted")
        if self._at(":"):
            return cursor.error("yaml.key", "a key is missing before this colon", QUOTES_HINT)
        if sign in "[{*|>":
            return cursor.error("yaml.key", f"a key cannot start with `{sign}`", f'quote it: "{sign}..."')
        return cursor.error("yaml.sign", f"text cannot start with `{sign}`", f'quote it: "{sign}..."')

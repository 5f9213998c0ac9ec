"""Quoted text (YAML 1.2, chapters 7.3.1 and 7.3.2)."""

from __future__ import annotations

import re

from wfrun.load.scanner.cursor import Cursor

_QUOTED = {'"': re.compile(r'"(?:[^"\\]|\\[^\n]|\\\n)*+"'), "'": re.compile(r"'(?:[^']|'')*+'")}
_BREAKS = r"[ \t]*+\n[ \t\n]*+|[ \t]++"  # blanks that end no line are matched too, so that no one looks at them twice
_SINGLE = re.compile(rf"''|{_BREAKS}")
_DOUBLE = re.compile(rf"\\(?:x[0-9a-fA-F]{{2}}|u[0-9a-fA-F]{{4}}|U[0-9a-fA-F]{{8}}|\n[ \t\n]*+|.)|{_BREAKS}")
_SURROGATE = re.compile("[\ud800-\udfff]")
_ESCAPES = {
    "0": "\0",
    "a": "\a",
    "b": "\b",
    "t": "\t",
    "\t": "\t",
    "n": "\n",
    "v": "\v",
    "f": "\f",
    "r": "\r",
    "e": "\x1b",
    " ": " ",
    '"': '"',
    "/": "/",
    "\\": "\\",
    "N": "\x85",
    "_": "\xa0",
    "L": "\u2028",
    "P": "\u2029",
}


def quoted(cursor: Cursor, indent: int) -> tuple[str, int]:
    """The text of the quoted scalar that starts here, and the position behind it. The cursor stays where it is.

    Lines of it that follow are indented deeper than `indent`, which is also what finds a forgotten closing quote.
    """
    start = cursor.pos
    quote = cursor.text[start]
    found = _QUOTED[quote].match(cursor.text, start)
    if not found:
        raise cursor.error("yaml.quote", "the text that starts here has no closing quote")
    raw = found[0][1:-1]
    if "\n" in raw:
        _check_indentation(cursor, found.end(), indent)
    if quote == "'":
        text = _SINGLE.sub(_unquote, raw) if "'" in raw or "\n" in raw else raw
    else:
        text = _double(cursor, raw) if "\\" in raw or "\n" in raw else raw
    return text, found.end()


def _check_indentation(cursor: Cursor, end: int, indent: int) -> None:
    for line in cursor.text[cursor.pos : end].split("\n")[1:]:
        content = line.lstrip(" \t")
        if content and len(line) - len(content) <= indent:
            hint = "close the quote, or indent the lines that follow"
            raise cursor.error("yaml.quote", "the text that starts here has no closing quote on its line", hint)


def fold(breaks: str) -> str:
    """What line breaks inside a text come to: one is a space, each further one a line end."""
    count = breaks.count("\n")
    return " " if count == 1 else "\n" * (count - 1)


def _unquote(found: re.Match[str]) -> str:
    return "'" if found[0] == "''" else _fold_if_broken(found[0])


def _fold_if_broken(blanks: str) -> str:
    return fold(blanks) if "\n" in blanks else blanks


def _double(cursor: Cursor, raw: str) -> str:
    def replace(found: re.Match[str]) -> str:
        text = found[0]
        if text[0] != "\\":
            return _fold_if_broken(text)
        if text[1] == "\n":
            return "\n" * (text.count("\n") - 1)
        if len(text) > 2:
            return _character(cursor, text, cursor.pos + 1 + found.start())
        if text[1] not in _ESCAPES:
            hint = "write \\\\ for a backslash, or use single quotes"
            raise cursor.error("yaml.escape", f"`{text}` is not an escape", hint, at=cursor.pos + 1 + found.start())
        return _ESCAPES[text[1]]

    return _whole_characters(cursor, _DOUBLE.sub(replace, raw))


def _character(cursor: Cursor, escape: str, at: int) -> str:
    digits = escape[2:]
    code = int(digits, 16)
    if code > 0x10FFFF:
        raise cursor.error("yaml.escape", f"`{escape}` is beyond the last character of Unicode", at=at)
    return chr(code)


def _whole_characters(cursor: Cursor, text: str) -> str:
    """Joins surrogate pairs, which is how JSON writes characters beyond U+FFFF."""
    if not _SURROGATE.search(text):
        return text
    try:
        return text.encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeDecodeError:
        raise cursor.error("yaml.escape", "this text holds half of a surrogate pair") from None

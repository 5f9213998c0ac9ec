"""Text without quotes: plain scalars (YAML 1.2, chapter 7.3.3) and the block scalars `|` and `>` (chapter 8.1)."""

from __future__ import annotations

import re

from wfrun.load.scanner.cursor import QUOTES_HINT, Cursor
from wfrun.load.scanner.quoted import fold

MAX_LINES = 10_000  # of one text without quotes

_FIRST = r"(?:[^ \t\n\-?:,\[\]{}#&*!|>'\"%@`]|[-?:](?=[^ \t\n]))"
_INNER = r"(?:[^ \t\n:#]++|:(?=[^ \t\n])|(?<![ \t\n])#)"
PLAIN = re.compile(rf"{_FIRST}{_INNER}*+(?:[ \t]++{_INNER}++)*+")
_CONTINUED = re.compile(rf"{_INNER}++(?:[ \t]++{_INNER}++)*+")
_DOCUMENT = re.compile(r"(?:---|\.\.\.)(?=[ \t\n])")
_BLANKS = re.compile(r"(?:[ \t]*+\n)++ *+")
_HEADER = re.compile(r"[|>](?:([+-])([1-9])?|([1-9])([+-])?)?(?=[ \t\n])")


def at_document_mark(cursor: Cursor) -> bool:
    return cursor.column == 0 and _DOCUMENT.match(cursor.text, cursor.pos) is not None


def plain_lines(cursor: Cursor, first: str, indent: int) -> str:
    """A plain scalar whose first line is `first`, with the lines that continue it: those indented deeper than `indent`.

    The cursor stands behind `first`, and afterwards behind the last line.
    """
    parts = [first]
    while breaks := _BLANKS.match(cursor.text, cursor.pos):
        end = breaks.end()
        column = end - cursor.text.rindex("\n", 0, end) - 1
        found = _CONTINUED.match(cursor.text, end)
        if column <= indent or not found or (column == 0 and _DOCUMENT.match(cursor.text, end)):
            break
        if cursor.colon_at(found.end()):
            hint = "indent it like the key it belongs beside, or put the text above in quotes"
            raise cursor.error("yaml.colon", f"`{found[0]}:` continues the text of the line above", hint, at=end)
        parts += (fold(breaks[0]), found[0])
        if len(parts) > 2 * MAX_LINES:
            raise cursor.error("yaml.size", f"unquoted text of more than {MAX_LINES:,} lines", "use `|` for long texts")
        cursor.move(found.end())
    return "".join(parts)


def block_scalar(cursor: Cursor, indent: int) -> str:
    """The text of the `|` or `>` that stands here; its lines are indented deeper than `indent`. Moves behind them."""
    start, sign = cursor.pos, cursor.text[cursor.pos]
    header = _HEADER.match(cursor.text, start)
    cursor.pos = header.end() if header else start
    if not header or not cursor.skip_rest():
        kind = "folded" if sign == ">" else "literal"
        message = f"`{sign}` starts a {kind} text, which begins on the next line"
        raise cursor.error("yaml.block-text", message, f"{QUOTES_HINT}, if `{sign}` belongs to it", at=start)
    given = header[2] or header[3]
    lines = _block_lines(cursor, indent, max(indent, 0) + int(given) if given else 0)
    return _chomp(lines, _fold_lines(lines) if sign == ">" else "\n".join(lines), header[1] or header[4] or "")


def _block_lines(cursor: Cursor, parent: int, indent: int) -> list[str]:
    """The lines without their indentation, which is `indent` or, where that is 0, that of the first line with text."""
    lines: list[str] = []
    text = cursor.text
    while cursor.pos < len(text):
        end = text.index("\n", cursor.pos)
        line = text[cursor.pos : end]
        content = line.lstrip(" ")
        if content:
            column = len(line) - len(content)
            if not indent:
                indent = max(column, parent + 1, 1)
            if column < indent:
                break
        lines.append(line[indent:] if indent else "")
        cursor.pos = cursor.line_start = end + 1
        cursor.line += 1
    return lines


def _fold_lines(lines: list[str]) -> str:
    """Neighbouring lines become one; blank lines and lines that are indented deeper keep their line ends."""
    breaks, before = 0, ""
    parts: list[str] = []
    for line in lines:
        if not line:
            breaks += 1
            continue
        if not before:
            parts.append("\n" * breaks)
        elif before in " \t" or line[0] in " \t":
            parts.append("\n" * (breaks + 1))
        else:
            parts.append("\n" * breaks or " ")
        parts.append(line)
        breaks, before = 0, line[0]
    return "".join(parts) + "\n" * (breaks if before else breaks - 1)


def _chomp(lines: list[str], text: str, sign: str) -> str:
    """`-` drops the last line ends, `+` keeps them all, and nothing keeps one."""
    content = text.rstrip("\n")
    if sign == "-":
        return content
    if sign == "+":
        return text + "\n" if lines else ""
    return content + "\n" if content else ""

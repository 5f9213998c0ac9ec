"""Text for people: escaping what comes from data, colour, columns.

Data in an execution comes from outside. Printed raw it could move the cursor, rename the window, or show a sentence in
another order than it is; so control characters (C0, C1, DEL), line separators and bidirectional marks are written as
escapes wherever people look at them.
"""

import os
import re
import sys
from collections.abc import Sequence
from typing import NamedTuple, TextIO

from wfrun.cli.streams import ours

# Compiled at its first use, for most of what is printed is plain: compiling costs more than `wfrun status` has to do.
_UNSAFE = "[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\ud800-\udfff]"
_CODES = {
    "red": "31",
    "green": "32",
    "yellow": "33",
    "blue": "34",
    "magenta": "35",
    "cyan": "36",
    "dim": "2",
    "bold": "1",
}


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def safe(text: object) -> str:
    """`text` on one line, with nothing in it that a terminal would obey."""
    plain = str(text)
    return plain if plain.isprintable() else re.sub(_UNSAFE, _escape, plain)


def safe_json(text: str) -> str:
    """JSON text in which those characters are escaped the JSON way: the value stays the same."""
    return re.sub(_UNSAFE, lambda match: match[0] if match[0] == "\n" else f"\\u{ord(match[0]):04x}", text)


def is_terminal(stream: TextIO) -> bool:
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def is_lively(stream: TextIO) -> bool:
    """Whether to draw what moves. A CI system's terminal is a log file."""
    return is_terminal(stream) and os.environ.get("CI", "").lower() not in ("1", "true")


def paint(colour: str, text: str) -> str:
    """`text` in a colour if standard output shows colours (https://no-color.org)."""
    if not text or os.environ.get("NO_COLOR") or not is_terminal(ours()):
        return text
    return f"\x1b[{_CODES[colour]}m{text}\x1b[0m"


class Cell(NamedTuple):
    """A column's entry. Escaped when drawn; `colour` doesn't count in its width."""

    text: str
    colour: str = ""


def columns(rows: Sequence[Sequence[Cell | str]], indent: str = "") -> list[str]:
    """Rows as aligned lines, two spaces between columns. On a terminal, lines are cut at its width."""
    cells = [[Cell(safe(c)) if isinstance(c, str) else Cell(safe(c.text), c.colour) for c in row] for row in rows]
    count = max((len(row) for row in cells), default=0)
    widths = [max((len(row[i].text) for row in cells if i < len(row)), default=0) for i in range(count)]
    limit = _terminal_width() - len(indent)
    return [indent + _line(row, widths, limit) for row in cells]


def _line(row: Sequence[Cell], widths: Sequence[int], limit: int) -> str:
    line, used = "", 0
    for position, cell in enumerate(row):
        room = limit - used
        text = cell.text if len(cell.text) <= room else cell.text[: max(0, room - 1)] + "…"
        last = position == len(row) - 1
        line += (paint(cell.colour, text) if cell.colour else text) + (
            "" if last else " " * (widths[position] - len(text) + 2)
        )
        used += widths[position] + 2
        if used >= limit:
            break
    return line.rstrip()


def _terminal_width() -> int:
    """Columns of the terminal. Unbounded in a pipe, where nothing may be cut, and where a terminal doesn't say (0)."""
    try:
        return (ours().isatty() and os.get_terminal_size(ours().fileno()).columns) or sys.maxsize
    except (OSError, ValueError):
        return sys.maxsize

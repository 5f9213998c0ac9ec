"""What a YAML text consists of, and why one may be refused."""

from __future__ import annotations

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

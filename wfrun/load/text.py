"""Bytes become text, or one clear error: the part that YAML and JSON have in common."""

from __future__ import annotations

import re

from wfrun.errors import InvalidError, Place, Problem

# Not printable in the sense of YAML 1.2 (chapter 5.1), the byte order mark, and U+0085, U+2028 and U+2029, which are
# line ends to some readers of YAML and not to others.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")


def decode(source: bytes, file: str, *, kind: str, max_bytes: int) -> str:
    """UTF-8 without a byte order mark. Raises InvalidError with code `<kind>.size`, `.encoding` or `.character`."""
    if len(source) > max_bytes:
        message = f"{len(source):,} bytes are more than the {max_bytes:,} that are accepted"
        raise InvalidError([Problem(f"{kind}.size", message, Place(file))])
    if source.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")):
        hint = "save it as UTF-8 without a byte order mark"
        raise InvalidError(
            [Problem(f"{kind}.encoding", "the file starts with a byte order mark", Place(file, 1, 1), hint)]
        )
    try:
        text = source.decode()
    except UnicodeDecodeError as error:
        place = position(file, source[: error.start].decode(), error.start)
        message = f"byte 0x{source[error.start]:02x} is not UTF-8"
        raise InvalidError([Problem(f"{kind}.encoding", message, place, "save the file as UTF-8")]) from None
    return text


def refuse_controls(text: str, file: str, *, kind: str) -> None:
    """Raises InvalidError with code `<kind>.character` for the first control character but tab and line ends."""
    found = _FORBIDDEN.search(text)
    if found:
        message = f"the control character U+{ord(found[0]):04X}"
        hint = f'in double quotes it can be written as "\\u{ord(found[0]):04x}"'
        raise InvalidError([Problem(f"{kind}.character", message, position(file, text, found.start()), hint)])


def position(file: str, text: str, offset: int) -> Place:
    """The place of the character at `offset`."""
    line_start = text.rfind("\n", 0, offset) + 1
    return Place(file, text.count("\n", 0, offset) + 1, offset - line_start + 1)

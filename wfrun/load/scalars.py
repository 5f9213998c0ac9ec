"""What a plain YAML scalar means: the YAML 1.2 core schema (chapter 10.3.2), and nothing of YAML 1.1.

So `on`, `no`, `1:30` and `2026-01-01` are text. Two values of the core schema are not JSON and are refused: `.inf` and
`.nan`.
"""

from __future__ import annotations

import re
from math import isfinite

from wfrun.core.values import Json

MAX_DIGITS = 4000  # more than any quantity needs; Python itself refuses to convert more than 4,300

_WORDS: dict[str, Json] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_NUMERIC = frozenset("+-.0123456789")
_INTEGER = re.compile(r"[-+]?[0-9]+")
_PREFIXED = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")


def plain_value(text: str) -> Json:
    """The value of an unquoted scalar. Raises ValueError, with a message for people, for a number that is no JSON."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _NUMERIC:
        return text
    if _INTEGER.fullmatch(text):
        return _integer(text, 10)
    if _PREFIXED.fullmatch(text):
        return _integer(text[2:], 8 if text[1] == "o" else 16)
    if _FLOAT.fullmatch(text):
        return _finite(text)
    if _NOT_FINITE.fullmatch(text):
        raise ValueError(f"{text} is not a number that JSON knows")
    return text


def _integer(digits: str, base: int) -> int:
    if len(digits) > MAX_DIGITS:
        raise ValueError(f"a number of more than {MAX_DIGITS:,} digits")
    return int(digits, base)


def _finite(text: str) -> float:
    value = float(text)
    if not isfinite(value):
        shown = text if len(text) <= 40 else text[:37] + "..."
        raise ValueError(f"{shown} is too large for a number")
    if value == 0 and re.search("[1-9]", text.lower().partition("e")[0]):
        raise ValueError(f"{text[:40]} is too small for a number: it would be 0")
    return value

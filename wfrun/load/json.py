"""JSON at the door, strictly (RFC 8259 and I-JSON, RFC 7493): whatever is accepted means the same everywhere.

The standard parser reads the text; it is told to stop at what it would accept silently. Only then a slow second look
finds the line and column of the fault, so that good input pays nothing for good errors.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from math import isfinite
from typing import Any, NamedTuple, NoReturn

from wfrun.core.values import MAX_DEPTH, Json
from wfrun.errors import InvalidError, Place, Problem
from wfrun.load.scalars import MAX_DIGITS
from wfrun.load.text import decode, position

MAX_BYTES = 128 * 1024 * 1024

MAX_PARTS = 1_000_000  # commas, colons and opening brackets: each may take memory far beyond its own bytes

# What can be wrong although the standard parser takes it: strings (with the colon that makes them keys), brackets,
# words, and numbers with an exponent or very many digits. The rest is skipped at the regular expression's speed.
_TOKEN = re.compile(
    r'"(?:[^"\\]|\\.)*+"(?P<colon>\s*+:)?|(?P<sign>[][{}])|(?P<word>-?Infinity|NaN)'
    r"|(?<![0-9.])(?P<number>[0-9]{300,}+(?:\.[0-9]++)?(?:[eE][-+]?[0-9]++)?|[0-9]++(?:\.[0-9]++)?[eE][-+]?[0-9]++)",
    re.DOTALL,
)
_SURROGATE = re.compile("[\ud800-\udfff]")
_SURROGATE_ESCAPE = re.compile(r"\\u[dD][89a-fA-F]")


class _Refused(Exception):
    """Something the standard parser would have accepted."""


def parse_json(source: bytes | str, file: str) -> Json:
    """The value of one JSON text.

    Raises InvalidError with line and column, code `json.syntax`, `.duplicate-key`, `.number` (NaN, Infinity, beyond a
    double), `.text` (a lone surrogate), `.depth`, `.size` or `.encoding`.
    """
    text = decode(
        source if isinstance(source, bytes) else _encode(source, file), file, kind="json", max_bytes=MAX_BYTES
    )
    if sum(map(text.count, "{[:,")) > MAX_PARTS:
        raise InvalidError([Problem("json.size", f"more than {MAX_PARTS:,} keys and values", Place(file))])
    try:
        value: Json = _decoder.decode(text)
        if _depth_exceeds(value, MAX_DEPTH) or ("\\u" in text and _has_lone_surrogate(value)):
            raise _Refused
    except json.JSONDecodeError as error:
        raise InvalidError([_syntax_problem(text, file, error)]) from None
    except (_Refused, RecursionError):
        raise InvalidError([_fault(text, file)]) from None
    return value


def _depth_exceeds(value: Json, limit: int) -> bool:
    level = [value]
    for _ in range(limit):
        level = [child for parent in level for child in _children(parent) if isinstance(child, (dict, list))]
        if not level:
            return False
    return True


def _children(value: Json) -> Iterable[Json]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _has_lone_surrogate(value: Json) -> bool:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return True
    return False


def _encode(text: str, file: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        problem = Problem("json.text", "half of a surrogate pair", position(file, text, error.start))
        raise InvalidError([problem]) from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise _Refused
    return value


def _float(text: str) -> float:
    value = float(text)
    if not isfinite(value):
        raise _Refused
    return value


def _int(text: str) -> int:
    if len(text.lstrip("-")) >= MAX_DIGITS:
        raise _Refused
    return int(text)


def _constant(text: str) -> NoReturn:
    raise _Refused


_decoder = json.JSONDecoder(object_pairs_hook=_object, parse_float=_float, parse_int=_int, parse_constant=_constant)


def _syntax_problem(text: str, file: str, error: json.JSONDecodeError) -> Problem:
    place = Place(file, error.lineno, error.colno)
    if not text.strip():
        return Problem("json.syntax", "there is no JSON here, only an empty text", place)
    message = _MESSAGES.get(error.msg, error.msg[:1].lower() + error.msg[1:])
    return Problem("json.syntax", message, place, _hint(text, error))


_MESSAGES = {
    "Expecting value": "a value is missing here",
    "Extra data": "something follows after the end of the value",
    "Expecting property name enclosed in double quotes": "a key in double quotes is missing here",
    "Illegal trailing comma before end of object": "a comma with nothing after it",
    "Illegal trailing comma before end of array": "a comma with nothing after it",
    "Expecting ',' delimiter": "a comma or the closing bracket is missing here",
    "Expecting ':' delimiter": "a colon is missing after the key",
    "Invalid control character at": "a line break or control character inside a text",
    "Unterminated string starting at": "the text that starts here has no closing quote",
}


def _hint(text: str, error: json.JSONDecodeError) -> str:
    character, before = text[error.pos : error.pos + 1], text[: error.pos].rstrip()[-1:]
    if character == "'":
        return "JSON wants double quotes"
    if character in ("/", "#"):
        return "JSON has no comments"
    if error.msg.startswith("Illegal trailing comma") or (before == "," and character in ("}", "]")):
        return "JSON allows no comma before a closing bracket"
    if before == ":" and character in ("}", "]", ","):
        return "`null` says that there is no value"
    return 'every key has a value, as in {"key": 1}' if error.msg.startswith("Expecting ':'") else ""


def _fault(text: str, file: str) -> Problem:
    """The first thing that the standard parser would accept and we don't."""
    open_objects: list[set[str] | None] = []
    for found in _TOKEN.finditer(text):
        if found["sign"]:
            fault = _nest(found["sign"], open_objects)
        elif found["word"] or found["number"]:
            fault = _number_fault(found[0])
        else:
            keys = open_objects[-1] if found["colon"] and open_objects else None
            fault = _string_fault(found[0].removesuffix(found["colon"] or ""), keys)
        if fault:
            return Problem(fault.code, fault.message, position(file, text, found.start()), fault.hint)
    return Problem("json.syntax", "this is not JSON that can be read", Place(file))


class _Fault(NamedTuple):
    code: str
    message: str
    hint: str = ""


def _nest(sign: str, open_objects: list[set[str] | None]) -> _Fault | None:
    if sign in "{[":
        open_objects.append(set() if sign == "{" else None)
    elif open_objects:
        open_objects.pop()
    return _Fault("json.depth", f"nested deeper than {MAX_DEPTH} levels") if len(open_objects) > MAX_DEPTH else None


def _string_fault(token: str, keys: set[str] | None) -> _Fault | None:
    if keys is None and not _SURROGATE_ESCAPE.search(token):
        return None
    try:
        value: str = json.loads(token)
    except json.JSONDecodeError:
        return None
    if _SURROGATE.search(value):
        hint = "a character beyond U+FFFF is written as two \\u escapes"
        return _Fault("json.text", "half of a surrogate pair", hint)
    if keys is None:
        return None
    if value in keys:
        return _Fault("json.duplicate-key", f"the key `{value}` stands here twice in one object")
    keys.add(value)
    return None


def _number_fault(token: str) -> _Fault | None:
    if not token[0].isdigit():
        return _Fault("json.number", f"{token} is not a number that JSON knows", "leave it out, or write null")
    if token.isdigit():
        too_long = len(token) >= MAX_DIGITS
        return _Fault("json.number", f"a number of {MAX_DIGITS:,} digits or more") if too_long else None
    if isfinite(float(token)):
        return None
    return _Fault("json.number", f"{token[:40]} is too large for a number")

"""The functions on text. Text is counted in characters (Unicode code points), never in bytes."""

from __future__ import annotations

import json
import re
from typing import Any

from wfrun.core.expression.export import render
from wfrun.core.expression.kinds import (
    MAX_DIGITS,
    Frame,
    Value,
    a_kind,
    check_list,
    check_text,
    is_number,
    limit_error,
    type_error,
    value_error,
    weigh,
)
from wfrun.core.values import MAX_DEPTH, canonical

# Patterns as text: `re` compiles and keeps them when they are first needed.
_NUMBER = r"[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]{1,4})?"
_PLACEHOLDER = r"\{\{|\}\}|\{([0-9]{0,3})(?::(,?)(?:\.([0-9]{1,2})f?)?)?\}|[{}]"
_MAX_PATTERN = 1_000
# The worst pattern of that length takes 4 µs for a character (measured).
_MAX_SEARCHED = 100_000


def _text(value: Value, function: str) -> str:
    if type(value) is not str:
        raise type_error(
            f"{function}() needs a string, not {a_kind(value)}", hint="string(…) makes a text of any value"
        )
    return value


def lower(frame: Frame, text: Value) -> str:
    return _text(text, "lower").lower()


def upper(frame: Frame, text: Value) -> str:
    return _text(text, "upper").upper()


def trim(frame: Frame, text: Value) -> str:
    """Without the white space at both ends."""
    return _text(text, "trim").strip()


def split(frame: Frame, text: Value, separator: Value) -> list[str]:
    """The parts between the separators; an empty separator gives the single characters."""
    whole, mark = _text(text, "split"), _text(separator, "split")
    check_list(whole.count(mark) + 1)
    frame.charge(len(whole))
    return whole.split(mark) if mark else list(whole)


def join(frame: Frame, parts: Value, separator: Value = "") -> str:
    """A list of texts as one; numbers and booleans are written as in JSON."""
    if type(parts) is not list:
        raise type_error(f"join() needs an array, not {a_kind(parts)}")
    texts = [_joined(part) for part in parts]
    mark = _text(separator, "join")
    check_text(sum(map(len, texts)) + len(mark) * max(len(texts) - 1, 0))
    return mark.join(texts)


def _joined(part: Value) -> str:
    if type(part) is str:
        return part
    if is_number(part) or type(part) is bool:
        return json.dumps(part)
    raise type_error(f"join() joins strings, and found {a_kind(part)}")


def replace(frame: Frame, text: Value, old: Value, new: Value) -> str:
    """Every occurrence, literally: no regular expression."""
    whole, wanted, other = _text(text, "replace"), _text(old, "replace"), _text(new, "replace")
    if not wanted:
        raise value_error("replace() needs a text to look for that is not empty")
    length = len(whole) + whole.count(wanted) * (len(other) - len(wanted))
    check_text(length)
    frame.charge(length >> 4)
    return whole.replace(wanted, other)


def substring(frame: Frame, text: Value, start: Value, end: Value = None) -> str:
    """From `start`, counted from 0, up to but without `end`. Negative positions count from the end."""
    if type(start) is not int or not (end is None or type(end) is int):
        raise type_error("substring() needs whole numbers as positions")
    return _text(text, "substring")[start:end]


def contains(frame: Frame, text: Value, part: Value) -> bool:
    if type(text) is list:
        raise type_error("contains() needs a string, not an array", hint="`x in $.list` looks for an element")
    return _text(part, "contains") in _text(text, "contains")


def starts_with(frame: Frame, text: Value, prefix: Value) -> bool:
    return _text(text, "startsWith").startswith(_text(prefix, "startsWith"))


def ends_with(frame: Frame, text: Value, suffix: Value) -> bool:
    return _text(text, "endsWith").endswith(_text(suffix, "endsWith"))


def compile_pattern(pattern: str) -> Any:
    """A regular expression of RE2, whose time is linear in the text. Raises ExpressionError."""
    import re2

    if len(pattern) > _MAX_PATTERN:
        raise limit_error(f"a pattern cannot be longer than {_MAX_PATTERN:,} characters")
    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(pattern, options)
    except re2.error:
        raise value_error(
            "this is not a regular expression of RE2",
            hint="RE2 has no look-around and no back-references; a backslash in a text is written \\\\",
        ) from None


def matches(frame: Frame, text: Value, pattern: Value) -> bool:
    """Whether the pattern is found anywhere in the text; `^` and `$` tie it to the ends."""
    whole = _text(text, "matches")
    if len(whole) > _MAX_SEARCHED:
        raise limit_error(f"matches() searches at most {_MAX_SEARCHED:,} characters")
    frame.charge(50 + 4 * len(whole))
    return compile_pattern(_text(pattern, "matches")).search(whole) is not None


def format_(frame: Frame, template: Value, *values: Value) -> str:
    """`{}` takes the next value, `{1}` the one at that position; `{:.2}` two decimals, `{:,.2}` with thousands.

    Rounded as round() does. The `f` that other languages put behind the decimals may be there, and changes nothing.
    """
    remaining = iter(range(len(values)))

    def fill(match: re.Match[str]) -> str:
        found = match.group()
        if found in ("{{", "}}"):
            return found[0]
        if len(found) == 1:
            raise value_error(f"'{found}' in a format is no placeholder", hint="a brace is written {{ or }}")
        position = int(match.group(1)) if match.group(1) else next(remaining, len(values))
        if position >= len(values):
            raise value_error(f"the format has no value for {found}")
        value = values[position]
        plain = match.group(2) is None
        weigh(value, frame)
        text = render(value) if plain else _number_text(value, match.group(2) or "", match.group(3))
        frame.charge(1 + (len(text) >> 4))
        return text

    return re.sub(_PLACEHOLDER, fill, _text(template, "format"))


def _number_text(value: Value, comma: str, decimals: str | None) -> str:
    from wfrun.core.expression.decimals import quantized, to_decimal

    if not is_number(value):
        raise type_error(f"a format with decimals needs a number, not {a_kind(value)}")
    number = to_decimal(value) if decimals is None else quantized(value, int(decimals), "ROUND_HALF_UP")
    return f"{number or abs(number):{comma}f}"  # there is no negative zero


def read_number(text: str) -> int | float:
    """A number in a text: `12`, `-0.5`, `1e3`. No spaces, no thousands."""
    match = re.fullmatch(_NUMBER, text)
    if match is None:
        raise value_error("this text is not a number", hint="numbers are written 12, -0.5, 1e3; trim(…) removes spaces")
    if len(text) > MAX_DIGITS:
        raise limit_error(f"the number has more than {MAX_DIGITS:,} digits")
    if match.group(1) is None and match.group(2) is None:
        return int(text)
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise limit_error("the number is too large", hint="numbers with a fraction end at 1.8e308")
    return number


def from_json(frame: Frame, text: Value) -> Value:
    """Reads JSON (RFC 8259) strictly: no NaN, no duplicate keys, at most 64 levels."""
    source = _text(text, "fromJson")
    frame.charge(len(source))
    _check_nesting(source)
    try:
        value = json.loads(source, object_pairs_hook=_object, parse_constant=_no_constant, parse_float=_float)
        canonical(value).encode()  # a lone surrogate is no character: it cannot be encoded
    except ValueError:
        raise value_error("fromJson() was given a text that is not JSON") from None
    return value


def _check_nesting(source: str) -> None:
    """Before parsing: the bound holds however many brackets there are."""
    depth = 0
    for match in re.finditer(r'"(?:[^"\\]|\\.)*"|[\[\]{}]', source, re.DOTALL):
        bracket = match.group()
        if bracket in ("[", "{"):
            depth += 1
        elif bracket in ("]", "}"):
            depth -= 1
        if depth > MAX_DEPTH:
            raise limit_error(f"the JSON is nested deeper than {MAX_DEPTH} levels")


def _object(pairs: list[tuple[str, Value]]) -> dict[str, Value]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise value_error("the JSON has an object with a key that stands twice")
    return found


def _no_constant(name: str) -> Value:
    raise value_error(f"{name} is not JSON")


def _float(text: str) -> float:
    return float(read_number(text))


def base64(frame: Frame, text: Value) -> str:
    """The Base64 of the text's UTF-8 bytes (RFC 4648 section 4)."""
    import binascii

    return binascii.b2a_base64(_text(text, "base64").encode(), newline=False).decode()


def sha256(frame: Frame, text: Value) -> str:
    """The SHA-256 of the text's UTF-8 bytes, in hexadecimal."""
    import hashlib

    return hashlib.sha256(_text(text, "sha256").encode()).hexdigest()

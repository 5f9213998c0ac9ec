"""JSON values: the only data that flows through an execution."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from hashlib import sha256
from typing import TypeAlias

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"

MAX_DEPTH = 64

_ERROR_TYPE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
ERROR_TYPE_HINT = "a dotted name, such as order.too-large: letters, digits, `.`, `_` and `-`, at most 128 of them"

_encoder = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), allow_nan=False, ensure_ascii=False, check_circular=False
)


def _make_encode() -> Callable[[object], str]:
    """JSONEncoder.encode prepares its C encoder anew for every value, which costs as much as a record's encoding."""
    make = getattr(json.encoder, "c_make_encoder", None)
    if make is None:
        return _encoder.encode
    text = json.encoder.encode_basestring
    parts = make(None, _encoder.default, text, None, ":", ",", True, False, False)
    return lambda value: "".join(parts(value, 0))


_encode = _make_encode()


def canonical(value: object) -> str:
    """The one way a value is written: sorted keys, no spaces, no NaN. Hashes and journals use exactly this.

    Raises ValueError for NaN and infinities, TypeError for what is no JSON, RecursionError for what contains itself.
    """
    return _encode(value)


def digest(value: object) -> str:
    """SHA-256 of the canonical text, in hexadecimal. Lone surrogates cannot occur: input is refused at the door."""
    return sha256(canonical(value).encode()).hexdigest()


def is_error_type(text: str) -> bool:
    """Whether handlers can know an error by it."""
    return _ERROR_TYPE.fullmatch(text) is not None


def is_deeper(value: Json, depth: int) -> bool:
    """Whether a value is nested more than `depth` levels deep."""
    level: list[Json] = [value]
    for _ in range(depth):
        level = [inner for each in level for inner in _inside(each)]
        if not level:
            return False
    return True


def _inside(value: Json) -> Iterable[Json]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()

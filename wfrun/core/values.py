"""JSON values: the only data that flows through an execution."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import TypeAlias

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"

MAX_DEPTH = 64

_encoder = json.JSONEncoder(sort_keys=True, separators=(",", ":"), allow_nan=False, ensure_ascii=False)


def canonical(value: object) -> str:
    """The one way a value is written: sorted keys, no spaces, no NaN. Hashes and journals use exactly this."""
    return _encoder.encode(value)


def digest(value: object) -> str:
    """SHA-256 of the canonical text, in hexadecimal. Lone surrogates cannot occur: input is refused at the door."""
    return sha256(canonical(value).encode()).hexdigest()

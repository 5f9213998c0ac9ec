"""JSON at the border: what a service answers becomes plain data of our own, or an error that says what is wrong."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from math import isfinite
from typing import Any, NoReturn

from wfrun.core.values import MAX_DEPTH, Json, canonical
from wfrun.errors import ServiceError

MAX_INTEGER_BITS = 4096
"""Python itself refuses to write integers of more than 4,300 digits as text."""

MAX_TYPE = 128
MAX_MESSAGE = 4_096
MAX_DETAILS = 64 * 1024
MAX_DELAY_MS = 7 * 24 * 3_600_000

LONGEST_WORD = 256
# What stands at the end of a text that was cut.
CUT = " …"
# Compiled at their first use, for most calls need neither.
_LAST_WORD = r"\S+\Z"
_DOTTED = r"[A-Za-z][A-Za-z0-9_-]*(\.[A-Za-z0-9_-]+)+"


def plain(value: object) -> Json:
    """A copy of `value` made of JSON only, so that nobody who keeps the original can change an execution's data.

    Raises ServiceError `adapter.result` that names the first place which is not JSON: another type (tuples, dates and
    decimals too), a key that is not text, NaN, an infinity, a lone surrogate, nesting deeper than MAX_DEPTH.
    """
    try:
        return _copy(value, 0)
    except _NotJson:
        where, what = _blame(value, "result", 0)
        raise ServiceError("adapter.result", f"{where} is {what}, which JSON cannot hold", retryable=False) from None


class _NotJson(Exception):
    pass


def _copy(value: Any, depth: int) -> Json:
    kind = type(value)
    if kind is dict and depth < MAX_DEPTH:
        return {_text(key): _copy(item, depth + 1) for key, item in value.items()}
    if kind is list and depth < MAX_DEPTH:
        return [_copy(item, depth + 1) for item in value]
    if (kind is str and value.isascii()) or kind is bool or value is None or _fault(value) is None:
        return value  # type: ignore[no-any-return]
    raise _NotJson


def _text(key: object) -> str:
    if type(key) is str and (key.isascii() or _fault(key) is None):
        return key
    raise _NotJson


def _fault(value: object) -> str | None:
    """What keeps a value that is no container from being JSON, or None."""
    if value is None or type(value) is bool:
        return None
    if type(value) is str:
        return "text with a lone surrogate" if any("\ud800" <= letter <= "\udfff" for letter in value) else None
    if type(value) is int:
        return "an integer of more than 1,200 digits" if value.bit_length() > MAX_INTEGER_BITS else None
    if type(value) is float:
        return None if value - value == 0 else "NaN or an infinity"
    return f"a Python {type(value).__name__}"


def _blame(value: Any, where: str, depth: int) -> tuple[str, str]:
    """The place and the description of the first thing in `value` that is not JSON. Only walked when there is one."""
    if type(value) not in (dict, list):
        return where, _fault(value) or ""
    if depth == MAX_DEPTH:
        return where.partition(".")[0].partition("[")[0], f"nested deeper than {MAX_DEPTH} levels"
    entries = value.items() if type(value) is dict else enumerate(value)
    for key, item in entries:
        if type(value) is dict and (type(key) is not str or _fault(key)):
            return f"the key {key!r} of {where}", _fault(key) if type(key) is str else "not text"  # type: ignore[return-value]
        blamed = _blame(item, f"{where}[{key}]" if type(value) is list else f"{where}.{key}", depth + 1)
        if blamed[1]:
            return blamed
    return where, ""


def sound(error: ServiceError) -> ServiceError:
    """The same error made of what a journal can hold, whatever somebody's code has put into it."""
    # A subclass may have forgotten to call __init__, so nothing need be there.
    given: dict[str, Any] = vars(error)
    type_, status, retryable = given.get("type"), given.get("status"), given.get("retryable")
    return ServiceError(
        clean(type_)[:MAX_TYPE] if isinstance(type_, str) and type_ else "adapter.error",
        shortened(clean(_written(str, given["message"]) if "message" in given else type(error).__name__), MAX_MESSAGE),
        status=status if type(status) is int and 0 <= status <= 999 else None,
        details=_details(given.get("details")),
        retry_after_ms=_delay(given.get("retry_after_ms")),
        retryable=retryable if isinstance(retryable, bool) else None,
    )


def _delay(wish: Any) -> int | None:
    """Milliseconds from 0 to MAX_DELAY_MS; None if the wish is no number, or none that ends."""
    if type(wish) not in (int, float) or (type(wish) is float and not isfinite(wish)):
        return None
    return int(min(max(wish, 0), MAX_DELAY_MS))


def _written(write: Callable[[Any], str], value: Any) -> str:
    """`str` or `repr` of something whose own code may raise whatever it likes."""
    try:
        return write(value)
    except BaseException:  # noqa: BLE001 - it is somebody's code
        return f"a Python {type(value).__name__}"


def _details(details: Any) -> Json:
    try:
        copy = plain(details)
    except ServiceError:
        return shortened(clean(_written(repr, details)), MAX_MESSAGE)
    text = canonical(copy)
    return copy if len(text) <= MAX_DETAILS else shortened(text, MAX_MESSAGE)


def shortened(text: str, most: int) -> str:
    """At most `most` characters, without the word that the cut goes through: it could be half a secret.

    Secrets are hidden later, as a whole; of what is left of one before the cut, only where it has spaces.
    """
    if len(text) <= most:
        return text
    cut = text[: most - 2]
    return cut[:-LONGEST_WORD] + re.sub(_LAST_WORD, "", cut[-LONGEST_WORD:]) + CUT


def clean(text: str) -> str:
    """Lone surrogates, which stand for bytes of file names that are no UTF-8, become question marks."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def parse_json(text: str | bytes) -> Json:
    """The JSON in `text` (UTF-8). Raises ValueError, with a message for people, for everything else."""
    try:
        return json.loads(text, parse_constant=_refuse)  # type: ignore[no-any-return]
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _refuse(word: str) -> NoReturn:
    raise ValueError(f"{word} is not JSON")


def stated_error(body: Json, *, status: int | None = None, retry_after_ms: int | None = None) -> ServiceError | None:
    """The error that a service states in its answer, if it states one with a dotted type.

    Either `{"error": {"type": "payment.declined", "message": …, "details": …, "retryable": …}}`, or problem details
    (RFC 9457) whose `type` is a dotted name instead of a URI: `{"type": …, "title": …, "detail": …}`.
    """
    if not isinstance(body, dict):
        return None
    error = body.get("error", body)
    if not isinstance(error, dict) or not isinstance(error.get("type"), str):
        return None
    type_, retryable = str(error["type"]), error.get("retryable")
    if len(type_) > MAX_TYPE or not re.fullmatch(_DOTTED, type_):
        return None
    message = next((text for key in ("message", "detail", "title") if isinstance(text := error.get(key), str)), type_)
    return ServiceError(
        type_,
        message,
        status=status,
        details=error.get("details"),
        retry_after_ms=retry_after_ms,
        retryable=retryable if isinstance(retryable, bool) else None,
    )

"""Whether, and when, a failed attempt is followed by another. Arithmetic only: time and chance come from the record."""

from __future__ import annotations

from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from wfrun.core.instants import parse_instant

if TYPE_CHECKING:
    from wfrun.core.events import ErrorData

Policy: TypeAlias = Literal["exponential", "linear", "fixed", "none"]

# What a service may ask for at most: a week.
LONGEST_WAIT_MS = 7 * 24 * 3_600_000

# A call that was begun, and whose runner died. That it is not made again is what its author asked for.
UNKNOWN_OUTCOME = "crash.unknown-outcome"

# Another attempt cannot help: the request itself is wrong, or a person has said no.
_HOPELESS = ("http.4*", "expression.*", "task.*", "input.*", "adapter.*", "cancelled")
_WORTH_IT = ("http.408", "http.425", "http.429")


class Retry(NamedTuple):
    """A retry policy. Delays are milliseconds; `max_retries` counts retries, so 3 means up to 4 attempts.

    `jitter` is the share of the delay, 0 to 1, by which it is moved either way after it was capped.
    `on` and `never` are patterns of error types.
    """

    policy: Policy = "none"
    max_retries: int = 0
    initial_delay: int = 1_000
    multiplier: float = 2.0
    max_delay: int = 60_000
    jitter: float = 0.2
    on: tuple[str, ...] = ()
    never: tuple[str, ...] = ()


def matches(patterns: tuple[str, ...], type: str) -> bool:
    return any(fnmatchcase(type, pattern) for pattern in patterns)


def is_retryable(retry: Retry, error: ErrorData) -> bool:
    """The author's word first (`never`, then `on`), then the service's own, then what is known of the type."""
    type = error["type"]
    if type == UNKNOWN_OUTCOME or matches(retry.never, type):
        return False
    if retry.on:
        return matches(retry.on, type)
    if "retryable" in error:
        return error["retryable"]
    return matches(_WORTH_IT, type) or not matches(_HOPELESS, type)


def choose(retries: tuple[Retry, ...], error: ErrorData) -> int | None:
    """The position of the first retrier that the error fits."""
    for index, retry in enumerate(retries):
        if retry.policy != "none" and is_retryable(retry, error):
            return index
    return None


def end_of(deadline: int | None, begun: str | None) -> datetime | None:
    """The instant that bounds all attempts, once the first has begun."""
    if deadline is None or begun is None:
        return None
    return parse_instant(begun) + timedelta(milliseconds=deadline)


def delay_ms(retry: Retry, retries: int, random: float) -> int:
    """The wait before retry number `retries` + 1. Capped first and jittered after, so that crowds at the cap spread."""
    capped = min(float(retry.max_delay), retry.initial_delay * _growth(retry, retries))
    return round(capped * (1 - retry.jitter + 2 * retry.jitter * random))


def _growth(retry: Retry, retries: int) -> float:
    if retry.policy == "linear":
        return retries + 1.0
    if retry.policy == "fixed":
        return 1.0
    try:
        return retry.multiplier**retries
    except OverflowError:
        return float("inf")


def next_due(
    retry: Retry, error: ErrorData, retries: int, failed_at: datetime, random: float, deadline: datetime | None
) -> datetime | None:
    """When the next attempt is due, or None if there is none. A wait that would outlast the deadline is not begun."""
    if retry.policy == "none" or retries >= retry.max_retries or not is_retryable(retry, error):
        return None
    wait = min(max(delay_ms(retry, retries, random), error.get("retryAfterMs", 0)), LONGEST_WAIT_MS)
    due = failed_at + timedelta(milliseconds=wait)
    return due if deadline is None or due < deadline else None

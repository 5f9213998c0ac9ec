"""What is written in a definition, as far as it needs reading."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Any

from wfrun.core.expression import parse_duration

Written = Mapping[str, Any]

# Another attempt cannot help, unless it is one of the others.
_HOPELESS = ("http.4*", "expression.*", "task.*", "input.*", "adapter.*", "cancelled")
_WORTH_IT = ("http.408", "http.425", "http.429")
_WEEK = 7 * 24 * 3600.0


def seconds(written: Any) -> float:
    return float(parse_duration(written) / 1000)


def limit(written: Any) -> float | None:
    """Seconds, where there may be no limit."""
    return None if written is None else seconds(written)


def listed(written: Any) -> list[Any]:
    return written if isinstance(written, list) else [written]


def fits(patterns: Any, type: str) -> bool:
    return any(fnmatchcase(type, pattern) for pattern in listed(patterns))


def share(written: int | str, total: int) -> int:
    """How many of `total` branches a `tolerate` means: a share is rounded down."""
    return written if isinstance(written, int) else int(total * float(written.removesuffix("%")) / 100)


@dataclass(frozen=True)
class Retrier:
    """When a failed attempt is followed by another. Jitter is left out: chance is always one half here."""

    policy: str = "none"
    retries: int = 0
    initial: float = 1.0
    multiplier: float = 2.0
    longest: float = 60.0
    on: tuple[str, ...] = ()
    never: tuple[str, ...] = ()

    def takes(self, error: Mapping[str, Any]) -> bool:
        """The author's word counts first, then the service's, then what is known of such errors."""
        if self.policy == "none" or error["type"] == "crash.unknown-outcome" or fits(list(self.never), error["type"]):
            return False
        if self.on:
            return fits(list(self.on), error["type"])
        if "retryable" in error:
            return bool(error["retryable"])
        return fits(list(_WORTH_IT), error["type"]) or not fits(list(_HOPELESS), error["type"])

    def delay(self, before: int, error: Mapping[str, Any]) -> float:
        growth = {"fixed": 1.0, "linear": before + 1.0}.get(self.policy, self.multiplier**before)
        asked: float = error.get("retryAfterMs", 0) / 1000
        return min(max(min(self.longest, self.initial * growth), asked), _WEEK)


def retriers(definition: Written, call: Written) -> list[Retrier]:
    """What holds for a call: what it says itself, completed by what the workflow says."""
    handling = definition.get("errorHandling", {})
    inherited = [Retrier()]
    if "retryPolicy" in handling or "maxRetries" in handling:
        usual = Retrier("exponential", handling.get("maxRetries", 3))
        inherited = [_retrier(each, usual) for each in listed(handling.get("retryPolicy", "exponential"))]
    if "retry" not in call:
        return inherited
    base = inherited[0] if len(inherited) == 1 and inherited != [Retrier()] else Retrier("exponential", 3)
    return [_retrier(each, base) for each in listed(call["retry"])]


def _retrier(written: Any, base: Retrier) -> Retrier:
    said: Written = {"policy": written} if isinstance(written, str) else written
    return replace(
        base,
        policy=said.get("policy", "exponential" if base.policy == "none" else base.policy),
        retries=said.get("maxRetries", base.retries),
        initial=seconds(said["initialDelay"]) if "initialDelay" in said else base.initial,
        multiplier=said.get("multiplier", base.multiplier),
        longest=seconds(said["maxDelay"]) if "maxDelay" in said else base.longest,
        on=tuple(said.get("on", base.on)),
        never=tuple(said.get("never", base.never)),
    )


def steps_in(written: Any) -> list[Written]:
    """Every step of a definition or of a part of it, wherever it stands."""
    if isinstance(written, list):
        return [step for each in written for step in steps_in(each)]
    if not isinstance(written, Mapping):
        return []
    inner = [written.get(key) for key in ("steps", "then", "else", "finally", "cases", "catch", "onError")]
    return [written, *(step for each in inner for step in steps_in(each))]

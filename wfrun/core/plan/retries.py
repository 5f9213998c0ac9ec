"""What is written about retries, and what is inherited."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wfrun.core.definition import Path
from wfrun.core.plan.draft import Draft
from wfrun.core.retry import Retry

# What is not retried at all, and what a policy is that says nothing but that something is retried.
_NEVER = Retry()
_USUAL = Retry(max_retries=3)


def inherited(draft: Draft, handling: Mapping[str, Any]) -> tuple[Retry, ...]:
    """What every call inherits. Nothing is retried unless the author says so in some way."""
    if "retryPolicy" not in handling and "maxRetries" not in handling:
        return (_NEVER,)
    base = _USUAL._replace(max_retries=handling.get("maxRetries", _USUAL.max_retries))
    return _retries(draft, handling.get("retryPolicy", "exponential"), ("errorHandling", "retryPolicy"), base)


def of_call(draft: Draft, data: Mapping[str, Any], path: Path) -> tuple[Retry, ...]:
    """What a call says itself; where it leaves something out, the one policy of the workflow holds, if it has one."""
    if "retry" not in data:
        return draft.retries
    base = _USUAL if draft.retries == (_NEVER,) or len(draft.retries) > 1 else draft.retries[0]
    return _retries(draft, data["retry"], (*path, "retry"), base)


def _retries(draft: Draft, written: Any, path: Path, base: Retry) -> tuple[Retry, ...]:
    if isinstance(written, list):
        return tuple(_retry(draft, item, (*path, index), base) for index, item in enumerate(written))
    return (_retry(draft, written, path, base),)


def _retry(draft: Draft, written: Any, path: Path, base: Retry) -> Retry:
    """`written` is the name of a policy or a mapping; what it leaves out is that of `base`."""
    mapping: dict[str, Any] = {"policy": written} if isinstance(written, str) else written
    assumed = "exponential" if base.policy == "none" else base.policy
    initial = draft.duration(mapping, "initialDelay", path)
    longest = draft.duration(mapping, "maxDelay", path)
    return Retry(
        policy=mapping.get("policy", assumed),
        max_retries=mapping.get("maxRetries", base.max_retries),
        initial_delay=base.initial_delay if initial is None else initial,
        multiplier=mapping.get("multiplier", base.multiplier),
        max_delay=base.max_delay if longest is None else longest,
        jitter=mapping.get("jitter", base.jitter),
        on=tuple(mapping.get("on", base.on)),
        never=tuple(mapping.get("never", base.never)),
    )

"""A reason: what happened to a step, why, and the values that it was decided on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypeAlias, TypedDict

from wfrun.core.values import Json

What: TypeAlias = Literal[
    "taken",
    "not-taken",
    "runs",
    "skipped",
    "decided",
    "called",
    "completed",
    "cancelled",
    "failed",
    "iterates",
    "sets",
    "asked",
    "timed-out",
    "escalated",
    "withdrawn",
    "waits",
    "emits",
    "emitted",
    "ended",
    "undone",
    "retried",
    "took",
    "refused",
    "handled",
    "pending",
    "not-reached",
    "paused",
    "repaired",
    "inside",
    "cause",
    "not-undone",
    "interrupted",
    "unknown",
]


class Reason(TypedDict):
    """`step` is the instance that it is about, null for the execution; `what` a word that programs can compare.

    `values` are the operands of a condition by their paths, or other facts by their names.
    """

    step: str | None
    what: What
    why: str
    at: str | None
    values: dict[str, Json]


def reason(step: str | None, what: What, why: str, at: str | None, values: Mapping[str, Any] | None = None) -> Reason:
    return {"step": step, "what": what, "why": why, "at": at, "values": dict(values or {})}

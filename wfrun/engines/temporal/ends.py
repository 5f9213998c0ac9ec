"""How an execution ended, in what its workflow ended with. Whoever only looks needs no more of the workflow."""

from __future__ import annotations

from typing import Any

from temporalio.exceptions import ApplicationError, CancelledError


def end_of(cause: BaseException | None) -> dict[str, Any]:
    """How an execution ended, from the failure that its workflow ended with."""
    if isinstance(cause, ApplicationError) and cause.details:
        return dict(cause.details[0])
    status = "cancelled" if isinstance(cause, CancelledError) else "failed"
    return {"status": status, "error": {"type": "temporal.terminated", "message": str(cause)}}

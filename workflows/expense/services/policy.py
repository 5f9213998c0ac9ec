"""The policy: what may be claimed, and how much of it without asking."""

from typing import Any

from wfrun import ServiceError
from wfrun.sandbox import Call, Fields, amount, cents

from . import world

policy = world.system("policy")


@policy.action("POST /checks")
def check_expense(input: Fields, call: Call) -> dict[str, Any]:
    """`{category, amount}` → `{amount, limit}`, or `policy.violation`."""
    row = call.one("SELECT limit_cents FROM policy WHERE category = ?", input["category"])
    if row is None:
        raise _violation(f"{input['category']!r} is no category of expense")
    if not 0 < cents(input["amount"]) <= row[0]:
        raise _violation(f"{input['category']} is paid up to {amount(row[0]):.2f}, and above 0")
    return {"amount": input["amount"], "limit": amount(row[0])}


def _violation(message: str) -> ServiceError:
    return ServiceError("policy.violation", message, status=422, retryable=False)

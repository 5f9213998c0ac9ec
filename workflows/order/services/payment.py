"""Payment: charges a card once for each reference, and gives the money back."""

from typing import Any

from wfrun import ServiceError
from wfrun.sandbox import Call, Fields, amount, cents

from . import world

payment = world.system("payment")

DECLINED_TOKEN = "tok_declined"


@payment.action("POST /charges")
def charge(input: Fields, call: Call) -> dict[str, Any]:
    """`{reference, customer, token, amount}` → `{chargeId, amount}`, or `payment.declined`."""
    reference, sum_cents = input["reference"], cents(input["amount"])
    if input["token"] == DECLINED_TOKEN:
        raise ServiceError("payment.declined", "the card was declined", status=402, retryable=False)
    row = (reference, input["customer"], sum_cents, call.now)
    call.db.execute("INSERT INTO charges VALUES (?, ?, ?, ?, NULL)", row)
    return {"chargeId": f"ch-{reference}", "amount": amount(sum_cents)}


@payment.undoes("charge", "POST /charges/{reference}/refund")
def refund(input: Fields, call: Call) -> dict[str, Any]:
    """`{reference}` → `{refunded}`: the amount, 0 when nothing was charged. A charge that comes later is refused."""
    back = "UPDATE charges SET refunded_at = ? WHERE reference = ? AND refunded_at IS NULL RETURNING amount_cents"
    row = call.one(back, call.now, input["reference"])
    return {"refunded": amount(row[0]) if row else 0}

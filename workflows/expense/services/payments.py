"""Payments: reimburses an employee once for each reference, and can take it back."""

from typing import Any

from wfrun.sandbox import Call, Fields, amount, cents

from . import world

payments = world.system("payments")


@payments.action("POST /payments")
def reimburse(input: Fields, call: Call) -> dict[str, Any]:
    """`{reference, employee, amount}` → `{paymentId, amount}`."""
    row = (input["reference"], input["employee"], cents(input["amount"]), call.now)
    call.db.execute("INSERT INTO payments VALUES (?, ?, ?, ?, NULL)", row)
    return {"paymentId": f"pay-{input['reference']}", "amount": input["amount"]}


@payments.undoes("reimburse", "POST /payments/{reference}/reversal")
def reverse_payment(input: Fields, call: Call) -> dict[str, Any]:
    """`{reference}` → `{reversed}`: the amount, 0 when nothing was paid."""
    back = "UPDATE payments SET reversed_at = ? WHERE reference = ? AND reversed_at IS NULL RETURNING amount_cents"
    row = call.one(back, call.now, input["reference"])
    return {"reversed": amount(row[0]) if row else 0}

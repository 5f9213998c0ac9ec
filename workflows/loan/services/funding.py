"""Funding: pays the loan out once for each reference, and can take it back."""

from typing import Any

from wfrun.sandbox import Call, Fields, amount, cents

from . import world

funding = world.system("funding-service")


@funding.action("POST /disbursements")
def disburse_funds(input: Fields, call: Call) -> dict[str, Any]:
    """`{reference, amount, rate}` → `{transactionId, amount}`."""
    row = (input["reference"], cents(input["amount"]), input["rate"], call.now)
    call.db.execute("INSERT INTO disbursements VALUES (?, ?, ?, ?, NULL)", row)
    return {"transactionId": f"tx-{input['reference']}", "amount": input["amount"]}


@funding.undoes("disburseFunds", "POST /disbursements/{reference}/reversal")
def reverse_disbursement(input: Fields, call: Call) -> dict[str, Any]:
    """`{reference}` → `{reversed}`: the amount, 0 when nothing was paid out. A payment that comes later is refused."""
    back = "UPDATE disbursements SET reversed_at = ? WHERE reference = ? AND reversed_at IS NULL RETURNING amount_cents"
    row = call.one(back, call.now, input["reference"])
    return {"reversed": amount(row[0]) if row else 0}

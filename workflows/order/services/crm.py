"""The CRM: what each customer bought."""

from typing import Any

from wfrun.sandbox import Call, Fields, amount, cents

from . import world

crm = world.system("crm")

LIFETIME = "SELECT sum(total_cents) FROM purchases WHERE customer = ? AND retracted_at IS NULL"


@crm.action("POST /purchases")
def record_purchase(input: Fields, call: Call) -> dict[str, Any]:
    """`{reference, customer, total}` → `{customer, lifetimeValue}`."""
    row = (input["reference"], input["customer"], cents(input["total"]), call.now)
    call.db.execute("INSERT INTO purchases VALUES (?, ?, ?, ?, NULL)", row)
    lifetime = call.one(LIFETIME, input["customer"])
    return {"customer": input["customer"], "lifetimeValue": amount(lifetime[0] if lifetime else 0)}


@crm.undoes("recordPurchase", "POST /purchases/{reference}/retraction")
def retract_purchase(input: Fields, call: Call) -> dict[str, Any]:
    """`{reference}` → `{retracted}`: whether there was one."""
    sql = "UPDATE purchases SET retracted_at = ? WHERE reference = ? AND retracted_at IS NULL"
    return {"retracted": call.db.execute(sql, (call.now, input["reference"])).rowcount == 1}

"""The warehouse: takes goods off the shelf for an order, and puts them back."""

from typing import Any

from wfrun import ServiceError
from wfrun.sandbox import Call, Fields

from . import world

warehouse = world.system("warehouse")

TAKE = "UPDATE stock SET available = available - ?1 WHERE sku = ?2 AND available >= ?1"


@warehouse.action("POST /reservations")
def reserve(input: Fields, call: Call) -> dict[str, Any]:
    """`{reference, items: [{sku, quantity}]}` → `{reservationId, items}`: all of the items, or none."""
    reference, items = input["reference"], input.objects("items")
    for item in items:
        if call.db.execute(TAKE, (item["quantity"], item["sku"])).rowcount != 1:
            message = f"fewer than {item['quantity']} of {item['sku']} are left"
            raise ServiceError("warehouse.out-of-stock", message, status=409, retryable=False)
        row = (reference, item["sku"], item["quantity"], call.now)
        call.db.execute("INSERT INTO reservations VALUES (?, ?, ?, ?, NULL)", row)
    return {"reservationId": f"res-{reference}", "items": len(items)}


@warehouse.undoes("reserve", "POST /reservations/{reference}/release")
def release(input: Fields, call: Call) -> dict[str, Any]:
    """`{reference}` → `{released}`: how many pieces went back. Nothing reserved is nothing to do, not an error."""
    back = "UPDATE reservations SET released_at = ? WHERE reference = ? AND released_at IS NULL RETURNING sku, quantity"
    pieces = call.db.execute(back, (call.now, input["reference"])).fetchall()
    for sku, quantity in pieces:
        call.db.execute("UPDATE stock SET available = available + ? WHERE sku = ?", (quantity, sku))
    return {"released": sum(quantity for _, quantity in pieces)}

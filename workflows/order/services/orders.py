"""Order management: knows what a correct order is."""

from typing import Any

from wfrun import ServiceError
from wfrun.sandbox import Call, Fields, amount, cents

from . import world

orders = world.system("orders")


@orders.action("POST /validations")
def validate(input: Fields, call: Call) -> dict[str, Any]:
    """`{order}` → `{orderId, items, total}`. The parts of an order must add up to its total, to the cent."""
    order = input.object("order")
    items = order.objects("items")
    if not items or not all(type(item["quantity"]) is int and item["quantity"] > 0 for item in items):
        raise ServiceError(
            "order.invalid", "an order has items, each with a quantity above 0", status=422, retryable=False
        )
    goods = sum(cents(item["unitPrice"]) * item["quantity"] for item in items)
    parts = goods + cents(order["shipping"]) + cents(order["tax"])
    if parts != cents(order["total"]):
        message = f"the total is {order['total']:.2f}, but items, shipping and tax add up to {amount(parts):.2f}"
        raise ServiceError("order.total-mismatch", message, status=422, retryable=False)
    return {"orderId": order["id"], "items": len(items), "total": amount(parts)}

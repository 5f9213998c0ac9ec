"""Inventory: the books. It knows how many there are, and gives none away."""

from typing import Any

from wfrun import ServiceError
from wfrun.sandbox import Call, Fields

from . import world

inventory = world.system("inventory")


@inventory.action("POST /checks")
def check_availability(input: Fields, call: Call) -> dict[str, Any]:
    """`{items: [{sku, quantity}]}` → `{available: {sku: number in stock}}`, or `inventory.out-of-stock`."""
    items = input.objects("items")
    available = {item["sku"]: _in_stock(item["sku"], call) for item in items}
    short = [item["sku"] for item in items if item["quantity"] > available[item["sku"]]]
    if short:
        message = f"not enough in stock: {', '.join(short)}"
        raise ServiceError("inventory.out-of-stock", message, status=409, details=available, retryable=False)
    return {"available": available}


def _in_stock(sku: str, call: Call) -> int:
    row = call.one("SELECT available FROM stock WHERE sku = ?", sku)
    if row is None:
        raise ServiceError("inventory.unknown-item", f"there is no item {sku!r}", status=404, retryable=False)
    return int(row[0])

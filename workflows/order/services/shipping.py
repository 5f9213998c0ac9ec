"""Shipping: books a parcel, and calls it back while it has not left."""

from hashlib import sha256
from typing import Any

from wfrun.sandbox import Call, Fields

from . import world

shipping = world.system("shipping")


@shipping.action("POST /shipments")
def create_shipment(input: Fields, call: Call) -> dict[str, Any]:
    """`{reference, address: {city, …}}` → `{trackingNumber, city}`."""
    reference, city = input["reference"], input.object("address")["city"]
    tracking = "1Z" + sha256(reference.encode()).hexdigest()[:10].upper()
    call.db.execute("INSERT INTO shipments VALUES (?, ?, ?, ?, NULL)", (reference, tracking, city, call.now))
    return {"trackingNumber": tracking, "city": city}


@shipping.undoes("createShipment", "POST /shipments/{reference}/cancellation")
def cancel_shipment(input: Fields, call: Call) -> dict[str, Any]:
    """`{reference}` → `{cancelled}`: the tracking number, null when no parcel was booked."""
    back = "UPDATE shipments SET cancelled_at = ? WHERE reference = ? AND cancelled_at IS NULL RETURNING tracking"
    row = call.one(back, call.now, input["reference"])
    return {"cancelled": row[0] if row else None}

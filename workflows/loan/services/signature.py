"""Signature: has the contract signed."""

from typing import Any

from wfrun.sandbox import Call, Fields

from . import world

signature = world.system("signature-service")


@signature.action("POST /signatures")
def collect_signature(input: Fields, call: Call) -> dict[str, Any]:
    """`{reference, signer, documentId}` → `{signedAt}`."""
    row = (input["reference"], input["signer"], input["documentId"], call.now)
    call.db.execute("INSERT INTO signatures VALUES (?, ?, ?, ?)", row)
    return {"signedAt": call.now}

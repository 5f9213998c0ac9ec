"""E-mail: an outbox, for good news and bad."""

from typing import Any

from wfrun.sandbox import Call, Fields

from . import world

email = world.system("email-service")


@email.action("POST /rejections")
def send_rejection_email(input: Fields, call: Call) -> dict[str, Any]:
    """`{reference, to}` → `{messageId}`."""
    return _send(input, call, "About your application")


@email.action("POST /funding-notices")
def send_funding_email(input: Fields, call: Call) -> dict[str, Any]:
    """`{reference, to, transaction}` → `{messageId}`."""
    return _send(input, call, f"Your loan is on its way: {input['transaction']}")


def _send(input: Fields, call: Call, subject: str) -> dict[str, Any]:
    row = (input["reference"], input["to"], subject, call.now)
    call.db.execute("INSERT INTO outbox VALUES (?, ?, ?, ?)", row)
    return {"messageId": f"msg-{input['reference']}"}

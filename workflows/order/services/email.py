"""E-mail: an outbox. What was sent cannot be unsent, so it comes last."""

from typing import Any

from wfrun.sandbox import Call, Fields

from . import world

email = world.system("email")


@email.action("POST /messages")
def send_email(input: Fields, call: Call) -> dict[str, Any]:
    """`{reference, to, subject}` → `{messageId}`."""
    row = (input["reference"], input["to"], input["subject"], call.now)
    call.db.execute("INSERT INTO outbox VALUES (?, ?, ?, ?)", row)
    return {"messageId": f"msg-{input['reference']}"}

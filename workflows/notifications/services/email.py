"""E-mail."""

from typing import Any

from wfrun.sandbox import Call, Fields

from . import world
from .messages import record

email = world.system("email")


@email.action("POST /messages")
def send_email(input: Fields, call: Call) -> dict[str, Any]:
    """`{reference, to, text}` → `{channel, sentAt}`."""
    return record("email", input, call)

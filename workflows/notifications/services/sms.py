"""Text messages."""

from typing import Any

from wfrun.sandbox import Call, Fields

from . import world
from .messages import record

sms = world.system("sms")


@sms.action("POST /messages")
def send_sms(input: Fields, call: Call) -> dict[str, Any]:
    """`{reference, to, text}` → `{channel, sentAt}`."""
    return record("sms", input, call)

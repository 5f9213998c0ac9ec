"""Push messages to a phone."""

from typing import Any

from wfrun.sandbox import Call, Fields

from . import world
from .messages import record

push = world.system("push")


@push.action("POST /messages")
def send_push(input: Fields, call: Call) -> dict[str, Any]:
    """`{reference, to, text}` → `{channel, sentAt}`."""
    return record("push", input, call)

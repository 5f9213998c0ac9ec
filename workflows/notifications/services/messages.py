"""What the three channels share: a message is a row."""

from typing import Any

from wfrun.sandbox import Call, Fields


def record(channel: str, input: Fields, call: Call) -> dict[str, Any]:
    row = (input["reference"], channel, input["to"], input["text"], call.now)
    call.db.execute("INSERT INTO messages VALUES (?, ?, ?, ?, ?)", row)
    return {"channel": channel, "sentAt": call.now}

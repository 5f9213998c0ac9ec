"""The mock adapter's record: one JSON line when a call begins and one when it ends (schemas/calls.schema.json).

It is the oracle of tests: what a service has really seen, from every process that called it. Each line is one write to
a file opened for appending, so that lines of several processes do not mix and a killed process leaves whole lines.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, TypeAlias

from wfrun.adapters.contract import Call
from wfrun.core.values import canonical

Outcome: TypeAlias = Literal["result", "error", "cancelled", "died"]


class CallRecord:
    """An open record file. Raises OSError where it cannot be written."""

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def begin(self, call: Call) -> None:
        self._write(call, "begin", {"input": call.input})

    def end(self, call: Call, outcome: Outcome, error: str | None = None) -> None:
        """`effect` says whether the service did what it was asked to do, whoever came to know about it."""
        about = {"outcome": outcome, "effect": outcome in ("result", "died")}
        self._write(call, "end", about | ({"error": error} if error else {}))

    def _write(self, call: Call, phase: str, about: dict[str, object]) -> None:
        line = {
            "phase": phase,
            "time": datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z"),
            "pid": os.getpid(),
            "execution": call.execution,
            "step": call.step,
            "attempt": call.attempt,
            "key": call.idempotency_key,
            "service": call.service,
            "action": call.action,
        }
        os.write(self._descriptor, (canonical(line | about) + "\n").encode())

    def close(self) -> None:
        os.close(self._descriptor)

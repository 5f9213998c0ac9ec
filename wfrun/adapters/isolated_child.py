"""The other side of `isolated`: what runs in the process of one call."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from datetime import datetime
from math import inf
from pathlib import Path
from threading import Lock
from time import monotonic
from typing import Any, NoReturn

from wfrun.adapters.contract import Call, ServiceConfig
from wfrun.adapters.data import plain, sound
from wfrun.adapters.python import PythonService
from wfrun.core.values import canonical
from wfrun.errors import ExpressionError, ServiceError

_BEAT_S = 0.01
_ERROR_FIELDS = ("type", "message", "status", "details", "retry_after_ms", "retryable")


def answer() -> NoReturn:
    """The child's whole life."""
    channel = _Channel(os.dup(1))
    os.dup2(2, 1)
    request = json.loads(sys.stdin.buffer.read())
    deadline = request["call"]["deadline"]
    due = datetime.fromisoformat(deadline) if deadline else None
    call = Call(**request["call"] | {"deadline": due, "heartbeat": channel.beat})
    config = ServiceConfig(request["name"], request["settings"], Path(request["folder"]), _no_variable)
    outcome = asyncio.run(_perform(config, call))
    channel.end(canonical(outcome))
    sys.stdout.flush()
    sys.stderr.flush()
    # Threads that the function left running must not keep the process.
    os._exit(0)


class _Channel:
    """The parent's end of what was standard output: signs of life, and then the answer."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._lock = Lock()
        self._last = 0.0

    def beat(self) -> None:
        """A line end, which JSON allows before a value. Not each time: this may be called in an innermost loop."""
        with self._lock:
            now = monotonic()
            if now - self._last >= _BEAT_S:
                self._last = now
                os.write(self._descriptor, b"\n")

    def end(self, text: str) -> None:
        """Threads that the function left running cannot give any sign from now on."""
        with self._lock:
            self._last = inf
        with os.fdopen(self._descriptor, "w", encoding="utf-8") as file:
            file.write(text)


async def _perform(config: ServiceConfig, call: Call) -> dict[str, Any]:
    try:
        return {"result": plain(await PythonService(config).call(call))}
    except ServiceError as error:
        kept = sound(error)
        return {"error": {field: getattr(kept, field) for field in _ERROR_FIELDS}}


def _no_variable(kind: str, name: str) -> str:
    raise ExpressionError("expression.undefined", f"{kind}.{name} is not known here")

"""The other side of `isolated`: what runs in the process of one call."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from datetime import datetime
from pathlib import Path
from typing import Any, NoReturn

from wfrun.adapters.contract import Call, ServiceConfig
from wfrun.adapters.data import plain, sound
from wfrun.adapters.python import PythonService
from wfrun.core.values import canonical
from wfrun.errors import ExpressionError, ServiceError

_ERROR_FIELDS = ("type", "message", "status", "details", "retry_after_ms", "retryable")


def answer() -> NoReturn:
    """The child's whole life."""
    channel = os.dup(1)
    os.dup2(2, 1)
    request = json.loads(sys.stdin.buffer.read())
    deadline = request["call"]["deadline"]
    call = Call(**request["call"] | {"deadline": datetime.fromisoformat(deadline) if deadline else None})
    config = ServiceConfig(request["name"], request["settings"], Path(request["folder"]), _no_variable)
    outcome = asyncio.run(_perform(config, call))
    with os.fdopen(channel, "w", encoding="utf-8") as file:
        file.write(canonical(outcome))
    sys.stdout.flush()
    sys.stderr.flush()
    # Threads that the function left running must not keep the process.
    os._exit(0)


async def _perform(config: ServiceConfig, call: Call) -> dict[str, Any]:
    try:
        return {"result": plain(await PythonService(config).call(call))}
    except ServiceError as error:
        kept = sound(error)
        return {"error": {field: getattr(kept, field) for field in _ERROR_FIELDS}}


def _no_variable(kind: str, name: str) -> str:
    raise ExpressionError("expression.undefined", f"{kind}.{name} is not known here")

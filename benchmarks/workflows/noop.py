"""Services that do nothing: what is left is the cost of the engine."""

from __future__ import annotations

import os
import time
from typing import Any

# Set: the file into which `stop` writes the instant at which it was reached. Not set: `stop` ends the process there.
REACHED = "WFRUN_BENCHMARK_REACHED"


async def act(input: dict[str, Any]) -> dict[str, Any]:
    return {"ok": True}


async def undo(input: dict[str, Any]) -> dict[str, Any]:
    return {"undone": True}


async def refuse(input: dict[str, Any]) -> dict[str, Any]:
    raise RuntimeError("refused")


async def stop(input: dict[str, Any]) -> dict[str, Any]:
    """The step after many finished ones: the first process dies in it, the one that resumes says when it came here."""
    reached = os.environ.get(REACHED)
    if reached is None:
        os._exit(0)
    with open(reached, "w") as file:
        file.write(repr(time.monotonic()))
    return {"ok": True}

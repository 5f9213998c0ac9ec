"""What the tests of all adapters share: entries, calls, and a pool with one service."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from wfrun.adapters.contract import Call, ServiceConfig
from wfrun.adapters.registry import Services
from wfrun.core.values import Json
from wfrun.errors import ExpressionError

ROOT = Path(__file__).parents[3]
SECRET = "s3cr3t+value/with=signs"
VARIABLES = {("secret", "TOKEN"): SECRET, ("env", "REGION"): "eu-west", ("secret", "PIN"): "123"}


def variable(kind: str, name: str) -> str:
    if (kind, name) not in VARIABLES:
        raise ExpressionError("expression.undefined", f"{kind}.{name} is not set")
    return VARIABLES[kind, name]


def config(settings: Mapping[str, Any], folder: Path = Path(), name: str = "svc") -> ServiceConfig:
    return ServiceConfig(name, settings, folder, variable)


def a_call(
    action: str, input: Json = None, *, service: str = "svc", execution: str = "k7m2x9qd", attempt: int = 1
) -> Call:
    return Call(execution, "pay", attempt, f"{execution}/pay", service, action, input)


@asynccontextmanager
async def pool(settings: Mapping[str, Any], folder: Path = Path()) -> AsyncIterator[Services]:
    services = Services({"svc": config(settings, folder)})
    try:
        yield services
    finally:
        await services.close()


def ask(settings: Mapping[str, Any], action: str, input: Json = None, *, folder: Path = Path()) -> Json:
    """One call to a fresh service, from opening to closing."""

    async def once() -> Json:
        async with pool(settings, folder) as services:
            return await services.call(a_call(action, input))

    return asyncio.run(once())


async def until(condition: Callable[[], object], seconds: float = 5.0) -> None:
    """Waits for something that another thread, process or server does."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        await asyncio.sleep(0.01)


def alive(pid: int) -> bool:
    """Whether a process runs; a zombie does not."""
    try:
        os.kill(pid, 0)
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except (ProcessLookupError, FileNotFoundError):
        return False

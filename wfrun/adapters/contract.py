"""The contract between wfrun and a service: one asynchronous call."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from wfrun.core.values import Json
from wfrun.errors import Place


def _unheard() -> None:
    """A sign of life that nobody waits for."""


class Call(NamedTuple):
    """One attempt at one step. The key is the same for every attempt, process and machine (C5).

    `heartbeat()` is a sign of life: where the step asks for them, an attempt that gives none for a while is stopped. It
    costs next to nothing, and can be given from any thread. `lock` is the path of a file that the processes of the
    attempt are to inherit locked (see fence): so they are found if they outlive the runner.
    """

    execution: str
    step: str
    attempt: int
    idempotency_key: str
    service: str
    action: str
    input: Json
    deadline: datetime | None = None
    heartbeat: Callable[[], None] = _unheard
    lock: str | None = None


class Service(Protocol):
    """An opened service. A cancelled `call` must really stop what it began before the cancellation is passed on."""

    async def call(self, call: Call) -> Json:
        """The result as JSON. Raises ServiceError for every other answer; anything else is a defect of the adapter."""

    async def close(self) -> None: ...


class ServiceConfig(NamedTuple):
    """One entry of `services:`, as written.

    `settings` is the whole entry (with `adapter`), `folder` the one of the file it stands in: relative paths and
    modules are looked for there. `variable(kind, name)` answers `env` and `secret` references, raising ExpressionError.
    `locate` answers where in that file the value at a path of the entry stands; without it, only the path is told.
    """

    name: str
    settings: Mapping[str, Any]
    folder: Path
    variable: Callable[[str, str], str]
    locate: Callable[[tuple[str | int, ...]], Place] | None = None


OpenService = Callable[[ServiceConfig], Service]

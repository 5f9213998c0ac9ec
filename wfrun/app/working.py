"""Workers of the engine temporal, and a server to try them with."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from wfrun.adapters.contract import ServiceConfig
from wfrun.app.files import read_file
from wfrun.app.reading import DEFAULT_HOME
from wfrun.app.services import entries
from wfrun.app.variables import variable
from wfrun.engines.temporal.connection import Settings, connect
from wfrun.engines.temporal.devserver import Place, start
from wfrun.engines.temporal.worker import Load, work_until
from wfrun.load.definition import load_services

LOG = "temporal-log"
DATABASE = "temporal.sqlite"


def work(services: str | None, *, calls: int, cached: int, drain: float) -> int:
    """Until SIGTERM or SIGINT. Raises InvalidError for its services file, JournalError."""
    load = Load(calls, cached, drain)
    return _ended(asyncio.run(_work(services, load)))


def try_out(home: str | None, services: str | None, *, port: int, ui_port: int) -> int:
    """A server with a database in the state directory, and a worker, until SIGTERM or SIGINT."""
    folder = Path(home or os.environ.get("WFRUN_HOME") or DEFAULT_HOME)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return _ended(asyncio.run(_try_out(folder, services, Place(port, ui_port, str(folder / DATABASE)))))


async def _work(services: str | None, load: Load) -> None:
    settings = Settings.of_environment()
    namespace = await connect(settings)
    with _told_to_stop() as stopped:
        _say(f"working on task queue {settings.task_queue} of namespace {namespace.client.namespace}")
        await work_until(stopped, namespace, configuration(services), load)


async def _try_out(folder: Path, services: str | None, place: Place) -> None:
    with (folder / LOG).open("ab") as log:
        server = await start(place, log)
    os.environ["TEMPORAL_ADDRESS"] = place.address
    try:
        _say(f"Temporal on {place.address}, its pages on http://127.0.0.1:{place.ui_port}, its data in {folder}")
        _say(f"try: wfrun run WORKFLOW --engine temporal --address {place.address}")
        await _work(services, Load(drain=0))
    finally:
        server.terminate()
        await server.wait()


@contextmanager
def _told_to_stop() -> Iterator[asyncio.Event]:
    """The first signal is heard; a second one ends the process at once."""
    loop, stopped = asyncio.get_running_loop(), asyncio.Event()
    both = (signal.SIGINT, signal.SIGTERM)

    def hear() -> None:
        stopped.set()
        for number in both:
            loop.remove_signal_handler(number)
            signal.signal(number, signal.SIG_DFL)

    for number in both:
        loop.add_signal_handler(number, hear)
    yield stopped


def configuration(override: str | None) -> Callable[[str, Any, Path], ServiceConfig | None]:
    """What a worker goes by: the entries of its services file and, for services that are not in there, those that the
    definition has. Raises InvalidError, NotFoundError."""
    own = {} if override is None else entries(load_services(read_file(override, "the services file"), override))

    def configure(name: str, entry: Any, folder: Path) -> ServiceConfig | None:
        return own.get(name) or (None if entry is None else ServiceConfig(name, entry, folder, variable))

    return configure


def _say(line: str) -> None:
    print(line, flush=True)


def _ended(_: None) -> int:
    """The library's own threads may not survive the end of the interpreter: there is nothing left to do in it."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)

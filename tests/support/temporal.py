"""A Temporal dev server of one's own, on a free port of the loopback, for as long as it is needed."""

from __future__ import annotations

import asyncio
import os
import subprocess
import time
from collections.abc import Callable, Coroutine, Iterable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex
from threading import Thread
from typing import Any, TypeVar

from temporalio.client import Client
from temporalio.converter import DataConverter
from temporalio.service import RPCError

from wfrun.app.elsewhere import RemoteHome
from wfrun.app.temporal import TemporalWorkers
from wfrun.app.working import configuration
from wfrun.engines.temporal.client import Namespace
from wfrun.engines.temporal.codec import Claims, store_at
from wfrun.engines.temporal.devserver import Place, command, free_port
from wfrun.engines.temporal.files import JournalFiles
from wfrun.engines.temporal.worker import Load, work_until

T = TypeVar("T")

STARTS_WITHIN_S = 60


class Server:
    """`database` is a file, for a server that is to be started again; `settings` are its own, as `key=value`."""

    def __init__(self, folder: Path, database: Path | None = None, settings: Iterable[str] = ()) -> None:
        self._settings = [f"--dynamic-config-value={setting}" for setting in settings]
        self.place = Place(free_port(), database=None if database is None else str(database))
        self._log = folder / "temporal.log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [*command(self.place), *self._settings], stdout=log, stderr=log, stdin=subprocess.DEVNULL
            )
        asyncio.run(self.client())

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    async def client(self, blobs: Path | str | None = None) -> Client:
        """Once the server answers, also questions to visibility."""
        converter = DataConverter(payload_codec=Claims(None if blobs is None else store_at(str(blobs))))
        until = time.monotonic() + STARTS_WITHIN_S
        while True:
            try:
                client = await Client.connect(self.place.address, data_converter=converter)
                async for _ in client.list_workflows("WfrunStatus = 'running'", limit=1):
                    break
            except (RPCError, RuntimeError):
                assert time.monotonic() < until, self._log.read_text()
                await asyncio.sleep(0.1)
            else:
                return client

    @property
    def environment(self) -> dict[str, str]:
        """For commands that are to run on it."""
        return {**os.environ, "WFRUN_ENGINE": "temporal", "TEMPORAL_ADDRESS": self.place.address}


@contextmanager
def serving(folder: Path, database: Path | None = None, settings: Iterable[str] = ()) -> Iterator[Server]:
    server = Server(folder, database, settings)
    server.start()
    try:
        yield server
    finally:
        server.kill()


class Engine:
    """The engine temporal as commands have it, with a worker in a thread unless it is to have none.

    Each has a task queue of its own. `services` is the services file of the worker.
    """

    def __init__(self, server: Server, services: Path | None = None, *, blobs: Path | str | None = None) -> None:
        self._server = server
        self._services = services
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.queue = f"queue-{token_hex(4)}"
        self.namespace = Namespace(self.ask(server.client(blobs)), self.queue)
        self._stopped = asyncio.Event()
        self._working: Future[None] | None = None

    @property
    def environment(self) -> dict[str, str]:
        """For commands that are to run on it."""
        return {**self._server.environment, "TEMPORAL_TASK_QUEUE": self.queue}

    def home(self) -> RemoteHome:
        """As a process has it that has just begun."""
        return RemoteHome(
            "/temporal", JournalFiles(self.namespace, self.ask), TemporalWorkers(self.namespace, self.ask)
        )

    def ask(self, question: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(question, self._loop).result(60)

    def work(self) -> None:
        configure = configuration(None if self._services is None else str(self._services))
        work = work_until(self._stopped, self.namespace, configure, Load(drain=0))
        self._working = self.begin(work)

    def begin(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def soon(self, act: Callable[[], object]) -> None:
        self._loop.call_soon_threadsafe(act)

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._stopped.set)
        if self._working is not None:
            self._working.result(60)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


@contextmanager
def working(server: Server, services: Path | None = None, *, blobs: Path | str | None = None) -> Iterator[Engine]:
    engine = Engine(server, services, blobs=blobs)
    engine.work()
    try:
        yield engine
    finally:
        engine.close()


def soon(holds: Callable[[], bool]) -> None:
    """What is found by its attributes is found a moment after it is so."""
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.1)

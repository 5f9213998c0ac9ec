"""A Temporal dev server of one's own, on a free port of the loopback, for as long as it is needed."""

from __future__ import annotations

import asyncio
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from temporalio.client import Client
from temporalio.converter import DataConverter
from temporalio.service import RPCError

from wfrun.engines.temporal.codec import Claims, Folder
from wfrun.engines.temporal.devserver import Place, command, free_port

STARTS_WITHIN_S = 60


class Server:
    """`database` is a file, for a server that is to be started again."""

    def __init__(self, folder: Path, database: Path | None = None) -> None:
        self.place = Place(free_port(), database=None if database is None else str(database))
        self._log = folder / "temporal.log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(command(self.place), stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        asyncio.run(self.client())

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    async def client(self, blobs: Path | None = None) -> Client:
        """Once the server answers, also questions to visibility."""
        converter = DataConverter(payload_codec=Claims(None if blobs is None else Folder(str(blobs))))
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
def serving(folder: Path, database: Path | None = None) -> Iterator[Server]:
    server = Server(folder, database)
    server.start()
    try:
        yield server
    finally:
        server.kill()

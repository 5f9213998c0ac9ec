"""`python -m benchmarks.temporal`: the same saga of seven steps as a wfrun file and written by hand, on one dev server.

Both are measured in turns, in one process, each with a worker of its own with the same limits. What counts is the
ratio; and, per execution of the file, what the server keeps of it.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from secrets import token_hex
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from temporalio.client import Client
from temporalio.converter import DataConverter
from temporalio.worker import Worker

from benchmarks.temporal_jobs import STEPS, Saga, do, undo
from wfrun.adapters.contract import ServiceConfig
from wfrun.app.starting import first_event
from wfrun.app.variables import variable
from wfrun.app.watching import carried
from wfrun.app.workflows import open_workflow
from wfrun.engines.temporal.activities import Activities
from wfrun.engines.temporal.client import Namespace
from wfrun.engines.temporal.codec import Claims
from wfrun.engines.temporal.devserver import Place, free_port, start
from wfrun.engines.temporal.worker import Load, make_worker

SOURCE = f"""
name: saga
input: {{id: string}}
services: {{shop: {{adapter: mock, default: {{result: {{done: yes}}}}}}}}
errorHandling: {{retryPolicy: exponential, maxRetries: 3, timeout: 5m}}
steps:
{"".join(f"  - {{name: step-{n}, service: shop, action: do, input: $, output: out{n}}}{chr(10)}" for n in range(STEPS))}
output: $.out{STEPS - 1}
compensations:
{"".join(f"  step-{n}: {{service: shop, action: undo, input: $}}{chr(10)}" for n in range(STEPS))}
"""

Run = Callable[[str], Awaitable[Any]]


async def throughput(run: Run, count: int, at_once: int) -> float:
    """Executions per second."""
    turn = asyncio.Semaphore(at_once)

    async def one() -> None:
        async with turn:
            await run(token_hex(6))

    begun = time.perf_counter()
    await asyncio.gather(*(one() for _ in range(count)))
    return count / (time.perf_counter() - begun)


def configure(name: str, entry: Any, folder: Path) -> ServiceConfig:
    return ServiceConfig(name, entry, folder, variable)


async def measure(folder: Path, count: int, at_once: int, rounds: int) -> None:
    place = Place(free_port())
    with (folder / "server-log").open("ab") as log:
        server = await start(place, log)
    try:
        client = await Client.connect(place.address, data_converter=DataConverter(payload_codec=Claims()))
        namespace = Namespace(client, "wfrun")
        activities = Activities(namespace, configure)
        file = folder / "saga.yaml"
        file.write_text(SOURCE)
        flow = open_workflow(str(file), None)
        definitions, origin = carried(flow), {"file": str(file)}

        async def by_file(id: str) -> None:
            await namespace.start(first_event(id, flow, {"id": id}, origin, "", id), definitions)
            await namespace.end(id)

        async def by_hand(id: str) -> None:
            await client.execute_workflow(Saga.run, {"id": id}, id=id, task_queue="hand")

        hand = Worker(
            client,
            task_queue="hand",
            workflows=[Saga],
            activities=[do, undo],
            max_heartbeat_throttle_interval=timedelta(seconds=1),
        )
        async with make_worker(namespace, activities, Load()), hand:
            for run in (by_file, by_hand):
                await throughput(run, at_once, at_once)
            tell([[await throughput(run, count, at_once) for run in (by_file, by_hand)] for _ in range(rounds)])
            await namespace.start(first_event("one", flow, {"id": "one"}, origin, "", "one"), definitions)
            await namespace.end("one")
            history = await client.get_workflow_handle("one").fetch_history()
            size = sum(event.ByteSize() for event in history.events)
            print(f"one execution of the file: {len(history.events)} events, {size:,} bytes, {STEPS} activities")
    finally:
        server.terminate()
        await server.wait()


def tell(pairs: list[list[float]]) -> None:
    for file, hand in pairs:
        print(f"file {file:6.1f}/s   by hand {hand:6.1f}/s   ratio {file / hand:.2f}")
    print(f"median ratio {median(file / hand for file, hand in pairs):.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.temporal", description=__doc__)
    parser.add_argument("--count", type=int, default=200, help="executions in a round (%(default)s)")
    parser.add_argument("--at-once", type=int, default=50, help="executions at a time (%(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="rounds (%(default)s)")
    options = parser.parse_args()
    with TemporaryDirectory() as folder:
        asyncio.run(measure(Path(folder), options.count, options.at_once, options.rounds))


if __name__ == "__main__":
    main()

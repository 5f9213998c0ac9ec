"""The peer's program: the same work on DBOS with SQLite. It needs `dbos` and nothing else, and reports as jobs.py does.

    python dbos_jobs.py three    DATABASE
    python dbos_jobs.py sequence DATABASE STEPS
    python dbos_jobs.py order    DATABASE COUNT CONCURRENCY        (failing: the same)
    python dbos_jobs.py stop     DATABASE STEPS                    dies in the step after STEPS finished ones
    python dbos_jobs.py resume   DATABASE STEPS                    takes that execution up again

What is done for it: the SQLite database is in WAL mode, which is nearly twice as fast as DBOS's own default and as
durable; steps are plain functions in threads, which is faster than its asyncio way; the admin server is off; and only
the work is timed, not the launch.
"""

from __future__ import annotations

import json
import os
import sqlite3
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from dbos import DBOS, SetWorkflowID

Result = dict[str, bool]


def act(order: str) -> Result:
    return {"ok": True}


def undo(order: str) -> Result:
    return {"undone": True}


def refuse(order: str) -> Result:
    raise RuntimeError("refused")


def stop() -> Result:
    reached = os.environ.get("WFRUN_BENCHMARK_REACHED")
    if reached is None:
        os._exit(0)
    with open(reached, "w") as file:
        file.write(repr(time.monotonic()))
    return {"ok": True}


act_step, undo_step, refuse_step, stop_step = (DBOS.step()(function) for function in (act, undo, refuse, stop))


def sequence(steps: int) -> None:
    for number in range(steps):
        act_step(str(number))


def long_sequence(steps: int) -> None:
    sequence(steps)
    stop_step()


def order(id: str) -> None:
    for _ in range(7):
        act_step(id)


def failing(id: str) -> None:
    for _ in range(5):
        act_step(id)
    try:
        refuse_step(id)
    except RuntimeError:
        for _ in range(5):
            undo_step(id)
        raise


sequence_workflow, long_workflow, order_workflow, failing_workflow = (
    DBOS.workflow()(function) for function in (sequence, long_sequence, order, failing)
)


def launch(database: str) -> None:
    connection = sqlite3.connect(database)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.close()
    DBOS(
        config={
            "name": "benchmark",
            "system_database_url": f"sqlite:///{database}",
            "application_version": "1",
            "log_level": "CRITICAL",
            "run_admin_server": False,
        }
    )
    DBOS.launch()


def timed(work: Callable[[], Any], steps: int) -> dict[str, float]:
    begun = time.perf_counter()
    work()
    return {"seconds": time.perf_counter() - begun, "steps": steps}


def many(workflow: Callable[[str], Any], count: int, concurrency: int) -> None:
    def one(number: int) -> None:
        with suppress(RuntimeError):
            workflow(f"order-{number}")

    with ThreadPoolExecutor(concurrency) as threads:
        list(threads.map(one, range(count)))


def resume(steps: int) -> None:
    """Launching took it up already; it is waited for."""
    DBOS.retrieve_workflow("long").get_result()


def stop_after(steps: int) -> None:
    with SetWorkflowID("long"):
        long_workflow(steps)


def main(job: str, database: str, *numbers: str) -> None:
    launch(database)
    sizes = [int(number) for number in numbers]
    report: dict[str, float] = {}
    match job:
        case "three":
            sequence_workflow(3)
        case "sequence":
            report = timed(lambda: sequence_workflow(sizes[0]), sizes[0])
        case "order":
            report = timed(lambda: many(order_workflow, *sizes), 7 * sizes[0])
        case "failing":
            report = timed(lambda: many(failing_workflow, *sizes), 11 * sizes[0])
        case "stop":
            stop_after(sizes[0])
        case "resume":
            resume(sizes[0])
    print(json.dumps(report))
    sys.stdout.flush()
    DBOS.destroy()


if __name__ == "__main__":
    main(*sys.argv[1:])

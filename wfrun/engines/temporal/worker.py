"""A worker: a process that folds executions and makes their calls, as many at a time as it may."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import NamedTuple

from temporalio.worker import Worker

from wfrun.engines.temporal.activities import Activities, Configure
from wfrun.engines.temporal.client import Namespace
from wfrun.engines.temporal.workflow import Execution


class Load(NamedTuple):
    """How much a worker takes on: calls at a time, executions kept in memory, seconds for calls to end when it is told
    to stop. A call that is to stop hears of it with its next sign of life: `heard_within` so many seconds."""

    calls: int = 100
    cached: int = 1_000
    drain: float = 30.0
    heard_within: float = 1.0


def make_worker(
    namespace: Namespace, activities: Activities, load: Load, execution: type[Execution] = Execution
) -> Worker:
    """`debug_mode`, as folding a long journal anew takes longer than Temporal expects of a turn of a workflow."""
    return Worker(
        namespace.client,
        task_queue=namespace.task_queue,
        workflows=[execution],
        activities=activities.all,
        max_concurrent_activities=load.calls,
        max_cached_workflows=load.cached,
        graceful_shutdown_timeout=timedelta(seconds=load.drain),
        max_heartbeat_throttle_interval=timedelta(seconds=load.heard_within),
        default_heartbeat_throttle_interval=timedelta(seconds=load.heard_within),
        debug_mode=True,
    )


async def work_until(stopped: asyncio.Event, namespace: Namespace, configure: Configure, load: Load) -> None:
    """Calls that are out when it is told to stop have time to end."""
    activities = Activities(namespace, configure)
    try:
        async with make_worker(namespace, activities, load):
            await stopped.wait()
    finally:
        await activities.close()

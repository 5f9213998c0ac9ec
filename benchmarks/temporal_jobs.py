"""The peer on Temporal: a saga of seven steps, written by hand as its documentation has it. It imports nothing else."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from temporalio import activity, workflow
from temporalio.common import RetryPolicy

STEPS = 7


@activity.defn
async def do(order: dict[str, Any]) -> dict[str, Any]:
    return {"done": order["id"]}


@activity.defn
async def undo(order: dict[str, Any]) -> None:
    return None


@workflow.defn
class Saga:
    @workflow.run
    async def run(self, order: dict[str, Any]) -> dict[str, Any]:
        undos: list[Callable[..., Any]] = []
        done: dict[str, Any] = {}
        try:
            for _ in range(STEPS):
                done = await workflow.execute_activity(
                    do,
                    order,
                    start_to_close_timeout=timedelta(minutes=5),
                    heartbeat_timeout=timedelta(seconds=10),
                    retry_policy=RetryPolicy(maximum_attempts=4),
                )
                undos.append(undo)
        except Exception:
            for each in reversed(undos):
                await workflow.execute_activity(each, order, start_to_close_timeout=timedelta(minutes=5))
            raise
        return done

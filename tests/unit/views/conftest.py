"""Hand-made journals: a story is told record by record, one second apart."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

Record = dict[str, Any]
BEGIN = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


class Story:
    def __init__(self, execution: str = "k7m2x9qd", workflow: str = "order", steps: tuple[str, ...] = ()) -> None:
        self.execution = execution
        self.records: list[Record] = []
        self.add(
            "execution.started",
            format=1,
            execution=execution,
            workflow=workflow,
            version=2,
            definition="0" * 64,
            input={},
            seed="5eed",
            initiator="ada",
            steps=list(steps),
            origin={"file": "order.yaml"},
        )

    def add(self, type: str, **fields: Any) -> Story:
        at = BEGIN + timedelta(seconds=len(self.records))
        envelope = {"seq": len(self.records) + 1, "at": at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"), "prev": "0" * 64}
        self.records.append({**envelope, "type": type, **fields})
        return self

    def driven(self, epoch: int = 1) -> Story:
        return self.add("driver.started", epoch=epoch, host="mill", pid=4711, wfrun="0.1.0")

    def begin(self, step: str, attempt: int = 1, epoch: int = 1) -> Story:
        key = f"{self.execution}/{step}"
        return self.add(
            "step.started",
            step=step,
            attempt=attempt,
            service="shop",
            action="act",
            key=key,
            inputHash="0" * 64,
            epoch=epoch,
        )

    def complete(self, step: str, attempt: int = 1, result: Any = None) -> Story:
        return self.add("step.completed", step=step, attempt=attempt, result=result)

    def call(self, step: str, result: Any = None) -> Story:
        return self.begin(step).complete(step, result=result)

    def fail(self, step: str, type: str = "payment.declined", attempt: int = 1) -> Story:
        error = {"type": type, "message": "no", "step": step, "attempt": attempt}
        return self.add("step.failed", step=step, attempt=attempt, error=error, random=0.5)

    def retry(self, step: str, due: str = "2026-11-23T10:00:00.000000Z") -> Story:
        return self.add("timer.started", timer=f"{step}#1!retry", step=step, due=due, reason="retry")

    def ask(self, step: str, quorum: int = 1, due: str | None = None) -> Story:
        return self.add(
            "task.created",
            task=f"{self.execution}/{step}",
            step=step,
            title="Approve the loan",
            description="",
            assignee={"groups": ["loan-managers"], "users": ["kim"]},
            form={},
            decisions=["approved", "rejected"],
            quorum=quorum,
            excludeInitiator=False,
            data={"amount": 5},
            due=due,
        )

    def decide(self, step: str, decision: str = "approved", by: str = "kim") -> Story:
        task = f"{self.execution}/{step}"
        return self.add("task.decided", task=task, decision=decision, by=by, comment="fine", data={})

    def each(self, loop: str, count: int, *steps: str) -> Story:
        return self.add("foreach.started", step=loop, count=count, steps=list(steps))

    def nap(self, step: str, due: str = "2026-11-23T12:00:00.000000Z") -> Story:
        return self.add("timer.started", timer=f"{step}!wait", step=step, due=due, reason="wait")

    def listen(self, step: str, *events: str, complete: int | None = None) -> Story:
        count = len(events) if complete is None else complete
        return self.add("wait.started", wait=f"{step}!event", step=step, events=list(events), complete=count)

    def receive(self, id: str, type: str) -> Story:
        event = {"id": id, "type": type, "source": "shop", "time": self.records[-1]["at"], "data": None}
        return self.add("event.received", event=event)

    def match(self, step: str, *, listener: int = 0, value: bool = True) -> Story:
        matter = {"listener": listener, "event": f"e{listener}", "value": value, "operands": {}}
        return self.add("event.matched", wait=f"{step}!event", step=step, **matter)

    def child(self, step: str, workflow: str = "shipping", *, detach: bool = False) -> Story:
        child = f"{self.execution}.{step.replace('@', '.')}"
        return self.add("child.started", step=step, child=child, workflow=workflow, input={}, detach=detach)

    def child_ended(self, step: str, status: str = "completed", **fields: Any) -> Story:
        child = f"{self.execution}.{step.removeprefix('compensate:').replace('@', '.')}"
        return self.add("child.ended", step=step, child=child, status=status, **fields)

    def pause(self, step: str) -> Story:
        return self.add("execution.paused", error={"type": "payment.declined", "message": "no", "step": step})

    def repair(self, action: str, dropped: list[int], undo: tuple[str, ...] = (), **fields: Any) -> Story:
        told = {"by": "kim", "reason": "", "dropped": dropped, "undo": list(undo), **fields}
        return self.add("repair.requested", action=action, **told)

    def end(self, status: str, **fields: Any) -> Story:
        return self.add("execution.ended", status=status, **fields)


StoryMaker = Callable[..., Story]


@pytest.fixture
def story() -> StoryMaker:
    return Story

"""Views as the folds give them, told record by record."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from wfrun.views.model import StatusView
from wfrun.views.status import status_of

Record = dict[str, Any]


class Tale:
    """A journal of an order, one second between records."""

    def __init__(self, *steps: str, workflow: str = "order") -> None:
        self.records: list[Record] = []
        self.add(
            "execution.started",
            format=1,
            execution="k7m2x9qd",
            workflow=workflow,
            version=2,
            definition="0" * 64,
            input={},
            seed="5eed",
            initiator="ada",
            steps=list(steps),
            origin={},
        )

    def add(self, type: str, **fields: Any) -> Tale:
        second = len(self.records)
        at = f"2026-11-23T09:{second // 60:02}:{second % 60:02}.000000Z"
        self.records.append({"seq": second + 1, "at": at, "prev": "0" * 64, "type": type, **fields})
        return self

    def begin(self, step: str, attempt: int = 1) -> Tale:
        call = {"service": "shop", "action": "act", "key": f"k7m2x9qd/{step}", "inputHash": "0" * 64, "epoch": 1}
        return self.add("step.started", step=step, attempt=attempt, **call)

    def call(self, step: str) -> Tale:
        return self.begin(step).add("step.completed", step=step, attempt=1, result=None)

    def fail(self, step: str, attempt: int = 1, message: str = "card declined") -> Tale:
        error = {"type": "payment.declined", "message": message}
        return self.add("step.failed", step=step, attempt=attempt, error=error, random=0.1)

    def lose(self, step: str) -> Tale:
        key, since = f"k7m2x9qd/{step}", self.records[-1]["at"]
        return self.add("step.unknown", step=step, attempt=1, key=key, since=since)

    def ask(self, step: str, **fields: Any) -> Tale:
        task: dict[str, Any] = {
            "task": f"k7m2x9qd/{step}",
            "step": step,
            "title": "Approve the loan",
            "description": "",
            "assignee": {"groups": ["loan-managers"]},
            "form": {},
            "decisions": ["approved", "rejected"],
            "quorum": 1,
            "excludeInitiator": False,
            "data": {"amount": 5},
            "due": "2026-11-24T09:00:00.000000Z",
        }
        return self.add("task.created", **{**task, **fields})

    def view(self, driven: bool | None = None) -> StatusView:
        return status_of(self.records, driven=driven)


@pytest.fixture
def tale() -> Callable[..., Tale]:
    return Tale

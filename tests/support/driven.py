"""Executions of which it is known who drives them, and whether that is to be believed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from tests.support.world import EPOCH, World
from wfrun.app.forms import checked_form
from wfrun.core.events import Record
from wfrun.core.instants import format_instant, parse_instant
from wfrun.core.plan import Plan
from wfrun.core.proof import Misfit, Prover


class Driven(World):
    """A world whose journal says who drives, and whose clock goes on to whatever is waited for."""

    now: datetime = EPOCH

    def add(self, event: Any) -> None:
        if event["type"] == "execution.started":
            # Nothing is begun before somebody drives.
            self._intending = True
            definition, listens = self.plan.document.sha256, [*self.plan.listens]
            self._append({**event, "definition": definition, "listens": listens})
            self._intending = False
            self._drive()
        else:
            if event["type"] == "repair.requested":
                self._drive()
            self._append(event)

    def _drive(self) -> None:
        self._append({"type": "driver.started", "epoch": self.run.epoch + 1, "host": "h", "pid": 1, "wfrun": "0"})

    def _append(self, event: Any) -> None:
        self.now += timedelta(seconds=1)
        if event["type"] == "timer.fired":
            self.now = max(self.now, parse_instant(self.run.recorded[event["timer"]]["due"]))
        if event["type"] == "step.started":
            event = {**event, "epoch": self.run.epoch}
        record = {**event, "seq": len(self.records) + 1, "at": format_instant(self.now), "prev": ""}
        self.records.append(record)
        self._intend(self.run.apply(record))

    def _with_due(self, effect: Any, intent: Any) -> Any:
        if getattr(effect, "timeout", None) is None or "due" not in intent:
            return intent
        return {**intent, "due": format_instant(self.now + timedelta(milliseconds=effect.timeout))}


def misfit(plan: Plan, records: Sequence[Record], plans: dict[str, Plan] | None = None) -> Misfit | None:
    return Prover(plan, {plan.document.sha256: plan, **(plans or {})}.__getitem__, checked_form, "0").prove(records)

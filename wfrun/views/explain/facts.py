"""An execution's records by the step that they are about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from wfrun.core.plan.sides import shown_names
from wfrun.views.iterations import split_instance
from wfrun.views.lineage import Place, places
from wfrun.views.naming import called, id_of, with_names
from wfrun.views.words import describe

if TYPE_CHECKING:
    from wfrun.core.events import Record
    from wfrun.core.plan.nodes import Plan
    from wfrun.views.model import StatusView, StepView


class StepFacts:
    """An execution's records by the step that they are about, with its status and, where it is known, its plan."""

    def __init__(self, records: Sequence[Record], view: StatusView, plan: Plan | None) -> None:
        self.records = records
        self.view = view
        self.plan = plan

    @cached_property
    def by_step(self) -> dict[str, list[Record]]:
        found: dict[str, list[Record]] = {}
        for record in self.records:
            found.setdefault(instance_of(record), []).append(record)
        return found

    @cached_property
    def places(self) -> dict[str, Place]:
        return {place.step.id: place for place in places(self.plan)} if self.plan else {}

    @cached_property
    def rows(self) -> dict[str, StepView]:
        return {row["step"]: row for row in self.view["steps"]}

    @cached_property
    def names(self) -> Mapping[str, str]:
        """What to call steps without a name."""
        return shown_names(self.plan.root) if self.plan else self.view["names"]

    def called(self, instance: str) -> str:
        return called(instance, self.names)

    def describe(self, record: Record) -> str:
        """What happened, in words, with steps called as people do."""
        return describe(with_names(record, self.names))

    @cached_property
    def timed_out(self) -> list[Record]:
        """The times of steps and blocks that have run out."""
        return [each for each in self.records if each["type"] == "timer.fired" and each["timer"].endswith("!timeout")]

    def known(self) -> list[str]:
        return [name for name in {**self.rows, **self.places, **self.by_step} if name and ":" not in name]

    def id_of(self, step: str) -> str:
        return id_of(step, self.names)

    def knows(self, step: str) -> bool:
        """Whether there is such a step; an instance of one in a loop also has to have been reached."""
        name, iteration = split_instance(step)
        if iteration:
            return step in self.by_step or any(each.startswith(f"{step}.") for each in self.by_step)
        return name in self.rows or name in self.places or name in self.by_step

    def status_of(self, step: str) -> str | None:
        name, iteration = split_instance(step)
        row = self.rows.get(name)
        if row is None or not iteration:
            return row["status"] if row else None
        shown = row.get("iterations", {}).get("shown", [])
        return next((each["status"] for each in shown if each["step"] == step), None) or _last_status(self.of(step))

    def of(self, step: str, *types: str) -> list[Record]:
        return [record for record in self.by_step.get(step, ()) if not types or record["type"] in types]

    def decision(self, step: str, of: str) -> Record | None:
        """The last one: a loop asks again and again."""
        found = [record for record in self.of(step, "decision.made") if record["of"] == of]
        return found[-1] if found else None


def instance_of(record: Record) -> str:
    if "step" in record and isinstance(record["step"], str):
        return record["step"]
    if isinstance(record.get("task"), str):
        return str(record["task"]).partition("/")[2]
    if "timer" in record:
        name = str(record["timer"]).rpartition("!")[0]
        return name.rpartition("#")[0] or name
    return ""


def _last_status(records: Sequence[Record]) -> str | None:
    words = {
        "step.completed": "completed",
        "step.failed": "failed",
        "step.cancelled": "cancelled",
        "task.expired": "timed-out",
        "task.withdrawn": "cancelled",
        "event.published": "completed",
    }
    found = [words[record["type"]] for record in records if record["type"] in words]
    asked = [record for record in records if record["type"] == "decision.made" and record["of"] == "step"]
    return found[-1] if found else "skipped" if asked and not asked[-1]["value"] else None

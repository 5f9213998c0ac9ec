"""The status against the interpreter: generated workflows, every prefix of the journals that they produce."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.plans import EVENTS, faults, workflows
from tests.support.world import World, document
from wfrun.core.effects import CallService, Listen, Publish, RecallChild, StartChild, StartPause
from wfrun.core.plan import compile_plan
from wfrun.core.run import Run
from wfrun.errors import ServiceError
from wfrun.views.iterations import ACTIVE, split_instance
from wfrun.views.model import StatusView, StepView
from wfrun.views.status import StatusFold, status_of
from wfrun.views.steps import COMPENSATE
from wfrun.views.timeline import timeline

Faults = dict[str, tuple[int, str]]


def world_of(definition: Any, faults: Faults, x: int, seed: int) -> World:
    def script(step: str, attempt: int, value: Any) -> Any:
        times, type = faults.get(step, (0, ""))
        if attempt <= times:
            raise ServiceError(type, "told to fail")
        return {"of": step}

    def decide(step: str) -> dict[str, Any]:
        return {"decision": "rejected" if step in faults else "approved", "by": "bob", "data": {}}

    plan = compile_plan(document(definition))[0]
    return World(plan, {"x": x}, script, seed, decide, events=EVENTS).finish()


def instances(rows: list[StepView]) -> Iterator[StepView]:
    """Every row that is shown: of a step in a loop, those of its iterations."""
    for row in rows:
        yield from row["iterations"]["shown"] if "iterations" in row else [row]


def standing(rows: list[StepView], *statuses: str) -> set[str]:
    return {row["step"] for row in instances(rows) if row["status"] in statuses}


def asked(run: Run, kind: Any) -> set[str]:
    """The steps of what is asked for, recorded, and not answered."""
    pending = (effect for effect in run.pending.values() if isinstance(effect, kind))
    return {effect.step for effect in pending if effect.id in run.recorded}


CASES = given(workflows(racy=True), faults(), st.integers(0, 9), st.integers())
MANY = settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


@CASES
@MANY
def test_every_moment_agrees_with_the_interpreter(definition: Any, faults: Faults, x: int, seed: int) -> None:
    world = world_of(definition, faults, x, seed)
    fold, run = StatusFold(), Run(world.plan)
    begun: set[str] = set()
    for record in world.records:
        fold.add(record)
        run.apply(record)
        if record["type"] == "step.started":
            begun.add(f"{record['step']}#{record['attempt']}")
        agree(fold.view(driven=False, child=lambda _: "waiting"), run, begun)


def agree(view: StatusView, run: Run, begun: set[str]) -> None:
    assert {task["task"] for task in view["tasks"]} == {id for id, task in run.tasks.items() if task.closed is None}
    assert {wait["step"] for wait in view["waits"] if wait["events"]} == asked(run, Listen)
    assert {wait["step"] for wait in view["waits"] if not wait["events"]} == asked(run, StartPause)
    recalled = {step.removeprefix(COMPENSATE) for step in asked(run, RecallChild)}
    open = {child["step"] for child in view["children"] if child["status"] == "waiting"}
    assert open == asked(run, StartChild) | recalled
    calls = {call.step for call in run.pending.values() if isinstance(call, CallService) and call.id in begun}
    undoing = {COMPENSATE + step for step in standing(view["compensations"], "running")}
    assert standing(view["steps"], "running") | undoing == calls | asked(run, Publish)
    assert 0 <= view["progress"]["done"] <= view["progress"]["total"]
    if run.ended:
        assert view["status"] == run.ended["status"]
    elif view["status"] == "waiting":
        assert not calls
        assert view["tasks"] or view["waits"] or view["children"]
    else:
        assert view["status"] == "interrupted"


@CASES
@MANY
def test_at_the_end_nothing_is_under_way(definition: Any, faults: Faults, x: int, seed: int) -> None:
    world = world_of(definition, faults, x, seed)
    view = status_of(world.records)
    open = (view["current"], view["tasks"], view["waits"], view["timers"])
    assert open == ([], [], [], [])
    assert not [row for row in instances([*view["steps"], *view["compensations"]]) if row["status"] in ACTIVE]
    assert {row["step"] for row in view["steps"]} == set(world.plan.step_names)
    if view["status"] == "completed":
        assert view["progress"]["done"] == view["progress"]["total"]
    for row in view["steps"]:
        if "iterations" not in row:
            assert (row["step"], row["status"]) in [(row["step"], status) for status in plausible(row["step"], world)]


def plausible(step: str, world: World) -> tuple[str, ...]:
    """What may have become of a step outside loops, by the last thing that happened to it."""
    undone = [r for r in world.records if r.get("step", "").partition("/")[0] == COMPENSATE + step]
    if undone and undone[-1]["type"] in ("step.completed", "child.ended"):
        return ("compensated",)
    last = next((r["type"] for r in reversed(world.records) if r.get("step") == step), "")
    return _OUTCOMES.get(last, ("completed", "failed", "skipped", "cancelled", "pending"))


_OUTCOMES = {
    "step.completed": ("completed",),
    "step.failed": ("failed",),
    "step.cancelled": ("cancelled",),
    "event.published": ("completed",),
    "wait.withdrawn": ("cancelled",),
}


@CASES
@MANY
def test_loops_are_counted(definition: Any, faults: Faults, x: int, seed: int) -> None:
    """Every instance that something became of is counted once, as what became of it."""
    world = world_of(definition, faults, x, seed)
    for row in status_of(world.records)["steps"]:
        if "iterations" not in row:
            continue
        counts = row["iterations"]["counts"]
        seen = {
            record["step"]
            for record in world.records
            if record["type"] in ("step.started", "wait.started", "task.created", "child.started", "event.emitted")
            or (record["type"], record.get("reason")) == ("timer.started", "wait")
            if split_instance(record["step"])[0] == row["step"]
        }
        assert all(count > 0 for count in counts.values())
        assert sum(count for status, count in counts.items() if status != "skipped") >= len(seen)
        assert sum(counts.values()) <= max(row["iterations"]["total"] or 0, sum(counts.values()))


@CASES
@MANY
def test_every_record_has_words(definition: Any, faults: Faults, x: int, seed: int) -> None:
    world = world_of(definition, faults, x, seed)
    moments = list(timeline(world.records))
    assert [moment["seq"] for moment in moments] == [record["seq"] for record in world.records]
    assert all(moment["text"] and moment["text"] != moment["type"] for moment in moments)

"""The status against the interpreter: generated workflows, every prefix of the journals that they produce."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.plans import faults, workflows
from tests.support.world import World, document
from wfrun.core.plan import compile_plan
from wfrun.core.run import Run
from wfrun.errors import ServiceError
from wfrun.views.status import StatusFold, status_of
from wfrun.views.steps import ACTIVE, COMPENSATE
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

    return World(compile_plan(document(definition))[0], {"x": x}, script, seed, decide).finish()


CASES = given(workflows(), faults(), st.integers(0, 9), st.integers())
MANY = settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@CASES
@MANY
def test_every_moment_agrees_with_the_interpreter(definition: Any, faults: Faults, x: int, seed: int) -> None:
    world = world_of(definition, faults, x, seed)
    fold, run = StatusFold(), Run(world.plan)
    for record in world.records:
        fold.add(record)
        run.apply(record)
        view = fold.view(driven=False)
        waiting = [row["step"] for row in view["steps"] if row["status"] == "waiting"]
        assert sorted(waiting) == sorted(task["step"] for task in view["tasks"])
        assert {task["task"] for task in view["tasks"]} == {id for id, task in run.tasks.items() if task.closed is None}
        assert view["status"] == (run.ended["status"] if run.ended else view["status"])
        assert (view["status"] in ("interrupted", "waiting")) == (run.ended is None)
        assert 0 <= view["progress"]["done"] <= view["progress"]["total"] == len(world.plan.step_names)
        busy = [row for row in [*view["steps"], *view["compensations"]] if row["status"] in ("running", "retrying")]
        assert not (busy and view["status"] == "waiting")


@CASES
@MANY
def test_at_the_end_nothing_is_under_way(definition: Any, faults: Faults, x: int, seed: int) -> None:
    world = world_of(definition, faults, x, seed)
    view = status_of(world.records)
    assert (view["current"], view["tasks"], view["timers"]) == ([], [], [])
    assert not [row for row in [*view["steps"], *view["compensations"]] if row["status"] in ACTIVE]
    statuses = {row["step"]: row["status"] for row in view["steps"]}
    undone = {row["step"]: row["status"] for row in view["compensations"]}
    for step in world.steps("step.completed"):
        if step.startswith(COMPENSATE):
            assert statuses[step.removeprefix(COMPENSATE)] == "compensated"
        else:
            assert statuses[step] == ("compensated" if undone.get(step) == "completed" else "completed")
    if view["status"] == "completed":
        assert view["progress"]["done"] == view["progress"]["total"]
        assert set(statuses.values()) <= {"completed", "skipped"}
    if view["error"] and view["error"].get("step") in statuses:
        assert statuses[view["error"]["step"]] in ("failed", "cancelled", "compensated")


@CASES
@MANY
def test_every_record_has_words(definition: Any, faults: Faults, x: int, seed: int) -> None:
    world = world_of(definition, faults, x, seed)
    moments = list(timeline(world.records))
    assert [moment["seq"] for moment in moments] == [record["seq"] for record in world.records]
    assert all(moment["text"] and moment["text"] != moment["type"] for moment in moments)

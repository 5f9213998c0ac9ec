"""The property that defines correctness: cut a journal anywhere, fold again, and the remaining effects are the same."""

from __future__ import annotations

from collections import Counter
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.plans import EVENTS, faults, workflows
from tests.support.world import Script, World, document
from wfrun.core.events import Record
from wfrun.core.plan import Plan, compile_plan
from wfrun.core.plan.nodes import Call, walk
from wfrun.core.run import Run
from wfrun.errors import ServiceError

Faults = dict[str, tuple[int, str]]


def script_of(faults: Faults) -> Script:
    def script(step: str, attempt: int, value: Any) -> Any:
        times, type = faults.get(step.partition("@")[0], (0, ""))
        if attempt <= times:
            raise ServiceError(type, "told to fail")
        return {"of": step}

    return script


def world_of(plan: Plan, x: int, faults: Faults, seed: int) -> World:
    return World(plan, {"x": x}, script_of(faults), seed, approve, events=EVENTS).finish()


def approve(step: str) -> dict[str, Any]:
    return {"decision": "approved", "by": "bob", "data": {}}


def plan_from(definition: dict[str, Any]) -> Plan:
    return compile_plan(document(definition))[0]


def effects_of(plan: Plan, records: list[Record]) -> list[tuple[list[str], list[str]]]:
    """After each record: the ids of the effects that it led to, and of all that are pending."""
    run = Run(plan)
    return [([effect.id for effect in run.apply(record)], list(run.pending)) for record in records]


@given(workflows(racy=True), faults(), st.integers(0, 9), st.integers())
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_folding_again_leads_to_the_same_effects(definition: Any, faults: Faults, x: int, seed: int) -> None:
    plan = plan_from(definition)
    world = world_of(plan, x, faults, seed)
    whole = effects_of(plan, world.records)
    assert world.run.ended is not None
    assert whole[-1][1] == {"needs-attention": ["repair"], "completed": ["recall"]}.get(world.status, [])
    for cut in range(1, len(world.records)):
        assert effects_of(plan, world.records[:cut]) == whole[:cut]


@given(workflows(racy=True), faults(), st.integers(0, 9), st.integers(), st.data())
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_a_cut_execution_goes_on_to_the_same_end(
    definition: Any, faults: Faults, x: int, seed: int, data: st.DataObject
) -> None:
    """Killed after any record and taken over by another process: nothing that completed is called again, all ends."""
    plan = plan_from(definition)
    before = world_of(plan, x, faults, seed)
    assert before.run.ended is not None
    cut = data.draw(st.integers(1, len(before.records) - 1))
    after = World.resumed(before, before.records[:cut], seed).finish()
    completed = [record["step"] for record in before.records[:cut] if record["type"] == "step.completed"]
    assert not set(completed) & {step for step, _ in after.calls}
    assert after.run.ended is not None
    effects_of(plan, after.records)


@given(workflows(racy=True), faults(), st.integers(0, 9), st.integers(), st.data())
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_without_a_word_nothing_is_called_twice(
    definition: Any, faults: Faults, x: int, seed: int, data: st.DataObject
) -> None:
    """Killed again and again, also while people answer: `onCrash: fail` and `ask` are at most once per decision."""
    plan = plan_from(definition)
    world = world_of(plan, x, faults, seed)
    for _ in range(data.draw(st.integers(1, 4))):
        cut = data.draw(st.integers(1, len(world.records) - 1))
        world = World.resumed(world, world.records[:cut], seed).finish()
        assert world.run.ended is not None
    effects_of(plan, world.records)
    told = Counter(_call(record) for record in world.of_type("step.retried"))
    policies = on_crash_of(plan)
    for call, times in Counter(_call(record) for record in world.of_type("step.started")).items():
        assert policies[call[0].partition("@")[0]] == "retry" or times <= 1 + told[call]


def on_crash_of(plan: Plan) -> dict[str, str]:
    """By step, also of those that undo another one."""
    calls = [step for step in walk(plan.root) if isinstance(step, Call)]
    found: dict[str, str] = {call.id: call.on_crash for call in calls}
    for call in calls:
        for number, undo in enumerate(call.compensation, 1):
            found[f"compensate:{call.id}" + (f"/{number}" if number > 1 else "")] = undo.on_crash
    return found


def _call(record: Record) -> tuple[str, int]:
    return record["step"], record["attempt"]


@given(workflows(), st.integers(0, 9), st.integers(), st.integers())
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_the_result_does_not_depend_on_timing(definition: Any, x: int, one: int, two: int) -> None:
    plan = plan_from({**definition, "output": "$"})
    first = world_of(plan, x, {}, one)
    second = world_of(plan, x, {}, two)
    assert (first.status, _timeless(first.output)) == (second.status, _timeless(second.output))
    assert list(first.output) == list(second.output)
    assert _by_step(first) == _by_step(second)


@given(workflows(), faults(), st.integers(0, 9), st.integers())
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_the_saga_undoes_what_was_done_once_and_last_first(definition: Any, faults: Faults, x: int, seed: int) -> None:
    plan = plan_from(definition)
    world = world_of(plan, x, faults, seed)
    undone = list(dict.fromkeys(_undone(step) for step in world.steps() if step.startswith("compensate:")))
    if world.status == "completed":
        assert undone == []
        return
    can_undo = {step.id for step in walk(plan.root) if isinstance(step, Call) and step.compensation}
    done = [step for step in world.steps("step.completed") if step.partition("@")[0] in can_undo]
    assert [step for step in undone if step in done] == done[::-1]
    in_doubt = {step for step in _in_doubt(world) if step.partition("@")[0] in can_undo}
    assert set(undone) == set(done) | in_doubt
    undoes = undone or world.of_type("child.recalled")
    assert world.status == ("needs-attention" if _failed_to_undo(world) else "compensated" if undoes else "failed")


def _undone(step: str) -> str:
    return step.removeprefix("compensate:").partition("/")[0]


def _in_doubt(world: World) -> set[str]:
    timed_out = {record["step"] for record in world.of_type("step.failed") if record["error"]["type"] == "timeout"}
    return timed_out | set(world.steps("step.cancelled"))


def _failed_to_undo(world: World) -> bool:
    undoing = {step for step in world.steps() if step.startswith("compensate:")}
    return bool(undoing - set(world.steps("step.completed")))


def _by_step(world: World) -> dict[str, str]:
    return {step: str(_timeless(value)) for step, value in world.calls}


def _timeless(value: Any) -> Any:
    """Without the instants of decisions, which do depend on time."""
    if isinstance(value, dict):
        return {key: _timeless(inner) for key, inner in sorted(value.items()) if key != "at"}
    return [_timeless(inner) for inner in value] if isinstance(value, list) else value

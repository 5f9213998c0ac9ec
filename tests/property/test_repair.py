"""Repairs of generated executions: whatever is repaired, the journal stays the truth, and nothing is done twice."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, assume, event, given, settings
from hypothesis import strategies as st

from tests.property.test_replay import Faults, approve, plan_from, script_of
from tests.support.plans import EVENTS, faults, workflows
from tests.support.world import World
from wfrun.core.effects import Effect
from wfrun.core.events import Record, Repair
from wfrun.core.interventions import fire_now
from wfrun.core.plan import Plan
from wfrun.core.plan.nodes import walk
from wfrun.core.repair import Proposal
from wfrun.core.repair_history import COMPENSATE, effective, undone_by
from wfrun.core.run import Run

TIMES = settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
STEPS: tuple[Repair, ...] = ("skip", "set-output", "set-input", "rewind", "compensate")
ACTIONS: tuple[Repair, ...] = ("resume", "replace", *STEPS)


class Watched(World):
    """Remembers what each record led to: the ids of the effects, and of all that were pending then."""

    def add(self, event: Any) -> None:
        if not hasattr(self, "seen"):
            self.seen: list[tuple[list[str], list[str]]] = []
            self._apply = self.run.apply
            self.run.apply = self._watched  # type: ignore[method-assign]
        super().add(event)

    def _watched(self, record: Record) -> tuple[Effect, ...]:
        effects = self._apply(record)
        self.seen.append(([effect.id for effect in effects], list(self.run.pending)))
        return effects


def begin(definition: dict[str, Any], x: int, faults: Faults, seed: int, *, pauses: bool) -> Watched:
    handling = {**definition["errorHandling"], **({"onFailure": "pause"} if pauses else {})}
    plan = plan_from({**definition, "errorHandling": handling})
    return Watched(plan, {"x": x}, script_of(faults), seed, approve, events=EVENTS)


def stop_somewhere(world: World, data: st.DataObject) -> None:
    """To the end; or to some moment, where it may be cancelled."""
    for _ in range(data.draw(st.one_of(st.just(10_000), st.integers(0, 30)))):
        if not world.step():
            return
    if world.run.ended is None and not world.run.is_paused and data.draw(st.booleans()):
        world.add({"type": "cancel.requested", "by": "ann", "reason": ""})
        world.finish()


def some_repair(world: World, data: st.DataObject) -> Proposal | None:
    """One that is not refused, if there is one among a few."""
    steps = sorted({record["step"] for record in world.records if "step" in record} - {"output"})
    for _ in range(4):
        action: Repair = data.draw(st.sampled_from(ACTIONS))
        wish: dict[str, Any] = {"replacement": world.run.plan} if action == "replace" else {}
        if action in STEPS:
            if not steps:
                continue
            wish = {"step": data.draw(st.sampled_from(steps)), "keep": data.draw(st.booleans())}
        if action in ("set-output", "set-input"):
            wish["value"] = {"given": 1}
        proposal = world.propose(action, **wish)
        if not proposal.reasons:
            event(action)
            return proposal
    return None


def repaired(world: World, proposal: Proposal) -> None:
    if proposal.wish.replacement is not None:
        world.plans[proposal.wish.replacement.document.sha256] = proposal.wish.replacement
    world.add(proposal.request("ann"))


@given(workflows(racy=True), faults(), st.integers(0, 9), st.integers(), st.booleans(), st.data())
@TIMES
def test_whatever_is_repaired(
    definition: Any, faults: Faults, x: int, seed: int, pauses: bool, data: st.DataObject
) -> None:
    world = begin(definition, x, faults, seed, pauses=pauses)
    stop_somewhere(world, data)
    for _ in range(data.draw(st.integers(1, 3))):
        proposal = some_repair(world, data)
        if proposal is None:
            break
        if data.draw(st.booleans()):
            world.script = script_of({})
        done = _done(world.records, proposal)
        before = len(world.records)
        repaired(world, proposal)
        stop_somewhere(world, data)
        assert not done & {record["step"] for record in world.records[before:] if record["type"] == "step.started"}
    assume(world.of_type("repair.requested"))
    world.finish()
    assert world.run.ended is not None or world.run.is_paused
    _assert_new_keys(world)
    _assert_one_request_under_each_key(world)
    _assert_the_same_again(world, data)


def _done(records: list[Record], proposal: Proposal) -> set[str]:
    """The steps that have completed, and still count as completed."""
    return {
        record["step"]
        for record in effective(records)
        if record["type"] == "step.completed"
        and record["seq"] not in proposal.dropped
        and not record["step"].startswith(COMPENSATE)
    }


def _assert_new_keys(world: World) -> None:
    """What was done and undone is never done again under a key that was used before."""
    parts = {step.id: len(step.compensation) for step in walk(world.plan.root)}
    used: dict[str, set[str]] = {}
    burnt: dict[str, set[str]] = {}
    for record in world.records:
        step = record.get("step", "")
        name = undone_by(step)
        if record["type"] == "step.started":
            assert record["key"] not in burnt.get(name, ())
            used.setdefault(name, set()).add(record["key"])
        elif record["type"] == "step.completed" and step.startswith(COMPENSATE):
            last = parts[name.partition("@")[0]]
            if step == (f"{COMPENSATE}{name}" if last == 1 else f"{COMPENSATE}{name}/{last}"):
                burnt.setdefault(name, set()).update(used.pop(name))


def _assert_one_request_under_each_key(world: World) -> None:
    """A key never comes with another input, and the same input never with another key, unless it was undone between."""
    last: dict[str, tuple[str, str]] = {}
    inputs: dict[str, str] = {}
    for record in world.records:
        step = record.get("step", "")
        if step.startswith(COMPENSATE):
            last.pop(undone_by(step), None)
        elif record["type"] == "step.started":
            input, key = record["inputHash"], record["key"]
            assert inputs.setdefault(key, input) == input
            assert (last.get(step, (input, key))[0] == input) == (last.get(step, (input, key))[1] == key)
            last[step] = input, key


def _assert_the_same_again(world: Watched, data: st.DataObject) -> None:
    """Folded by somebody else it leads to the same; and whoever takes over at any place comes to an end."""
    run = Run(world.plan, world.plans.__getitem__)
    again = []
    for record in world.records:
        effects = run.apply(record)
        again.append(([effect.id for effect in effects], list(run.pending)))
    assert again == world.seen
    cut = data.draw(st.integers(1, len(world.records)))
    after = World.resumed(world, world.records[:cut], 1)
    after.finish()
    _assert_new_keys(after)


@given(workflows(), st.integers(0, 9), st.integers(), st.data())
@TIMES
def test_a_resumed_execution_comes_to_what_one_comes_to_that_never_failed(
    definition: Any, x: int, seed: int, data: st.DataObject
) -> None:
    definition = {**definition, "output": "$"}
    model = begin(definition, x, {}, seed, pauses=True)
    model.finish()
    called = sorted({step for step in model.steps() if not step.startswith(COMPENSATE)})
    assume(called)
    broken = data.draw(st.lists(st.sampled_from(called), min_size=1, max_size=3))
    faults = {step.partition("@")[0]: (9, data.draw(st.sampled_from(["boom", "timeout"]))) for step in broken}
    world = begin(definition, x, faults, seed, pauses=True)
    world.finish()
    assume(world.run.is_paused)
    world.script = script_of({})
    world.repair("resume").finish()
    assert world.status == "completed"
    if _has_handled(world):
        return
    assert _timeless(world.output) == _timeless(model.output)
    assert _by_step(world) == _by_step(model)
    undone = [step for step in world.steps() if step.startswith(COMPENSATE)]
    assert not undone or _round_about(world)


def _has_handled(world: World) -> bool:
    """Whether some failure counts: a handler has seen to it, so that more, or less, has happened."""
    last = {record["step"]: record["type"] for record in effective(world.records) if "attempt" in record}
    return "step.failed" in last.values()


def _round_about(world: World) -> bool:
    """Only what came after a failure, like a `finally`, may have been undone and done again."""
    undone = {undone_by(step) for step in world.steps() if step.startswith(COMPENSATE)}
    return all(world.steps().count(step) > 1 for step in undone)


def _by_step(world: World) -> dict[str, str]:
    """What each step was called with in the end, of the calls that count."""
    counting = {record["step"] for record in effective(world.records) if record["type"] == "step.started"}
    return {step: str(_timeless(value)) for step, value in world.calls if step in counting}


def _timeless(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _timeless(inner) for key, inner in sorted(value.items()) if key != "at"}
    return [_timeless(inner) for inner in value] if isinstance(value, list) else value


@given(workflows(racy=True), faults(), st.integers(0, 9), st.integers(), st.data())
@TIMES
def test_another_plan_that_means_the_same_is_always_accepted(
    definition: Any, faults: Faults, x: int, seed: int, data: st.DataObject
) -> None:
    world = begin(definition, x, faults, seed, pauses=True)
    for _ in range(data.draw(st.integers(0, 30))):
        if not world.step():
            break
    if world.run.ended is not None:
        return
    twin: Plan = plan_from({**definition, "errorHandling": {**definition["errorHandling"], "onFailure": "pause"}})
    assert world.propose("replace", replacement=twin).reasons == ()
    repaired(world, world.propose("replace", replacement=twin))
    world.script = script_of({})
    assert world.finish().run.ended is not None or world.run.is_paused


@given(workflows(racy=True), faults(), st.integers(0, 9), st.integers(), st.data())
@TIMES
def test_nobody_has_to_wait(definition: Any, faults: Faults, x: int, seed: int, data: st.DataObject) -> None:
    world = begin(definition, x, faults, seed, pauses=False)
    for _ in range(200):
        timers = [record for record in world.run.recorded.values() if record["type"] == "timer.started"]
        waiting = [str(record["step"]) for record in timers if record["reason"] != "timeout"]
        at_once: bool = data.draw(st.booleans()) if waiting else False
        if at_once:
            world.add(fire_now(world.run, data.draw(st.sampled_from(waiting)), "ann"))
            continue
        if not world.step():
            break
    assert world.finish().run.ended is not None

"""What really happened is always proved, whatever the workflow; and what was made up of it is not."""

from __future__ import annotations

import asyncio
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from tests.property.test_repair import some_repair
from tests.property.test_replay import Faults, approve, plan_from, script_of
from tests.support.cases import EXECUTION, Case, load_cases
from tests.support.clock import AtOnce, virtual_time
from tests.support.driven import Driven, misfit
from tests.support.local import PLACE, Play
from tests.support.mortal import Mortal
from tests.support.plans import EVENTS, faults, workflows
from wfrun.app.evidence import of_home
from wfrun.app.proving import is_proved, prove
from wfrun.core.plan import build_plan
from wfrun.journal.home import Home
from wfrun.journal.memory import MemoryFiles
from wfrun.journal.scan import scan
from wfrun.load.definition import load_definition

TIMES = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
GOLDEN = sorted(path.parent for path in Path(__file__).parent.parent.glob("golden/*/*/journal.jsonl"))

# What follows from what stands before it: by type a member that tells what came of it.
DERIVED = {
    "step.started": "inputHash",
    "decision.made": "value",
    "values.set": "values",
    "foreach.started": "count",
    "wait.started": "events",
    "event.matched": "value",
    "event.emitted": "event",
    "child.started": "input",
    "timer.started": "due",
    "task.created": "title",
    "compensation.started": "steps",
    "execution.ended": "status",
}


def played(definition: Any, x: int, faults: Faults, seed: int) -> Driven:
    return Driven(plan_from(definition), {"x": x}, script_of(faults), seed, approve, events=EVENTS)


def test_an_escalation_of_an_older_version_which_kept_the_first_quorum_is_proved() -> None:
    chain = [{"assignee": {"groups": "board", "quorum": 2}}]
    ask = {"type": "human-task", "name": "ask", "assignee": "bob", "timeout": "1s"}
    definition = {"name": "w", "steps": [{**ask, "onTimeout": "escalate", "escalation": chain}]}
    world = Driven(plan_from(definition))
    world.add({"type": "task.expired", "task": "e1/ask"})
    escalated = world.of_type("task.escalated")[0]
    for older in (
        escalated,
        {name: escalated[name] for name in escalated if name not in ("quorum", "excludeInitiator")},
    ):
        assert misfit(world.plan, [older if each is escalated else each for each in world.records]) is None
    forged = [{**each, "quorum": 1} if each is escalated else each for each in world.records]
    assert misfit(world.plan, forged) is not None


def test_a_task_of_an_older_version_whose_title_is_an_object_is_proved() -> None:
    ask = {"type": "human-task", "name": "ask", "assignee": "bob", "title": "${{'x': $.x > 1}}", "description": "$.x"}
    world = Driven(plan_from({"name": "w", "steps": [ask]}), {"x": 3})
    for title, fits in (("{'x': True}", True), ('{"x":true}', True), ("{'x': False}", False)):
        told = [{**each, "title": title} if each["type"] == "task.created" else each for each in world.records]
        assert (misfit(world.plan, told) is None) == fits


@given(workflows(racy=True), faults(), st.integers(0, 9), st.integers())
@TIMES
def test_what_happened_is_proved(definition: Any, faults: Faults, x: int, seed: int) -> None:
    world = played(definition, x, faults, seed).finish()
    assert misfit(world.plan, world.records) is None


@given(workflows(racy=True), faults(), st.integers(0, 9), st.integers(), st.data())
@TIMES
def test_what_was_repaired_is_proved(definition: Any, faults: Faults, x: int, seed: int, data: st.DataObject) -> None:
    world = played(definition, x, faults, seed).finish()
    for _ in range(data.draw(st.integers(1, 3))):
        proposal = some_repair(world, data)
        if proposal is None:
            break
        assume(not proposal.wish.keep or proposal.wish.action == "rewind")  # nobody can ask for it otherwise
        if proposal.wish.replacement is not None:
            world.plans[proposal.wish.replacement.document.sha256] = proposal.wish.replacement
        request: Any = proposal.request("ann")
        if proposal.wish.replacement is not None:
            plan = proposal.wish.replacement
            request |= {"version": plan.version, "steps": plan.step_names, "listens": [*plan.listens]}
        world.add(request)
        world.finish()
    assume(world.of_type("repair.requested"))
    assert misfit(world.plan, world.records, world.plans) is None


@given(workflows(racy=True), faults(), st.integers(0, 9), st.integers(), st.data())
@TIMES
def test_what_was_changed_is_named(definition: Any, faults: Faults, x: int, seed: int, data: st.DataObject) -> None:
    world = played(definition, x, faults, seed).finish()
    record = data.draw(st.sampled_from([record for record in world.records if record["type"] in DERIVED]))
    name = DERIVED[record["type"]]
    forged = [{**each, name: "another"} if each is record else each for each in world.records]
    found = misfit(world.plan, forged)
    assert found is not None
    assert found.seq == record["seq"]


@given(workflows(racy=True), faults(), st.integers(0, 9), st.integers(), st.data())
@TIMES
def test_what_was_taken_out_is_missed(definition: Any, faults: Faults, x: int, seed: int, data: st.DataObject) -> None:
    """Of an execution that has ended: the end of one that has not can only be missed by somebody who knows its head."""
    world = played(definition, x, faults, seed).finish()
    record = data.draw(st.sampled_from([record for record in world.records[:-1] if record["type"] in DERIVED]))
    assume(record["type"] not in ("timer.started", "wait.started", "event.matched"))  # it may not have come to count
    assume(not _is_stopped(record, world.records))
    assert misfit(world.plan, [each for each in world.records if each is not record]) is not None


def _is_stopped(begun: Any, records: list[Any]) -> bool:
    """Whether a call was stopped: that could have been before it was begun."""
    stops = (each for each in records if each["type"] == "step.cancelled" and each["seq"] > begun["seq"])
    return begun["type"] == "step.started" and any(each["step"] == begun["step"] for each in stops)


@pytest.mark.parametrize("case", load_cases(), ids=str)
def test_what_several_processes_wrote_is_proved(case: Case) -> None:
    """Each that was killed left its records to the next; its machine may have lost power with it."""
    chance = Random(str(case))
    for scenario in case.scenarios:
        with virtual_time() as loop:
            killed = asyncio.Event()
            disk = Mortal(MemoryFiles(), chance.randrange(1, 25), killed.set, power=chance.random() < 0.5)
            home = Home(PLACE, disk.door, loop.now)
            play = Play(case, scenario, loop, home, lambda: AtOnce(loop), (disk, killed))
            play.outcome()
        assert [each for each in prove(of_home(play.home, sorted(play.home.ids()))) if not is_proved(each)] == []


@pytest.mark.parametrize("case", GOLDEN, ids=lambda case: f"{case.parent.name}-{case.name}")
def test_journals_of_every_release_are_proved(case: Path) -> None:
    plan = build_plan(load_definition((case / "definition.yaml").read_bytes(), "definition.yaml"))
    assert misfit(plan, scan((case / "journal.jsonl").read_bytes()).records) is None


@pytest.mark.parametrize("case", load_cases(), ids=str)
def test_what_the_engine_wrote_is_proved(case: Case) -> None:
    for scenario in case.scenarios:
        with virtual_time() as loop:
            play = Play(case, scenario, loop, Home(PLACE, MemoryFiles(), loop.now), lambda: AtOnce(loop))
            play.outcome()
        proofs = list(prove(of_home(play.home, sorted(play.home.ids()))))
        assert any(each["execution"] == EXECUTION for each in proofs)
        assert [each for each in proofs if not is_proved(each)] == []

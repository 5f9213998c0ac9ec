"""Every case, by every player: what it says comes true. In the pure core: whatever comes first. On the local engine:
wherever its process is killed.
"""

from __future__ import annotations

import random
import re
from math import inf
from typing import Any

import pytest

from tests.support.cases import Case, Player, Scenario, check, load_cases
from tests.support.clock import AtOnce, virtual_time
from tests.support.local import PLACE, Play, play_and_kill, play_in_memory, play_on_files
from tests.support.model.scripted import play as play_by_the_model
from tests.support.outcomes import Made, Outcome, without_doubt, wordless
from tests.support.shell import ROOT
from tests.support.stage import compiled, play, played
from tests.support.tally import FULL, Tally, seed
from wfrun.app.standing import view_of
from wfrun.core.events import ErrorData
from wfrun.core.run import Run
from wfrun.journal.home import Home
from wfrun.journal.memory import MemoryFiles

SCHEDULES = 200
PLAYERS: dict[str, Player] = {
    "model": play_by_the_model,
    "core": play,
    "local, in memory": play_in_memory,
    "local, on files": play_on_files,
}
PAGE = ROOT / "docs" / "patterns.md"

CASES = load_cases()
SCENARIOS = [(case, scenario) for case in CASES for scenario in case.scenarios]

each_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
each_scenario = pytest.mark.parametrize(
    ("case", "scenario"), SCENARIOS, ids=[f"{case.name}: {scenario.name}" for case, scenario in SCENARIOS]
)


@each_case
def test_a_case_is_a_valid_workflow(case: Case) -> None:
    names = [None, *(file.stem for file in case.folder.glob("*.yaml") if file.stem not in ("workflow", "case"))]
    advice = [problem for name in names for problem in compiled(case, name)[1]]
    assert [problem.code for problem in advice] == case.advice, "\n".join(map(str, advice))


@pytest.mark.parametrize("player", PLAYERS.values(), ids=PLAYERS)
@each_scenario
def test_what_is_expected_comes_true(case: Case, scenario: Scenario, player: Player) -> None:
    assert check(scenario, player(case, scenario)) == []


@each_scenario
def test_it_does_not_depend_on_what_comes_first(case: Case, scenario: Scenario) -> None:
    first = played(case, scenario, 0)
    timeless = first.outcome.timeless()
    for order in range(1, SCHEDULES if first.choices else 1):
        outcome = played(case, scenario, order).outcome
        assert check(scenario, outcome) == [], f"seed {order}"
        assert not scenario.timeless or outcome.timeless() == timeless, f"seed {order}"


@each_scenario
def test_engines_agree(case: Case, scenario: Scenario) -> None:
    """In all that does not depend on what comes first, whether the scenario expects it or not."""
    core, local = play(case, scenario), play_in_memory(case, scenario)
    assert not scenario.timeless or wordless(local.timeless()) == wordless(core.timeless())


@each_scenario
def test_a_killed_process_makes_no_difference(case: Case, scenario: Scenario, tally: Tally) -> None:
    """It is killed when a certain record has been written, or its machine loses power, and with it what is not synced.
    Another process takes over. Everything outside goes on meanwhile.
    """
    everywhere = range(1, play_and_kill(case, scenario, inf)[1] + 1)
    places = [(cut, power) for cut in everywhere for power in (False, True)]
    for cut, power in places if FULL else [random.Random(seed()).choice(places)]:
        tally.add("F6" if power else "F1")
        outcome = play_and_kill(case, scenario, cut, power=power)[0]
        assert check(scenario, without_doubt(outcome)) == [], f"killed after record {cut}, {power=}"


def test_a_process_that_is_killed_does_begin_again() -> None:
    case = next(case for case in CASES if case.name == "constructs/single-step")
    (scenario, *_) = case.scenarios
    cuts = range(1, play_and_kill(case, scenario, inf)[1] + 1)
    begun_twice = [play_and_kill(case, scenario, cut)[0].again for cut in cuts]
    assert set() in begun_twice
    assert any(begun_twice)


@each_scenario
def test_what_is_driven_only_waits_when_the_views_say_that_it_waits(case: Case, scenario: Scenario) -> None:
    """Whenever time goes on, for every execution that is driven: so `run` parks when `status` says `waiting`."""
    compared = 0

    def compare() -> None:
        nonlocal compared
        for execution in scene.home.ids():
            driver = scene.process.driver(execution)
            if driver is not None:
                status = view_of(scene.home, driver.journal.records, driven=True)["status"]
                assert driver.is_idle == (status == "waiting"), (execution, scene.loop.now(), status)
                compared += 1

    with virtual_time() as loop:
        scene = Play(case, scenario, loop, Home(PLACE, MemoryFiles(), loop.now), lambda: AtOnce(loop))
        loop.pause = compare
        outcome = scene.outcome()
    assert compared or outcome.status != "waiting"


@each_scenario
def test_journals_are_folded_again_to_the_same_state(case: Case, scenario: Scenario) -> None:
    for actor in played(case, scenario, 1).actors.values():
        run = Run(actor.plan)
        for record in actor.records:
            run.apply(record)
        assert list(run.pending) == list(actor.run.pending)
        assert run.ended == actor.run.ended


# ---- the page about patterns


def test_the_page_has_every_pattern_and_every_case() -> None:
    """A row is `| number | [name](case) | how |`, or without a link where it cannot be said, and why."""
    rows = re.findall(r"^\| (\d+) \| (?:\[[^]]+\]\(([^)]+)\)|[^|]+) \| [^|]+ \|$", PAGE.read_text(), re.MULTILINE)
    assert [int(number) for number, _ in rows] == list(range(1, 44))
    shown = {(PAGE.parent / target).resolve(): int(number) for number, target in rows if target}
    assert shown == {case.workflow().resolve(): int(case.folder.name[:2]) for case in load_cases("patterns")}


# ---- the check itself: one that cannot fail is none

MADE = [Made("a", 1, 1, "case/a"), Made("b", 1, 2, "case/b"), Made("c", 1, 3, "case/c"), Made("c", 2, 3, "case/c")]


@pytest.mark.parametrize(
    "calls",
    [
        ["a", "b", {"step": "c", "attempts": 2}],
        [{"together": ["b", "a"]}, {"step": "c", "attempts": 2, "input": 3, "key": "case/c"}],
        [{"together": [["a", {"step": "c", "attempts": 2}], "b"]}],
    ],
)
def test_calls_that_were_expected(calls: list[Any]) -> None:
    assert differences(calls=calls) == []


@pytest.mark.parametrize(
    "calls",
    [
        [],
        ["a", "b"],
        ["a", "b", "c"],
        ["b", "a", {"step": "c", "attempts": 2}],
        ["a", {"together": [[{"step": "c", "attempts": 2}, "b"]]}],
        [{"step": "a", "input": 2}, "b", {"step": "c", "attempts": 2}],
        [{"step": "a", "key": "a"}, "b", {"step": "c", "attempts": 2}],
        ["a", "b", {"step": "c", "attempts": 2}, "d"],
    ],
)
def test_calls_that_were_not(calls: list[Any]) -> None:
    assert differences(calls=calls)


@pytest.mark.parametrize(
    ("expect", "same"),
    [
        ({"status": "failed"}, True),
        ({"status": "completed"}, False),
        ({"error": {"type": "boom"}}, True),
        ({"error": {"step": "a"}}, False),
        ({"output": None}, True),
        ({"output": False}, False),
        ({"stopped": ["x"]}, True),
        ({"stopped": []}, False),
        ({"open": []}, True),
        ({"decisions": {}}, True),
        ({"decisions": {"x?step": True}}, False),
        ({"timers": {"t": "2s"}}, True),
        ({"timers": {"t": "3s"}}, False),
        ({"tasks": {"ask": {"level": 0}}}, False),
        ({"emitted": []}, True),
        ({"failures": [{"type": "x"}]}, False),
        ({"children": {"x": {}}}, False),
        ({"undone": ["a"]}, False),
        ({"atOnce": 1}, False),
    ],
)
def test_everything_else_that_is_expected(expect: dict[str, Any], same: bool) -> None:
    assert (differences(**expect) == []) is same


def differences(**expect: Any) -> list[str]:
    error: ErrorData = {"type": "boom", "message": "no"}
    outcome = Outcome("failed", None, error, [], calls=MADE, stopped={"x"}, timers={"t": 2000})
    return check(Scenario("", {}, {}, {}, [], [], expect, True), outcome)

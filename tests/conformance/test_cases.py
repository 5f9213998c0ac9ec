"""Every case of tests/cases on Temporal: the same outcome as everywhere else, in virtual time, on a real server."""

from __future__ import annotations

import pytest

from tests.support.cases import Case, Scenario, check, load_cases
from tests.support.local import play_in_memory
from tests.support.outcomes import wordless
from tests.support.remote import Stage
from tests.support.tally import FULL

ALL = [(case, scenario) for case in load_cases() for scenario in case.scenarios]
# In CI each case with its first scenario; all of them with WFRUN_FAULTS=full.
SCENARIOS = ALL if FULL else [(case, scenario) for case, scenario in ALL if scenario is case.scenarios[0]]


@pytest.mark.parametrize(
    ("case", "scenario"), SCENARIOS, ids=[f"{case.name}: {scenario.name}" for case, scenario in SCENARIOS]
)
def test_temporal_agrees_with_the_local_engine(case: Case, scenario: Scenario, stage: Stage) -> None:
    outcome = stage.outcome(case, scenario)
    assert check(scenario, outcome) == []
    assert stage.play.unproved == []
    if scenario.timeless:
        assert wordless(outcome.timeless()) == wordless(play_in_memory(case, scenario).timeless())

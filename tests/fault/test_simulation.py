"""F8, and the simulated part of F1, F4, F6 and F14: the whole system, seed by seed. See tests.simulation."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.simulation.simulator import ENDED_EACH, Result, simulate
from tests.support.shell import ROOT
from tests.support.tally import Tally, seed, size

SEEDS = size(20_000, 1_000_000)
AT_ONCE = 500
# What each kind of fault is counted as, besides the seed itself.
LINES = {"kill": "F1", "power": "F6", "io": "F4", "full": "F5", "clock": "F14", "stop": "F13"}


@pytest.fixture(autouse=True)
def _no_collecting() -> Iterator[None]:
    """A seed leaves many cycles behind, and looking for them each time takes a fifth of the whole."""
    gc.collect()
    gc.freeze()
    gc.disable()
    yield
    gc.enable()
    gc.unfreeze()


@pytest.mark.slow
@pytest.mark.parametrize("part", range(SEEDS // AT_ONCE))
def test_whatever_happens_nothing_is_lost_and_all_ends(part: int, tally: Tally) -> None:
    begin = seed() + part * AT_ONCE
    for number in range(begin, begin + AT_ONCE):
        result = simulate(number)
        _count(result, tally)
        assert result.violations == [], f"python -m tests.simulation --seed {number} --trace"
        if number % 100 == 0:
            gc.collect()


def _count(result: Result, tally: Tally) -> None:
    tally.add("F8")
    for kind, faults in result.faults.items():
        tally.add(LINES[kind], faults)


@pytest.mark.slow
def test_faults_change_nothing_about_the_end(tally: Tally) -> None:
    """A run without faults is the model of one with them, where it does not matter what comes first."""
    compared = 0
    for number in range(seed(), seed() + size(300, 10_000)):
        model = simulate(number, kinds=())
        if number % ENDED_EACH == 0 or model.plans.is_a_race:
            continue
        result = simulate(number, kinds=("kill", "power", "io", "full", "stop"))
        _count(result, tally)
        if result.journals["e1"][0]["input"] == model.journals["e1"][0]["input"]:
            compared += 1
            assert _end(result) == _end(model), f"python -m tests.simulation --seed {number} --trace"
    assert compared > 150


def _end(result: Result) -> Any:
    """How all executions ended, and what is left of their effects."""
    ends = {
        id: [record for record in records if record["type"] == "execution.ended"][-1]
        for id, records in result.journals.items()
    }
    # Whoever died while a call was out does not know of its refusal: then there is something to be undone.
    statuses = {id: end["status"].replace("compensated", "failed") for id, end in ends.items()}
    left = {step for step in result.effects if not result.undone[step]}
    return statuses, {id: end.get("output") for id, end in ends.items()}, left


def test_without_faults_everything_ends_as_it_should() -> None:
    """The control of the rest: what is refused is undone, what is not is completed."""
    completed = 0
    for number in range(seed(), seed() + 60):
        result = simulate(number, kinds=())
        assert result.violations == [], number
        (ended,) = [record for record in result.journals["e1"] if record["type"] == "execution.ended"][-1:]
        completed += ended["status"] == "completed"
    assert completed > 30


PRINT = """
import sys
from hashlib import sha256
from types import SimpleNamespace
from tests.simulation import plans
from tests.simulation.simulator import simulate
plans._folder = lambda: SimpleNamespace(name=sys.argv[1])  # errors say in which file they are
for seed in map(int, sys.argv[2:]):
    told = []
    journals = simulate(seed, trace=told.append).journals
    print(seed, sha256(repr((told, journals)).encode()).hexdigest())
"""


def test_a_seed_is_one_run_to_the_byte(tmp_path: Path) -> None:
    seeds = [str(number) for number in range(seed(), seed() + 12)]
    told = [
        subprocess.run(
            [sys.executable, "-c", PRINT, str(tmp_path), *seeds],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": hashing},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for hashing in ("1", "2")
    ]
    assert told[0] == told[1]
    assert told[0].count("\n") == len(seeds)

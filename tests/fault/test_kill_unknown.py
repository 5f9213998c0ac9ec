"""Runners are killed with SIGKILL at random moments, of steps that are not to be called twice without somebody's word.

The record of the mock adapter, which is written when a call begins, is the judge.
"""

from __future__ import annotations

import json
import os
import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.shell import ROOT
from tests.support.zygote import Zygote

KILLS = 2_000 if os.environ.get("WFRUN_FAULTS") == "full" else 60
LONGEST_S = 0.25

WORKFLOW = """
name: payout
errorHandling: { retryPolicy: fixed, maxRetries: 2, onCrash: POLICY }
services:
  bank: { adapter: mock, record: calls.jsonl, default: { delay: 10ms, result: { ok: true } } }
steps:
  - { name: reserve, service: bank, action: reserve, compensate: { service: bank, action: release } }
  - type: parallel
    steps:
      - { name: pay, service: bank, action: pay, compensate: { service: bank, action: refund } }
      - { name: note, service: bank, action: note }
  - { name: report, service: bank, action: report }
"""


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Zygote]:
    with Zygote(tmp_path, {"WFRUN_HOME": str(tmp_path / "home"), "PYTHONPATH": str(ROOT)}) as zygote:
        yield zygote


@pytest.mark.slow
@pytest.mark.parametrize("policy", ["fail", "ask", "retry"])
def test_nothing_is_called_twice_without_a_word(policy: str, world: Zygote, tmp_path: Path) -> None:
    """`retry` is the positive control: there it must happen, or the kills prove nothing."""
    seed = int(os.environ.get("WFRUN_SEED", random.randrange(2**32)))
    print(f"WFRUN_SEED={seed}")
    chance = random.Random(seed)
    (tmp_path / "payout.yaml").write_text(WORKFLOW.replace("POLICY", policy))
    words: Counter[str] = Counter()
    kills, number = 0, 0
    while kills < KILLS:
        kills += _run_to_the_end(world, f"e{number}", chance, words)
        number += 1
    lines = [json.loads(line) for line in (tmp_path / "calls.jsonl").read_text().splitlines()]
    called = Counter(line["key"] for line in lines if line["phase"] == "begin")
    twice = {key: times for key, times in called.items() if times > 1 + words[key]}
    assert bool(twice) == (policy == "retry"), twice


def _run_to_the_end(world: Zygote, id: str, chance: random.Random, words: Counter[str]) -> int:
    ended = world.run("run", "payout.yaml", "--id", id, kill_after=chance.uniform(0, LONGEST_S))
    kills = 0
    while ended.code in (-9, 4, 6):
        kills += ended.code == -9
        again = chance.uniform(0, LONGEST_S) if chance.random() < 0.4 else None
        if ended.code == 4:
            ended = _answer(world, id, chance, words, again)
        else:
            words.update(_undoings(world, id) if ended.code == 6 else ())
            ended = world.run("resume", id, kill_after=again)
        if ended.code == 2 and "no execution" in ended.output:
            # Killed before it was accepted: nobody was told of it, so it is simply started again.
            ended = world.run("run", "payout.yaml", "--id", id, kill_after=again)
    assert ended.code in (0, 5, 7), ended.output
    return kills


def _answer(world: Zygote, id: str, chance: random.Random, words: Counter[str], kill_after: float | None) -> Any:
    """Say something about one of the calls. The word counts as given, whether or not it is heard before the kill."""
    (call, *_) = json.loads(world.run("status", id, "--json").output)["unknown"]
    said = chance.choice(["retry-now", "set-output", "fail"])
    if said == "retry-now":
        words[call["key"]] += 1
    value = ["null"] if said == "set-output" else []
    ended = world.run(said, id, call["step"], *value, "--as", "kim", kill_after=kill_after)
    assert ended.code in (0, 4, 5, 6, -9), ended.output
    return ended


def _undoings(world: Zygote, id: str) -> Iterator[str]:
    """Whoever resumes what needs attention has what could not be undone called again."""
    for failure in json.loads(world.run("status", id, "--json").output)["failures"]:
        yield f"{id}/{failure['step']}"

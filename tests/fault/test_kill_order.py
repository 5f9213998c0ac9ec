"""The runner of the order is killed with SIGKILL at random moments, and again while it recovers.

The services' own tables are the judge: every effect exactly once, and no completed step called again.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.orders import ORDER, each_effect_once
from tests.support.shell import ROOT
from tests.support.tally import Tally, seed, size
from tests.support.zygote import Zygote
from wfrun.journal.home import Home
from wfrun.journal.journal import Journal

LONGEST_S = 0.12


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Zygote]:
    env = {"WFRUN_SANDBOX": str(tmp_path), "WFRUN_HOME": str(tmp_path / "home"), "PYTHONPATH": str(ROOT)}
    with Zygote(tmp_path, env) as zygote:
        yield zygote


@pytest.fixture
def http_services(tmp_path: Path) -> Iterator[Path]:
    """The seven systems behind HTTP, and a services file that says where."""
    env = {**os.environ, "WFRUN_SANDBOX": str(tmp_path), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "services", "--port", "0"]
    server = subprocess.Popen(command, cwd=ORDER, env=env, stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout
        port = server.stdout.readline().split(",")[0].rpartition(":")[2].strip()
        file = tmp_path / "services.http.yaml"
        file.write_text((ORDER / "services.http.yaml").read_text().replace(":8701", f":{port}"))
        yield file
    finally:
        server.terminate()
        server.communicate()


@pytest.mark.slow
@pytest.mark.parametrize("adapter", ["python", "http"])
def test_each_effect_happens_once(
    adapter: str, world: Zygote, tmp_path: Path, request: pytest.FixtureRequest, tally: Tally
) -> None:
    chance = random.Random(seed())
    services = ["--services", str(request.getfixturevalue("http_services"))] if adapter == "http" else []
    start = ["run", str(ORDER / "order.yaml"), "--input", str(ORDER / "order.json"), *services]
    kills, orders = 0, 0
    while kills < size(100, 2_000):
        order = f"order-{orders}"
        orders += 1
        kills += _run_to_the_end(world, [*start, "--id", order], order, chance)
    tally.add("F1", kills)
    each_effect_once(tmp_path / "order.sqlite", [f"order-{number}" for number in range(orders)])
    home = Home(tmp_path / "home")
    for number in range(orders):
        _no_completed_step_ran_again(home, f"order-{number}")


def _run_to_the_end(world: Zygote, start: list[str], order: str, chance: random.Random) -> int:
    """Start an order and kill its runner, resume it and perhaps kill that one, too. Returns the number of kills."""
    kills = 0
    ended = world.run(*start, kill_after=chance.uniform(0, LONGEST_S))
    while ended.code == -9:
        kills += 1
        again = chance.uniform(0, LONGEST_S) if chance.random() < 0.4 else None
        ended = world.run("resume", order, kill_after=again)
        if ended.code == 2 and "no execution" in ended.output:
            # Killed before it was accepted: nobody was told of it, so it is simply started again.
            ended = world.run(*start, kill_after=again)
    assert ended.code == 0, ended.output
    return kills


def _no_completed_step_ran_again(home: Home, order: str) -> None:
    completed: set[str] = set()
    for record in Journal.read(home, order):
        if record["type"] == "step.started":
            assert record["step"] not in completed, json.dumps(record)
        elif record["type"] == "step.completed":
            completed.add(record["step"])

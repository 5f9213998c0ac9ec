"""What crosses systems while everybody who is at it is killed, by the raw calls that a ledger outside has seen: effects
and their undoing, timers, child executions, events from one execution to another, and what people decide.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import pytest

from tests.support.ledger import Ledger, Noted
from tests.support.shell import ROOT
from tests.support.tally import Tally, seed, size
from tests.support.zygote import Zygote
from wfrun.core.events import Record
from wfrun.core.instants import parse_instant
from wfrun.journal.home import Home
from wfrun.journal.journal import Journal

LONGEST_S = 0.12
SERVICES = "services: { s: { adapter: python, module: ledger } }"
UNDO = "compensate: { service: s, action: note, input: undo }"
WORKFLOWS = {
    "hears": f"""
name: hears
input: {{ of: string }}
{SERVICES}
steps:
  - {{ name: one, type: wait, event: told, match: "$.event.data.of == $.of and $.event.data.n == 1", output: one }}
  - {{ name: two, type: wait, event: told, match: "$.event.data.of == $.of and $.event.data.n == 2", output: two }}
  - {{ name: heard, service: s, action: note, input: ["$.one.data.n", "$.two.data.n"] }}
""",
    "kid": f"""
name: kid
input: {{ of: string }}
{SERVICES}
steps:
  - {{ name: pack, service: s, action: note, {UNDO} }}
  - {{ name: dry, type: wait, for: 30ms }}
  - {{ name: tell, type: emit, event: told, data: {{ of: $.of, n: 2 }} }}
""",
    "tells": f"""
name: tells
input: {{ of: string, fail: boolean }}
{SERVICES}
steps:
  - {{ name: nap, type: wait, for: 50ms }}
  - {{ name: a, service: s, action: note, {UNDO} }}
  - {{ name: tell, type: emit, event: told, data: {{ of: $.of, n: 1 }} }}
  - {{ name: kid, type: workflow, workflow: kid, input: {{ of: $.of }} }}
  - {{ name: ask, type: human-task, assignee: bob, output: said }}
  - {{ name: b, service: s, action: note, input: $.said.by, {UNDO} }}
  - {{ name: last, service: s, action: refuse, condition: $.fail }}
""",
}
DONE = ["/a", ".kid/pack", "/b"]
UNDONE = ["/compensate:b", ".kid/compensate:pack", "/compensate:a"]


@pytest.fixture
def ledger() -> Iterator[Ledger]:
    with Ledger() as ledger:
        yield ledger


class World:
    """Commands of which about half are killed on their way."""

    def __init__(self, zygote: Zygote, folder: Path, tally: Tally) -> None:
        self.home = Home(folder / "home")
        self.kills = 0
        self._zygote = zygote
        self._tally = tally
        self._chance = random.Random(seed())

    def typed(self, *line: str, quietly: bool = False) -> int:
        """Typed until nobody kills it. A start that was not heard of is typed again, too."""
        start = line
        while True:
            fate = None if quietly or self._chance.random() < 0.4 else self._chance.uniform(0, LONGEST_S)
            ended = self._zygote.run(*line, kill_after=fate)
            if "approved by" in ended.output:
                assert len(self.of(line[1].partition("/")[0], "task.decided")) == 1, ended.output
            if ended.code == 2 and "execution.unknown" in ended.output:
                line = start  # its file was there, and nobody had been told of it yet
                continue
            if ended.code != -9:
                assert ended.code in (0, 4, 5), (line, ended)
                return ended.code
            self.kills += 1
            self._tally.add("F1")
            if line[0] == "run" and self.home.exists(line[line.index("--id") + 1]):
                line = ("resume", line[line.index("--id") + 1])

    def of(self, execution: str, type: str) -> list[Record]:
        return [record for record in Journal.read(self.home, execution) if record["type"] == type]


@pytest.fixture
def world(tmp_path: Path, ledger: Ledger, tally: Tally) -> Iterator[World]:
    (tmp_path / "ledger.py").write_text(ledger.module)
    for name, text in WORKFLOWS.items():
        (tmp_path / f"{name}.yaml").write_text(text)
    with Zygote(tmp_path, {"WFRUN_HOME": str(tmp_path / "home"), "PYTHONPATH": str(ROOT)}) as zygote:
        yield World(zygote, tmp_path, tally)


@pytest.mark.slow
@pytest.mark.parametrize("fail", [False, True])
def test_nothing_that_crosses_systems_is_lost_or_doubled(fail: bool, world: World, ledger: Ledger) -> None:
    number = 0
    while world.kills < size(60, 1_000):
        teller, hearer = f"x{number}", f"h{number}"
        number += 1
        assert world.typed("run", "hears.yaml", "--id", hearer, "--set", f"of={teller}", quietly=True) == 4
        start = ["run", "tells.yaml", "--id", teller, "--set", f"of={teller}", "--set", f"fail={str(fail).lower()}"]
        assert world.typed(*start) == 4
        world.typed("approve", f"{teller}/ask", "--as", "bob")
        assert world.typed("resume", teller) == (5 if fail else 0)
        assert world.typed("resume", hearer) == 0
        calls = [call for call in ledger.calls() if call.key.startswith((f"{teller}/", f"{teller}.", f"{hearer}/"))]
        of_teller = [call for call in calls if not call.key.startswith(hearer)]
        assert out_of_order(of_teller, [teller + step for step in (DONE + UNDONE if fail else DONE)]) == []
        assert [call.input for call in calls if call.key == f"{teller}/b"][-1] == "bob"
        assert {(call.key, str(call.input)) for call in calls if call.key.startswith(hearer)} == {
            (f"{hearer}/heard", "[1, 2]")
        }
        for timer, call in ((f"{teller}", f"{teller}/a"), (f"{teller}.kid", None)):
            _fired_once_and_not_early(world, timer, next((each for each in calls if each.key == call), None))
        assert [record["event"]["data"]["n"] for record in world.of(hearer, "event.received")] == [1, 2]
        assert len(world.of(teller, "task.decided")) == 1
        assert [record["child"] for record in world.of(teller, "child.started")] == [f"{teller}.kid"]
    assert {each.split(".")[0] for each in world.home.ids()} == {f"{who}{n}" for who in "xh" for n in range(number)}


def _fired_once_and_not_early(world: World, execution: str, call: Noted | None) -> None:
    (started,), (fired,) = world.of(execution, "timer.started"), world.of(execution, "timer.fired")
    assert fired["at"] >= started["due"]
    if call is not None:
        at = call.at + time.time() - time.monotonic()
        assert at >= parse_instant(started["due"]).timestamp() - 0.01


def out_of_order(calls: Sequence[Noted], keys: Sequence[str]) -> list[str]:
    """The keys of a sequence that nobody has called, that nothing asks for, or that were called after the next one."""
    order = [call.key for call in calls]
    strange = [key for key in dict.fromkeys(order) if key not in keys] + [key for key in keys if key not in order]
    last = {key: position for position, key in enumerate(order)}
    late = (one for one, other in pairwise(keys) if other in order and one in last and last[one] > order.index(other))
    return strange or list(late)


@pytest.mark.parametrize(
    ("called", "wrong"),
    [
        ("abc", []),
        ("aabbbc", []),
        ("abac", ["a"]),
        ("acb", ["b"]),
        ("ab", ["c"]),
        ("abcd", ["d"]),
    ],
)
def test_the_judge(called: str, wrong: list[str]) -> None:
    """The positive control."""
    assert out_of_order([Noted(0.0, key, None) for key in called], list("abc")) == wrong

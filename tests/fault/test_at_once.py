"""F7: many processes at the same moment. One is heard, one drives, one start counts; and each is told the truth."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.support.crowd import Crowd, Said, decide, decide_carelessly, resume, start
from tests.support.ledger import Ledger
from tests.support.tally import Tally, seed, size
from wfrun.app.evidence import of_home
from wfrun.app.proving import is_proved, prove
from wfrun.journal.home import Home
from wfrun.journal.journal import Journal
from wfrun.journal.verify import verify

ROUNDS = size(200, 1_000)

WORKFLOW = """
name: claim
input: { n: { type: integer, default: 1 } }
services: { s: { adapter: python, module: ledger } }
steps:
  - { name: book, service: s, action: note, input: $.n }
  - { name: approval, type: human-task, assignee: { groups: [staff] }, timeout: 1h }
  - { name: pay, service: s, action: note, input: $.n }
"""
HOUR_S = 3600


class World:
    def __init__(self, folder: Path, ledger: Ledger) -> None:
        (folder / "ledger.py").write_text(ledger.module)
        (folder / "claim.yaml").write_text(WORKFLOW)
        self.workflow = str(folder / "claim.yaml")
        self.path = str(folder / "home")
        self.ledger = ledger

    def start(self, execution: str) -> None:
        assert start(self.path, self.workflow, execution, {"n": 1}).code == "waiting"

    def records(self, execution: str, *types: str) -> list[dict[str, Any]]:
        return [record for record in Journal.read(Home(self.path), execution) if record["type"] in types]

    def check(self, paid: set[str]) -> None:
        """Each execution was booked once, and paid once if it was approved; its journal is whole,
        and one that the workflow allows."""
        home = Home(self.path)
        executions = set(home.ids())
        for execution in executions:
            assert verify(Path(home.journal_path(execution)).read_bytes()) == []
        assert all(is_proved(proof) for proof in prove(of_home(home, executions)))
        expected = {f"{each}/book" for each in executions} | {f"{each}/pay" for each in paid}
        assert Counter(call.key for call in self.ledger.calls()) == dict.fromkeys(expected, 1)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with Ledger() as ledger:
        yield World(tmp_path, ledger)


@pytest.mark.slow
@pytest.mark.parametrize("people", [8, 32])
def test_of_many_who_decide_one_is_heard(people: int, world: World, tally: Tally) -> None:
    chance = random.Random(seed())
    paid = set()
    with Crowd(people) as crowd:
        for number in range(ROUNDS):
            execution = f"e{number}"
            world.start(execution)
            words = [chance.choice(["approved", "rejected"]) for _ in range(people)]
            said = crowd.at_once(
                [partial(decide, world.path, execution, words[each], f"p{each}") for each in range(people)]
            )
            tally.add("F7")
            winner = _heard(world, execution, said)
            assert world.records(execution, "task.decided")[0]["decision"] == words[winner]
            again = decide(world.path, execution, words[winner], f"p{winner}")
            assert (again.code, "was already" in again.words) == ("heard", True)
            if resume(world.path, execution).code == "completed":
                paid.add(execution)
            assert (execution in paid) == (words[winner] == "approved")
    world.check(paid)


def _heard(world: World, execution: str, said: list[Said]) -> int:
    """The one who was heard, as he was told, and as the journal has it; all others were told who it was."""
    (winner,) = (each for each in range(len(said)) if said[each].code == "heard")
    (decided,) = world.records(execution, "task.decided")
    assert decided["by"] == f"p{winner}"
    others = [each for each in said if each.code != "heard"]
    assert {each.code for each in others} == {"task.closed"}
    assert all(f"by p{winner} at " in each.words for each in others)
    return winner


@pytest.mark.slow
def test_a_decision_against_the_deadline(world: World, tally: Tally) -> None:
    """The clocks of those who decide and of those who resume are around the deadline, each a little different."""
    chance = random.Random(seed())
    paid, ends = set(), Counter[str]()
    with Crowd(8) as crowd:
        for number in range(ROUNDS):
            execution = f"e{number}"
            world.start(execution)
            jumps = [HOUR_S + chance.uniform(-0.15, 0.05) for _ in range(8)]
            deeds = [partial(decide, world.path, execution, "approved", f"p{each}", jumps[each]) for each in range(4)]
            resumers = [partial(resume, world.path, execution, jumps[each]) for each in range(4, 8)]
            said = crowd.at_once([*deeds, *resumers])
            tally.add("F7")
            resume(world.path, execution, 2 * HOUR_S)
            ends[_either(world, execution, said[:4])] += 1
            if world.records(execution, "task.decided"):
                paid.add(execution)
            (ended,) = world.records(execution, "execution.ended")
            assert ended["status"] == ("completed" if execution in paid else "failed")
    world.check(paid)
    assert min(ends["decided"], ends["expired"]) > ROUNDS // 20, ends


def _either(world: World, execution: str, people: list[Said]) -> str:
    """It was decided, by the one who was told so, or it expired, and nobody was told anything else."""
    (fact,) = world.records(execution, "task.decided", "task.expired")
    heard = [f"p{each}" for each in range(4) if people[each].code == "heard"]
    assert heard == ([fact["by"]] if fact["type"] == "task.decided" else [])
    return str(fact["type"]).removeprefix("task.")


@pytest.mark.slow
def test_of_many_who_resume_one_drives(world: World, tally: Tally) -> None:
    executions = [f"e{number}" for number in range(ROUNDS)]
    with Crowd(16) as crowd:
        for execution in executions:
            world.start(execution)
            decide(world.path, execution, "approved", "bob")
            said = crowd.at_once([partial(resume, world.path, execution)] * 16)
            tally.add("F7")
            assert {each.code for each in said} <= {"completed", "execution.held"}
            assert [each for each in said if each.code == "completed" and not each.words], said
            assert resume(world.path, execution).code == "completed"
    world.check(set(executions))


@pytest.mark.slow
@pytest.mark.parametrize("inputs", [1, 2], ids=["the same input", "two inputs"])
def test_of_many_who_start_one_id_one_start_counts(inputs: int, world: World, tally: Tally) -> None:
    with Crowd(16) as crowd:
        for number in range(ROUNDS):
            execution = f"e{number}"
            said = crowd.at_once(
                [partial(start, world.path, world.workflow, execution, {"n": each % inputs}) for each in range(16)]
            )
            tally.add("F7")
            (first,) = world.records(execution, "execution.started")
            kept = first["input"]["n"]
            for each, answer in enumerate(said):
                same = each % inputs == kept
                assert answer.code in (("waiting", "execution.held") if same else ("execution.exists",)), answer
            assert "waiting" in {each.code for each in said}
    world.check(set())


def test_who_looks_first_and_writes_later_is_found(world: World) -> None:
    """The positive control: several are heard, as nothing keeps them from each other between look and record."""
    world.start("e")
    with Crowd(8) as crowd:
        said = crowd.at_once([partial(decide_carelessly, world.path, "e", "approved", f"p{each}") for each in range(8)])
    with pytest.raises(ValueError, match="too many values"):
        _heard(world, "e", said)

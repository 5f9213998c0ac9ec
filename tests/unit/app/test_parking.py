"""When `run` lets go of an execution that only waits, and what then drives it on. In virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.support.clock import AtOnce, VirtualLoop, virtual_time
from tests.support.world import EPOCH
from wfrun.app.runtime import Runtime
from wfrun.app.standing import view_of
from wfrun.app.starting import create_or_open, origin_of, runner
from wfrun.app.workflows import open_workflow
from wfrun.core.events import Record
from wfrun.core.expression import parse_duration
from wfrun.core.instants import parse_instant
from wfrun.engines.local.engine import LocalEngine
from wfrun.engines.local.machine import Machine
from wfrun.journal.commit import Committer
from wfrun.journal.driver import is_driven
from wfrun.journal.home import Home
from wfrun.journal.journal import Journal
from wfrun.journal.memory import MemoryFiles
from wfrun.journal.worker import Done, Work, Worker

PLACE = "/nowhere/state"

HEAD = """
name: NAME
services:
  s:
    adapter: mock
    default: { result: ok }
    actions:
      long: { delay: 10m }
      bad: { error: { type: bad } }
      flaky: [{ error: { type: later } }, { result: ok }]
"""

LONG = "{ name: long, service: s, action: long }"
QUICK = "{ name: quick, service: s, action: quick }"
FLAKY = "{ name: flaky, service: s, action: flaky, retry: { initialDelay: 5m, maxDelay: 1h, jitter: 0 } }"
ASK = "{ name: ask, type: human-task, assignee: bob }"


class Bench:
    """Workflows in a folder, a home in memory, and one process after the other, each with its own loop."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.files = MemoryFiles()

    def write(self, *steps: str, name: str = "it", more: str = "") -> None:
        body = "".join(f"  - {step}\n" for step in steps)
        (self.folder / f"{name}.yaml").write_text(f"{HEAD.replace('NAME', name)}{more}steps:\n{body}")

    def drive(self, begin: timedelta = timedelta(), **more: Any) -> tuple[str, timedelta]:
        """Run or resume it, at this time. How it stands when the process ends, and when that is."""
        with virtual_time(EPOCH + begin) as loop:
            process = Process(self, loop, **more)
            return loop.run_until_complete(process.run()), loop.now() - EPOCH

    def records(self, execution: str = "e") -> list[Record]:
        return Journal.read(Home(PLACE, self.files), execution)

    def is_driven(self, execution: str) -> bool:
        return is_driven(Home(PLACE, self.files), execution)


class Process:
    def __init__(
        self,
        bench: Bench,
        loop: VirtualLoop,
        meanwhile: Callable[[Home], Awaitable[None]] | None = None,
        worker: Callable[[VirtualLoop, Home], Worker] | None = None,
    ) -> None:
        self._home = Home(PLACE, bench.files, loop.now)
        self._file = str(bench.folder / "it.yaml")
        self._meanwhile = meanwhile
        committer = Committer(bench.files, worker(loop, self._home) if worker is not None else AtOnce(loop))
        self._engine = LocalEngine(Machine(committer))
        self._runtime = Runtime(self._home, self._engine, None, park=True)

    async def run(self) -> str:
        looking = asyncio.ensure_future(self._engine.look_around())
        other = asyncio.ensure_future(self._meanwhile(self._home)) if self._meanwhile is not None else None
        workflow = open_workflow(self._file, None, self._home)
        journal, known = create_or_open(self._home, workflow, {}, "e", origin_of(self._file, None), "ann")
        if known:
            journal.drive(runner())
        await self._runtime.drive(journal, workflow)
        await self._runtime.close()
        looking.cancel()
        if other is not None:
            await other
        return view_of(self._home, journal.records, driven=False)["status"]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


@pytest.mark.parametrize(
    ("step", "status", "driven"),
    [
        ("{ name: nap, type: wait, for: 29s }", "completed", "29s"),
        ("{ name: nap, type: wait, for: 30s }", "waiting", "0s"),
        ("{ name: nap, type: wait, until: '2026-01-01T00:00:29Z' }", "completed", "29s"),
        ("{ name: nap, type: wait, until: '2026-01-01T09:00:00Z' }", "waiting", "0s"),
        ("{ type: repeat, until: $.index == 1, maxIterations: 3, delay: 29s, steps: [QUICK] }", "completed", "29s"),
        ("{ type: repeat, until: $.index == 1, maxIterations: 3, delay: 30s, steps: [QUICK] }", "waiting", "0s"),
        (FLAKY, "completed", "5m"),
        ("{ name: long, service: s, action: long }", "completed", "10m"),
        ("{ name: ask, type: human-task, assignee: bob, timeout: 10s }", "waiting", "0s"),
        ("{ name: hear, type: wait, event: x, timeout: 10s }", "waiting", "0s"),
        ("{ type: sequential, timeout: 20s, steps: [{ name: nap, type: wait, for: 1h }] }", "waiting", "0s"),
        ("{ type: parallel, steps: [{ name: nap, type: wait, for: 1h }, LONG] }", "waiting", "10m"),
        ("{ type: parallel, steps: [{ name: nap, type: wait, for: 5m }, LONG] }", "completed", "10m"),
    ],
)
def test_it_is_driven_as_long_as_it_goes_on_by_itself_soon(bench: Bench, step: str, status: str, driven: str) -> None:
    bench.write(step.replace("QUICK", QUICK).replace("LONG", LONG))
    assert bench.drive() == (status, timedelta(milliseconds=parse_duration(driven)))


def test_before_its_time_it_parks_again_and_after_it_goes_on(bench: Bench) -> None:
    bench.write("{ name: nap, type: wait, for: 1h }", LONG)
    assert bench.drive() == ("waiting", timedelta())
    assert bench.drive(timedelta(minutes=59)) == ("waiting", timedelta(minutes=59))
    assert bench.drive(timedelta(minutes=61)) == ("completed", timedelta(minutes=71))


class TestChildren:
    CHILD = "{ name: child, type: workflow, workflow: child }"

    def test_a_child_that_only_waits_parks_with_its_parent(self, bench: Bench) -> None:
        bench.write("{ name: nap, type: wait, for: 1h }", LONG, name="child")
        bench.write(self.CHILD)
        assert bench.drive() == ("waiting", timedelta())
        assert not bench.is_driven("e")
        assert not bench.is_driven("e.child")
        assert bench.drive(timedelta(hours=1)) == ("completed", timedelta(hours=1, minutes=10))

    def test_and_goes_on_at_its_time_while_its_parent_is_driven(self, bench: Bench) -> None:
        bench.write("{ name: nap, type: wait, for: 1m }", QUICK, name="child")
        bench.write(f"{{ type: parallel, steps: [{self.CHILD}, {LONG}] }}")
        assert bench.drive() == ("completed", timedelta(minutes=10))
        assert self.end_of(bench, "e.child") == EPOCH + timedelta(minutes=1)

    def test_a_decision_in_a_child_is_noticed_while_its_parent_is_driven(self, bench: Bench) -> None:
        bench.write(ASK, QUICK, name="child")
        bench.write(f"{{ type: parallel, steps: [{self.CHILD}, {LONG}] }}")

        async def bob(home: Home) -> None:
            await asyncio.sleep(60)
            decide(home, "e.child")

        assert bench.drive(meanwhile=bob) == ("completed", timedelta(minutes=10))
        assert self.end_of(bench, "e.child") <= EPOCH + timedelta(minutes=1, milliseconds=100)

    def test_a_grandchild_keeps_its_elders_driven(self, bench: Bench) -> None:
        bench.write(LONG, "{ name: nap, type: wait, for: 1h }", name="grandchild")
        bench.write("{ name: grandchild, type: workflow, workflow: grandchild }", name="child")
        bench.write(self.CHILD)
        assert bench.drive() == ("waiting", timedelta(minutes=10))
        assert not any(bench.is_driven(id) for id in ("e", "e.child", "e.child.grandchild"))
        assert bench.drive(timedelta(hours=2)) == ("completed", timedelta(hours=2))

    def test_one_that_is_paused_is_let_go_and_goes_on_once_it_is_repaired(self, bench: Bench) -> None:
        bench.write(
            "{ name: bad, service: s, action: bad }", name="child", more="errorHandling: { onFailure: pause }\n"
        )
        bench.write(f"{{ type: parallel, onFailure: wait, steps: [{self.CHILD}, {LONG}] }}")
        held: list[bool] = []

        async def ann(home: Home) -> None:
            await asyncio.sleep(60)
            held.append(bench.is_driven("e.child"))
            with closing(Journal.open(home, "e.child")) as journal, journal.turn():
                journal.add({"type": "compensation.requested", "by": "ann", "reason": ""})
                journal.sync()

        assert bench.drive(meanwhile=ann) == ("failed", timedelta(minutes=10))
        assert held == [False]
        assert self.end_of(bench, "e.child") <= EPOCH + timedelta(minutes=1, milliseconds=100)
        assert len([record for record in bench.records("e.child") if record["type"] == "driver.started"]) == 2

    @staticmethod
    def end_of(bench: Bench, execution: str) -> datetime:
        (ended,) = (record for record in bench.records(execution) if record["type"] == "execution.ended")
        return parse_instant(ended["at"])


class Meanwhile(AtOnce):
    """Somebody decides the task while its creation is being synced: the driver still holds the execution then."""

    def __init__(self, loop: VirtualLoop, home: Home) -> None:
        super().__init__(loop)
        self._home = home

    def put(self, work: Work, done: Done) -> None:
        decide(self._home, "e")
        super().put(work, done)


def test_what_was_recorded_just_before_it_parks_is_not_left_lying(bench: Bench) -> None:
    """Whoever recorded it found the execution held, and left it to its driver."""
    bench.write(ASK, QUICK)
    assert bench.drive(worker=Meanwhile)[0] == "completed"


def decide(home: Home, execution: str) -> None:
    journal = Journal.open(home, execution)
    with closing(journal), journal.turn():
        task = f"{execution}/ask"
        types = [record["type"] for record in journal.records]
        if "task.created" in types and "task.decided" not in types:
            decided: Any = {"decision": "approved", "by": "bob", "comment": "", "data": {}}
            journal.add({"type": "task.decided", "task": task} | decided)
            journal.sync()

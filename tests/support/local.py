"""Cases played on the local engine, as it is, in virtual time: on a disk in memory, or on a real one.

Everything but the clock, chance and the services is what `wfrun run --wait` uses: journals, locks, syncs, timers, child
executions. The process may be killed at any record; what is outside goes on, and another process takes over.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from functools import cache
from math import inf
from tempfile import TemporaryDirectory
from typing import Any, Protocol

from tests.support.cases import EXECUTION, INITIATOR, Case, Scenario
from tests.support.clock import AtOnce, Elsewhere, VirtualLoop, virtual_time
from tests.support.mortal import Killed, Mortal
from tests.support.outcomes import Outcome, outcome_of
from tests.support.script import Answers, Course, event_of, milliseconds
from tests.support.world import EPOCH
from wfrun.adapters.contract import Call
from wfrun.adapters.mock import perform
from wfrun.adapters.mock_script import Answer
from wfrun.app.checked import remember
from wfrun.app.deciding import record_cancellation, record_decision
from wfrun.app.delivering import deliver_all
from wfrun.app.family import root_of
from wfrun.app.in_force import fold
from wfrun.app.runtime import Runtime
from wfrun.app.services import Configs
from wfrun.app.starting import check_input, create_or_open, origin_of
from wfrun.app.workflows import Workflow, open_workflow
from wfrun.core.events import Record
from wfrun.core.human import Vote
from wfrun.core.instants import parse_instant
from wfrun.core.repair_refusals import reasons_not_to_undo
from wfrun.core.values import Json
from wfrun.engines.local.driver import Driver
from wfrun.engines.local.engine import Interrupted, LocalEngine
from wfrun.engines.local.machine import Machine
from wfrun.errors import ConflictError, WfrunError
from wfrun.journal.commit import Committer
from wfrun.journal.home import Home
from wfrun.journal.journal import Journal
from wfrun.journal.memory import MemoryFiles
from wfrun.journal.worker import Worker
from wfrun.load.records import record_problem

PLACE = "/nowhere/state"


def play_in_memory(case: Case, scenario: Scenario, seed: int | None = None) -> Outcome:
    """The local engine as a player."""
    with virtual_time() as loop:
        return Play(case, scenario, loop, Home(PLACE, MemoryFiles(), loop.now), lambda: AtOnce(loop)).outcome()


def play_on_files(case: Case, scenario: Scenario, seed: int | None = None) -> Outcome:
    """The same with real files, locks and syncs, and the thread that waits for these."""
    with TemporaryDirectory() as folder, virtual_time() as loop:
        home = Home(folder, clock=loop.now)
        try:
            return Play(case, scenario, loop, home, lambda: Elsewhere(loop)).outcome()
        finally:
            home.close_idle_locks()


def play_and_kill(case: Case, scenario: Scenario, records: float, *, power: bool = False) -> tuple[Outcome, int]:
    """Played in memory, killed after so many records, and gone on with. Also how many were written in all.

    With `power`, its machine has lost power: only what was synced is still there.
    """
    with virtual_time() as loop:
        killed = asyncio.Event()
        disk = Mortal(MemoryFiles(), records, killed.set, power=power)
        play = Play(case, scenario, loop, Home(PLACE, disk.door, loop.now), lambda: AtOnce(loop), (disk, killed))
        return play.outcome(), play.written


@cache
def opened(case: Case) -> tuple[Workflow, dict[str, bytes]]:
    """The workflow of a case, and what a home remembers of it and of those that it starts."""
    home = Home(PLACE, MemoryFiles())
    workflow = open_workflow(str(case.workflow()), None, home)
    for document in workflow.linked:
        remember(home, document)
    names = home.files.list(home.cache)
    return workflow, {name: home.read_cache(name) or b"" for name in names}


class Play:
    """A scenario: what is outside of the process that runs it, and that process, or one after the other."""

    def __init__(
        self,
        case: Case,
        scenario: Scenario,
        loop: VirtualLoop,
        home: Home,
        worker: Callable[[], Worker],
        mortal: tuple[Mortal, asyncio.Event] | None = None,
    ) -> None:
        self.case = case
        self.loop = loop
        self.home = home
        self.worker = worker
        self.outside = Outside(self, scenario)
        self._input = scenario.input
        self._mortal = mortal
        self.written = 0
        self.execution = EXECUTION
        self.process: Process

    def outcome(self) -> Outcome:
        self.loop.run_until_complete(self._run())
        for failure in self.loop.failures:
            if not isinstance(failure, Killed):
                raise failure
        journals = {id: Journal.read(self.home, id) for id in self.home.ids()}
        strange = {
            id: [found for each in records if (found := record_problem(each))] for id, records in journals.items()
        }
        assert not any(strange.values()), strange
        return outcome_of(journals, EXECUTION)

    async def _run(self) -> None:
        for name, data in opened(self.case)[1].items():
            self.home.write_cache(name, data)
        self.process = Process(self)
        self.begin()
        while await self._is_killed():
            await self._bury()
            self.process = Process(self)
            self.begin()
            self.outside.again()
        self.written = self._mortal[0].spare() if self._mortal is not None else 0
        await self.process.end()

    @property
    def is_dead(self) -> bool:
        """Whether the process has been killed, and nobody has taken over yet."""
        return self._mortal is not None and self._mortal[0].dead

    def begin(self) -> None:
        """As whoever is not sure that it was begun: with its id."""
        try:
            workflow = opened(self.case)[0]
            values = check_input(workflow, self._input)
            origin = origin_of(str(self.case.workflow()), None)
            journal, existing = create_or_open(self.home, workflow, values, EXECUTION, origin, INITIATOR)
            if existing:
                journal.close()
                self._take_up_all()
            else:
                self.process.drive(journal, workflow)
        except Killed:
            return

    def _take_up_all(self) -> None:
        """Also those that are nobody's children any more."""
        for execution in sorted(self.home.ids()):
            if root_of(self.home, execution) == execution:
                self.process.take_up(execution)

    async def _is_killed(self) -> bool:
        """Whether the process was killed before nothing more was going to happen."""
        if self._mortal is None:
            await self.loop.quiet()
            return False
        waits = {asyncio.ensure_future(self.loop.quiet()), asyncio.ensure_future(self._mortal[1].wait())}
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()
        return self._mortal[1].is_set()

    async def _bury(self) -> None:
        assert self._mortal is not None
        disk, killed = self._mortal
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        killed.clear()
        disk.revive()
        self.home = Home(PLACE, self.home.files, self.loop.now)


class Process:
    """What drives the executions of a play, as long as it lives."""

    def __init__(self, play: Play) -> None:
        self._engine = LocalEngine(Machine(Committer(play.home.files, play.worker()), lambda: 0.5, inf))
        observer, services = play.outside.notice, play.outside.services
        self._runtime = Runtime(play.home, self._engine, observer, park=False, open_services=services)
        self._tasks: list[asyncio.Future[Any]] = []

    def drive(self, journal: Journal, workflow: Workflow) -> None:
        self._tasks.append(asyncio.ensure_future(self._runtime.drive(journal, workflow)))

    def take_up(self, execution: str) -> None:
        self._tasks.append(asyncio.ensure_future(self._runtime.take_up(execution)))

    def go_on(self, execution: str) -> None:
        """Something was recorded for an execution."""
        self._runtime.notice(execution)

    def workflow_of(self, journal: Journal) -> Workflow:
        return self._runtime.workflow_of(journal)

    def driver(self, execution: str) -> Driver | None:
        return self._runtime.driver(execution)

    async def end(self) -> None:
        self._engine.interrupt("SIGTERM")
        ends = await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._runtime.close()
        await self._engine.machine.committer.close()
        for end in ends:
            if isinstance(end, BaseException) and not isinstance(end, Interrupted):
                raise end


class Going(Protocol):
    """Whoever drives executions."""

    def go_on(self, execution: str) -> None: ...

    def workflow_of(self, journal: Journal) -> Workflow: ...


class Surroundings(Protocol):
    """What those who are outside see of a play."""

    @property
    def loop(self) -> VirtualLoop: ...

    @property
    def home(self) -> Home: ...

    @property
    def process(self) -> Going: ...

    @property
    def execution(self) -> str: ...

    @property
    def is_dead(self) -> bool: ...


class Outside:
    """The people, the operator, the sources of events and the services of a scenario. They know what journals say."""

    def __init__(self, play: Surroundings, scenario: Scenario) -> None:
        self._play = play
        self._loop = play.loop
        self._scenario = scenario
        self._course = Course()
        self._cues = list(enumerate([*scenario.events, *scenario.operator]))
        self._asked: set[str] = set()
        self._again: list[Callable[[], None]] = []
        self._answers: dict[str, Answers] = {}
        self._given: dict[tuple[str, str, int], tuple[float, Answer]] = {}
        self._look_at_cues()

    def notice(self, execution: str, record: Record, fresh: bool) -> None:
        at = parse_instant(record["at"])
        self._course.notice(record, at)
        if record["type"] == "task.created":
            self._ask(execution, record["task"], at)
        self._look_at_cues()

    def again(self) -> None:
        """Whoever had to do with a process that was killed tries once more with another."""
        again, self._again = self._again, []
        for act in again:
            act()

    def _at(self, due: datetime, act: Callable[[], None]) -> None:
        def try_to() -> None:
            try:
                act()
            except Killed:
                self._again.append(try_to)

        self._loop.call_at((due - EPOCH).total_seconds(), try_to)

    # ---- events, and the operator

    def _look_at_cues(self) -> None:
        for cue in list(self._cues):
            due = self._course.due(cue[1])
            if due is not None:
                self._cues.remove(cue)
                self._at(due, lambda cue=cue: self._take(*cue))  # type: ignore[misc]

    def _take(self, number: int, data: dict[str, Any]) -> None:
        if "type" in data:
            for execution in deliver_all(self._play.home, event_of(data, number, self._loop.now())):
                self._play.process.go_on(execution)
        else:
            self._operate(data["do"])
            self._play.process.go_on(self._play.execution)

    def _operate(self, what: str) -> None:
        journal = Journal.open(self._play.home, self._play.execution)
        try:
            if what == "cancel":
                record_cancellation(journal, "operator", "")
            else:
                assert what == "compensate", f"an operator cannot {what}"
                with journal.turn():
                    if not reasons_not_to_undo(fold(self._play.home, journal.records)):
                        journal.add({"type": "compensation.requested", "by": "operator", "reason": ""})
                        journal.sync()
        except ConflictError:
            pass  # it has ended, or been cancelled by the same operator before
        finally:
            journal.close()

    # ---- people

    def _ask(self, execution: str, task: str, since: datetime) -> None:
        votes = Answers.scripted(self._scenario.people, task.partition("/")[2]) or []
        if task not in self._asked:
            self._asked.add(task)
            self._next_vote(execution, task, since, list(votes))

    def _next_vote(self, execution: str, task: str, since: datetime, votes: list[dict[str, Any]]) -> None:
        def vote() -> None:
            if self._vote(execution, task, votes[0]):
                self._play.process.go_on(execution)
                self._next_vote(execution, task, since, votes[1:])

        if votes:
            self._at(since + milliseconds(votes[0].get("after", 0)), vote)

    def _vote(self, execution: str, task: str, written: dict[str, Any]) -> bool:
        """Whether there was still something to decide."""
        home = self._play.home
        vote = Vote(written["decision"], written["by"], written.get("comment", ""), written.get("data", {}))
        journal = Journal.open(home, execution)
        refused: WfrunError | None = None
        try:
            workflow = self._play.process.workflow_of(journal)
            if fold(home, journal.records).tasks[task].closed is not None:
                return False
            refused = record_decision(home, journal, workflow, task, vote)[1]
        except WfrunError as error:
            refused = error
        finally:
            journal.close()
        code = refused.code if refused is not None else None
        assert written.get("refused") in (code, "perhaps"), f"{vote}: {refused or 'was accepted'}"
        return True

    # ---- services

    def services(self, configs: Configs) -> Scripted:
        return Scripted(self, {name: config.settings for name, config in configs.items()})

    async def answer(self, own: Mapping[str, Any], call: Call) -> Json:
        """An attempt that is begun again, after a crash, gets the same answer at the same instant; one that was stopped
        starts from the beginning."""
        key = (call.execution, call.step, call.attempt)
        if key not in self._given:
            answers = self._answers.setdefault(call.execution, Answers(own, self._scenario))
            self._given[key] = (self._loop.time(), answers.answer(call))
        begun, answer = self._given[key]
        left = begun + answer.delay_seconds - self._loop.time()
        try:
            return await perform(replace(answer, delay_seconds=max(0.0, left)), call)
        except asyncio.CancelledError:
            if not self._play.is_dead:
                del self._given[key]
            raise


class Scripted:
    """The services of one workflow."""

    def __init__(self, outside: Outside, own: Mapping[str, Any]) -> None:
        self._outside = outside
        self._own = own

    async def call(self, call: Call) -> Json:
        return await self._outside.answer(self._own, call)

    async def close(self) -> None: ...

"""Cases played on Temporal, on a real server, in virtual time.

What executions ask for, the workers, the server, updates and queries are what production has. Only time is virtual:
that of the workflow is what the test says, and passes when everybody waits for it. People, the operator, events and
services are those of `local`, on the same loop; the server and its client are on another, in a thread.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Coroutine
from datetime import datetime
from secrets import token_hex
from typing import Any, ClassVar, TypeVar

from temporalio import workflow

from tests.support.cases import EXECUTION, INITIATOR, Case, Scenario
from tests.support.clock import VirtualLoop, end_loop
from tests.support.local import Outside, Scripted, opened
from tests.support.outcomes import Outcome, outcome_of
from tests.support.temporal import Engine, Server
from tests.support.world import EPOCH
from wfrun.app.elsewhere import RemoteHome
from wfrun.app.evidence import of_home
from wfrun.app.in_force import workflow_of
from wfrun.app.proving import Proof, is_proved, prove
from wfrun.app.starting import check_input, first_event, origin_of
from wfrun.app.temporal import TemporalWorkers
from wfrun.app.watching import carried
from wfrun.app.workflows import Workflow
from wfrun.core.effects import Publish, RecallChild, StartChild, Stop
from wfrun.core.events import EventData, Record
from wfrun.core.instants import format_instant, parse_instant
from wfrun.engines.calls import Answer, Caller, Calls, Order, cancelled
from wfrun.engines.temporal import WORKFLOW
from wfrun.engines.temporal.activities import Activities, Calling, order_of
from wfrun.engines.temporal.client import Begun, Namespace
from wfrun.engines.temporal.files import JournalFiles
from wfrun.engines.temporal.worker import Load, make_worker
from wfrun.engines.temporal.workflow import Execution
from wfrun.journal.home import Home
from wfrun.journal.journal import Journal

T = TypeVar("T")

# How long everybody is waited for, in real seconds.
PATIENCE_S = 30.0
LOOK_EVERY_S = 0.004


@workflow.defn(name=WORKFLOW, sandboxed=False)
class Played(Execution):
    """An execution whose time is that of the play. It is known to the play for as long as its worker keeps it."""

    clock: ClassVar[VirtualLoop]
    known: ClassVar[dict[str, Played]] = {}
    instants: ClassVar[dict[tuple[str, int], datetime]] = {}

    @workflow.init
    def __init__(self, start: dict[str, Any]) -> None:
        self.passed = EPOCH
        self.over = False
        super().__init__(start)
        if not workflow.unsafe.is_replaying():
            self.known[self._first["execution"]] = self

    @workflow.run
    async def run(self, start: dict[str, Any]) -> dict[str, Any]:
        try:
            return await super().run(start)
        finally:
            self.over = True

    @workflow.signal
    def pass_time(self, now: str) -> None:
        self.passed = parse_instant(now)

    def now(self) -> datetime:
        """Of one turn always the same, also when that is replayed."""
        told = workflow.info()
        turn = (told.run_id, told.get_current_history_length())
        return max(self.instants.setdefault(turn, self.clock.now()), self.passed)

    async def until(self, due: datetime) -> None:
        await workflow.wait_condition(lambda: self.passed >= due)

    # ---- for the play, from its own thread

    def listens_to(self, event: str) -> bool:
        return not self.over and event in self._first.get("listens", [])

    @property
    def services(self) -> dict[str, Any]:
        return dict(self._errands._in_force["services"])

    def rests(self, play: RemotePlay) -> bool:
        """Whether it only waits for time to pass, for answers that are known to come, and for others that wait so."""
        if self.over:
            return True
        if self._awake or self._turns.has_outcomes or self.run_.ended is not None:
            return False
        return (
            all((self._first["execution"], id) in play.held for id in self._errands._calls)
            and all(self._waits_for(id, play) for id in self._errands._others)
            and all(self._is_told(effect, play) for effect in list(self.run_.pending.values()))
            and not any(due <= self.clock.now() for due in self._dues())
        )

    def _dues(self) -> list[datetime]:
        times = [self.run_.recorded.get(id) for id in self._tasks]
        return [
            *(parse_instant(record["due"]) for record in times if record is not None),
            *(due for due, _ in list(self._alarms.values())),
        ]

    def _waits_for(self, id: str, play: RemotePlay) -> bool:
        effect = self.run_.pending.get(id)
        if not isinstance(effect, StartChild | RecallChild):
            return False
        child = self.known.get(self.run_.recorded[id]["child"])
        return child is not None and not child.over and child.run_.ended is None

    def _is_told(self, effect: Any, play: RemotePlay) -> bool:
        """Whoever is to stop has heard it."""
        if not isinstance(effect, Stop):
            return not isinstance(effect, Publish)
        if effect.of == "call":
            return (
                effect.target not in self._errands._calls or (self._first["execution"], effect.target) in play.stopping
            )
        recorded = self.run_.recorded.get(effect.target)
        child = self.known.get(recorded["child"]) if recorded is not None and effect.of == "child" else None
        return child is None or any(record["type"] == "cancel.requested" for record in child.run_.records)


class Director(VirtualLoop):
    """Time goes on once everybody on Temporal waits for it, and the play has seen all that happened until then."""

    play: RemotePlay

    def go_on(self, timeout: float | None) -> bool:
        if self.play.stirred and self._settle():
            return True
        self.play.stirred = False
        return super().go_on(timeout)

    def _settle(self) -> bool:
        """Until nobody has anything to do; whether there is something to do here instead."""
        until, calm = time.monotonic() + PATIENCE_S, 0
        while calm < 2:
            if self._ready:  # type: ignore[attr-defined]  # something was handed over from the other thread
                return True
            calm = calm + 1 if self.play.rests() else 0
            assert time.monotonic() < until, self.play.story()
            time.sleep(LOOK_EVERY_S)
        return self.play.notice()


class PlayedActivities(Activities):
    """Calls are answered by the scenario, on the loop of the play."""

    def __init__(self, namespace: Namespace, stage: Stage) -> None:
        super().__init__(namespace, lambda name, entry, folder: None, beat=LOOK_EVERY_S)
        self._stage = stage

    def begin(self, order: dict[str, Any], answer: Answer) -> Calling:
        return Elsewhere(self._stage.play, order, answer)


class Elsewhere:
    """A call that is made on the loop of the play."""

    def __init__(self, play: RemotePlay, order: dict[str, Any], answer: Answer) -> None:
        self._play = play
        self._order = order_of(order)
        self._answer = answer
        self._loop = asyncio.get_running_loop()
        self._calls: Calls
        play.loop.call_soon_threadsafe(self._begin)

    def stop(self, id: str) -> bool:
        if self._play.loop.is_closed():  # the play is over, and what was left of it has been terminated
            self._answer(id, cancelled(self._order.step, self._order.attempt))
        else:
            self._play.loop.call_soon_threadsafe(self._stop)
        return True

    async def leave(self) -> None: ...

    def _begin(self) -> None:
        order = self._order
        self._calls = Calls(self._play.services_of(order), self._answered, self._play.loop.now, lambda: 0.5)
        self._calls.begin(order)
        self._play.held.add((order.execution, order.id))

    def _stop(self) -> None:
        self._play.stopping.add((self._order.execution, self._order.id))
        self._calls.stop(self._order.id)

    def _answered(self, id: str, event: Any) -> None:
        self._play.held.discard((self._order.execution, id))
        self._play.stirred = True
        self._loop.call_soon_threadsafe(self._answer, id, event)


class PlayedNamespace(Namespace):
    """Visibility comes a little later than what it tells of: here nobody is overlooked for that."""

    async def publish(self, event: EventData) -> list[str]:
        while not (Played.known and await self._tells_of(event["type"])):  # noqa: ASYNC110 - the server has no event
            await asyncio.sleep(LOOK_EVERY_S)
        return await super().publish(event)

    async def _tells_of(self, event: str) -> bool:
        listening = {id for id, each in list(Played.known.items()) if each.listens_to(event)}
        return listening <= {found.id async for found in self.listed("ExecutionStatus = 'Running'")}

    async def go_on(self, begun: Begun) -> None:
        """What was over goes on as another run, which is waited for."""
        Played.known.pop(begun.records[0]["execution"], None)
        await super().go_on(begun)


class Stage:
    """A worker for all plays on one server, one after the other."""

    play: RemotePlay

    def __init__(self, server: Server) -> None:
        self._engine = Engine(server)
        self.namespace = PlayedNamespace(self._engine.namespace.client, self._engine.queue)
        self.ask = self._engine.ask
        self._stopped = asyncio.Event()
        self._working = self._engine.begin(self._work())

    async def _work(self) -> None:
        activities = PlayedActivities(self.namespace, self)
        async with make_worker(self.namespace, activities, Load(drain=0, heard_within=LOOK_EVERY_S), Played):
            await self._stopped.wait()

    def close(self) -> None:
        self._engine.soon(self._stopped.set)
        self._working.result(60)
        self._engine.close()

    def outcome(self, case: Case, scenario: Scenario, seed: int | None = None) -> Outcome:
        """Temporal as a player."""
        loop = Director()
        try:
            self.play = loop.play = RemotePlay(self, case, scenario, loop)
            return self.play.outcome()
        finally:
            self.play.end()
            end_loop(loop)


class RemotePlay:
    """A scenario. Its execution has an id of its own on the server, and `case` in what it comes to."""

    is_dead = False

    def __init__(self, stage: Stage, case: Case, scenario: Scenario, loop: Director) -> None:
        self.loop = loop
        self.execution = f"{EXECUTION}-{token_hex(4)}"
        self.held: set[tuple[str, str]] = set()
        self.stopping: set[tuple[str, str]] = set()
        # Whether anybody has told Temporal anything since all was quiet.
        self.stirred = True
        self._stage = stage
        self._case = case
        self._input = scenario.input
        self._seen: dict[str, int] = {}
        self.unproved: list[Proof] = []
        namespace, ask = stage.namespace, self._ask
        self.home: Home = RemoteHome(
            "/temporal", JournalFiles(namespace, ask), TemporalWorkers(namespace, ask), loop.now
        )
        self.outside = Outside(self, scenario)
        Played.clock, Played.known = loop, {}

    def outcome(self) -> Outcome:
        self.loop.run_until_complete(self._run())
        for failure in self.loop.failures:
            raise failure
        journals = {id: Journal.read(self.home, id) for id in Played.known}
        self.unproved = [each for each in prove(of_home(self.home, journals)) if not is_proved(each)]
        return outcome_of(json.loads(json.dumps(journals).replace(self.execution, EXECUTION)), EXECUTION)

    async def _run(self) -> None:
        flow = opened(self._case)[0]
        values, origin = check_input(flow, self._input), origin_of(str(self._case.workflow()), None)
        first = first_event(self.execution, flow, values, origin, INITIATOR, "00")
        assert isinstance(self.home, RemoteHome)
        assert self.home.workers.start(dict(first), carried(flow))
        await self.loop.quiet()

    def end(self) -> None:
        for id, each in list(Played.known.items()):
            if not each.over:
                self._stage.ask(self._stage.namespace.client.get_workflow_handle(id).terminate())

    def _ask(self, question: Coroutine[Any, Any, T]) -> T:
        self.stirred = True
        return self._stage.ask(question)

    # ---- what executions do

    def rests(self) -> bool:
        known = list(Played.known.values())
        return self.execution in Played.known and all(each.rests(self) for each in known)

    def notice(self) -> bool:
        """Whether anything has happened since the last look."""
        news: list[tuple[str, Record]] = []
        for id, each in list(Played.known.items()):
            records = each.run_.records
            news += [(id, record) for record in records[self._seen.get(id, 0) :]]
            self._seen[id] = len(records)
        for id, record in news:
            self.outside.notice(id, record, True)
            if record.get("due") is not None:
                due = parse_instant(record["due"])
                self.loop.call_at((due - EPOCH).total_seconds(), self._pass_time, id, due)
        return bool(news)

    def _pass_time(self, execution: str, due: datetime) -> None:
        if not Played.known[execution].over:
            handle = self._stage.namespace.client.get_workflow_handle(execution)
            self._ask(handle.signal(Played.pass_time, format_instant(max(due, self.loop.now()))))

    def story(self) -> str:
        return "\n".join(
            f"{id}: {each.over=} {each.run_.records[-3:]} pending {list(each.run_.pending)}"
            for id, each in Played.known.items()
        )

    # ---- as `Outside` has it

    @property
    def process(self) -> RemotePlay:
        return self

    def go_on(self, execution: str) -> None:
        """Workers do."""

    def workflow_of(self, journal: Journal) -> Workflow:
        return workflow_of(self.home, journal.records, None)

    def services_of(self, order: Order) -> Caller:
        return Scripted(self.outside, Played.known[order.execution].services)

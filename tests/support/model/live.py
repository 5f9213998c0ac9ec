"""wfrun and the model side by side, where whoever tests decides what happens next, and when."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.support.cases import EXECUTION, Case, Scenario
from tests.support.clock import VirtualLoop
from tests.support.model.execution import Execution
from tests.support.model.outside import Call, Refused, Task
from tests.support.outcomes import Outcome, outcome_of
from tests.support.stage import Actor, Moment, Stage
from tests.support.world import EPOCH, document
from wfrun.core.effects import CallService
from wfrun.core.fibers import stop_id
from wfrun.core.plan import Plan, compile_plan
from wfrun.core.repair_refusals import reasons_not_to_undo
from wfrun.core.run import Run

NEVER = datetime.max.replace(tzinfo=UTC)
NOTHING = Scenario("live", {}, {}, {}, [], [], {}, timeless=True)

Definitions = Mapping[str | None, Any]


class LiveStage(Stage):
    """The pure core. Calls are answered, and tasks decided, when somebody says so."""

    def __init__(self, definitions: Definitions, input: dict[str, Any]) -> None:
        self._plans = {name: compile_plan(document(data))[0] for name, data in definitions.items()}
        super().__init__(Case("live", Path()), NOTHING._replace(input=input))

    def plan_of(self, workflow: str | None) -> Plan:
        return self._plans[workflow]

    def start(self, execution: str, workflow: str | None, input: dict[str, Any]) -> None:
        self.actors[execution] = LiveActor(self, self.plan_of(workflow), execution, input)

    @property
    def root(self) -> Actor:
        return self.actors[EXECUTION]

    def advance(self, until: datetime) -> None:
        """Everything that happens by itself until then."""
        while moments := [
            each for actor in list(self.actors.values()) for each in actor.moments() if each.due <= until
        ]:
            first = min(moments, key=lambda moment: moment.due)
            self.now = max(self.now, first.due)
            first.act()
        self.now = until

    def kill(self) -> None:
        """Every process is killed, and others take over: they know the journals and nothing else."""
        for actor in self.actors.values():
            assert isinstance(actor, LiveActor)
            actor.take_over()


class LiveActor(Actor):
    def _call(self, effect: CallService) -> Moment:
        if stop_id(effect.id) in self.run.pending:
            cancelled = {"type": "step.cancelled", "step": effect.step, "attempt": effect.attempt}
            return Moment(self.stage.now, self._adding(cancelled))
        return Moment(NEVER, lambda: None)

    def answer(self, effect: str, error: str | None) -> None:
        call = self.run.pending[effect]
        assert isinstance(call, CallService)
        base = {"step": call.step, "attempt": call.attempt}
        if error is None:
            self.add({"type": "step.completed", **base, "result": {"of": call.step}})
        else:
            self.add({"type": "step.failed", **base, "error": {"type": error, "message": error}, "random": 0.5})

    def take_over(self) -> None:
        if self.run.ended is not None:
            return
        self.run = Run(self.plan)
        for record in self.records:
            self.run.apply(record)
        self.open = {}
        self.add({"type": "driver.started", "epoch": self.run.epoch + 1, "host": "h", "pid": 1, "wfrun": "0"})
        self._intend(self.run.outstanding())
        told = (effect for effect in self.run.pending.values() if isinstance(effect, CallService))
        self.open |= {effect.id: effect for effect in told}


class LiveModel:
    """The model, in the same hands. `calls` are those that wait for an answer, `tasks` those that wait for somebody."""

    def __init__(self, definitions: Definitions, input: Mapping[str, Any]) -> None:
        self.loop = VirtualLoop()
        self.calls: dict[tuple[str, str, int], asyncio.Future[Any]] = {}
        self.tasks: dict[str, tuple[Task, asyncio.Future[Any]]] = {}
        self.executions: dict[str, Execution] = {}
        self._definitions = definitions
        self.loop.run_until_complete(self._begin(input))

    async def _begin(self, input: Mapping[str, Any]) -> None:
        self.begin(None, EXECUTION, input, "")

    @property
    def root(self) -> Execution:
        return self.executions[EXECUTION]

    @property
    def tied(self) -> bool:
        return any(execution.log.ties for execution in self.executions.values())

    def advance(self, until: datetime) -> None:
        seconds = (until - EPOCH).total_seconds()
        self.loop.run_until_complete(self._until(seconds))
        for failure in self.loop.failures:
            raise failure

    async def _until(self, seconds: float) -> None:
        done = self.loop.create_future()
        self.loop.call_at(seconds, done.set_result, None)
        await done
        for _ in range(200):
            await asyncio.sleep(0)

    def act(self, what: Callable[[], None]) -> None:
        """Something that happens now, and all that it leads to at once."""

        async def acting() -> None:
            what()
            for _ in range(200):
                await asyncio.sleep(0)

        self.loop.run_until_complete(acting())

    def kill(self) -> None:
        """Of the calls that are out nobody knows any more whether they were done."""
        for (execution, step, _), answer in self.calls.items():
            if not answer.done():
                self.executions[execution].in_doubt.add(step)

    def close(self) -> None:
        left = asyncio.all_tasks(self.loop)
        for task in left:
            task.cancel()
        if left:
            self.loop.run_until_complete(asyncio.wait(left))
        self.loop.close()

    # ---- what executions ask for

    def call(self, call: Call, heartbeat: float | None) -> asyncio.Future[Any]:
        answer = self.calls[call.execution, call.step, call.attempt] = self.loop.create_future()
        return answer

    async def vote(self, task: Task, until: float | None) -> Any:
        vote = self.loop.create_future()
        self.tasks[task.id] = task, vote
        try:
            await asyncio.wait({vote}, timeout=None if until is None else max(0.0, until - self.loop.time()))
        finally:
            vote.cancel()
        return None if vote.cancelled() else vote.result()

    def publish(self, event: Any) -> None:
        for execution in list(self.executions.values()):
            if not execution.ended.is_set() and event["type"] in execution.listens:
                execution.receive(event)

    def begin(self, workflow: str | None, id: str, input: Mapping[str, Any], instance: str) -> Execution:
        self.executions[id] = execution = Execution(self._definitions[workflow], id, input, self, instance)
        return execution

    def notice(self, what: str, step: str) -> None: ...

    def now(self) -> datetime:
        return self.loop.now()

    def uuid(self) -> str:
        raise AssertionError("the model has no chance")

    def variable(self, kind: str, name: str) -> str:
        raise AssertionError(f"the model has no {kind}.{name}")


class Pair:
    """Both of them. Whatever is done is done to both, at the same instant."""

    def __init__(self, definitions: Definitions, input: dict[str, Any]) -> None:
        self.now = EPOCH
        self.stage = LiveStage(definitions, input)
        self.model = LiveModel(definitions, input)
        self._events = 0
        self.pass_time(1)

    def pass_time(self, milliseconds: int) -> None:
        self.now += timedelta(milliseconds=milliseconds)
        self.model.advance(self.now)
        self.stage.advance(self.now)

    @property
    def open_calls(self) -> list[tuple[str, str, int]]:
        return sorted(call for call, answer in self.model.calls.items() if not answer.done())

    @property
    def open_tasks(self) -> list[str]:
        return sorted(id for id, (_, vote) in self.model.tasks.items() if not vote.done())

    def answer(self, call: tuple[str, str, int], error: str | None) -> None:
        execution, step, attempt = call
        answer = self.model.calls[call]

        def give() -> None:
            if error is None:
                answer.set_result({"of": step})
            else:
                answer.set_exception(Refused({"type": error, "message": error}))

        self.model.act(give)
        actor = self.stage.actors[execution]
        assert isinstance(actor, LiveActor)
        actor.answer(f"{step}#{attempt}", error)
        self.stage.advance(self.now)

    def decide(self, id: str, by: str, decision: str) -> None:
        task, vote = self.model.tasks[id]
        said = {"by": by, "decision": decision, "comment": "", "data": {by: 1}}
        actor = self.stage.actors[id.partition("/")[0]]
        if task.refusal(said) is None:
            self.model.act(lambda: vote.set_result(said))
            actor.add({"type": "task.decided", "task": id, **said})
            self.stage.advance(self.now)

    def emit(self, type: str, data: int) -> None:
        self._events += 1
        event = {"id": f"event-{self._events}", "type": type, "source": "outside", "time": "", "data": data}
        self.model.act(lambda: self.model.publish(event))
        self.stage.publish(event)
        self.stage.advance(self.now)

    def cancel(self) -> None:
        self.model.act(self.model.root.cancel)
        if self.stage.root.run.ended is None:
            self.stage.root.add({"type": "cancel.requested", "by": "ann", "reason": ""})
            self.stage.advance(self.now)

    def compensate(self) -> None:
        self.model.act(self.model.root.compensate)
        if not reasons_not_to_undo(self.stage.root.run):
            self.stage.root.add({"type": "compensation.requested", "by": "ann", "reason": ""})
            self.stage.advance(self.now)

    def try_again(self) -> None:
        """What could not be undone."""
        self.model.act(self.model.root.resume)
        self.stage.root.add({"type": "execution.resumed", "by": "ann"})
        self.stage.advance(self.now)

    def kill(self) -> None:
        self.model.kill()
        self.stage.kill()
        self.stage.advance(self.now)

    @property
    def outcomes(self) -> tuple[Outcome, Outcome]:
        """Of the model, and of wfrun."""
        journals = {id: actor.records for id, actor in self.stage.actors.items()}
        run = self.stage.root.run
        status = run.ended["status"] if run.ended else "paused" if run.is_paused else "waiting"
        return self.model.root.outcome, replace(outcome_of(journals, EXECUTION), status=status)

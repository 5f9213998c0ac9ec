"""wfrun and the model side by side, where whoever tests decides what happens next, and when."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from tests.support.cases import EXECUTION, Case, Scenario
from tests.support.clock import VirtualLoop, end_loop
from tests.support.model.execution import Execution
from tests.support.model.outside import Call, Refused, Task
from tests.support.model.reading import steps_in
from tests.support.outcomes import Outcome, outcome_of
from tests.support.script import milliseconds
from tests.support.stage import Actor, Moment, Stage, refusal
from tests.support.world import EPOCH, document
from wfrun.core.effects import CallService
from wfrun.core.events import ErrorData, Repair
from wfrun.core.fibers import stop_id
from wfrun.core.human import Vote
from wfrun.core.interventions import waive
from wfrun.core.plan import Plan, compile_plan
from wfrun.core.repair import propose
from wfrun.core.repair_refusals import failed_compensations, reasons_not_to_undo
from wfrun.core.run import Run
from wfrun.core.unknown import call_again, give_up, it_happened

NEVER = datetime.max.replace(tzinfo=UTC)
NOTHING = Scenario("live", {}, {}, {}, [], [], {}, timeless=True)

Definitions = Mapping[str | None, Any]


class LiveStage(Stage):
    """The pure core. Calls are answered, and tasks decided, when somebody says so."""

    actors: dict[str, LiveActor]  # type: ignore[assignment]

    def __init__(self, definitions: Definitions, input: dict[str, Any]) -> None:
        self._plans = {name: compile_plan(document(data))[0] for name, data in definitions.items()}
        super().__init__(Case("live", Path()), NOTHING._replace(input=input))

    def plan_of(self, workflow: str | None) -> Plan:
        return self._plans[workflow]

    def start(self, execution: str, workflow: str | None, input: dict[str, Any]) -> None:
        self.actors[execution] = LiveActor(self, self.plan_of(workflow), execution, input)

    def advance(self, until: datetime) -> None:
        """Everything that happens by itself until then."""
        while moments := [
            each for actor in list(self.actors.values()) for each in actor.moments() if each.due <= until
        ]:
            first = min(moments, key=lambda moment: moment.due)
            self.now = max(self.now, first.due)
            self.choices += sum(moment.due <= self.now for moment in moments) > 1
            first.act()
        self.now = until

    def kill(self) -> None:
        """Every process is killed, and others take over: they know the journals and nothing else."""
        for actor in self.actors.values():
            actor.take_over()


class LiveActor(Actor):
    def _call(self, effect: CallService) -> Moment:
        if stop_id(effect.id) in self.run.pending:
            cancelled = {"type": "step.cancelled", "step": effect.step, "attempt": effect.attempt}
            return Moment(self.stage.now, self._adding(cancelled))
        since = self._since[effect.id]
        limits = [since + milliseconds(effect.node.timeout)] if effect.node.timeout is not None else []
        limits += [deadline] if (deadline := self.run.deadline(effect)) is not None else []
        late: ErrorData = {"type": "timeout", "message": "no answer in time"}
        failed = {"type": "step.failed", "step": effect.step, "attempt": effect.attempt, "error": late, "random": 0.5}
        return Moment(min(limits, default=NEVER) if self.is_out(effect.id) else NEVER, self._adding(failed))

    def answer(self, effect: str, error: str | None) -> None:
        call = self.run.pending[effect]
        assert isinstance(call, CallService)
        base = {"step": call.step, "attempt": call.attempt}
        if error is None:
            self.add({"type": "step.completed", **base, "result": {"of": call.step}})
        else:
            self.add({"type": "step.failed", **base, "error": {"type": error, "message": error}, "random": 0.5})

    def is_out(self, effect: str) -> bool:
        """Whether a call waits for an answer."""
        asked = self.run.recorded.get(effect, {}).get("type") == "step.unknown"
        return self.run.ended is None and effect in self.run.begun and effect in self.run.pending and not asked

    @property
    def has_asked(self) -> bool:
        return any(record["type"] == "step.unknown" for record in self.records)

    def repaired(self, request: Any) -> None:
        """Whatever was said to others is over."""
        self.open, self._told = {}, set()
        self.add(request)

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
        """Of the calls that are out nobody knows any more whether they were done. Some are not made again for that."""
        lost = Refused({"type": "crash.unknown-outcome", "message": "its runner died"})
        for (execution, step, _), answer in list(self.calls.items()):
            if answer.done():
                continue
            self.executions[execution].in_doubt.add(step)
            if self._on_crash(execution, step) == "fail":
                self.act(partial(answer.set_exception, lost))

    def _on_crash(self, execution: str, step: str) -> str:
        steps = steps_in(self.executions[execution].definition["steps"])
        name = step.partition("@")[0]
        return next((str(each.get("onCrash", "retry")) for each in steps if each.get("name") == name), "retry")

    def close(self) -> None:
        end_loop(self.loop)

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
    """Both of them. Whatever is done is done to both, at the same instant.

    Of repairs the model knows nothing, and it cannot know which of several things at one instant comes first: from then
    on wfrun is `alone`.
    """

    def __init__(self, definitions: Definitions, input: dict[str, Any]) -> None:
        self.now = EPOCH
        self.stage = LiveStage(definitions, input)
        self.model = LiveModel(definitions, input)
        self._alone = False
        self._events = 0
        self.pass_time(1)

    @property
    def root(self) -> LiveActor:
        return self.stage.actors[EXECUTION]

    @property
    def alone(self) -> bool:
        return self._alone or self.model.tied or self.stage.choices > 0

    def _both(self, in_model: Callable[[], None], in_wfrun: Callable[[], object]) -> None:
        if not self.alone:
            self.model.act(in_model)
        in_wfrun()
        self.stage.advance(self.now)

    def pass_time(self, milliseconds: int) -> None:
        self.now += timedelta(milliseconds=milliseconds)
        if not self.alone:
            self.model.advance(self.now)
        self.stage.advance(self.now)

    # ---- services and people

    @property
    def open_calls(self) -> list[tuple[str, str]]:
        """Those that wait for an answer, by execution and effect."""
        return [(id, call) for id, actor in self.stage.actors.items() for call in actor.run.begun if actor.is_out(call)]

    @property
    def questions(self) -> list[str]:
        """The steps of which somebody is to say what became of their calls."""
        return sorted(each["step"] for each in self.root.run.recorded.values() if each["type"] == "step.unknown")

    @property
    def open_tasks(self) -> list[str]:
        actors = self.stage.actors.values()
        return sorted(id for actor in actors for id, task in actor.run.tasks.items() if task.closed is None)

    def answer(self, call: tuple[str, str], error: str | None) -> None:
        execution, effect = call
        step, _, attempt = effect.rpartition("#")

        def give() -> None:
            answer = self.model.calls[execution, step, int(attempt)]
            if error is None:
                answer.set_result({"of": step})
            else:
                answer.set_exception(Refused({"type": error, "message": error}))

        self._both(give, lambda: self.stage.actors[execution].answer(effect, error))

    def decide(self, id: str, by: str, decision: str) -> None:
        said = {"by": by, "decision": decision, "comment": "", "data": {by: 1}}
        actor = self.stage.actors[id.partition("/")[0]]
        refused = refusal(actor.run.tasks[id], Vote(decision, by, "", {by: 1}))
        if not self.alone:
            assert refused == self.model.tasks[id][0].refusal(said)
        if refused is None:
            vote = {"type": "task.decided", "task": id, **said}
            self._both(lambda: self.model.tasks[id][1].set_result(said), lambda: actor.add(vote))

    def tell(self, step: str, verdict: str) -> None:
        """What became of a call whose runner died."""
        run = self.root.run
        match verdict:
            case "again":
                self.root.add(call_again(run, step, "ann"))
            case "happened":
                self.root.add(it_happened(run, step, {"of": step}, "ann"))
            case _:
                self.root.add(give_up(run, step, "ann"))
        self.stage.advance(self.now)

    # ---- what others do

    def emit(self, type: str, data: int) -> None:
        self._events += 1
        event = {"id": f"event-{self._events}", "type": type, "source": "outside", "time": "", "data": data}
        self._both(lambda: self.model.publish(event), lambda: self.stage.publish(event))

    def cancel(self) -> None:
        request = {"type": "cancel.requested", "by": "ann", "reason": ""}
        self._both(self.model.root.cancel, lambda: self._ask(request, self.root.run.ended is None))

    def _ask(self, request: dict[str, Any], may: bool) -> None:
        if may:
            self.root.add(request)

    def compensate(self) -> None:
        request = {"type": "compensation.requested", "by": "ann", "reason": ""}
        may = not reasons_not_to_undo(self.root.run)
        self._both(self.model.root.compensate, lambda: self._ask(request, may))

    def try_again(self) -> None:
        """What could not be undone."""
        self._both(self.model.root.resume, lambda: self.root.add({"type": "execution.resumed", "by": "ann"}))

    def kill(self) -> None:
        out = len(self.open_calls)
        if not self.alone:
            self.model.kill()
        self.stage.kill()
        self.stage.advance(self.now)
        # Nobody can say which of several lost calls fails first, or asks somebody.
        self._alone = self._alone or out > 1 or any(actor.has_asked for actor in self.stage.actors.values())

    # ---- repairs

    @property
    def has_run(self) -> list[str]:
        return sorted({record["step"] for record in self.root.records if "step" in record} - {"output"})

    def repair(self, action: Repair, **wish: Any) -> bool:
        """Whether it is not refused."""
        proposal = propose(self.root.run, action, now=self.now, driven=True, **wish)
        if proposal.reasons:
            return False
        self._alone = True
        self.root.repaired(proposal.request("ann"))
        self.stage.advance(self.now)
        return True

    def waive(self) -> None:
        """What could not be undone stays."""
        self._alone = True
        self.root.add(waive(self.root.run, failed_compensations(self.root.run)[0], "ann"))
        self.stage.advance(self.now)

    # ---- what came of it

    @property
    def outcomes(self) -> tuple[Outcome, Outcome]:
        """Of the model, and of wfrun."""
        journals = {id: actor.records for id, actor in self.stage.actors.items()}
        return self.model.root.outcome, replace(outcome_of(journals, EXECUTION), status=self.status)

    @property
    def status(self) -> str:
        run = self.root.run
        return str(run.ended["status"]) if run.ended else "paused" if run.is_paused else "waiting"

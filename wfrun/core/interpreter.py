"""What a plan means: one coroutine for each kind of step.

Control flow reads as control flow here. A sequence is a `for`, a conditional an `if`, a retry a loop, and the saga is a
`try` around all of it. A coroutine that needs something from outside performs an effect and gets back the fact that
answered it; whether that fact has just happened or is read from a journal it cannot tell.

    execute ── body ── step ── sequence | parallel | conditional | call | human task
       │                                     └ a fiber for each branch, in a scope of its own
       └── compensate ── call, in reverse order of completion
"""

from __future__ import annotations

from collections import deque
from datetime import datetime, timedelta
from typing import Literal, NamedTuple, cast

from wfrun.core.definition import Path
from wfrun.core.effects import (
    AwaitRepair,
    CallService,
    Decide,
    End,
    EscalateTask,
    OpenTask,
    Setting,
    StartCompensation,
    StartTimer,
)
from wfrun.core.events import ErrorData, Record, Status
from wfrun.core.expression import Expression
from wfrun.core.fibers import Cancelled, Failed, Fiber, Group, Scheduler
from wfrun.core.human import Ballot
from wfrun.core.instants import parse_instant
from wfrun.core.plan.nodes import Call, Conditional, HumanTask, Parallel, Plan, Sequence, Step
from wfrun.core.retry import next_due
from wfrun.core.scope import Memory, Scope
from wfrun.core.values import Json


class Undo(NamedTuple):
    """A step that has to be undone if the execution fails: what to call, and what was known when it completed."""

    step: str
    call: Call
    memory: Memory
    result: Record


class Interpreter:
    """Drives the fibers of one execution.

    `at` is the instant of the fact that is being folded, `begun` the first start of each step instance, `in_doubt` the
    instances of which an attempt ended without anybody knowing whether it had an effect: they are undone, too (C11).
    """

    def __init__(self, plan: Plan, execution: str, seed: str, scope: Scope, scheduler: Scheduler) -> None:
        self.plan = plan
        self.execution = execution
        self.seed = seed
        self.at = ""
        self.begun: dict[str, str] = {}
        self.scheduler = scheduler
        self.in_doubt: set[str] = set()
        self._undo: list[Undo] = []
        self._to_undo: list[Undo] = []
        self._attempted: dict[str, int] = {}
        self._cancelled = False
        self._main = Fiber(self.execute(scope), None)
        self._body: Group = Group(self.scheduler)

    def start(self) -> None:
        self.scheduler.ready(self._main)

    def cancel(self) -> None:
        """Stop the body of the execution. What it has done is then compensated, which cannot be cancelled."""
        if self._body.live:
            self._cancelled = True
            self._body.cancel()

    # ---- the whole execution: the saga

    async def execute(self, scope: Scope) -> None:
        self._body.spawn(self._step(self.plan.root, scope))
        body = await self._body.next()
        error = body.outcome.error if isinstance(body.outcome, Failed) else None
        if error is None and not self._cancelled:
            error = await self._end("completed", scope)
            if error is None:
                return
        failures = await self._compensate(error)
        await self._end(self._verdict(failures), scope, error, failures)
        while failures:
            await self.scheduler.perform(AwaitRepair("repair"))
            failures = await self._undo_all(error)
            await self._end(self._verdict(failures), scope, error, failures)

    def _verdict(self, failures: list[ErrorData]) -> Status:
        if failures:
            return "needs-attention"
        if self._cancelled:
            return "cancelled"
        return "compensated" if self._undo else "failed"

    async def _end(
        self, status: Status, scope: Scope, error: ErrorData | None = None, failures: list[ErrorData] | None = None
    ) -> ErrorData | None:
        """End the execution; the error, if its output has no value."""
        end = End(f"end:{status}", "output", status, error, tuple(failures or ()), self._setting(scope))
        record = await self.scheduler.perform(end)
        return cast(ErrorData, record["error"]) if record["type"] == "evaluation.failed" else None

    async def _compensate(self, error: ErrorData | None) -> list[ErrorData]:
        """Undo what was done, last first. One that cannot be undone does not keep the others from it (C11)."""
        undo = self._undo[::-1]
        if not undo:
            return []
        await self.scheduler.perform(StartCompensation("compensate", "", tuple(done.step for done in undo), error))
        self._to_undo = undo
        return await self._undo_all(error)

    async def _undo_all(self, error: ErrorData | None) -> list[ErrorData]:
        """What there is left to undo. What fails is left for a further try, after somebody has seen to it."""
        failures: list[ErrorData] = []
        left: list[Undo] = []
        for done in self._to_undo:
            scope = done.memory.context(**done.result, error=cast(Json, error))
            try:
                await self._attempts(done.call, f"compensate:{done.step}", scope)
            except Failed as failed:
                failures.append(failed.error)
                left.append(done)
        self._to_undo = left
        return failures

    # ---- steps

    async def _step(self, step: Step, scope: Scope) -> None:
        if step.condition is not None and not await self._decide(
            step.id, "step", step.condition, (*step.path, "condition"), scope
        ):
            return
        match step:
            case Call():
                await self._call(step, scope)
            case Sequence():
                await self._sequence(step, scope)
            case Parallel():
                await self._parallel(step, scope)
            case Conditional():
                await self._conditional(step, scope)
            case HumanTask():
                await self._human_task(step, scope)

    async def _sequence(self, block: Sequence, scope: Scope) -> None:
        for step in block.steps:
            await self._step(step, scope)

    async def _conditional(self, block: Conditional, scope: Scope) -> None:
        chosen = await self._decide(block.id, "branch", block.choice, (*block.path, "condition"), scope)
        branch = block.then if chosen else block.otherwise
        if branch is not None:
            await self._step(branch, scope)

    async def _parallel(self, block: Parallel, scope: Scope) -> None:
        """Branches see what was known at the fork; what they produce is merged as written, never by timing."""
        group = Group(self.scheduler)
        scopes = [scope.fork() for _ in block.branches]
        waiting = deque(zip(block.branches, scopes, strict=True))
        outcome: Failed | Cancelled | None = None
        while waiting or group.busy:
            while waiting and (block.concurrency is None or len(group.live) < block.concurrency):
                group.spawn(self._step(*waiting.popleft()))
            branch = await group.next()
            if branch.outcome is None or outcome is not None:
                continue
            outcome = branch.outcome
            if block.cancel or isinstance(outcome, Cancelled):
                waiting.clear()
                group.cancel()
        if outcome is not None:
            raise outcome
        for branch_scope in scopes:
            scope.join(branch_scope)

    async def _call(self, step: Call, scope: Scope) -> None:
        instance = step.id + scope.iteration
        try:
            record = await self._attempts(step, instance, scope)
        except (Failed, Cancelled):
            if instance in self.in_doubt:
                self._remember_undo(step, instance, scope, {})
            raise
        if step.output is not None:
            scope.set(step.output, record["result"])
        self._remember_undo(step, instance, scope, {"result": record["result"]})

    def _remember_undo(self, step: Call, instance: str, scope: Scope, result: Record) -> None:
        if step.compensation is not None:
            self._undo.append(Undo(instance, step.compensation, scope.remember(), result))

    async def _attempts(self, step: Call, instance: str, scope: Scope) -> Record:
        """Attempts at a call, until one completes or no other is due. Raises Failed or Cancelled.

        They are numbered on where an earlier round ended, and retries are counted anew.
        """
        setting = self._setting(scope)
        attempt = before = self._attempted.get(instance, 0)
        if before:
            self.begun.pop(instance, None)
        while True:
            attempt = self._attempted[instance] = attempt + 1
            call = CallService(f"{instance}#{attempt}", instance, attempt, step, setting)
            record = await self.scheduler.perform(call)
            if record["type"] == "step.completed":
                return record
            error = cast(ErrorData, {**record["error"], "step": instance, "attempt": attempt})
            due = self._next_due(step, instance, record, error, attempt - before)
            if due is None:
                raise Failed(error)
            await self.scheduler.perform(StartTimer(f"{call.id}!retry", instance, due, "retry"))

    def _next_due(self, step: Call, instance: str, record: Record, error: ErrorData, attempt: int) -> datetime | None:
        return next_due(
            step.retry, error, attempt - 1, parse_instant(record["at"]), record["random"], self.deadline(step, instance)
        )

    def deadline(self, step: Call, instance: str) -> datetime | None:
        """The instant that bounds all attempts, once the first has begun."""
        if step.deadline is None or instance not in self.begun:
            return None
        return parse_instant(self.begun[instance]) + timedelta(milliseconds=step.deadline)

    async def _human_task(self, step: HumanTask, scope: Scope) -> None:
        instance = step.id + scope.iteration
        task = OpenTask(f"{self.execution}/{instance}", instance, step, self._setting(scope))
        try:
            ballot = await self._vote(task)
        finally:
            self.scheduler.settle(task.id)
        if ballot.rejected and not step.accept_rejection:
            raise Failed(ballot.rejection(instance))
        if step.output is not None:
            scope.set(step.output, ballot.result())

    async def _vote(self, task: OpenTask) -> Ballot:
        """Collect decisions until they settle the task, passing it on each time nobody decided in time."""
        ballot = Ballot(task.node.quorum)
        level = 0
        record = await self.scheduler.perform(task)
        while True:
            if record["type"] == "evaluation.failed":
                raise Failed(record["error"])
            if record["type"] == "task.expired":
                level += 1
                await self._escalate(task, level)
            else:
                ballot.add(record)
                if ballot.settled:
                    return ballot
            record = await self.scheduler.again(task)

    async def _escalate(self, task: OpenTask, level: int) -> None:
        step = task.node
        if level >= len(step.audiences) and not (step.stays_open and level == len(step.audiences)):
            raise Failed({"type": "task.timeout", "message": "nobody decided in time", "step": task.step})
        at = min(level, len(step.audiences) - 1)
        audience = step.audiences[at]
        timeout = audience.timeout if level == at else None
        path = (*step.path, "escalation", at - 1) if at else step.path
        escalate = EscalateTask(f"{task.id}!{level}", task.id, task.step, level, audience, timeout, path, task.setting)
        record = await self.scheduler.perform(escalate)
        if record["type"] == "evaluation.failed":
            raise Failed(record["error"])

    async def _decide(
        self, id: str, of: Literal["step", "branch"], condition: Expression, path: Path, scope: Scope
    ) -> bool:
        instance = id + scope.iteration
        decide = Decide(f"{instance}?{of}", instance, of, condition, path, self._setting(scope))
        record = await self.scheduler.perform(decide)
        if record["type"] == "evaluation.failed":
            raise Failed(record["error"])
        return bool(record["value"])

    def _setting(self, scope: Scope) -> Setting:
        return Setting(self.execution, self.plan, scope, self.at, self.seed)

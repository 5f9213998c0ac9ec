"""One execution: its steps, and the saga around them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, TypeVar, cast

from tests.support.model import blocks, crews, leaves
from tests.support.model.ends import Error, Failed, Finished
from tests.support.model.log import Log
from tests.support.model.outside import Outside
from tests.support.model.reading import Written, limit, listed, steps_in
from tests.support.model.scope import Done, Scope, Seen
from tests.support.outcomes import Outcome
from wfrun.core.expression import Host, compile_template, parse
from wfrun.core.instants import format_instant
from wfrun.errors import ExpressionError

T = TypeVar("T")
Leaf = Callable[["Execution", Written, str, Scope], Coroutine[Any, Any, None]]
Block = Callable[["Execution", Written, str, Scope, str], Coroutine[Any, Any, None]]

LEAVES: Mapping[str, Leaf] = {
    "call": leaves.call,
    "human-task": leaves.human_task,
    "workflow": leaves.workflow,
    "wait": leaves.wait,
    "emit": leaves.emit,
    "set": leaves.set_values,
    "fail": leaves.fail,
    "end": leaves.end,
}
BLOCKS: Mapping[str, Block] = {
    "sequential": blocks.sequential,
    "conditional": blocks.conditional,
    "switch": blocks.switch,
    "while": blocks.loop,
    "repeat": blocks.loop,
    "try": blocks.attempt,
    "parallel": crews.parallel,
    "foreach": crews.foreach,
}

CANCELLED = {"type": "cancelled", "message": "it was cancelled after its point of no return"}


class Execution:
    """`status` is also `waiting` and `paused`. `done` by order of completion is what has been done so far."""

    def __init__(
        self, definition: Written, id: str, input: Mapping[str, Any], outside: Outside, instance: str = ""
    ) -> None:
        self.definition = definition
        self.id = id
        self.instance = instance
        self.outside = outside
        self.log = Log(outside.notice, self.clock)
        self.status = "waiting"
        self.output: Any = None
        self.error: Error | None = None
        self.failures: list[Error] = []
        self.ended = asyncio.Event()
        self.inbox: list[Any] = []
        self.children: dict[str, Execution] = {}
        self.compensations: Mapping[str, Any] = definition.get("compensations", {})
        self.attempted: dict[str, int] = {}
        self.in_doubt: set[str] = set()
        self.pivoted = False
        self.was_cancelled = False
        self.listens = _listens(definition)
        self._completed = 0
        self._news: list[asyncio.Future[None]] = []
        self._word: asyncio.Future[str] | None = None
        execution = {
            "id": id,
            "workflow": definition["name"],
            "version": definition.get("version", 1),
            "startedAt": self.now(),
            "attempt": 1,
        }
        self.scope = Scope(dict(input), {"execution": execution})
        self._body = asyncio.ensure_future(self._all_steps())
        self.life = asyncio.ensure_future(self._live())
        self.life.add_done_callback(lambda _: self.ended.set())  # nobody waits for one that is put away

    # ---- the saga

    async def _live(self) -> None:
        error, completed = await self._end_of_body()
        if completed:
            self._end("completed")
            await self._somebodys_word()
        elif self.pivoted or (self._pauses and not self.was_cancelled):
            self.status, self.error = "paused", error or CANCELLED
            await self._somebodys_word()
        await self._undo_all(error, completed)

    async def _end_of_body(self) -> tuple[Error | None, bool]:
        """The error that the steps ended with, if they did, and whether they have come to their end."""
        await asyncio.wait({self._body})
        outcome = crews.outcome_of(self._body)
        if isinstance(outcome, Failed):
            return outcome.error, False
        if isinstance(outcome, asyncio.CancelledError) or self.was_cancelled:
            return None, False
        if outcome is not None and not isinstance(outcome, Finished):
            raise outcome
        try:
            self.output = self._output(outcome)
        except ExpressionError as error:
            return {"type": error.code, "message": error.message, "step": "output"}, False
        return None, True

    def _output(self, outcome: Finished | None) -> Any:
        if outcome is not None:
            return outcome.output() if outcome.output is not None else None
        return self.value(self.definition["output"], self.scope.seen()) if "output" in self.definition else None

    async def _undo_all(self, error: Error | None, completed: bool) -> None:
        """Undo what was done, and end. What could not be undone is tried again when somebody says so.

        One that had completed and is undone is compensated, also if there was nothing to be done for it.
        """
        undone = completed or bool(self.scope.done)
        while True:
            self.failures = await self.take_back(self.scope, list(self.scope.done), error)
            ended = "cancelled" if self.was_cancelled else "compensated" if undone else "failed"
            self.output, self.error = None, error
            self._end("needs-attention" if self.failures else ended)
            if not self.failures:
                return
            await self._somebodys_word()

    async def take_back(self, scope: Scope, what: list[Done], error: Error | None) -> list[Error]:
        """Undo some of what was done on a path, last first. One that cannot be undone keeps no other from it."""
        failures = []
        for done in sorted(what, key=lambda done: done.order, reverse=True):
            try:
                await leaves.undo(self, done, error)
            except Failed as failed:
                failures.append(failed.error)
            else:
                scope.done.remove(done)
        return failures

    def _end(self, status: str) -> None:
        self.status = status
        self.ended.set()

    @property
    def _pauses(self) -> bool:
        return bool(self.definition.get("errorHandling", {}).get("onFailure") == "pause")

    async def _somebodys_word(self) -> str:
        self._word = asyncio.get_running_loop().create_future()
        return await self._word

    @property
    def outcome(self) -> Outcome:
        outcome = self.log.outcome
        outcome.status, outcome.output = self.status, self.output
        outcome.error, outcome.failures = cast(Any, self.error), cast(Any, self.failures)
        outcome.tasks = {step: task.told() for step, task in self.log.tasks.items()}
        outcome.children = {step: child.outcome for step, child in self.children.items()}
        return outcome

    # ---- what others can do to it

    def cancel(self) -> None:
        if self.was_cancelled:
            return
        if not self._body.done():
            self.was_cancelled = True
            self._body.cancel()
        elif self.status == "paused" and not self.pivoted:
            self.was_cancelled = True
            self._say("cancel")

    def compensate(self) -> None:
        if self.status in ("completed", "paused") and not self.pivoted:
            self._say("compensate")

    def resume(self) -> None:
        """Try again what could not be undone."""
        assert self.status == "needs-attention"
        self._say("resume")

    def _say(self, word: str) -> None:
        assert self._word is not None
        self.status = "waiting"
        self.ended.clear()
        self._word.set_result(word)

    async def undo(self) -> None:
        if self.status == "needs-attention":
            self.resume()
        else:
            self.compensate()
        await self.ended.wait()

    def receive(self, event: Any) -> None:
        """Whoever waits for events looks again."""
        self.inbox.append(event)
        news, self._news = self._news, []
        for waiting in news:
            if not waiting.done():
                waiting.set_result(None)

    # ---- steps

    async def _all_steps(self) -> None:
        strand = self.steps(self.definition["steps"], "steps", self.scope)
        await self._bounded(self.definition, "$", "$", strand)

    async def _bounded(self, step: Written, id: str, instance: str, strand: Coroutine[Any, Any, None]) -> None:
        bound = limit(step.get("timeout"))
        if bound is None:
            await strand
            return
        self.log.timer(f"{instance}!timeout", instance, bound)
        await blocks.within(bound, strand, {"type": "timeout", "message": f"not done in {bound} s", "step": instance})

    async def steps(self, written: Any, place: str, scope: Scope) -> None:
        """A list of steps, or a single one."""
        if isinstance(written, list):
            for index, step in enumerate(written):
                await self.steps(step, f"{place}[{index}]", scope)
        elif "onError" in written:
            at = f"{place}.onError"
            await blocks.handled(self, self._step(written, place, scope), written["onError"], scope, at, at)
        else:
            await self._step(written, place, scope)

    async def _step(self, step: Written, place: str, scope: Scope) -> None:
        id, type = step.get("name", place), step.get("type", "call")
        asked = "condition" in step and type not in ("conditional", "while")
        if asked and not self.decide(step["condition"], scope, id, "step"):
            return
        if type in ("call", "human-task"):
            await LEAVES[type](self, step, id, scope)
        elif type in LEAVES:
            await self._leaf_in_time(step, id, type, scope)
        else:
            await self._bounded(step, id, id + scope.round, BLOCKS[type](self, step, id, scope, place))
            self.remember(step, id, scope)

    async def _leaf_in_time(self, step: Written, id: str, type: str, scope: Scope) -> None:
        try:
            await self._bounded(step, id, id + scope.round, LEAVES[type](self, step, id, scope))
        except Failed as failed:
            late = failed.error["type"] == "timeout" and failed.error["step"] == id + scope.round and type == "wait"
            if not (late and step.get("onTimeout") == "continue"):
                raise

    def remember(self, step: Written, id: str, scope: Scope, child: str | None = None, **result: Any) -> None:
        """A step has been done: if it can be undone, that is now the last thing to be undone."""
        written = step.get("compensate", self.compensations.get(id))
        if written is None and child is None:
            return
        self._completed += 1
        calls = [] if written is None else listed(written)
        scope.done.append(Done(self._completed, id + scope.round, calls, child, scope.seen().knowing(**result)))

    def remember_unfinished(self, id: str, scope: Scope, child: str) -> None:
        """A child that could not undo itself is to go on with that."""
        self._completed += 1
        scope.done.append(Done(self._completed, id + scope.round, [], child, scope.seen().knowing(result=None)))

    def pivot(self, scope: Scope) -> None:
        """There is no going back from here."""
        self.pivoted = True
        scope.pivot()

    def begin_child(self, instance: str, workflow: str, input: Mapping[str, Any]) -> Execution:
        id = f"{self.id}.{instance.replace('@', '..')}"
        self.children[instance] = child = self.outside.begin(workflow, id, input, instance)
        return child

    # ---- values

    def value(self, template: Any, seen: Seen) -> Any:
        """What is written, with everything in it worked out. Raises ExpressionError."""
        return compile_template(template).resolve(seen, self._host)

    def eval_all(self, work: Callable[[Seen], T], scope: Scope, instance: str) -> T:
        """What a step works out before it begins. Raises Failed."""
        try:
            return work(scope.seen())
        except ExpressionError as error:
            raise Failed({"type": error.code, "message": error.message, "step": instance}) from None

    def eval(self, template: Any, scope: Scope, instance: str) -> Any:
        return self.eval_all(lambda seen: self.value(template, seen), scope, instance)

    def test(self, condition: Any, scope: Scope, instance: str) -> bool:
        return self.eval_all(lambda seen: _holds(condition, seen, self._host), scope, instance)

    def decide(self, condition: Any, scope: Scope, id: str, of: str) -> bool:
        value = self.test(condition, scope, id + scope.round)
        self.log.decided(f"{id}{scope.round}?{of}", value)
        return value

    @property
    def _host(self) -> Host:
        return self.outside  # type: ignore[return-value]

    # ---- time

    def clock(self) -> float:
        return asyncio.get_running_loop().time()

    def now(self) -> str:
        return format_instant(self.outside.now())

    async def sleep(self, timer: str, instance: str, duration: float) -> None:
        self.log.timer(timer, instance, duration)
        try:
            await asyncio.sleep(max(duration, 0))
        except asyncio.CancelledError:
            self.log.withdrawn(instance)
            raise

    async def news(self) -> None:
        self._news.append(asyncio.get_running_loop().create_future())
        await self._news[-1]

    async def through(self, strand: Coroutine[Any, Any, T]) -> T:
        """Something that nobody can stop: who is cancelled meanwhile hears of it afterwards."""
        task, told = asyncio.ensure_future(strand), False
        while not task.done():
            try:
                await asyncio.wait({task})
            except asyncio.CancelledError:
                told = True
        if told:
            raise asyncio.CancelledError
        return task.result()


def _listens(definition: Written) -> set[str]:
    waits = [step for step in steps_in(definition["steps"]) if "event" in step and step.get("type") == "wait"]
    return {each["event"] if isinstance(each, dict) else each for step in waits for each in listed(step["event"])}


def _holds(condition: Any, seen: Seen, host: Host) -> bool:
    return parse(condition).test(seen, host) if isinstance(condition, str) else bool(condition)

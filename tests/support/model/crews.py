"""Branches at the same time: of a `parallel`, and the iterations of a `foreach`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from tests.support.model.ends import Error, Failed
from tests.support.model.reading import Written, listed, share
from tests.support.model.scope import Done, Scope

if TYPE_CHECKING:
    from tests.support.model.execution import Execution

Begin = Callable[[int], tuple[Scope, Coroutine[Any, Any, None]]]


async def parallel(run: Execution, step: Written, id: str, scope: Scope, place: str) -> None:
    branches = step["steps"]
    names = {branch.get("name"): index for index, branch in enumerate(branches) if isinstance(branch, dict)}
    written = [each.get("needs", []) if isinstance(each, dict) else [] for each in branches]
    needs = [[names[name] for name in listed(each)] for each in written]
    scopes: dict[int, Scope] = {}
    known: dict[int, dict[str, Any]] = {}

    def begin(index: int) -> tuple[Scope, Coroutine[Any, Any, None]]:
        """A branch sees the keys of those that it needs, and what those see."""
        known[index] = {name: value for other in needs[index] for name, value in _seen(other).items()}
        taken = {event for other in needs[index] for event in scopes[other].taken}
        scopes[index] = scope.branch(known[index], taken)
        return scopes[index], run.steps(branches[index], f"{place}.steps[{index}]", scopes[index])

    def _seen(index: int) -> dict[str, Any]:
        return {**known[index], **scopes[index].own}

    crew = Crew(run, step, scope, len(branches), begin, needs, None)
    await crew.finish(id + scope.round)
    for index in sorted(crew.counting):
        for name, value in scopes[index].own.items():
            scope.set(name, value)


async def foreach(run: Execution, step: Written, id: str, scope: Scope, place: str) -> None:
    instance = id + scope.round
    items = run.eval(step["items"], scope, instance)
    if not isinstance(items, list):
        raise Failed({"type": "expression.type", "message": "`items` must be a list", "step": instance})
    output = step.get("output")
    results: dict[int, Any] = {}

    def begin(index: int) -> tuple[Scope, Coroutine[Any, Any, None]]:
        names = {"item": items[index], step.get("as", "item"): items[index]}
        inside = scope.iteration(index, names)
        return inside, iteration(index, inside)

    async def iteration(index: int, inside: Scope) -> None:
        await run.steps(step["steps"], f"{place}.steps", inside)
        if isinstance(output, dict):
            results[index] = {name: run.eval(each, inside, id + inside.round) for name, each in output.items()}
        else:
            results[index] = dict(inside.own)

    crew = Crew(run, step, scope, len(items), begin, [[] for _ in items], 1)
    await crew.finish(instance)
    if output is not None:
        _collect(output, scope, [results.get(i) if i in crew.counting else None for i in range(len(items))], crew)


def _collect(output: Any, scope: Scope, results: list[Any], crew: Crew) -> None:
    if isinstance(output, dict):
        for name in output:
            scope.set(name, [result[name] if result is not None else None for result in results])
        return
    failed = {index: {"error": error} for index, error in crew.failures.items()}
    scope.set(output, [failed.get(index, result) for index, result in enumerate(results)])


class Crew:
    """Branches of which some may run at once, some have to succeed, and some may fail."""

    def __init__(
        self,
        run: Execution,
        step: Written,
        scope: Scope,
        total: int,
        begin: Begin,
        needs: list[list[int]],
        concurrency: int | None,
    ) -> None:
        complete = {"all": None, "any": 1}.get(step.get("complete", "all"), step.get("complete"))
        self.counting: set[int] = set()
        self.failures: dict[int, Error] = {}
        self._run, self._scope, self._begin = run, scope, begin
        self._enough = None if complete is None else min(complete, total)
        self._may_fail = share(step.get("tolerate", 0), total) if self._enough is None else total - self._enough
        self._at_once = step.get("concurrency", concurrency)
        self._others_go_on = step.get("onFailure") == "wait"
        self._blocked = {index: set(needed) for index, needed in enumerate(needs) if needed}
        self._ready = [index for index in range(total) if index not in self._blocked]
        self._running: dict[asyncio.Task[None], tuple[int, Scope, float]] = {}
        self._ended: list[asyncio.Task[None]] = []
        self._lost: list[Done] = []
        self._marks: list[set[str]] = []
        self._outcome: BaseException | None = None
        self._told = False
        self._stopped: set[int] = set()
        self._last: tuple[float, bool] = (-1.0, True)

    async def finish(self, instance: str) -> None:
        """Until no branch runs any more. What the branches did that do not count is undone then, or kept for later."""
        while self._start_some():
            await self._next()
        self._scope.taken.update(*self._marks)
        self._scope.done += self._lost
        if self._outcome is not None:
            raise self._outcome
        if self._lost:
            await self._undo(instance)

    def _start_some(self) -> bool:
        """Begin what may begin. Whether anything runs."""
        while self._ready and (self._at_once is None or len(self._running) < self._at_once):
            index = self._ready.pop(0)
            scope, strand = self._begin(index)
            task = asyncio.ensure_future(strand)
            task.add_done_callback(self._ended.append)
            self._running[task] = index, scope, self._run.clock()
        return bool(self._running)

    async def _next(self) -> None:
        """One branch that has ended. Whoever cancels all of this cancels each branch, and waits for its end."""
        while not self._ended:
            try:
                await asyncio.wait(self._running, return_when=asyncio.FIRST_COMPLETED)
                await asyncio.sleep(0)
            except asyncio.CancelledError:
                self._told = True
                self._stop()
        task = self._ended.pop(0)
        index, scope, _ = self._running.pop(task)
        self._take_marks(scope)
        self._look_for_ties(index, outcome_of(task))
        self._judge(index, scope, outcome_of(task))
        if self._outcome is None and self._told:
            self._settle(asyncio.CancelledError())

    def _look_for_ties(self, index: int, outcome: BaseException | None) -> None:
        """Two that end at one instant, of which it matters which one is the first."""
        now, alike = self._run.clock(), outcome is None and self._enough is None
        if self._last[0] == now and not (alike and self._last[1]) and not isinstance(outcome, asyncio.CancelledError):
            self._tie(index)
        self._last = now, alike

    def _tie(self, index: int) -> None:
        self._run.log.ties.add(f"branch {index}")

    def _take_marks(self, scope: Scope) -> None:
        """One after the other is one path, so that the next one knows what was taken."""
        if self._at_once == 1:
            self._scope.taken |= scope.taken
        else:
            self._marks.append(scope.taken)

    def _judge(self, index: int, scope: Scope, outcome: BaseException | None) -> None:
        settled = self._outcome is not None or len(self.counting) == self._enough
        if outcome is None and not settled:
            self._scope.done += scope.done
            self._count(index)
            return
        self._lost += [] if scope.pivoted else scope.done
        if settled and isinstance(outcome, Failed) and outcome.cleaning and index in self._stopped:
            self._outcome = self._outcome if isinstance(self._outcome, Failed) else outcome
        if outcome is None or settled:
            return
        if isinstance(outcome, Failed):
            self.failures[index] = outcome.error
            if self._count_lost() <= self._may_fail:
                return
        self._settle(outcome)

    def _count(self, index: int) -> None:
        self.counting.add(index)
        free = [other for other, needed in self._blocked.items() if needed <= self.counting]
        self._ready += free
        self._blocked = {other: needed for other, needed in self._blocked.items() if other not in free}
        if len(self.counting) == self._enough:
            self._stop_once()

    def _count_lost(self) -> int:
        lost = set(self.failures)
        for _ in self._blocked if self._enough is not None else ():
            lost |= {index for index, needed in self._blocked.items() if needed & lost}
        return len(lost)

    def _settle(self, outcome: BaseException) -> None:
        self._outcome = outcome
        if not (self._others_go_on and isinstance(outcome, Failed)):
            self._stop_once()

    def _stop_once(self) -> None:
        """Not what has been told already, because all of this was: it may be cleaning up."""
        if not self._told:
            self._stop()

    def _stop(self) -> None:
        self._ready, self._blocked = [], {}
        for task, (index, _, begun) in self._running.items():
            if begun == self._run.clock():
                self._tie(index)
            if not task.done():
                self._stopped.add(index)
            task.cancel()

    async def _undo(self, instance: str) -> None:
        first = next(iter(self.failures.values()), None)
        error = first or {"type": "not-needed", "message": "another branch was enough", "step": instance}
        lost = [done for done in self._lost if done in self._scope.done]
        failures = await self._run.through(self._run.take_back(self._scope, lost, error))
        if failures:
            raise Failed(failures[0], cleaning=True)


def outcome_of(task: asyncio.Task[Any]) -> BaseException | None:
    if task.cancelled():
        return asyncio.CancelledError()
    return task.exception()

"""Branches at the same time: those of a `parallel`, and the iterations of a `foreach`.

Branches see what was known at the fork. Which of them count, and what becomes of their keys, is decided here and never
by timing. A branch that was begun and does not count is undone, unless it has passed a point of no return.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, cast

from wfrun.core.effects import BeginForeach
from wfrun.core.fibers import Cancelled, Failed, Fiber, Finished, Group, Outcome, Strand
from wfrun.core.plan.nodes import Await, Crew, Foreach, Parallel, walk
from wfrun.core.scope import Scope, Undo
from wfrun.core.values import Json

if TYPE_CHECKING:
    from wfrun.core.events import ErrorData
    from wfrun.core.interpreter import Interpreter


async def parallel(run: Interpreter, block: Parallel, scope: Scope) -> None:
    """Keys are merged in the order in which the branches are written."""
    scopes: dict[int, Scope] = {}

    def begin(index: int) -> tuple[Scope, Strand]:
        scopes[index] = _view(scope, scopes, block.needs[index]) if block.needs else scope.fork()
        return scopes[index], run.step(block.branches[index], scopes[index])

    def branch_of(instance: str) -> int | None:
        if _is_one_path(block):
            return None
        id, inside = _place(instance, scope)
        found = (index for index, branch in enumerate(block.branches) if any(id == step.id for step in walk(branch)))
        return next(found, None) if inside is not None else None

    work = _Work(run, block.crew, scope, len(block.branches), begin, branch_of, block.needs)
    await work.finish(block.id + scope.iteration)
    for index in sorted(work.counting):
        scope.join(scopes[index])


def _is_one_path(block: Parallel | Foreach) -> bool:
    """Whether what a branch comes to depends on those before it: by the events that they have taken."""
    return block.crew.concurrency == 1 and any(isinstance(step, Await) for step in walk(block))


def _place(instance: str, scope: Scope) -> tuple[str, str | None]:
    """The step of an instance, and its iteration as it is counted inside a scope; None if it is not inside."""
    id, _, round = instance.partition("@")
    around = scope.iteration.removeprefix("@")
    if not around or round == around:
        return id, round.removeprefix(around)
    return id, round.removeprefix(f"{around}.") if round.startswith(f"{around}.") else None


def _view(scope: Scope, scopes: dict[int, Scope], needs: tuple[int, ...]) -> Scope:
    """What a branch sees that needs others: their keys, too, and what they see themselves."""
    known: dict[str, Json] = {}
    taken: set[str] = set()
    for index in needs:
        known |= scopes[index].own_since(scope)
        taken |= scopes[index].taken_since(scope)
    base = scope.fork(known)
    base.taken |= taken
    return base.fork()


async def foreach(run: Interpreter, block: Foreach, scope: Scope) -> None:
    """Each iteration has its own keys. What `output` names is a list by the index of the item, whatever the timing."""
    instance = block.id + scope.iteration
    opening = BeginForeach(f"{instance}!items", instance, block, run.setting(scope))
    await run.ask(opening)
    items = opening.items()
    results: list[Json] = [None] * len(items)

    async def iteration(inside: Scope, index: int) -> None:
        await run.step(block.body, inside)
        results[index] = await _result(run, block, inside)

    def begin(index: int) -> tuple[Scope, Strand]:
        item = items[index]
        names = {"item": item} if block.name is None else {"item": item, block.name: item}
        inside = scope.iterate(index, names)
        return inside, iteration(inside, index)

    def branch_of(instance: str) -> int | None:
        if _is_one_path(block):
            return None
        id, inside = _place(instance, scope)
        return int(inside.partition(".")[0]) if inside and any(id == step.id for step in walk(block.body)) else None

    work = _Work(run, block.crew, scope, len(items), begin, branch_of)
    await work.finish(instance)
    if block.collect is not None:
        _collect(block, scope, results, work)


async def _result(run: Interpreter, block: Foreach, inside: Scope) -> Json:
    """What an iteration hands on, for the list of results."""
    if block.collect is None:
        return None
    if block.collect.key is not None:
        return inside.own
    return cast("Json", await run.compute(block.id, block.collect.values, (*block.path, "output"), inside))


def _collect(block: Foreach, scope: Scope, results: list[Json], work: _Work) -> None:
    assert block.collect is not None
    if block.collect.key is not None:
        failed: dict[int, Json] = {index: {"error": cast("Json", error)} for index, error in work.failures.items()}
        counted = [results[index] if index in work.counting else failed.get(index) for index in range(len(results))]
        scope.set(block.collect.key, counted)
        return
    rows = [row if index in work.counting and isinstance(row, dict) else {} for index, row in enumerate(results)]
    for name in block.collect.keys:
        scope.set(name, [row.get(name) for row in rows])


class _Work:
    """Branches under way. `counting` are those that succeeded and are wanted, `failures` the errors of the others."""

    def __init__(
        self,
        run: Interpreter,
        crew: Crew,
        scope: Scope,
        total: int,
        begin: Callable[[int], tuple[Scope, Strand]],
        branch_of: Callable[[str], int | None],
        needs: Sequence[tuple[int, ...]] = (),
    ) -> None:
        self.counting: dict[int, None] = {}
        self.failures: dict[int, ErrorData] = {}
        self._run = run
        self._crew = crew
        self._scope = scope
        self._begin = begin
        self._branch_of = branch_of
        self._wanted = total if crew.complete is None else min(crew.complete, total)
        self._affordable = crew.tolerate.of(total) if crew.complete is None else total - self._wanted
        self._group = Group(run.scheduler)
        self._branches: dict[Fiber, tuple[int, Scope]] = {}
        self._blockers = {index: set(need) for index, need in enumerate(needs) if need}
        self._ready = deque(index for index in range(total) if index not in self._blockers)
        self._lost: dict[int, Undo] = {}
        self._taken: list[set[str]] = []
        self._outcome: Outcome | None = None
        self._settled = False

    async def finish(self, instance: str) -> None:
        """Until every branch has ended. Raises what the whole of it fails with."""
        self._run.crews[self] = None
        while self._ready or self._group.busy:
            self._spawn()
            self._ended(await self._group.next())
            if self._run.scheduler.is_cancelling:
                self._outcome = self._outcome or Cancelled()
                self._stop()
        del self._run.crews[self]
        self._scope.taken.update(*self._taken)
        self._scope.done |= self._lost
        if self._outcome is not None:
            raise self._run.scheduler.passed_on(self._outcome)
        if self._lost:
            await self._undo(instance)
        if self.failures or self._settled:
            self._run.settled_early.add(instance)

    def _spawn(self) -> None:
        most = self._crew.concurrency
        while self._ready and (most is None or len(self._group.live) < most):
            self._spawn_one(self._ready.popleft())

    def _spawn_one(self, index: int) -> None:
        scope, strand = self._begin(index)
        self._branches[self._group.spawn(strand)] = index, scope

    def begin_early(self, instance: str, *, in_turn: bool) -> bool:
        """Begin the branch that an instance is in, although there are enough: in the past there was room for it.

        With `in_turn`, not if the branches are to run one after the other.
        """
        if in_turn and self._crew.concurrency == 1:
            return False
        index = self._branch_of(instance)
        if index is None or index not in self._ready:
            return False
        self._ready.remove(index)
        self._spawn_one(index)
        return True

    def _ended(self, branch: Fiber) -> None:
        index, scope = self._branches.pop(branch)
        self._take_marks(scope)
        if branch.outcome is None and self._outcome is None and not self._settled:
            self._succeeded(index, scope)
            return
        if not scope.has_passed_pivot:
            self._lost |= scope.done
        if branch.outcome is not None and self._outcome is None and not self._settled:
            self._failed(index, branch.outcome)
        elif isinstance(branch.outcome, Failed):
            self._failed_stopped(branch.outcome)
        elif isinstance(branch.outcome, Cancelled) and isinstance(self._outcome, Failed | Cancelled):
            self._outcome.along |= branch.outcome.along

    def _take_marks(self, scope: Scope) -> None:
        """Events that were taken inside. Iterations one after the other are one path, branches at once are not."""
        if not scope.taken:
            return
        if self._crew.concurrency == 1:
            self._scope.taken |= scope.taken
        else:
            self._taken.append(scope.taken)

    def _succeeded(self, index: int, scope: Scope) -> None:
        self._scope.keep(scope)
        self.counting[index] = None
        if self._crew.complete is not None and len(self.counting) == self._wanted:
            self._settled = True
            self._stop()
        for other in [other for other, blockers in self._blockers.items() if index in blockers]:
            self._blockers[other].discard(index)
            if not self._blockers[other]:
                del self._blockers[other]
                self._ready.append(other)

    def _failed(self, index: int, outcome: Outcome) -> None:
        if isinstance(outcome, Failed):
            self.failures[index] = outcome.error
            if len(self._out_of_reach()) <= self._affordable:
                return
        self._outcome = outcome
        if self._crew.cancel or isinstance(outcome, Cancelled | Finished):
            self._stop()

    def _failed_stopped(self, outcome: Failed) -> None:
        """What fails while it is stopped counts no more than if it had stopped. But whatever it was stopped for, an
        error in its `finally` counts, and so does an effect that it could not take back."""
        if isinstance(self._outcome, Failed) or (isinstance(self._outcome, Cancelled) and not outcome.cleaning):
            self._outcome.along |= outcome.steps
        elif outcome.cleaning:
            self._outcome = outcome

    def _out_of_reach(self) -> set[int]:
        """Branches that failed and, where it counts how many succeed, those that can never begin, as they need one."""
        gone = set(self.failures)
        while self._crew.complete is not None:
            more = {index for index, blockers in self._blockers.items() if index not in gone and blockers & gone}
            if not more:
                break
            gone |= more
        return gone

    def _stop(self) -> None:
        self._ready.clear()
        self._blockers.clear()
        self._run.scheduler.stop(self._group)

    async def _undo(self, instance: str) -> None:
        """What the branches did that do not count: nothing stops it. What cannot be undone now fails the block, and is
        tried again."""
        first = next(iter(self.failures.values()), None)
        error: ErrorData = first or {"type": "not-needed", "message": "another branch was enough", "step": instance}
        undoing = self._run.undo(self._scope, list(self._lost), error)
        failures = await self._run.scheduler.unstoppable(undoing)
        if failures:
            steps = (failure["step"] for failure in failures if "step" in failure)
            raise Failed(failures[0], steps, cleaning=True)

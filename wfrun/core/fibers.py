"""A tiny deterministic scheduler for coroutines: no event loop, no clock, nothing runs unless a fact is fed in.

A fiber is one strand of control flow: the body of the workflow, or a branch. It waits either for the fact that answers
an effect (`perform`) or for the next of its children to finish (`Group.next`). Fibers run in the order in which they
became ready, so the same facts in the same order always lead to the same effects.

Cancelling is asked once and delivered once: a fiber that waits for a timer is told at once; one that waits for a call
or a task is told when that has really stopped; any other at its next `perform`. A fiber that waits for its children
goes on waiting while they are cancelled. After delivery it may perform further effects: that is how cleaning up works.
What has to come to its end (`unstoppable`) does so first.
"""

from __future__ import annotations

import types
from collections import deque
from collections.abc import Coroutine, Generator, Iterable
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from wfrun.core.effects import CallService, Effect, Listen, OpenTask, Output, StartChild, StartPause, StartTimer, Stop

if TYPE_CHECKING:
    from wfrun.core.events import ErrorData, Record

T = TypeVar("T")

Strand: TypeAlias = Coroutine[Any, Any, None]


class Failed(Exception):
    """A step that failed for good. `along` are others that failed, too, and that this one covers up. `cleaning`: it did
    so in what had to be done although this strand was to stop."""

    def __init__(self, error: ErrorData, along: Iterable[str] = (), *, cleaning: bool = False) -> None:
        super().__init__(error["message"])
        self.error = error
        self.along = set(along)
        self.cleaning = cleaning

    @property
    def steps(self) -> set[str]:
        """All instances that have to succeed for this failure to be gone."""
        return {*self.along, self.error["step"]} if "step" in self.error else self.along


class Cancelled(Exception):
    """This strand of control flow is to end. `along` are steps in it that had failed before it was told so, `answer` is
    how what it waited for has stopped."""

    def __init__(self, along: Iterable[str] = (), answer: Record | None = None) -> None:
        super().__init__("this is to end")
        self.along = set(along)
        self.answer = answer


class Finished(Exception):
    """The whole execution ends here, completed, although there are steps left. `output` is what it gives back."""

    def __init__(self, output: Output | None) -> None:
        super().__init__("the execution ends here")
        self.output = output


# How a strand can end besides running to its end.
Outcome: TypeAlias = Failed | Cancelled | Finished


async def outcome_of(strand: Strand) -> Outcome | None:
    """Run a strand within this one. What it ended with; None if nothing went wrong."""
    try:
        await strand
    except (Failed, Cancelled, Finished) as outcome:
        return outcome
    return None


class Fiber:
    """One strand. `outcome` is the exception it ended with, or None; meaningful once `done`.

    `told` is how often it was told to end, `cancelling` that it has not heard of it, `shielded` that it may not yet.
    """

    __slots__ = ("cancelling", "done", "group", "outcome", "shielded", "strand", "told", "waits_for")

    def __init__(self, strand: Strand, group: Group | None) -> None:
        self.strand = strand
        self.group = group
        self.waits_for: Effect | Group | None = None
        self.cancelling = False
        self.shielded = False
        self.told = 0
        self.done = False
        self.outcome: Outcome | None = None


class Group:
    """The children of a fiber, handed back one by one in the order in which they finish."""

    __slots__ = ("_finished", "_scheduler", "heard", "live", "waiter")

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self._finished: deque[Fiber] = deque()
        self.live: dict[Fiber, None] = {}
        self.waiter: Fiber | None = None
        self.heard = 0  # how often it was told to end because its fiber was

    def spawn(self, strand: Strand) -> Fiber:
        fiber = Fiber(strand, self)
        self.live[fiber] = None
        self._scheduler.ready(fiber)
        return fiber

    async def next(self) -> Fiber:
        """The next child that has finished. To be called only while there are live or unfetched ones."""
        while not self._finished:
            await _wait(self)
        return self._finished.popleft()

    async def rest(self) -> None:
        """Until all have finished."""
        while self.busy:
            await self.next()

    def cancel(self) -> None:
        for fiber in list(self.live):
            self._scheduler.cancel(fiber)

    def finished(self, fiber: Fiber) -> None:
        del self.live[fiber]
        self._finished.append(fiber)
        if self.waiter is not None:
            waiter, self.waiter = self.waiter, None
            self._scheduler.ready(waiter)

    @property
    def busy(self) -> bool:
        return bool(self.live or self._finished)


def stop_id(effect: str) -> str:
    return f"{effect}!stop"


@types.coroutine
def _wait(what: Effect | Group) -> Generator[Effect | Group, Record, Record]:
    return (yield what)


class Scheduler:
    """Runs fibers until all of them wait, and collects the effects they asked for.

    `pending` are those without an answer, and `recorded` the facts that say which of them have been begun.
    """

    def __init__(self) -> None:
        self._ready: deque[tuple[Fiber, Record | Exception | None]] = deque()
        self._waiting: dict[str, Fiber] = {}
        self._emitted: list[Effect] = []
        self._running: Fiber | None = None
        self.pending: dict[str, Effect] = {}
        self.recorded: dict[str, Record] = {}

    async def perform(self, effect: Effect) -> Record:
        """Ask for an effect and wait for the fact that answers it."""
        return await _wait(effect)

    async def again(self, effect: Effect) -> Record:
        """Wait for a further fact about an effect that was asked for before."""
        return await _wait(effect)

    def ready(self, fiber: Fiber, value: Record | Exception | None = None) -> None:
        fiber.waits_for = None
        self._ready.append((fiber, value))

    def answer(self, id: str, record: Record | Exception, *, keep: bool = False) -> None:
        """Hand a fact to the fiber that waits for the effect `id`; with `keep`, more facts may follow."""
        fiber = self._waiting.pop(id)
        if not keep:
            self.settle(id)
        if isinstance(record, Cancelled):
            fiber.cancelling = False
        self.ready(fiber, record)

    def settle(self, id: str) -> None:
        """The effect needs no further answer."""
        self.pending.pop(id, None)
        self.pending.pop(stop_id(id), None)
        self.recorded.pop(id, None)

    def forget_stops(self) -> None:
        """What has been stopped and nobody has been told of, nobody needs to be told of any more."""
        for id, effect in list(self.pending.items()):
            if isinstance(effect, Stop) and effect.target not in self.pending:
                del self.pending[id]

    def outstanding(self) -> tuple[Effect, ...]:
        """All that is pending, but no call that is only to be stopped."""
        return tuple(
            effect
            for effect in self.pending.values()
            if not (isinstance(effect, CallService) and stop_id(effect.id) in self.pending)
        )

    def listens(self, id: str) -> bool:
        """Whether a fiber waits for a fact about the effect right now."""
        return id in self._waiting

    def stops(self, id: str) -> bool:
        """Whether what waits for the effect has been told to stop, and goes no further than there."""
        fiber = self._waiting.get(id)
        return fiber is not None and fiber.cancelling and not fiber.shielded

    def cancel(self, fiber: Fiber) -> None:
        if fiber.done or fiber.cancelling:
            return
        fiber.cancelling = True
        fiber.told += 1
        if not fiber.shielded:
            self._interrupt(fiber)

    def _interrupt(self, fiber: Fiber) -> None:
        match fiber.waits_for:
            case Group() as group:
                self._pass_on(fiber, group)
            case StartTimer(id=id, step=step, reason=reason):
                told = id in self.recorded and reason != "timeout"
                self.answer(id, Cancelled())
                if told:
                    # Nothing depends on this fact: there was none in 0.1.
                    self._emit(Stop(stop_id(id), id, "wait", step))
            case StartPause(id=id, step=step) | Listen(id=id, step=step):
                self._emit(Stop(stop_id(id), id, "wait", step))
            case CallService(id=id):
                self._emit(Stop(stop_id(id), id, "call"))
            case StartChild(id=id):
                self._emit(Stop(stop_id(id), id, "child"))
            case OpenTask(id=id):
                self._emit(Stop(stop_id(id), id, "task"))

    def _pass_on(self, fiber: Fiber, group: Group) -> None:
        """Once: told again, a child would leave the cleaning up that it has begun."""
        if group.heard < fiber.told:
            group.heard = fiber.told
            group.cancel()

    def stop(self, group: Group) -> None:
        """The children of the fiber that runs are to end, be it because it has itself been told to."""
        if self._running is not None and self._running.cancelling:
            self._pass_on(self._running, group)
        else:
            group.cancel()

    def run(self) -> tuple[Effect, ...]:
        if not self._ready and not self._emitted:
            return ()
        while self._ready:
            fiber, value = self._ready.popleft()
            self._step(fiber, value)
        emitted, self._emitted = tuple(self._emitted), []
        return emitted

    @property
    def is_cancelling(self) -> bool:
        """Whether the fiber that runs has been told to stop, and has only heard it through its children so far."""
        return self._running is not None and self._running.cancelling

    @property
    def told(self) -> int:
        """How often the fiber that runs has been told to stop."""
        return self._running.told if self._running is not None else 0

    async def unstoppable(self, strand: Coroutine[Any, Any, T]) -> T:
        """Run a strand within the fiber that runs; whoever tells that to stop is heard when it is done."""
        fiber = self._running
        assert fiber is not None
        fiber.shielded = True
        try:
            result = await strand
        finally:
            fiber.shielded = False
        if fiber.cancelling:
            fiber.cancelling = False
            raise Cancelled
        return result

    def passed_on(self, outcome: Outcome) -> Outcome:
        """What a child ended with, to be raised. A child cancelled because this fiber is to be has told it so."""
        if isinstance(outcome, Cancelled) and self._running is not None:
            self._running.cancelling = False
        return outcome

    def _step(self, fiber: Fiber, value: Record | Exception | None) -> None:
        self._running = fiber
        try:
            wanted = self._resume(fiber, value)
        except StopIteration:
            self._finish(fiber, None)
        except (Failed, Cancelled, Finished) as outcome:
            self._finish(fiber, outcome)
        else:
            self._park(fiber, wanted)

    def _resume(self, fiber: Fiber, value: Record | Exception | None) -> Effect | Group:
        strand = fiber.strand
        wanted = strand.throw(value) if isinstance(value, Exception) else strand.send(value)
        while (
            fiber.cancelling and not fiber.shielded and not isinstance(wanted, Group) and wanted.id not in self.pending
        ):
            fiber.cancelling = False
            wanted = strand.throw(Cancelled())
        return wanted  # type: ignore[no-any-return]

    def _park(self, fiber: Fiber, wanted: Effect | Group) -> None:
        fiber.waits_for = wanted
        if isinstance(wanted, Group):
            wanted.waiter = fiber
        else:
            self._waiting[wanted.id] = fiber
            if wanted.id not in self.pending:
                self._emit(wanted)
        if fiber.cancelling and not fiber.shielded:
            # It was told to stop while it did something that cannot be stopped.
            self._interrupt(fiber)

    def _emit(self, effect: Effect) -> None:
        self.pending[effect.id] = effect
        self._emitted.append(effect)

    def emit_again(self, effects: Iterable[Effect]) -> None:
        """Have the next `run` give these back, too: nobody has seen them yet."""
        self._emitted.extend(effects)

    def _finish(self, fiber: Fiber, outcome: Outcome | None) -> None:
        fiber.done = True
        fiber.outcome = outcome
        if fiber.group is not None:
            fiber.group.finished(fiber)

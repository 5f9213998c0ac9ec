"""Drives one execution: turns of the journal, and between them the outside work.

A turn, under the append lock: fold what others appended; append the outcomes that have arrived and fold them; append
the intents of the effects this led to. One sync makes all of it durable, and only then are the effects performed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from wfrun.adapters.fence import Held, end_left
from wfrun.core.run import Run
from wfrun.engines.calls import Caller
from wfrun.engines.local.errands import Errands
from wfrun.engines.local.intents import Intent
from wfrun.engines.local.machine import Machine
from wfrun.engines.local.others import Others
from wfrun.engines.local.performer import Performer
from wfrun.engines.turns import Turns
from wfrun.errors import ConflictError
from wfrun.journal.crash import reach
from wfrun.journal.journal import Journal

if TYPE_CHECKING:
    from wfrun.core.events import Event, Record

# Called with (execution id, durable record, whether it is new): False for what had happened before this runner came.
Observer = Callable[[str, "Record", bool], None]


class Driver:
    """One execution in this process. `journal` is held for driving; its records are folded before the first turn.

    The first `history` records are told to the observer as what had happened before.
    """

    def __init__(
        self,
        journal: Journal,
        run: Run,
        services: Caller,
        machine: Machine,
        observer: Observer | None = None,
        history: int = 0,
        others: Others | None = None,
    ) -> None:
        self.run = run
        self.journal = journal
        self.execution: str = journal.records[0]["execution"]
        self._machine = machine
        self._committer = machine.committer
        self._observer = observer
        self._errands = errands = Errands(others, self._answer, self.wake)
        self._performer = Performer(self.execution, run, services, errands, self._answer, journal.clock, machine)
        self._turns = Turns(run, journal.add, journal.clock)
        self._turned = False
        self._awake = False
        self._parks = False
        self._sleep: asyncio.Future[None] | None = None
        self._history = history
        self._seen = 0
        self._turns.fold_history(journal.records)

    # ---- the loop

    async def drive(self, *, park: bool) -> None:
        """Until the execution has ended or, with `park`, until it only waits, with its children: for what others do, or
        for long. Without `park` it goes on waiting until it is told to."""
        self._parks = park
        await self._end_orphans()
        while True:
            self._awake = False
            self._errands.check()
            intents = self._turn()
            await self._commit()
            if self.run.ended is None:
                for intent in intents:
                    self._performer.perform(intent)
                if self._turns.has_outcomes:
                    continue
                self._performer.watch_tasks()
            if self._is_over() and self._let_go():
                return
            if not self._awake:
                await self._until_awake()

    async def _end_orphans(self) -> None:
        """End what is left of calls that an earlier runner had begun, before anything is done about these (C10)."""
        for id, started in self.run.begun.items():
            try:
                await end_left(self._machine.lock(self.execution, id))
            except Held as held:
                raise orphaned(self.execution, started["step"], held.processes) from None

    def park(self) -> None:
        """Let go as soon as it only waits."""
        self._parks = True
        self.wake()

    @property
    def is_idle(self) -> bool:
        """Whether it only waits for what others do, or for long."""
        return self._sleep is not None and not self._awake and not self._performer.is_busy

    def _is_over(self) -> bool:
        if self.run.ended is not None:
            return True
        if self._turns.has_outcomes or self._performer.is_busy:
            self._errands.go_on()
            return False
        # Whoever repairs what is paused becomes its driver, which nobody can while somebody waits for that.
        return (self._parks or self.run.is_paused) and self._errands.park()

    def _let_go(self) -> bool:
        """False if others have appended something since the last turn."""
        foreign = self.journal.let_go()
        self._turns.fold(foreign)
        if foreign:
            self._awake = True
        else:
            self._performer.rest()
        return not foreign

    def look(self) -> None:
        """Notice what other processes have appended. A turn since the last look has done so, too."""
        self._errands.look()
        if self._turned:
            self._turned = False
        elif self.journal.has_foreign():
            self.wake()

    async def leave(self, reason: str) -> None:
        """Stop where we are; the execution can be resumed. What has already come back is kept."""
        await self._performer.leave()
        with self.journal.turn() as foreign:
            self._turns.fold(foreign)
            self._turns.take_outcomes()
            self._turns.learn({"type": "driver.stopped", "epoch": self.run.epoch, "reason": reason})
        await self._commit()

    # ---- a turn

    def _turn(self) -> list[Intent]:
        self._turned = True
        with self.journal.turn() as foreign:
            self._turns.fold(foreign)
            return self._turns.take()

    async def _commit(self) -> None:
        if self.journal.dirty:
            reach("driver.before-sync")
            await self._committer.sync(self.journal)
            reach("driver.after-sync")
        if self._observer is not None:
            for record in self.journal.records[self._seen :]:
                self._observer(self.execution, record, record["seq"] > self._history)
        self._seen = len(self.journal.records)

    def _answer(self, effect: str, event: Event) -> None:
        self._turns.answer(effect, event)
        self.wake()

    def wake(self) -> None:
        """Have another turn."""
        self._awake = True
        if self._sleep is not None and not self._sleep.done():
            self._sleep.set_result(None)

    async def _until_awake(self) -> None:
        self._sleep = asyncio.get_running_loop().create_future()
        if self.is_idle:
            self._errands.rest()
        await self._sleep
        self._sleep = None


def orphaned(execution: str, step: str, processes: list[int]) -> ConflictError:
    who = f"process {', '.join(map(str, processes))}" if processes else "a process that cannot be seen from here"
    message = f"execution {execution}: {step} had been begun by a runner that died, and {who} is at it still"
    hint = f"end it, or wait for its end, and then `wfrun resume {execution}`"
    return ConflictError("execution.orphan", message, hint=hint)

"""Processes of one machine, of which one runs at a time: chance says which, and time goes on when none can."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Callable
from contextlib import suppress
from heapq import heappop, heappush
from itertools import count
from math import inf
from random import Random
from typing import Any

from greenlet import getcurrent, greenlet

from tests.support.mortal import Killed

# A run that takes more is stuck. Few take a tenth of it.
MOST_TURNS = 200_000


class Stuck(Exception):
    """Something goes on for ever."""


class Process:
    """`body` runs until it returns, raises or is killed. `left` is how many more points it lives to reach, if that is
    decided; `fault` is asked at each call to the disk for an error to be raised instead."""

    def __init__(self, scheduler: Scheduler, name: str, pid: int, body: Callable[[], None]) -> None:
        self.name = name
        self.pid = pid
        self.left = inf
        self.wake = scheduler.now
        self.may_go_on: Callable[[], bool] | None = None
        self.is_dead = False
        self.loop: asyncio.AbstractEventLoop | None = None
        self.fault: Callable[[str], OSError | None] = lambda call: None
        self.greenlet = greenlet(body)

    def __repr__(self) -> str:
        return f"{self.name}[{self.pid}]"


class Scheduler:
    """`now` counts seconds. `restless` is how probably somebody else goes on at a point where that could be."""

    def __init__(self, chance: Random) -> None:
        self.chance = chance
        self.now = 0.0
        self.restless = chance.choice((0.0, 0.02, 0.2))
        self.processes: list[Process] = []
        self.current: Process | None = None
        self.ended: Callable[[Process], None] = lambda process: None
        self._agenda: list[tuple[float, int, Callable[[], object]]] = []
        self._order = count()
        self._pids = count(100)
        self._turns = 0
        self._hub = getcurrent()

    # ---- from outside of all processes

    def at(self, when: float, act: Callable[[], object]) -> None:
        """Have something happen outside, at a time."""
        heappush(self._agenda, (when, next(self._order), act))

    def spawn(self, name: str, body: Callable[[], None]) -> Process:
        process = Process(self, name, next(self._pids), body)
        self.processes.append(process)
        return process

    def run(self) -> None:
        """Until nothing is left to happen."""
        while True:
            while self._agenda and self._agenda[0][0] <= self.now:
                heappop(self._agenda)[2]()
            ready = [each for each in self.processes if each.wake <= self.now and self._may_go_on(each)]
            if ready:
                self._resume(self.chance.choice(ready))
            elif not self._pass():
                return

    def kill(self, process: Process) -> None:
        if process.is_dead:
            return
        process.is_dead = True
        if process.greenlet:
            self._resume(process, Killed())
        else:
            self._bury(process)

    def _pass(self) -> bool:
        """Let time go on to whatever comes next. False if nothing does."""
        times = [each.wake for each in self.processes if each.may_go_on is None]
        times += [self._agenda[0][0]] if self._agenda else []
        then = min(times, default=inf)
        if then == inf:
            if self.processes:
                raise Stuck(f"{self.processes} wait for nothing that will ever happen")
            return False
        self.now = then
        return True

    def _may_go_on(self, process: Process) -> bool:
        return process.may_go_on is None or process.may_go_on()

    def _resume(self, process: Process, error: BaseException | None = None) -> None:
        self._turns += 1
        if self._turns > MOST_TURNS:
            raise Stuck(f"no end after {self._turns} turns")
        self.current, process.may_go_on = process, None
        if error is None:
            process.greenlet.switch()
        else:
            process.greenlet.throw(error)
        self.current = None
        if process.greenlet.dead:
            self._bury(process)

    def _bury(self, process: Process) -> None:
        process.is_dead = True
        self.processes.remove(process)
        self.ended(process)

    # ---- from within a process

    def point(self) -> None:
        """The process may die here, or others may go on first."""
        process = self.current
        if process is None:
            return
        if process.is_dead:
            raise Killed
        process.left -= 1
        if process.left <= 0:
            process.is_dead = True
            raise Killed
        if self.chance.random() < self.restless:
            self._yield(process, self.now)

    def sleep(self, seconds: float | None) -> None:
        """Until so many seconds have passed, or for ever, unless somebody sets `wake` to an earlier time."""
        process = self.current
        assert process is not None
        self._yield(process, inf if seconds is None else self.now + seconds)

    def wait_for(self, condition: Callable[[], bool]) -> None:
        process = self.current
        assert process is not None
        process.may_go_on = condition
        self._yield(process, self.now)

    def _yield(self, process: Process, wake: float) -> None:
        if process.is_dead:
            raise Killed
        process.wake = wake
        loop = asyncio._get_running_loop()
        asyncio._set_running_loop(None)
        try:
            self._hub.switch()
        finally:
            asyncio._set_running_loop(loop)


class Loop(asyncio.BaseEventLoop):
    """The event loop of one process. While it has nothing to do, others go on, and time."""

    def __init__(self, scheduler: Scheduler) -> None:
        super().__init__()
        self._scheduler = scheduler
        self._selector = self
        self._clock_resolution = 1e-6
        self.set_exception_handler(self._refuse)
        self.failures: list[BaseException] = []

    def select(self, timeout: float | None) -> list[Any]:
        if timeout is None or timeout > 0:
            self._scheduler.sleep(timeout)
        else:
            self._scheduler.point()
        return []

    def time(self) -> float:
        return self._scheduler.now

    def abandon(self) -> None:
        """Its process is dead: nothing of it goes on, and nobody has to hear of that."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # of what was never begun
            for task in asyncio.all_tasks(self):
                task._log_destroy_pending = False  # type: ignore[attr-defined]
                coroutine: Any = task.get_coro()
                with suppress(BaseException):
                    coroutine.close()
        self.set_exception_handler(lambda loop, context: None)
        self.close()

    def _process_events(self, events: list[Any]) -> None: ...

    def _write_to_self(self) -> None: ...

    def _refuse(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if error is not None and not isinstance(error, Killed):
            self.failures.append(error)

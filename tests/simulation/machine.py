"""The machine: what the use cases find in the place of the operating system, and how all of it dies."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from random import Random
from types import SimpleNamespace, TracebackType
from typing import Any
from unittest.mock import patch

from tests.simulation import known
from tests.simulation.disk import Disk, View
from tests.simulation.scheduler import Loop, Process, Scheduler
from tests.simulation.services import Services
from tests.support.mortal import Killed
from tests.support.power import lose_power
from tests.support.world import EPOCH
from wfrun.app import onward, starting, sweeping
from wfrun.app.runtime import Runtime
from wfrun.engines.local.engine import LOOK_EVERY_S, LocalEngine
from wfrun.engines.local.machine import Machine as Parts
from wfrun.errors import WfrunError
from wfrun.journal import crash
from wfrun.journal.commit import Committer
from wfrun.journal.home import Home
from wfrun.journal.worker import Done, Work

PLACE = "/nowhere/state"


class Machine:
    """`spawn` begins processes. `dead` is called when one has died or ended, `trace` with all that happens.

    `highest` is the latest time that the clock, which may be set, has shown to anybody.
    """

    def __init__(self, chance: Random, scheduler: Scheduler, services: Services, trace: Callable[[str], None]) -> None:
        self.chance = chance
        self.scheduler = scheduler
        self.services = services
        self.disk = Disk(chance)
        self.disk.wrote = self._have_all_look
        self.trace = trace
        self.faults: Counter[str] = Counter()
        self.reached: Counter[str] = Counter()
        self.defects: list[str] = []
        self.refusals: Counter[str] = Counter()
        self.offset = timedelta()
        self.highest = EPOCH
        self.engines: dict[Process, LocalEngine] = {}
        self.deadly: tuple[Process, str, int] | None = None
        self._homes: dict[Process, View] = {}
        self._looking: set[Process] = set()
        scheduler.ended = self._end

    def now(self) -> datetime:
        now = EPOCH + timedelta(seconds=self.scheduler.now) + self.offset
        self.highest = max(self.highest, now)
        return now

    def home(self) -> Home:
        """The state directory, as the current process sees it."""
        process = self.scheduler.current
        assert process is not None
        view = self._homes[process] = View(self.disk, self.scheduler, process)
        return Home(PLACE, view.door, self.now, self.chance.randbytes)

    def spawn(self, name: str, body: Callable[[Home], None]) -> Process:
        """A process that does something with the state directory. What goes wrong ends it, in words for people."""

        def run() -> None:
            try:
                body(self.home())
            except Killed:
                self.faults["kill"] += process.left <= 0
                self.trace(f"{process} is dead")
            except WfrunError as error:
                self.refusals[error.code] += 1
                self.trace(f"{process} ends: {error}")
            except Exception as error:  # noqa: BLE001 - nobody may see a traceback
                self.defects.append(f"{process}: {type(error).__name__}: {error}")
                self.trace(f"{process} has a defect: {error!r}")
            else:
                self.trace(f"{process} is done")

        process = self.scheduler.spawn(name, run)
        return process

    def kill(self, process: Process) -> None:
        self.trace(f"kill {process}")
        self.scheduler.kill(process)

    def lose_power(self) -> None:
        self.trace("the power fails")
        for process in list(self.scheduler.processes):
            self.scheduler.kill(process)
        self.disk.files = lose_power(self.disk.files, self.chance)

    def set_clock(self, by: timedelta) -> None:
        self.trace(f"the clock is set by {by}")
        self.offset += by

    def correct_clock(self) -> None:
        """Never earlier again than it has been."""
        self.set_clock(max(timedelta(), self.highest - self.now()))

    def hit(self, point: str) -> None:
        """A named crash point is reached."""
        self.reached[point] += 1
        process = self.scheduler.current
        if process is None:
            return
        if self.deadly is not None and self.deadly[:2] == (process, point):
            left = self.deadly[2] - 1
            self.deadly = (process, point, left) if left else None
            if not left:
                self.trace(f"{process} dies at {point}")
                process.left = 0
        self.scheduler.point()

    def _have_all_look(self) -> None:
        """Something has changed on the disk: whoever drives will notice it when it looks around, the second time at the
        latest. What looks that find nothing would change is nothing, so these are left out."""
        for process, engine in self.engines.items():
            if process not in self._looking and process.loop is not None and not process.is_dead:
                self._looking.add(process)
                process.loop.call_later(LOOK_EVERY_S, self._look, process, engine)
                process.wake = min(process.wake, self.scheduler.now + LOOK_EVERY_S)

    def _look(self, process: Process, engine: LocalEngine) -> None:
        self._looking.discard(process)
        engine.look()
        assert process.loop is not None
        process.loop.call_later(LOOK_EVERY_S, engine.look)

    def _end(self, process: Process) -> None:
        self.engines.pop(process, None)
        self._looking.discard(process)
        if process in self._homes:
            self._homes.pop(process).end()
        if isinstance(process.loop, Loop):
            self.defects += [f"{process}: {type(error).__name__}: {error}" for error in process.loop.failures]
            if not process.loop.is_closed():
                process.loop.abandon()


class _Engine:
    """`open_engine`, without signals and threads."""

    def __init__(self, machine: Machine, home: Home) -> None:
        self._machine = machine
        self._home = home

    async def __aenter__(self) -> LocalEngine:
        machine = self._machine
        process = machine.scheduler.current
        assert process is not None
        worker = _Worker(machine)
        engine = LocalEngine(Parts(Committer(self._home.files, worker), machine.chance.random))
        machine.engines[process] = engine
        return engine

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        process = self._machine.scheduler.current
        assert process is not None
        engine = self._machine.engines.pop(process)
        await engine.machine.committer.close()


class _Worker:
    """What a thread does, the loop does a little later."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine

    def put(self, work: Work, done: Done) -> None:
        process = self._machine.scheduler.current
        assert process is not None
        assert process.loop is not None
        delay = self._machine.chance.uniform(0, self._machine.disk.latency)
        process.loop.call_later(delay, self._do, work, done)

    def close(self) -> None: ...

    def _do(self, work: Work, done: Done) -> None:
        failure: BaseException | None = None
        try:
            work()
        except Exception as error:  # noqa: BLE001 - as a thread would
            failure = error
        done(failure)


class _NoIndex:
    """An index is a cache on a real disk."""

    def __init__(self, *arguments: object) -> None: ...

    def note(self, *arguments: object) -> None: ...

    def close(self) -> None: ...


@contextmanager
def running_on(machine: Machine) -> Iterator[None]:
    """Within the block, the use cases run on this machine: its processes, event loops, engines and services."""

    def new_loop() -> Loop:
        process = machine.scheduler.current
        assert process is not None
        process.loop = loop = Loop(machine.scheduler)
        return loop

    def process_id() -> int:
        return machine.scheduler.current.pid if machine.scheduler.current else 1

    system = SimpleNamespace(getpid=process_id, uname=lambda: SimpleNamespace(nodename="nowhere"))
    runtime = partial(Runtime, open_services=machine.services.open)
    patches: list[tuple[Any, str, Any]] = [
        (asyncio, "new_event_loop", new_loop),
        (crash, "_armed", machine),
        (starting, "os", system),
        (starting, "_kept_path", lambda file: f"/definitions/{Path(file).name}"),
        *known.patches(),
    ]
    for module in (onward, sweeping):
        patches += [
            (module, "open_engine", partial(_Engine, machine)),
            (module, "Runtime", runtime),
            (module, "IndexWriter", _NoIndex),
        ]
    with ExitStack() as stack:
        for module, name, value in patches:
            stack.enter_context(patch.object(module, name, value))
        yield

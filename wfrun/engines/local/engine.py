"""One event loop for all executions that this process drives."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, TypeVar

from wfrun.engines.local.driver import Driver
from wfrun.engines.local.machine import Machine
from wfrun.errors import JournalError
from wfrun.journal.commit import Committer
from wfrun.journal.home import Home

# How often a runner looks for what others appended to its journals. A look is left out after a turn, so that two of
# these, and the turn that follows, have to fit into the 100 ms promised (C9).
LOOK_EVERY_S = 0.04


# How long what was given up may still take when the loop ends.
LEFT_OVER_S = 0.5

T = TypeVar("T")


class Interrupted(Exception):
    """The process was asked to stop. What it was driving can be resumed."""

    def __init__(self, signal_name: str) -> None:
        super().__init__(signal_name)
        self.signal_name = signal_name


class LocalEngine:
    """Drives executions until they end, park, or the process is told to stop. Lives within one `open_engine`."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self._driving: dict[str, tuple[Driver, asyncio.Task[Any] | None]] = {}
        self._awaited: dict[str, asyncio.Event] = {}
        self._signal = ""

    async def drive(self, driver: Driver, *, park: bool) -> None:
        """Raises Interrupted once the execution has been left in order, JournalError if its journal failed."""
        task = asyncio.current_task()
        self._driving[driver.execution] = driver, task
        try:
            await self._drive_or_leave(driver, task, park)
        finally:
            del self._driving[driver.execution]
            driver.journal.close()
            if (awaited := self._awaited.pop(driver.execution, None)) is not None:
                awaited.set()

    async def _drive_or_leave(self, driver: Driver, task: asyncio.Task[Any] | None, park: bool) -> None:
        try:
            if not self._signal:
                return await driver.drive(park=park)
        except asyncio.CancelledError:
            if not self._signal or task is None:
                raise
            task.uncancel()
        await driver.leave(self._signal)
        raise Interrupted(self._signal)

    def wake(self, execution: str) -> bool:
        """Have an execution notice at once what others have appended. False if it is not driven here."""
        if (driver := self.driver(execution)) is None:
            return False
        driver.wake()
        return True

    def driver(self, execution: str) -> Driver | None:
        """The driver of an execution, if it is driven here."""
        return self._driving[execution][0] if execution in self._driving else None

    async def let_go(self, execution: str) -> None:
        """Until an execution that is driven here is not any more."""
        await self._awaited.setdefault(execution, asyncio.Event()).wait()

    @property
    def is_interrupted(self) -> bool:
        return bool(self._signal)

    def interrupt(self, signal_name: str) -> None:
        """Have every execution left in order; nothing new may be begun."""
        if self._signal:
            return
        self._signal = signal_name
        for _, task in self._driving.values():
            if task is not None:
                task.cancel()

    async def look_around(self) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            self.look()

    def look(self) -> None:
        """Have every execution notice what others have appended to its journal."""
        for driver, _ in list(self._driving.values()):
            try:
                driver.look()
            except (JournalError, OSError):
                driver.wake()  # its turn will meet the same trouble, and the others go on being looked at


@asynccontextmanager
async def open_engine(home: Home) -> AsyncIterator[LocalEngine]:
    engine = LocalEngine(Machine(Committer(home.files), running=home.running))
    looking = asyncio.ensure_future(engine.look_around())
    try:
        with _signals(engine.interrupt):
            yield engine
    finally:
        looking.cancel()
        await engine.machine.committer.close()


@contextmanager
def _signals(interrupt: Callable[[str], None]) -> Iterator[None]:
    """The first INT, TERM or HUP leaves everything resumable; a second one ends the process at once.

    What is ignored from outside, as HUP is under nohup, stays ignored.
    """
    loop = asyncio.get_running_loop()
    all_three = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.getsignal(number) for number in all_three}
    handled = [number for number in all_three if before[number] is not signal.SIG_IGN]

    def receive(number: signal.Signals) -> None:
        for each in handled:
            loop.remove_signal_handler(each)
            signal.signal(each, signal.SIG_DFL)
        interrupt(number.name)

    try:
        for number in handled:
            loop.add_signal_handler(number, receive, number)
    except (ValueError, RuntimeError, NotImplementedError):
        # Not the main thread: whoever embeds wfrun handles signals.
        yield
        return
    try:
        yield
    finally:
        for number in handled:
            if loop.remove_signal_handler(number):
                signal.signal(number, before[number])


def run_loop(main: Coroutine[Any, Any, T]) -> T:
    """As asyncio.run, which would wait for ever for a call that ignores being cancelled."""
    try:
        loop = asyncio.new_event_loop()
    except OSError:  # no file can be opened for it
        main.close()
        raise
    try:
        return loop.run_until_complete(main)
    finally:
        loop.set_exception_handler(lambda loop, context: None)
        left = asyncio.all_tasks(loop)
        for task in left:
            task.cancel()
        if left:
            loop.run_until_complete(asyncio.wait(left, timeout=LEFT_OVER_S))
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()

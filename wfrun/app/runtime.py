"""Everything that one process drives: executions, the children they start, and those that their events reach."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from wfrun.adapters.registry import Services
from wfrun.app.delivering import deliver_all
from wfrun.app.family import refuse_orphan, root_of
from wfrun.app.in_force import begin_run, fold, in_force, workflow_of
from wfrun.app.services import Configs
from wfrun.app.standing import has_ended
from wfrun.app.starting import check_input, first_event, new_seed, runner
from wfrun.app.workflows import Workflow, startable, stored_workflow
from wfrun.core.interventions import is_told_to_stop
from wfrun.engines.again import is_to_try_again, times_begun, try_again
from wfrun.engines.beginning import depth_below
from wfrun.engines.calls import Caller
from wfrun.engines.local.driver import Driver, Observer
from wfrun.engines.local.engine import Interrupted, LocalEngine
from wfrun.errors import ConflictError, WfrunError
from wfrun.journal.home import Home
from wfrun.journal.journal import Journal

if TYPE_CHECKING:
    from wfrun.core.events import EventData, Record
    from wfrun.engines.local.others import ChildEnd

# How often an execution that another process drives is looked at.
LOOK_EVERY_S = 0.1


# What an execution is told when what it did is to be undone, or what could not be undone is to be tried again.
_RECALLS = ("compensation.requested", "execution.resumed")


class OpenServices(Caller, Protocol):
    """The services of a workflow: each can be called, and all are closed together."""

    async def close(self) -> None: ...


class Runtime:
    """Lives within one `open_engine`. With `park`, nobody waits for people, events or long times.

    `services` replaces the services file that an execution was started with, `open_services` what answers its calls.
    """

    def __init__(
        self,
        home: Home,
        engine: LocalEngine,
        observer: Observer | None,
        *,
        park: bool,
        services: str | None = None,
        open_services: Callable[[Configs], OpenServices] = Services,
    ) -> None:
        self.home = home
        self.services = services
        self._engine = engine
        self._observer = observer
        self._park = park
        self._open_services = open_services
        self._opened: dict[int, tuple[Workflow, OpenServices]] = {}
        self._adopted: set[asyncio.Task[None]] = set()
        self._left: dict[str, int] = {}

    async def drive(self, journal: Journal, workflow: Workflow, history: int = 0) -> None:
        """Drive an execution, whose journal is held, until it has ended or is parked. Raises Interrupted."""
        await self._drive(journal, workflow, history, self._park)

    async def _drive(self, journal: Journal, workflow: Workflow, history: int, park: bool) -> None:
        family = Family(self, in_force(journal.records))
        run = begin_run(self.home, journal.records, workflow)
        driver = Driver(
            journal, run, self._services(workflow), self._engine.machine, self._observer, history, others=family
        )
        await self._engine.drive(driver, park=park)

    async def take_up(self, execution: str) -> Journal:
        """Drive an execution on from where its journal ends, once nobody else does."""
        return await self._take_up(execution, self._park)

    async def take_up_child(self, execution: str) -> Journal:
        """The same with one whose parent is driven here: it does not park before its parent does."""
        journal = await self._take_up(execution, False)
        self._left[execution] = journal.end
        return journal

    def has_changed(self, execution: str) -> bool:
        """Whether anything was recorded for a child since it was driven here."""
        return self.home.files.stat(self.home.journal_path(execution)).size != self._left.get(execution)

    async def _take_up(self, execution: str, park: bool) -> Journal:
        while True:
            journal = Journal.open(self.home, execution)
            if has_ended(journal.records):
                journal.close()
                return journal
            history = len(journal.records)
            try:
                refuse_orphan(self.home, journal.records)
                journal.drive(runner())
            except ConflictError as held:
                journal.close()
                if held.code != "execution.held":
                    raise
                await self._until_let_go(execution)
            else:
                await self._drive(journal, self.workflow_of(journal), history, park)
                return journal

    async def _until_let_go(self, execution: str) -> None:
        if self._engine.wake(execution):
            await self._engine.let_go(execution)
        else:
            await asyncio.sleep(LOOK_EVERY_S)

    def workflow_of(self, journal: Journal) -> Workflow:
        return workflow_of(self.home, journal.records, self.services)

    def adopt(self, execution: str) -> None:
        """Drive an execution as well, whatever becomes of it: one that an event of ours has reached, or that is
        detached from its parent."""
        task = asyncio.ensure_future(self._drive_adopted(execution))
        self._adopted.add(task)
        task.add_done_callback(self._adopted.discard)

    def driver(self, execution: str) -> Driver | None:
        """The driver of an execution, if it is driven here."""
        return self._engine.driver(execution)

    def wake(self, execution: str) -> bool:
        """Have an execution notice at once what was recorded for it. False if it is not driven here."""
        return self._engine.wake(execution)

    def notice(self, execution: str) -> None:
        """Something was recorded for an execution: see to it that it goes on."""
        if not self.wake(execution):
            self.adopt(root_of(self.home, execution))

    async def close(self) -> None:
        """Wait for what was adopted, and let go of the services."""
        while self._adopted:
            await asyncio.wait(self._adopted)
        for _, services in self._opened.values():
            await services.close()

    async def _drive_adopted(self, execution: str) -> None:
        """What goes wrong with it is in its own journal, and no concern of who adopted it."""
        try:
            await self.take_up(execution)
        except (WfrunError, Interrupted):
            return

    def _services(self, workflow: Workflow) -> OpenServices:
        """The services of a workflow, opened once. The workflow is kept, for its id is what they are known by."""
        if id(workflow) not in self._opened:
            self._opened[id(workflow)] = workflow, self._open_services(workflow.services)
        return self._opened[id(workflow)][1]


class Family:
    """The other executions as the one that `started` so reaches them, see engines.local.others.

    `started` says by which definition it goes now: see in_force.
    """

    def __init__(self, runtime: Runtime, started: Mapping[str, Any]) -> None:
        self._runtime = runtime
        self._started = started

    def create(self, started: Record) -> None:
        origin = self._origin(started["workflow"])
        of: dict[str, Any] = {"definition": self._definition(started["workflow"]), "origin": origin}
        workflow = stored_workflow(self._runtime.home, of, self._runtime.services)
        workflow = startable(workflow, origin["file"])._replace(links=self._started.get("links", {}))
        values = check_input(workflow, started["input"])
        seed = new_seed(self._runtime.home)
        first = first_event(started["child"], workflow, values, origin, self._started["initiator"], seed)
        if not started["detach"]:
            first["parent"] = {"execution": self._by, "step": started["step"], "depth": depth_below(self._started)}
        self._make(started["child"], dict(first))
        if started["detach"]:
            self._runtime.adopt(started["child"])

    async def drive(self, child: str) -> ChildEnd | None:
        try:
            journal = await self._runtime.take_up_child(child)
        except Interrupted:
            return None
        return _end_of(journal.records)

    def is_idle(self, child: str) -> bool:
        driver = self._runtime.driver(child)
        return driver is not None and driver.is_idle

    def park(self, child: str) -> None:
        if (driver := self._runtime.driver(child)) is not None:
            driver.park()

    def has_changed(self, child: str) -> bool:
        return self._runtime.has_changed(child)

    def rest(self) -> None:
        if (parent := self._started.get("parent")) is not None:
            self._runtime.wake(parent["execution"])

    def cancel(self, child: str) -> None:
        journal = Journal.open(self._runtime.home, child)
        try:
            with journal.turn():
                if not has_ended(journal.records) and not is_told_to_stop(journal.records, self._by):
                    journal.add({"type": "cancel.requested", "by": self._by, "reason": "its parent was stopped"})
                    journal.sync()
        finally:
            journal.close()
        self._runtime.wake(child)

    def recall(self, child: str) -> None:
        """Each time that it was decided, once: a runner that died may have asked, and the child have ended since."""
        recalls = [each for each in Journal.read(self._runtime.home, self._by) if each["type"] == "child.recalled"]
        times = sum(each["child"] == child for each in recalls)
        journal = Journal.open(self._runtime.home, child)
        try:
            with journal.turn():
                asked = sum(each["type"] in _RECALLS and each["by"] == self._by for each in journal.records)
                ended = has_ended(journal.records) if asked < times else None
                if ended == "completed":
                    reason = "its parent is undone"
                    journal.add({"type": "compensation.requested", "by": self._by, "reason": reason})
                elif ended == "needs-attention":
                    journal.add({"type": "execution.resumed", "by": self._by})
                journal.sync()
        finally:
            journal.close()

    async def publish(self, event: EventData) -> int:
        reached = deliver_all(self._runtime.home, event)
        for execution in reached:
            if execution != self._started["execution"]:
                self._runtime.notice(execution)
        return len(reached)

    @property
    def _by(self) -> str:
        return str(self._started["execution"])

    def _definition(self, name: str) -> str:
        return str(self._started["links"][self._started["definition"]][name])

    def _origin(self, name: str) -> dict[str, str]:
        from wfrun.app.linking import find

        origin = dict(self._started["origin"])
        file = Path(origin["file"])
        found = find(name, file, self._started["workflow"])
        # Only its folder still matters, for what services say relative to it; it may have moved since the start.
        return {**origin, "file": str(found or file)}

    def _make(self, child: str, first: Record) -> None:
        try:
            Journal.create(self._runtime.home, child, first).close()  # type: ignore[arg-type]
        except ConflictError:
            journal = Journal.open(self._runtime.home, child)
            try:
                self._check_own(journal.records[0], first)
                self._try_again(journal)
            finally:
                journal.close()

    def _check_own(self, found: Record, first: Record) -> None:
        child = first["execution"]
        if found.get("parent") != first.get("parent"):
            message = f"execution {child!r} is there already, and is not the child of {self._by!r}"
            raise ConflictError("execution.exists", message)
        if found["input"] != first["input"]:
            message = f"execution {child!r} was begun with another input"
            raise ConflictError("execution.exists", message)

    def _try_again(self, journal: Journal) -> None:
        """If it is begun once more since it failed."""
        home = self._runtime.home
        begun = times_begun(Journal.read(home, self._by), journal.execution_id)
        with journal.turn():
            if is_to_try_again(journal.records, self._by, begun):
                journal.add(try_again(fold(home, journal.records), self._by, home.clock()))
                journal.sync()


def _end_of(records: list[Record]) -> ChildEnd | None:
    if not has_ended(records):
        return None
    ended = next(record for record in reversed(records) if record["type"] == "execution.ended")
    end: ChildEnd = {"status": ended["status"]}
    if "output" in ended:
        end["output"] = ended["output"]
    if "error" in ended:
        end["error"] = ended["error"]
    if "pivot" in ended:
        end["pivot"] = ended["pivot"]
    return end

"""One seed: the faults that it has in store, until they stop, and what must have come of it then."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import Any

from tests.simulation.actors import Actors, is_open, tasks_in
from tests.simulation.disk import Fault, failing, one_sync_failing
from tests.simulation.machine import PLACE, Machine, running_on
from tests.simulation.oracle import LOST, Oracle
from tests.simulation.plans import Plans, plans_of
from tests.simulation.scheduler import Process, Scheduler, Stuck
from tests.simulation.services import Services
from wfrun.core.events import Record
from wfrun.journal.crash import POINTS
from wfrun.journal.home import Home

EXECUTION = "e1"
# Faults come within so many seconds. What is still to be waited for then takes no more than some minutes.
TROUBLE_S = 20.0
ROUND_S = 15.0
ROUNDS = 40
# Some seeds may have somebody who cancels, or who wants all undone.
ENDED_EACH = 5
# Proving a run takes as long as the run.
PROVED_EACH = 3

# A fault, as it is counted; each seed has some of these kinds.
KINDS = ("kill", "point", "power", "io", "sync", "full", "clock", "stop")


@dataclass
class Result:
    """`faults` counts what was really done, by kind; `points` the crash points that were reached."""

    violations: list[str]
    faults: Counter[str]
    points: Counter[str]
    journals: dict[str, list[Record]]
    effects: Counter[tuple[str, str]]
    undone: Counter[tuple[str, str]]
    plans: Plans


def simulate(seed: int, kinds: tuple[str, ...] = KINDS, trace: Callable[[str], None] = lambda text: None) -> Result:
    """The whole run of a seed, with these kinds of faults."""
    return Simulation(seed, kinds, trace).run()


class Simulation:
    def __init__(self, seed: int, kinds: tuple[str, ...], trace: Callable[[str], None]) -> None:
        self.seed = seed
        self.chance = chance = Random(seed)
        self.plans = plans_of(chance)
        self.kinds = kinds
        self.scheduler = Scheduler(self._chance_of("scheduler"))
        self.services = Services(self.scheduler, self._chance_of("services"), self.plans.refuses)
        self._trace = trace
        self.machine = Machine(self._chance_of("machine"), self.scheduler, self.services, self._tell)
        self.oracle = Oracle(self.services, self.plans.undoable, lambda: self.machine.highest)
        self.actors = Actors(self.plans, self.oracle, chance, self._observe)
        self._rounds = 0

    def _chance_of(self, part: str) -> Random:
        """Each has chance of its own: what one asks for more does not change what happens to the others."""
        return Random(f"{self.seed} {part}")

    def run(self) -> Result:
        self._begin()
        try:
            with running_on(self.machine):
                self.scheduler.run()
        except Stuck as stuck:
            self.oracle.violations.append(str(stuck))
        for process in list(self.scheduler.processes):
            self.scheduler.kill(process)
        journals = self.oracle.judge(self._home())
        if self.seed % PROVED_EACH == 0:
            self.oracle.prove(self._home(), sorted(journals))
        lost = [code for code in self.machine.refusals if code in LOST]
        violations = [*self.oracle.violations, *self.machine.defects, *(f"somebody was told {code}" for code in lost)]
        machine, services = self.machine, self.services
        return Result(
            violations, machine.faults, machine.reached, journals, services.effects, services.undone, self.plans
        )

    def _tell(self, text: str) -> None:
        self._trace(f"{self.scheduler.now:10.3f}  {text}")

    def _observe(self, execution: str, record: Record, fresh: bool) -> None:
        if fresh:
            about = record.get("step") or record.get("task") or record.get("timer") or record.get("status", "")
            self._tell(f"{self.scheduler.current}  {execution} {record['seq']} {record['type']} {about}")
        self.oracle.observe(execution, record, fresh)

    def _home(self) -> Home:
        """The disk, as nobody sees it: nothing happens to whoever looks."""
        return Home(PLACE, self.machine.disk.files, self.machine.now)

    # ---- trouble

    def _begin(self) -> None:
        chance = self.chance
        self._at(0, lambda: self._spawn("starter", self.actors.starter(EXECUTION)))
        if chance.random() < 0.3:
            self._at(chance.uniform(0, 1), lambda: self._spawn("starter", self.actors.starter(EXECUTION)))
        for _ in range(chance.choice((1, 3, 6))):
            self._at(self._when(), self._spawn_anybody)
        for _ in range(chance.choice((0, 1, 3, 6)) if self.kinds else 0):
            kind = chance.choice(self.kinds)
            self._at(self._when(), getattr(self, f"_{kind}"))
        self._at(TROUBLE_S, self._stop_trouble)

    def _when(self) -> float:
        """Much happens at the beginning, when everything does."""
        return self.chance.choice((self.chance.random(), self.chance.uniform(0, TROUBLE_S)))

    def _at(self, when: float, act: Callable[[], object]) -> None:
        self.scheduler.at(when, act)

    def _spawn(self, name: str, body: Any) -> Process:
        process = self.machine.spawn(name, body)
        self._tell(f"{process} begins")
        if self._rounds == 0 and self.chance.random() < 0.1:
            if "io" in self.kinds:
                process.fault = self._counted(failing(self.chance))
        elif self._rounds == 0 and "kill" in self.kinds and self.chance.random() < 0.2:
            self._doom(process)
        return process

    def _counted(self, fault: Fault) -> Fault:
        def counted(call: str) -> OSError | None:
            error = fault(call)
            if error is not None:
                self.machine.faults["io"] += 1
                self._tell(f"{call} fails: {error}")
            return error

        return counted

    def _spawn_anybody(self) -> None:
        actors = self.actors
        bodies: list[tuple[str, Callable[[], Any]]] = [
            ("resumer", lambda: actors.resumer(EXECUTION)),
            ("resumer", lambda: actors.resumer(EXECUTION)),
            ("sweeper", actors.sweeper),
            ("decider", actors.decider),
            ("decider", lambda: actors.decider(self.chance.choice(("bob", "eve")))),
            ("emitter", actors.emitter),
            ("hurrier", lambda: actors.hurrier(EXECUTION)),
            ("starter", lambda: actors.starter(EXECUTION)),
            ("starter of another", lambda: actors.starter(EXECUTION, {**self.plans.input, "x": "another"})),
        ]
        if self.seed % ENDED_EACH == 0:
            bodies.append(("canceller", lambda: actors.canceller(EXECUTION)))
            bodies.append(("compensator", lambda: actors.compensator(EXECUTION)))
        name, body = self.chance.choice(bodies)
        for _ in range(self.chance.choice((1, 1, 3)) if name in ("decider", "resumer") else 1):
            self._spawn(name, body())

    def _somebody(self) -> Process | None:
        return self.chance.choice(self.scheduler.processes) if self.scheduler.processes else None

    def _kill(self) -> None:
        """Somebody dies at one of the next points that they reach."""
        if (process := self._somebody()) is not None:
            self._doom(process)

    def _doom(self, process: Process) -> None:
        process.left = self.chance.choice((5, 30, 100, 300)) * self.chance.random() + 1
        self._at(self.scheduler.now + 5, lambda: self._recover(process))

    def _point(self) -> None:
        """Whoever comes to a crash point dies there."""
        if (process := self._somebody()) is not None:
            point = self.chance.choice(sorted(POINTS))
            self.machine.deadly = (process, point, self.chance.choice((1, 2, 5)))
            self._at(self.scheduler.now + 5, lambda: self._recover(process))

    def _recover(self, process: Process) -> None:
        if process.is_dead:
            self._spawn("resumer", self.actors.resumer(EXECUTION))

    def _power(self) -> None:
        self.machine.faults["power"] += 1
        self.machine.lose_power()
        self.oracle.look(self._home(), power_failed=True)
        self._spawn("starter", self.actors.starter(EXECUTION))

    def _io(self) -> None:
        if (process := self._somebody()) is not None:
            process.fault = self._counted(failing(self.chance))

    def _sync(self) -> None:
        """One sync fails, what it was to keep stays in memory alone, and then the power fails."""
        if (process := self._somebody()) is not None:
            process.fault = self._counted(one_sync_failing(self.chance))
            self._at(self.scheduler.now + self.chance.uniform(0, 2), self._power)

    def _full(self) -> None:
        self.machine.faults["full"] += 1
        self._tell("the disk is full")
        self.machine.disk.is_full = True
        self._at(self.scheduler.now + self.chance.uniform(0, 5), self._free)

    def _free(self) -> None:
        self._tell("the disk is freed")
        self.machine.disk.is_full = False

    def _clock(self) -> None:
        self.machine.faults["clock"] += 1
        by = self.chance.choice((timedelta(hours=1), timedelta(days=365), timedelta(seconds=3)))
        self.machine.set_clock(by * self.chance.choice((1, -1)))

    def _stop(self) -> None:
        """SIGTERM."""
        runners = list(self.machine.engines.items())
        if runners:
            process, engine = self.chance.choice(runners)
            if process.loop is not None:
                self.machine.faults["stop"] += 1
                self._tell(f"{process} is told to stop")
                process.loop.call_soon(engine.interrupt, "SIGTERM")
                process.wake = min(process.wake, self.scheduler.now)

    # ---- and then everything is well

    def _stop_trouble(self) -> None:
        self._tell("all faults stop")
        self._rounds = 1
        self._free()
        self.machine.correct_clock()
        self.machine.deadly = None
        self.services.is_healthy = True
        self.actors.may_wait = False
        for process in self.scheduler.processes:
            process.left = float("inf")
            process.fault = lambda call: None
        self._spawn("starter", self.actors.starter(EXECUTION))
        self._at(self.scheduler.now + ROUND_S, self._look_after)

    def _look_after(self) -> None:
        """People and resumers come by until everything has ended."""
        home = self._home()
        todo = [id for id in sorted(home.ids()) if is_open(home, id)]
        self._rounds += 1
        if not todo or self._rounds > ROUNDS:
            for process in list(self.scheduler.processes):
                self.machine.kill(process)
            return
        if tasks_in(home):
            self._spawn("decider", self.actors.decider())
        else:
            self._spawn("emitter", self.actors.emitter())
        self._spawn("sweeper", self.actors.sweeper())
        self._at(self.scheduler.now + ROUND_S, self._look_after)

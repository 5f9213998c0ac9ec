"""What processes do: the use cases behind the commands, as people and machines call them."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

from tests.simulation.oracle import Oracle
from tests.simulation.plans import Plans
from wfrun.app import answering, driving, repairing
from wfrun.app.onward import Way
from wfrun.app.standing import has_ended
from wfrun.app.sweeping import resume_all
from wfrun.core.events import Record
from wfrun.engines.local.driver import Observer
from wfrun.errors import JournalError, NotFoundError, WfrunError
from wfrun.journal.home import Home
from wfrun.journal.journal import Journal
from wfrun.views.model import TaskView
from wfrun.views.tasks import open_tasks

OPERATOR = "operator"
Body = Callable[[Home], None]


class Actors:
    """`may_wait` makes some of them wait for people and long times, as `--wait` does."""

    def __init__(self, plans: Plans, oracle: Oracle, chance: Random, observer: Observer) -> None:
        self._observer = observer
        self._plans = plans
        self._oracle = oracle
        self._chance = chance
        self._events = 0
        self.may_wait = True

    def starter(self, execution: str, data: dict[str, Any] | None = None) -> Body:
        wait = self._waits()

        def start(home: Home) -> None:
            way = self._way(wait)
            given = self._plans.input if data is None else data
            driving.run(
                home, workflow=str(self._plans.file), input=given, execution=execution, initiator="ann", way=way
            )

        return start

    def resumer(self, execution: str) -> Body:
        wait = self._waits()
        return lambda home: void(driving.resume(home, execution, by=OPERATOR, way=self._way(wait)))

    def sweeper(self, execution: str | None = None) -> Body:
        """Resumes all that has not ended for good, many in one process."""

        def sweep(home: Home) -> None:
            todo = sorted(id for id in home.ids() if execution in (None, id) and is_open(home, id))
            resume_all(home, todo, by=OPERATOR, reason="", way=self._way(False), concurrency=3, finished=self._finished)

        return sweep

    def decider(self, name: str = "bob") -> Body:
        decision = "rejected" if self._plans.rejects else "approved"
        number = self._chance.random()

        def decide(home: Home) -> None:
            tasks = tasks_in(home)
            if not tasks:
                return
            task = tasks[int(number * len(tasks))]
            by = next(iter(task["assignee"].get("names", [name])))
            execution, way = task["task"].partition("/")[0], self._way(False)
            driving.decide(home, task["task"], decision=decision, by=by, comment=name, way=way)
            self._oracle.expect(
                execution, f"{name} decided {task['task']}", lambda record: _decides(record, task["task"])
            )

        return decide

    def emitter(self) -> Body:
        self._events += 1
        id = f"event-{self._events}"

        def emit(home: Home) -> None:
            emitted = driving.emit(home, "go", data=1, id=id, way=self._way(False))
            for execution in emitted.reached:
                self._oracle.expect(execution, f"{id} was emitted", lambda record: _is_event(record, id))

        return emit

    def canceller(self, execution: str) -> Body:
        def cancel(home: Home) -> None:
            driving.cancel(home, execution, by=OPERATOR, way=self._way(False))
            self._oracle.expect(execution, "it was cancelled", lambda record: record["type"] == "cancel.requested")

        return cancel

    def hurrier(self, execution: str) -> Body:
        """Whoever does not want to wait for the next attempt of what has failed in passing."""

        def hurry(home: Home) -> None:
            answering.retry_now(home, execution, None, by=OPERATOR, way=self._way(False))

        return hurry

    def compensator(self, execution: str) -> Body:
        """Whoever wants all undone, whatever it has come to."""

        def compensate(home: Home) -> None:
            repairing.prepare_compensation(home, execution).carry_out(OPERATOR, way=self._way(False))

        return compensate

    def _waits(self) -> bool:
        return self.may_wait and self._chance.random() < 0.3

    def _way(self, wait: bool) -> Way:
        return Way(wait=wait, observer=self._observer)

    def _finished(self, execution: str, what: object) -> None:
        if isinstance(what, WfrunError):
            self._oracle.refused(what)


def tasks_in(home: Home) -> list[TaskView]:
    return [task for id in sorted(home.ids()) for task in open_tasks(whole(home, id))]


def is_open(home: Home, execution: str) -> bool:
    records = whole(home, execution)
    return bool(records) and has_ended(records) in (None, "needs-attention")


def whole(home: Home, execution: str) -> list[Record]:
    """Its journal; nothing if there is none, or if it is damaged: that is for the oracle to say."""
    try:
        return Journal.read(home, execution)
    except NotFoundError:
        return []
    except JournalError as error:
        if error.code != "journal.damaged":
            raise
        return []


def void(result: object) -> None:
    """What came of it is in the journal."""


def _decides(record: Record, task: str) -> bool:
    return (record["type"], record.get("task")) == ("task.decided", task)


def _is_event(record: Record, id: str) -> bool:
    return bool(record["type"] == "event.received" and record["event"]["id"] == id)

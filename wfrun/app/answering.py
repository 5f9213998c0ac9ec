"""What a person says of a call or a wait of an execution: judged and recorded under one lock, and then driven on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, cast

from wfrun.app.executions import find_execution
from wfrun.app.in_force import fold, instance_in, workflow_of
from wfrun.app.onward import WAY, Outcome, Way, carry_on, check_local
from wfrun.app.repairing import Ask, Preview, going_on
from wfrun.core import unknown
from wfrun.core.instants import format_instant
from wfrun.core.interventions import fire_now
from wfrun.core.repair_history import instance_of
from wfrun.core.run import Run
from wfrun.core.values import Json
from wfrun.errors import NotFoundError
from wfrun.journal.home import Home
from wfrun.journal.journal import Journal

if TYPE_CHECKING:
    from wfrun.core.events import Event, Record


def is_asked(home: Home, prefix: str, step: str) -> bool:
    """Whether a person is to say what became of a call of this step, whose runner died."""
    records = Journal.read(home, find_execution(home, prefix))
    run = fold(home, records)
    return unknown.is_asked(run, instance_in(run, step))


Facts = Callable[[str, Run], Iterable["Event"]]


def retry_now(home: Home, prefix: str, step: str | None, *, by: str, reason: str = "", way: Way = WAY) -> Outcome:
    """Let those that wait for a time not wait any longer: a step, or without one all that wait for a further attempt.
    A step that waits for a word about a call that was lost is called again.

    Whoever drives the execution goes on at once, else this process does. Raises NotFoundError if nothing waits so.
    """

    def facts(execution: str, run: Run) -> Iterable[Event]:
        named = instance_in(run, step) if step else None
        if named is not None and unknown.is_asked(run, named):
            return [unknown.call_again(run, named, by, reason)]
        return [fire_now(run, each, by, reason) for each in ([named] if named else _retrying(execution, run))]

    return _record(home, prefix, facts, way, _not_waiting)


def _not_waiting(facts: Sequence[Event]) -> str:
    """Which steps do not wait any longer."""
    again = [str(each["step"]) for each in facts if each["type"] == "step.retried"]
    ended = (str(instance_of(cast("Record", each))) for each in facts if each["type"] == "timer.fired")
    return f"no longer waiting: {', '.join(map(repr, [*again, *ended]))}"


def it_happened(
    home: Home, prefix: str, step: str, result: Json, *, by: str, reason: str = "", way: Way = WAY
) -> Outcome:
    """A call that was lost had its effect, and this is what it gave. Raises ConflictError if nobody asks any more."""

    def facts(_: str, run: Run) -> Iterable[Event]:
        return [unknown.it_happened(run, instance_in(run, step), result, by, reason)]

    return _record(home, prefix, facts, way)


def foresee(home: Home, prefix: str, ask: Ask) -> Preview:
    """What would come of saying that a lost call happened, and gave the value of `ask`. Raises like `it_happened`."""
    records = Journal.read(home, find_execution(home, prefix))
    run = fold(home, records)
    step = instance_in(run, ask.step or "")
    fact = unknown.it_happened(run, step, cast("Json", ask.value), "")
    run.apply(cast("Record", {**fact, "seq": len(records) + 1, "at": format_instant(home.clock())}))
    return going_on(records[0]["execution"], ask._replace(step=fact["step"]), run.interpreter.undoing)


def give_up(home: Home, prefix: str, step: str, *, by: str, reason: str = "", way: Way = WAY) -> Outcome:
    """The step of a call that was lost fails. Raises ConflictError or NotFoundError if nobody asks."""
    return _record(home, prefix, lambda _, run: [unknown.give_up(run, instance_in(run, step), by, reason)], way)


def _record(
    home: Home, prefix: str, facts: Facts, way: Way, told: Callable[[Sequence[Event]], str] = lambda _: ""
) -> Outcome:
    journal = Journal.open(home, find_execution(home, prefix))
    try:
        check_local(home, journal, workflow_of(home, journal.records, way.services))
        with journal.turn():
            found = list(facts(journal.execution_id, fold(home, journal.records)))
            for fact in found:
                journal.add(fact)
            journal.sync()
    except BaseException:
        journal.close()
        raise
    way.told(journal.execution_id, found)
    return carry_on(home, journal, way, told(found))


def _retrying(execution: str, run: Run) -> list[str]:
    due = [str(record["step"]) for record in run.recorded.values() if record.get("reason") == "retry"]
    if not due:
        hint = f"`wfrun status {execution}` shows what it waits for; name a `wait` step to end its wait"
        raise NotFoundError("repair.not-waiting", f"nothing in {execution} waits for a further attempt", hint=hint)
    return due

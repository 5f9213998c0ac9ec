"""What a repair writes: one part for each execution that it concerns, and the record that sets that one going."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, cast

from wfrun.app.executions import find_execution
from wfrun.app.in_force import fold, instance_in
from wfrun.app.replacing import Replacement
from wfrun.app.starting import runner
from wfrun.core.expression import MISSING, Missing
from wfrun.core.repair import Proposal, propose
from wfrun.core.values import Json
from wfrun.errors import ConflictError, InvalidError, Problem
from wfrun.journal.driver import is_driven
from wfrun.journal.failures import held
from wfrun.journal.home import Home
from wfrun.journal.journal import Journal

if TYPE_CHECKING:
    from wfrun.core.events import Event, Record, Repair

# What is written by whoever drives, and changes nothing about what there is to repair.
_HOUSEKEEPING = ("driver.started", "driver.stopped", "journal.recovered")
# What is wrong with a file, and not with an execution.
_OF_THE_FILE = ("repair.step-gone", "repair.step-moved", "repair.step-differs")


class Refused(ConflictError):
    """An execution that cannot be repaired so, with every reason."""

    def __init__(self, execution: str, reasons: list[Problem]) -> None:
        told = [each._replace(message=f"execution {execution}: {each.message}") for each in reasons]
        super().__init__(told[0].code, told[0].message, hint=told[0].hint)
        self._problems = tuple(told)

    @property
    def problems(self) -> tuple[Problem, ...]:
        return self._problems


class Ask(NamedTuple):
    """What somebody wants: see wfrun.core.repair. `file` is the workflow that is to replace the one in force."""

    action: Repair
    step: str | None = None
    value: Json | Missing = MISSING
    keep: bool = False
    file: str | None = None


RESUME = Ask("resume")


@dataclass(slots=True)
class Part:
    """One execution's share. `fact` makes of who and why the record that sets it going; `seen` is how many
    records other executions had that were looked at for that, by their ids."""

    journal: Journal
    fact: Callable[[str, str], Event]
    seen: Mapping[str, int] = field(default_factory=dict)
    known: int = field(init=False)

    def __post_init__(self) -> None:
        self.known = len(self.journal.records)

    def hold(self) -> None:
        """From here on nobody else can drive the execution, or repair it. ConflictError if somebody has, or does."""
        self.journal.drive(runner())
        _check(self.journal.execution_id, self.journal.records[self.known :])

    def record(self, home: Home, by: str, reason: str) -> None:
        """Write down what is wanted of an execution that is held. Durable on return."""
        with unchanged(self.journal, self.known):
            for execution, known in self.seen.items():
                _check(execution, Journal.read(home, execution)[known:])
            self.journal.add(self.fact(by, reason))
            self.journal.sync()


def ids_of(parts: Iterable[Part]) -> list[str]:
    return [part.journal.execution_id for part in parts]


def close(parts: Iterable[Part]) -> None:
    for part in parts:
        part.journal.close()


@contextmanager
def unchanged(journal: Journal, known: int) -> Iterator[None]:
    """While nobody else can append to a journal. Raises ConflictError if somebody has, behind the `known` records."""
    with journal.turn():
        _check(journal.execution_id, journal.records[known:])
        yield


def _check(execution: str, since: Iterable[Record]) -> None:
    if any(record["type"] not in _HOUSEKEEPING for record in since):
        message = f"execution {execution} has changed meanwhile"
        raise ConflictError("repair.changed", message, hint="look again, with --dry-run")


def open_idle(home: Home, prefix: str) -> Journal:
    """Raises ConflictError if another process drives the execution, which nobody could repair under its hands."""
    journal = Journal.open(home, find_execution(home, prefix))
    if is_driven(home, journal.execution_id):
        journal.close()
        raise held(journal.execution_id, journal.records)
    return journal


def proposal_for(home: Home, records: list[Record], ask: Ask, replacement: Replacement | None = None) -> Proposal:
    """What is to be done about an execution. There are `reasons` if it cannot be."""
    action, step, value, keep, _ = ask
    plan = replacement.workflow.plan if replacement is not None else None
    run = fold(home, records)
    step = instance_in(run, step) if step is not None else None
    return propose(run, action, now=home.clock(), step=step, value=value, keep=keep, replacement=plan)


def possible(home: Home, records: list[Record], ask: Ask, replacement: Replacement | None = None) -> Proposal:
    """The same. Raises Refused if it cannot be done, InvalidError if that is the new file's fault."""
    proposal = proposal_for(home, records, ask, replacement)
    reasons = list(proposal.reasons)
    if any(each.code in _OF_THE_FILE for each in reasons):
        raise InvalidError(reasons)
    if reasons:
        raise Refused(records[0]["execution"], reasons)
    return proposal


def request_of(proposal: Proposal, replacement: Replacement | None = None) -> Callable[[str, str], Event]:
    facts = {} if replacement is None else replacement.facts

    def fact(by: str, reason: str) -> Event:
        return cast("Event", {**proposal.request(by, reason), **facts})

    return fact

"""What a person does about an execution that went wrong: prepared and looked at first, and then carried out.

A child execution that its parent waits for goes on with its parent. One that its parent has given up, and that the
parent has failed or stands still with, can be repaired by itself: the parent stays as it is until somebody resumes that
one, too. What a parent has gone on from, or has undone, is not taken from under it. And whoever has a parent try a
failed child again has the child try again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, TypedDict, cast

from wfrun.app.executions import find_execution
from wfrun.app.family import bond_of, reason_not_to_repair, root_of
from wfrun.app.in_force import fold, instance_in, workflow_of
from wfrun.app.onward import WAY, Outcome, Way, carry_on, drive, seen_to
from wfrun.app.replacing import Replacement, read_replacement
from wfrun.app.standing import has_ended, standstill
from wfrun.app.starting import runner
from wfrun.app.workflows import keep, require_local
from wfrun.core.expression import MISSING, Missing
from wfrun.core.interventions import waive
from wfrun.core.repair import Proposal, propose
from wfrun.core.repair_history import COMPENSATE, instance_of, undone_by
from wfrun.core.repair_refusals import failed_compensations, reasons_not_to_undo
from wfrun.core.values import Json
from wfrun.errors import ConflictError, InvalidError, NotFoundError, Problem
from wfrun.journal.driver import is_driven
from wfrun.journal.failures import held
from wfrun.journal.home import Home
from wfrun.journal.journal import Journal

if TYPE_CHECKING:
    from wfrun.core.events import Event, Record, Repair

# What is written by whoever drives, and changes nothing about what there is to repair.
_HOUSEKEEPING = ("driver.started", "driver.stopped", "journal.recovered")
# What somebody may have wanted of the whole execution.
_DEMANDS = {"cancel.requested": "cancel", "compensation.requested": "compensate"}
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


class Aside(TypedDict):
    """A record that counts no more."""

    seq: int
    type: str
    step: str | None


class Demand(TypedDict):
    """That everything be stopped (`cancel`), or undone (`compensate`), and who wanted it."""

    what: str
    by: str
    at: str


class Preview(TypedDict):
    """What a repair would do.

    `takesBack` is what somebody had wanted of the execution that counts no more, `children` are executions that are
    taken up again with it.

    `values` is what would be kept as the step's output or input, if there is such a thing. `deadline` is that of the
    whole workflow: an instant that stays, or `anew` if it has passed and all of the time is granted once more.
    """

    execution: str
    action: str
    step: str | None
    values: list[Json]
    setAside: list[Aside]
    takesBack: list[Demand]
    undo: list[str]
    again: list[str]
    kept: list[str]
    deadline: str | None
    children: list[str]


@dataclass(slots=True)
class _Part:
    """One execution's share. `fact` makes of who and why the record that sets it going."""

    journal: Journal
    fact: Callable[[str, str], Event]
    known: int = field(init=False)

    def __post_init__(self) -> None:
        self.known = len(self.journal.records)

    def record(self, by: str, reason: str) -> None:
        """Hold the execution, so that nobody else can drive it, and write down what is wanted. Durable on return."""
        self.journal.drive(runner())
        with self.journal.turn():
            if any(record["type"] not in _HOUSEKEEPING for record in self.journal.records[self.known :]):
                message = f"execution {self.journal.execution_id} has changed meanwhile"
                raise ConflictError("repair.changed", message, hint="look again, with --dry-run")
            self.journal.add(self.fact(by, reason))
            self.journal.sync()


class Prepared:
    """A repair that has been found possible, with the journals that it concerns open. To be carried out or closed."""

    def __init__(self, home: Home, preview: Preview, parts: list[_Part], replacement: Replacement | None) -> None:
        self.preview = preview
        self._home = home
        self._parts = parts
        self._replacement = replacement

    def carry_out(self, by: str, reason: str = "", way: Way = WAY) -> Outcome:
        """Record it, and drive the execution on, by way of its topmost parent if that waits for it."""
        journal, history = self.record(by, reason, way.services)
        root = root_of(self._home, journal.execution_id)
        if root != journal.execution_id:
            journal.close()
            return carry_on(self._home, Journal.open(self._home, root), way)
        workflow = workflow_of(self._home, journal.records, way.services)
        return drive(self._home, journal, workflow, way, history, _about_parent(self._home, journal.records))

    def record(self, by: str, reason: str, services: str | None) -> tuple[Journal, int]:
        """Only record it. The journal, held for driving, and how many records it had before.

        Raises ConflictError if another process drives the execution or something has happened meanwhile, InvalidError
        if this machine lacks what the calls need.
        """
        *children, own = self._parts
        try:
            self._make_ready(own.journal, services)
            for part in self._parts:
                part.record(by, reason)
        except BaseException:
            self.close()
            raise
        for part in children:
            part.journal.close()
        return own.journal, own.known

    def close(self) -> None:
        for part in self._parts:
            part.journal.close()

    def _make_ready(self, journal: Journal, services: str | None) -> None:
        if self._replacement is None:
            require_local(workflow_of(self._home, journal.records, services))
        else:
            require_local(self._replacement.workflow)
            keep(self._home, self._replacement.workflow)


def prepare(home: Home, prefix: str, ask: Ask, services: str | None = None) -> Prepared:
    """Work out what a repair would do. Nothing is written.

    Raises Refused; InvalidError if the workflow that is to replace another does not fit; ConflictError if another
    process drives the execution.
    """
    journal = _open(home, prefix)
    try:
        replacement = None if ask.file is None else read_replacement(journal.records, ask.file, services)
        proposal = _proposal(home, journal, ask, replacement)
        children = list(_children(home, journal.records, proposal))
        _heed_parent(home, journal)
    except BaseException:
        journal.close()
        raise
    dropped = frozenset(proposal.dropped)
    aside = [each for each in journal.records if each["seq"] in dropped]
    preview = _preview(journal.execution_id, ask._replace(step=proposal.wish.step), aside)
    preview["undo"] = [*proposal.undo, *proposal.lost]
    preview["again"], preview["kept"] = list(proposal.again), list(proposal.kept)
    preview["deadline"] = proposal.deadline
    preview["children"] = [part.journal.execution_id for part in children]
    return Prepared(home, preview, [*children, _Part(journal, _request(proposal, replacement))], replacement)


def prepare_resume(home: Home, prefix: str, services: str | None = None) -> Prepared | None:
    """What `resume` would repair. None if there is nothing to repair: it only has to be driven on, or is over."""
    found = take_up(home, prefix, services)
    if isinstance(found, Prepared):
        return found
    found.close()
    return None


def take_up(home: Home, prefix: str, services: str | None = None) -> Prepared | Journal:
    """What `resume` would repair, or the open journal of what only has to be driven on, or is over."""
    journal = Journal.open(home, find_execution(home, prefix))
    status = standstill(journal.records)
    if status == "failed" or (status == "paused" and fold(home, journal.records).is_paused):
        journal.close()
        return prepare(home, journal.execution_id, Ask("resume"), services)
    return journal


def prospect(home: Home, records: list[Record]) -> Preview:
    """What `resume` would do if there is nothing to repair: drive on, and try again what could not be undone."""
    failed = failed_compensations(fold(home, records)) if has_ended(records) == "needs-attention" else ()
    return going_on(records[0]["execution"], Ask("resume"), map(undone_by, failed))


def going_on(execution: str, ask: Ask, undo: Iterable[str]) -> Preview:
    """The preview of what sets nothing aside, and undoes these as it goes on."""
    preview = _preview(execution, ask, ())
    preview["undo"] = list(undo)
    return preview


def prepare_compensation(home: Home, prefix: str) -> Prepared:
    """Undo all that an execution has done. Raises Refused; ConflictError if another process drives it."""
    journal = _open(home, prefix)
    try:
        run = fold(home, journal.records)
        if reasons := reasons_not_to_undo(run):
            raise Refused(journal.execution_id, reasons)
        _heed_parent(home, journal)
    except BaseException:
        journal.close()
        raise
    preview = going_on(journal.execution_id, Ask("compensate"), reversed(run.interpreter.undos | run.unsettled()))
    part = _Part(journal, lambda by, reason: {"type": "compensation.requested", "by": by, "reason": reason})
    return Prepared(home, preview, [part], None)


def prepare_waiver(home: Home, prefix: str, compensation: str) -> Prepared:
    """Let stand what a step has done that could not be undone: `compensate:pay`. Other compensations that failed are
    tried again.

    Raises ConflictError if this one has not failed for good, or if another process drives the execution.
    """
    journal, compensation = _open(home, prefix), COMPENSATE + undone_by(compensation)
    try:
        run = fold(home, journal.records)
        compensation = instance_in(run, compensation)
        if run.is_paused:
            journal.close()
            return prepare(home, journal.execution_id, Ask("skip", compensation))
        waive(run, compensation, "")
        _heed_parent(home, journal, besides=("needs-attention",))
    except BaseException:
        journal.close()
        raise
    others = (undone_by(each) for each in failed_compensations(run) if each != compensation)
    preview = going_on(journal.execution_id, Ask("skip", compensation), others)
    preview["kept"] = [undone_by(compensation)]
    return Prepared(home, preview, [_Part(journal, partial(waive, run, compensation))], None)


# ---- what it would do


def _open(home: Home, prefix: str) -> Journal:
    """Raises ConflictError if another process drives the execution, which nobody could repair under its hands."""
    journal = Journal.open(home, find_execution(home, prefix))
    if is_driven(home, journal.execution_id):
        journal.close()
        raise held(journal.execution_id, journal.records)
    return journal


def _proposal(home: Home, journal: Journal, ask: Ask, replacement: Replacement | None) -> Proposal:
    action, step, value, keep, _ = ask
    plan = replacement.workflow.plan if replacement is not None else None
    run, now = fold(home, journal.records), home.clock()
    step = instance_in(run, step) if step is not None else None
    proposal = propose(run, action, now=now, step=step, value=value, keep=keep, replacement=plan)
    reasons = list(proposal.reasons)
    if any(each.code in _OF_THE_FILE for each in reasons):
        raise InvalidError(reasons)
    if reasons:
        raise Refused(journal.execution_id, reasons)
    return proposal


def _request(proposal: Proposal, replacement: Replacement | None) -> Callable[[str, str], Event]:
    facts = {} if replacement is None else replacement.facts

    def fact(by: str, reason: str) -> Event:
        return cast("Event", {**proposal.request(by, reason), **facts})

    return fact


def _preview(execution: str, ask: Ask, dropped: Sequence[Record]) -> Preview:
    return {
        "execution": execution,
        "action": ask.action,
        "step": ask.step,
        "values": [] if isinstance(ask.value, Missing) else [ask.value],
        "setAside": [_aside(record) for record in dropped],
        "takesBack": [_demand(record) for record in dropped if record["type"] in _DEMANDS],
        "undo": [],
        "again": [],
        "kept": [],
        "deadline": None,
        "children": [],
    }


def _aside(record: Record) -> Aside:
    return {"seq": record["seq"], "type": record["type"], "step": instance_of(record)}


def _demand(record: Record) -> Demand:
    return {"what": _DEMANDS[record["type"]], "by": record["by"], "at": record["at"]}


# ---- children and parents


def _children(home: Home, records: list[Record], proposal: Proposal) -> Iterator[_Part]:
    """The children that a repair has try again, below them theirs: those that failed without being undone.

    One that was undone begins anew as another execution, by itself. Raises Refused.
    """
    dropped, again = frozenset(proposal.dropped), set(proposal.again) - set(proposal.undo)
    for record in records:
        tried_again = record["seq"] in dropped and _failed_as_child(record) and record["step"] in again
        if tried_again and not _is_begun_otherwise(records, record, proposal):
            yield from _reopened(home, record["child"])


def _is_begun_otherwise(records: list[Record], ended: Record, proposal: Proposal) -> bool:
    """Whether the step is to have another input than the child had: then another child is begun with that."""
    wish = proposal.wish
    if wish.action != "set-input" or ended["step"] != wish.step:
        return False
    begun = (each for each in records if each["type"] == "child.started" and each["child"] == ended["child"])
    return all(each["input"] != wish.value for each in begun)


def _failed_as_child(record: Record) -> bool:
    if record["type"] != "child.ended" or record["step"].startswith(COMPENSATE):
        return False
    return record["status"] in ("failed", "needs-attention")


def _reopened(home: Home, child: str) -> Iterator[_Part]:
    """Nothing, if it could not even be begun or has been taken up again already."""
    try:
        journal = Journal.open(home, child)
    except NotFoundError:
        return
    status = has_ended(journal.records)
    if status == "needs-attention":
        yield _Part(journal, seen_to)
    elif status == "failed":
        proposal = _proposal(home, journal, Ask("resume"), None)
        yield from _children(home, journal.records, proposal)
        yield _Part(journal, _request(proposal, None))
    else:
        journal.close()


def _heed_parent(home: Home, journal: Journal, besides: tuple[str, ...] = ()) -> None:
    """Raises Refused if the execution is no more for its parent, or will not be."""
    bond = bond_of(home, journal.records)
    problem = None if bond is None else reason_not_to_repair(bond, besides)
    if problem is not None:
        raise Refused(journal.execution_id, [problem])


def _about_parent(home: Home, records: list[Record]) -> str:
    bond = bond_of(home, records)
    return f"its parent stays as it is: `wfrun resume {bond.parent}` takes it up again" if bond is not None else ""

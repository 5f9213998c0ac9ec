"""What a person does about an execution that went wrong: prepared and looked at first, and then carried out.

What it means for its children and parents: see relatives.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, TypedDict

from wfrun.app.executions import find_execution
from wfrun.app.family import Bond, bond_of, root_of
from wfrun.app.in_force import fold, instance_in, workflow_of
from wfrun.app.onward import WAY, Outcome, Way, carry_on, drive
from wfrun.app.parts import RESUME, Ask, Part, Refused, close, ids_of, open_idle, possible, request_of
from wfrun.app.relatives import children_tried_again, heed_parent, left_alone, parents, paused_above, unchanged_parents
from wfrun.app.replacing import Replacement, read_replacement
from wfrun.app.standing import has_ended, standstill
from wfrun.app.workflows import keep, require_local
from wfrun.core.expression import Missing
from wfrun.core.interventions import waive
from wfrun.core.repair_history import COMPENSATE, instance_of, undone_by
from wfrun.core.repair_refusals import failed_compensations, reasons_not_to_undo
from wfrun.core.values import Json
from wfrun.journal.home import Home
from wfrun.journal.journal import Journal

if TYPE_CHECKING:
    from wfrun.core.events import Record

__all__ = ["Ask", "Prepared", "Preview", "Refused", "prepare", "prepare_compensation", "prepare_resume", "take_up"]

# What somebody may have wanted of the whole execution.
_DEMANDS = {"cancel.requested": "cancel", "compensation.requested": "compensate"}


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
    taken up again with it, `parents` those that it is a step of, which go on with it.

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
    parents: list[str]


class Prepared:
    """A repair that has been found possible, with the journals that it concerns open. To be carried out or closed.

    `parts` are recorded in turn, while those parents that stay as they are do. The last one's execution is driven.
    `replacement` is for the one that is repaired, all others keep their workflows.
    """

    def __init__(
        self,
        home: Home,
        preview: Preview,
        parts: list[Part],
        stay: Sequence[Bond] = (),
        replacement: Replacement | None = None,
    ) -> None:
        self.preview = preview
        self._home = home
        self._parts = parts
        self._stay = stay
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
        """Only record it. The journal of the one to be driven, held for that, and how many records it had before.

        Raises ConflictError if another process drives an execution or something has happened meanwhile, InvalidError
        if this machine lacks what the calls need.
        """
        *others, driven = self._parts
        try:
            self._make_ready(services)
            with unchanged_parents(self._home, self._stay):
                for part in self._parts:
                    part.hold()
                for part in self._parts:
                    part.record(self._home, by, reason)
        except BaseException:
            self.close()
            raise
        close(others)
        return driven.journal, driven.known

    def close(self) -> None:
        close(self._parts)

    def _make_ready(self, services: str | None) -> None:
        about = [part.journal for part in self._parts if part.journal.execution_id in self._driven]
        for journal in about:
            if self._replacement is None or journal.execution_id != self.preview["execution"]:
                require_local(workflow_of(self._home, journal.records, services))
            else:
                require_local(self._replacement.workflow)
                keep(self._home, self._replacement.workflow)

    @property
    def _driven(self) -> list[str]:
        return [self.preview["execution"], *self.preview["parents"]]


def prepare(home: Home, prefix: str, ask: Ask, services: str | None = None) -> Prepared:
    """Work out what a repair would do. Nothing is written.

    Raises Refused; InvalidError if the workflow that is to replace another does not fit; ConflictError if another
    process drives the execution.
    """
    journal = open_idle(home, prefix)
    try:
        replacement = None if ask.file is None else read_replacement(journal.records, ask.file, services)
        proposal = possible(home, journal.records, ask, replacement)
        children = list(children_tried_again(home, journal.records, proposal))
        seen = left_alone(home, journal.records, taken_up=proposal.children.values())
        above = parents(home, journal.records)
    except BaseException:
        journal.close()
        raise
    dropped = frozenset(proposal.dropped)
    aside = [each for each in journal.records if each["seq"] in dropped]
    preview = _preview(journal.execution_id, ask._replace(step=proposal.wish.step), aside)
    preview["undo"] = [*proposal.undo, *proposal.lost]
    preview["again"], preview["kept"] = list(proposal.again), list(proposal.kept)
    preview["deadline"] = proposal.deadline
    preview["children"] = children
    preview["parents"] = ids_of(above.parts)
    own = Part(journal, request_of(proposal, replacement), seen)
    return Prepared(home, preview, [own, *above.parts], above.stay, replacement)


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
        return prepare(home, journal.execution_id, RESUME, services)
    try:
        parent = paused_above(home, journal.records)
    except BaseException:
        journal.close()
        raise
    if parent is None:
        return journal
    journal.close()
    return prepare(home, parent, RESUME, services)


def prospect(home: Home, records: list[Record]) -> Preview:
    """What `resume` would do if there is nothing to repair: drive on, and try again what could not be undone."""
    failed = failed_compensations(fold(home, records)) if has_ended(records) == "needs-attention" else ()
    return going_on(records[0]["execution"], RESUME, map(undone_by, failed))


def going_on(execution: str, ask: Ask, undo: Iterable[str]) -> Preview:
    """The preview of what sets nothing aside, and undoes these as it goes on."""
    preview = _preview(execution, ask, ())
    preview["undo"] = list(undo)
    return preview


def prepare_compensation(home: Home, prefix: str) -> Prepared:
    """Undo all that an execution has done. Raises Refused; ConflictError if another process drives it."""
    journal = open_idle(home, prefix)
    try:
        run = fold(home, journal.records)
        if reasons := reasons_not_to_undo(run):
            raise Refused(journal.execution_id, reasons)
        seen = left_alone(home, journal.records)
        heed_parent(home, journal.records)
    except BaseException:
        journal.close()
        raise
    preview = going_on(journal.execution_id, Ask("compensate"), reversed(run.interpreter.undos | run.unsettled()))
    part = Part(journal, lambda by, reason: {"type": "compensation.requested", "by": by, "reason": reason}, seen)
    return Prepared(home, preview, [part])


def prepare_waiver(home: Home, prefix: str, compensation: str) -> Prepared:
    """Let stand what a step has done that could not be undone: `compensate:pay`. Other compensations that failed are
    tried again.

    Raises ConflictError if this one has not failed for good, or if another process drives the execution.
    """
    journal, compensation = open_idle(home, prefix), COMPENSATE + undone_by(compensation)
    try:
        run = fold(home, journal.records)
        compensation = instance_in(run, compensation)
        if run.is_paused:
            journal.close()
            return prepare(home, journal.execution_id, Ask("skip", compensation))
        waive(run, compensation, "")
        heed_parent(home, journal.records, besides=("needs-attention",))
    except BaseException:
        journal.close()
        raise
    others = (undone_by(each) for each in failed_compensations(run) if each != compensation)
    preview = going_on(journal.execution_id, Ask("skip", compensation), others)
    preview["kept"] = [undone_by(compensation)]
    return Prepared(home, preview, [Part(journal, partial(waive, run, compensation))])


# ---- what it would do


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
        "parents": [],
    }


def _aside(record: Record) -> Aside:
    return {"seq": record["seq"], "type": record["type"], "step": instance_of(record)}


def _demand(record: Record) -> Demand:
    return {"what": _DEMANDS[record["type"]], "by": record["by"], "at": record["at"]}


def _about_parent(home: Home, records: list[Record]) -> str:
    bond = bond_of(home, records)
    return f"its parent stays as it is: `wfrun resume {bond.parent}` takes it up again" if bond is not None else ""

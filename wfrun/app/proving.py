"""Whether executions came about as their definitions allow: each journal by itself, and parents against their children.

Nothing is taken from a cache or the index, and no service is asked: the journals and the stored definitions are all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from hashlib import sha256
from typing import Any, TypedDict

from wfrun import __version__
from wfrun.app.bundling import children_in
from wfrun.app.evidence import DEFINITIONS, Evidence
from wfrun.app.forms import checked_form
from wfrun.app.in_force import in_force
from wfrun.core.events import Record
from wfrun.core.plan import Plan, build_plan
from wfrun.core.proof import Misfit, Prover
from wfrun.core.values import Json, canonical
from wfrun.errors import InvalidError, JournalError, NotFoundError, WfrunError
from wfrun.journal.failures import damaged
from wfrun.journal.scan import scan
from wfrun.load.fields import check_fields
from wfrun.load.records import record_problem
from wfrun.load.references import inline_references
from wfrun.load.yaml import parse_document


class MisfitView(TypedDict):
    """The first record that cannot have come about, and what should have stood there, as far as that is known."""

    seq: int
    type: str
    step: str | None
    message: str
    expected: Json
    recorded: Json


class ProblemView(TypedDict):
    code: str
    message: str


class Proof(TypedDict):
    """One execution. `misfit` is None if all of its records fit; `problem` says why nothing can be said of it."""

    execution: str
    workflow: str | None
    records: int
    misfit: MisfitView | None
    problem: ProblemView | None


def prove(evidence: Evidence) -> Iterator[Proof]:
    """Each execution in turn, and those that it has started where they are not among them anyway."""
    court = _Court(evidence)
    waiting = list(evidence.journals)
    known = set(waiting)
    for execution in waiting:
        proof: Proof = {"execution": execution, "workflow": None, "records": 0, "misfit": None, "problem": None}
        try:
            records = court.records(execution)
            fresh = [child for child in children_in(records) if child not in known and court.records(child)]
            _prove(court, records, proof)
        except WfrunError as error:
            proof["problem"] = {"code": error.code, "message": error.message}
            fresh = []
        known.update(fresh)
        waiting.extend(dict.fromkeys(fresh))
        yield proof


def is_proved(proof: Proof) -> bool:
    return proof["misfit"] is None and proof["problem"] is None


def _prove(court: _Court, records: list[Record], proof: Proof) -> None:
    if not records:
        return
    proof["workflow"], proof["records"] = str(records[0].get("workflow")), len(records)
    if (misfit := court.misfit(records)) is not None:
        proof["misfit"] = MisfitView(**misfit._asdict())  # type: ignore[typeddict-item]


class _Court:
    def __init__(self, evidence: Evidence) -> None:
        self._evidence = evidence
        self.records = cache(self._read)
        self._plan = cache(self._read_plan)

    def misfit(self, records: list[Record]) -> Misfit | None:
        """The first that does not fit, by the definition alone, or by what others' journals say."""
        if (shapeless := _misshapen(records)) is not None:
            return shapeless
        found = [self._by_definition(records), *self._by_others(records)]
        return min((each for each in found if each is not None), key=lambda each: each.seq, default=None)

    def _by_definition(self, records: list[Record]) -> Misfit | None:
        first = records[0]
        plan = self._plan(first["definition"])
        if (problem := _wrong_input(plan, first["input"])) is not None:
            return _misfit(first, problem)
        return Prover(plan, self._plan, checked_form, __version__).prove(records)

    # ---- children

    def _by_others(self, records: list[Record]) -> Iterator[Misfit]:
        """What an execution says of its children, and what they say of it."""
        yield from self._never_begun(records)
        yield from self._never_recalled(records)
        started: dict[str, Record] = {}
        refused = set(_refused(records))
        for record in (each for each in records if each.get("child") not in refused):
            if record["type"] == "child.started":
                started[record["child"]] = record
                yield from self._wrong_start(records, record)
            elif record["type"] == "child.ended" and not started.get(record["child"], {}).get("detach"):
                yield from self._wrong_end(record)

    def _wrong_start(self, records: list[Record], record: Record) -> Iterator[Misfit]:
        child = self._told_by(record["child"])
        if not child:
            return
        told = child[0]
        force = in_force(each for each in records if each["seq"] <= record["seq"])
        links: Mapping[str, Any] = force.get("links", {}).get(force["definition"], {})
        parent = None if record["detach"] else {"execution": records[0]["execution"], "step": record["step"]}
        initiator = records[0]["initiator"]
        wanted = {"definition": links.get(record["workflow"]), "parent": parent, "initiator": initiator}
        found = {name: told[name] for name in ("definition", "initiator")}
        found["parent"] = _without_depth(told.get("parent"))
        if canonical(wanted) != canonical(found):
            yield _misfit(record, "its child was started otherwise", wanted, found)
        elif not _begins_with(self._plan(told["definition"]), record["input"], told["input"]):
            yield _misfit(record, "its child was started with another input", record["input"], told["input"])

    def _wrong_end(self, record: Record) -> Iterator[Misfit]:
        """One that could not even be begun, or be driven any further, has failed for its parent alone."""
        ends = [each for each in self._told_by(record["child"]) if each["type"] == "execution.ended"]
        told = {name: record.get(name) for name in ("status", "output", "error", "pivot")}
        known = [{name: each.get(name) for name in told} for each in ends]
        if any(canonical(told) == canonical(each) for each in known) or (not ends and told["status"] == "failed"):
            return
        yield _misfit(record, "its child did not end so", known[-1] if known else None, told)

    def _never_begun(self, records: list[Record]) -> Iterator[Misfit]:
        """A parent says so before it has a child begun."""
        child, parent = records[0]["execution"], (records[0].get("parent") or {}).get("execution")
        told = self._told_by(parent) if parent else []
        if told and not any(each["type"] == "child.started" and each["child"] == child for each in told):
            yield _misfit(records[0], f"execution {parent} has not begun it")

    def _never_recalled(self, records: list[Record]) -> Iterator[Misfit]:
        """A parent that has its child undone has said so before, each time."""
        child, parent = records[0].get("execution"), (records[0].get("parent") or {}).get("execution")
        if parent is None:
            return
        asked = [each for each in records if each["type"] == "compensation.requested" and each["by"] == parent]
        if not asked or not (told := self._told_by(parent)):
            return
        recalls = sum(each["type"] == "child.recalled" and each["child"] == child for each in told)
        for request in asked[recalls:]:
            yield _misfit(request, f"execution {parent} had not begun to undo it")

    # ---- reading

    def _told_by(self, execution: str) -> list[Record]:
        """Nothing, if its records have no shape: that is its own misfit."""
        records = self.records(execution)
        return [] if _misshapen(records) else records

    def _read(self, execution: str) -> list[Record]:
        """Of those that are not among the journals, whatever the same place has."""
        place = self._evidence.journals.get(execution) or self._evidence.place_of(execution)
        found = scan(self._evidence.read(place)) if place is not None else None
        if found is None:
            return []
        if found.damage is not None:
            raise damaged(str(place), found.damage)
        return [self._evidence.whole(record) for record in found.records]

    def _read_plan(self, digest: str) -> Plan:
        name = f"{DEFINITIONS}/{digest}.yaml"
        source = self._evidence.stored(name) if self._evidence.stored is not None else None
        if source is None:
            hint = "prove an execution in its state directory, or a bundle of `wfrun audit export`"
            raise NotFoundError("definition.unknown", f"{name}, which the journal names, is missing", hint=hint)
        if sha256(source).hexdigest() != digest:
            raise JournalError("definition.damaged", f"{name} is not what was stored")
        return build_plan(parse_document(source, name))


def _refused(records: list[Record]) -> Iterator[str]:
    """Children that could not be started, as there was an execution of that id: it is somebody else's."""
    for record in records:
        if record["type"] == "child.ended" and record.get("error", {}).get("type") == "execution.exists":
            yield record["child"]


def _misshapen(records: list[Record]) -> Misfit | None:
    for record in records:
        if (problem := record_problem(record)) is not None:
            return _misfit(record, problem)
    if records and records[0]["type"] != "execution.started":
        return _misfit(records[0], "a journal begins with execution.started")
    return None


def _wrong_input(plan: Plan, given: dict[str, Json]) -> str | None:
    """Whether the definition accepts the input, and would have it as it is."""
    try:
        same = _begins_with(plan, given, given)
    except InvalidError as invalid:
        return f"the definition does not accept the input: {invalid.message}"
    return None if same else "the input lacks defaults of the definition"


def _begins_with(plan: Plan, given: dict[str, Json], input: dict[str, Json]) -> bool:
    """Whether it has this input if it is given that. Schemas in other files are not asked. Raises InvalidError."""
    data: Any = plan.document.data
    fields = data.get("input")
    if fields is None:
        return canonical(given) == canonical(input)
    if inline_references(plan.document)[0] is not plan.document:
        return canonical(given) == canonical({name: input.get(name) for name in given})
    return canonical(check_fields(fields, given, file="input", what="input")) == canonical(input)


def _without_depth(parent: Mapping[str, Json] | None) -> dict[str, Json] | None:
    return None if parent is None else {"execution": parent["execution"], "step": parent["step"]}


def _misfit(record: Record, message: str, expected: Json = None, recorded: Any = None) -> Misfit:
    return Misfit(record["seq"], record["type"], record.get("step"), message, expected, recorded)

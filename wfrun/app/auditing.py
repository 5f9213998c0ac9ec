"""Whether journals are what was written: chain, checksums, the shape of each record, and the files that they name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from hashlib import sha256
from pathlib import PurePosixPath
from typing import TypedDict

from wfrun.app.evidence import BLOBS, DEFINITIONS, HEADS, SUMS, Evidence
from wfrun.app.heads import Head, head_text, read_heads
from wfrun.core.events import Record
from wfrun.errors import WfrunError
from wfrun.journal.home import JOURNAL
from wfrun.journal.scan import Finding
from wfrun.journal.verify import examine
from wfrun.load.records import record_problem

# They tell of a process that died, or is writing: nothing that was acknowledged is lost.
HARMLESS = frozenset({"journal.torn", "journal.unbegun"})


class Found(TypedDict):
    """Something that is not as it was written. `offset` counts bytes from 0; None if it is not about a place."""

    code: str
    severity: str
    file: str
    offset: int | None
    seq: int | None
    message: str


class Checked(TypedDict):
    """One journal, or another file, which is no execution's. `sha256` is that of its last line, if it has one."""

    execution: str | None
    file: str
    records: int
    bytes: int
    sha256: str | None
    findings: list[Found]


def verify(evidence: Evidence) -> Iterator[Checked]:
    """Each journal in turn, and last the list of removed executions and the other files of a bundle."""
    verifier = _Verifier(evidence)
    for execution in evidence.journals:
        yield verifier.journal(execution)
    if evidence.ledger is not None:
        yield verifier.ledger(evidence.ledger)
    if evidence.sums is not None:
        yield verifier.bundle(evidence.sums)


def is_damaged(checked: Checked) -> bool:
    return any(found["severity"] == "error" for found in checked["findings"])


class _Verifier:
    def __init__(self, evidence: Evidence) -> None:
        self._evidence = evidence
        self._heads: dict[str, Head] = {}
        # Many executions name the same files.
        self._stored = cache(self._look_at_stored)

    def journal(self, execution: str) -> Checked:
        file = self._evidence.journals[execution]
        checked, records = self._chain(execution, file)
        found = checked["findings"]
        if not records and not found:
            found.append(_found("journal.unbegun", file, "whoever made it died before its first record", None, None))
        if checked["sha256"] is not None:
            self._heads[execution] = Head(execution, checked["records"], checked["sha256"])
        if records and (problem := _wrong_beginning(records[0], execution, file)):
            found.append(_found("journal.damaged", file, problem, 0, 1))
        for record in records:
            lacking = list(self._files_named_by(record, file))
            found.extend(lacking)
            if not lacking and (problem := self._problem(record)) is not None:
                found.append(_found("journal.record", file, problem, None, record["seq"]))
        found.sort(key=lambda each: each["seq"] or 0)
        return checked

    def ledger(self, file: str) -> Checked:
        return self._chain(None, file)[0]

    def bundle(self, sums: Mapping[str, str]) -> Checked:
        """Every file of a bundle is listed with its hash, and every journal has the head that is listed for it."""
        place = sums[SUMS]
        listed = _listed(self._evidence.read(place))
        checked: Checked = {
            "execution": None, "file": place, "records": 0, "bytes": 0, "sha256": None, "findings": [],
        }  # fmt: skip
        for name in sorted({*listed, *sums} - {SUMS}):
            actual = sha256(self._evidence.read(sums[name])).hexdigest() if name in sums else None
            if actual != listed.get(name):
                message = (
                    "is missing" if actual is None else "is not what was put in" if name in listed else "was added"
                )
                checked["findings"].append(_found("bundle.damaged", place, f"{name} {message}", None, None))
        if HEADS in sums:
            checked["findings"].extend(self._wrong_heads(sums[HEADS]))
        return checked

    def _wrong_heads(self, place: str) -> Iterator[Found]:
        try:
            told = {
                head.execution: head for head in read_heads(self._evidence.read(place).decode(errors="replace"), place)
            }
        except WfrunError as error:
            yield _found("bundle.damaged", place, error.message, None, None)
            return
        for execution in sorted({*told, *self._heads}):
            if told.get(execution) != self._heads.get(execution):
                here = self._heads.get(execution)
                message = f"the head of {execution} is {head_text(here) if here else 'not there'}"
                yield _found("bundle.damaged", place, message, None, None)

    def _chain(self, execution: str | None, file: str) -> tuple[Checked, list[Record]]:
        try:
            raw = self._evidence.read(file)
        except WfrunError as error:
            raw, unreadable = b"", [_found(error.code, file, error.message, None, None)]
        else:
            unreadable = []
        found = examine(raw)
        checked: Checked = {
            "execution": execution,
            "file": file,
            "records": len(found.records),
            "bytes": len(raw),
            "sha256": found.head.prev if found.head.seq else None,
            "findings": [*unreadable, *(_of(each, file) for each in found.findings)],
        }
        return checked, found.records

    def _problem(self, record: Record) -> str | None:
        """What is wrong with a record as a whole; of one with blobs, where these are not at hand, nothing is known."""
        if "blobs" not in record:
            return record_problem(record)
        return record_problem(self._evidence.whole(record)) if self._evidence.stored is not None else None

    # ---- files that records name

    def _files_named_by(self, record: Record, file: str) -> Iterator[Found]:
        if self._evidence.stored is None:
            return
        for name, digest in named_files(record):
            if (problem := self._stored(name, digest)) is not None:
                code, message = problem
                yield _found(code, file, message, None, record["seq"])

    def _look_at_stored(self, name: str, digest: str) -> tuple[str, str] | None:
        assert self._evidence.stored is not None
        kind = name.partition("/")[0].removesuffix("s")
        try:
            data = self._evidence.stored(name)
        except WfrunError as error:
            return error.code, error.message
        if data is None:
            return f"{kind}.unknown", f"{name}, which it names, is missing"
        if sha256(data).hexdigest() != digest:
            return f"{kind}.damaged", f"{name}, which it names, is not what was stored"
        return None


def named_files(record: Record) -> Iterator[tuple[str, str]]:
    """The files of the state directory that a record names, by place and SHA-256. Whatever else comes to be kept beside
    the journals is to be told here: then it is verified, exported and not removed too early."""
    digests = [record["definition"]] if "definition" in record else []
    for digest in dict.fromkeys([*digests, *_linked(record)]):
        yield f"{DEFINITIONS}/{digest}.yaml", digest
    for blob in record.get("blobs", {}).values():
        yield f"{BLOBS}/{blob['sha256']}", blob["sha256"]


def _linked(record: Record) -> Iterator[str]:
    for definition, names in record.get("links", {}).items():
        yield definition
        yield from names.values()


def _wrong_beginning(first: Record, execution: str, file: str) -> str | None:
    if first["seq"] != 1:
        return None  # the damage before it has been told
    if first["type"] != "execution.started":
        return "a journal begins with execution.started"
    if first.get("execution") != execution and PurePosixPath(file).name == f"{execution}{JOURNAL}":
        return f"it belongs to execution {first.get('execution')!r}"
    return None


def _listed(sums: bytes) -> dict[str, str]:
    """The lines of a SHA256SUMS file: hash, two spaces, name."""
    lines = (line.partition("  ") for line in sums.decode(errors="replace").splitlines())
    return {name: digest for digest, _, name in lines}


def _of(finding: Finding, file: str) -> Found:
    return _found(finding.code, file, finding.message, finding.offset, finding.seq)


def _found(code: str, file: str, message: str, offset: int | None, seq: int | None) -> Found:
    severity = "note" if code in HARMLESS else "error"
    return {"code": code, "severity": severity, "file": file, "offset": offset, "seq": seq, "message": message}

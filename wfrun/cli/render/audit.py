"""What audits found, for people and for programs."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, TypeVar

from wfrun.cli.text import columns, is_lively, paint, safe
from wfrun.core.values import canonical
from wfrun.views.instants import clock

if TYPE_CHECKING:
    from wfrun.app.auditing import Checked, Found
    from wfrun.app.collecting import Collected
    from wfrun.app.heads import Difference
    from wfrun.app.proving import MisfitView, Proof
    from wfrun.core.values import Json

Item = TypeVar("Item")
# A value in a line for people; the whole of it is in the JSON.
VALUE_CHARACTERS = 300


def counted(items: Iterable[Item], doing: str, total: int) -> Iterator[Item]:
    """The items; a terminal shows meanwhile how many there have been."""
    if total < 2 or not is_lively(sys.stderr):
        yield from items
        return
    try:
        for number, item in enumerate(items, start=1):
            print(f"\r{doing} {number} of {total}", end="", file=sys.stderr, flush=True)
            yield item
    finally:
        print("\r\x1b[K", end="", file=sys.stderr, flush=True)


def damage_lines(found: Found) -> list[str]:
    """As an error is told, and for notes as advice is."""
    colour = "red" if found["severity"] == "error" else "yellow"
    return [f"{safe(_place(found))}: {paint(colour, found['severity'])}[{found['code']}] {safe(found['message'])}"]


def _place(found: Found) -> str:
    parts = [found["file"]]
    if found["offset"] is not None:
        parts.append(f"byte {found['offset']}")
    if found["seq"] is not None:
        parts.append(f"record {found['seq']}")
    return parts[0] + (f" ({', '.join(parts[1:])})" if parts[1:] else "")


def verified_line(checked: Iterable[Checked], damaged: int) -> str:
    journals = [each for each in checked if each["execution"] is not None]
    records = sum(each["records"] for each in journals)
    verdict = f"{damaged} damaged" if damaged else "all as written"
    return f"{len(journals)} journals, {records} records: {verdict}"


def proof_lines(proof: Proof) -> list[str]:
    head = f"{proof['execution']} · {proof['workflow']} · {proof['records']} records"
    problem, misfit = proof["problem"], proof["misfit"]
    if problem is not None:
        return [f"{paint('red', '✗')}  {safe(proof['execution'])}: error[{problem['code']}] {safe(problem['message'])}"]
    if misfit is None:
        return [f"{paint('green', '✓')}  {safe(head)}"]
    return [f"{paint('red', '✗')}  {safe(head)}", *(f"   {line}" for line in misfit_lines(misfit))]


def misfit_lines(misfit: MisfitView) -> Iterator[str]:
    step = f" of {misfit['step']}" if misfit["step"] else ""
    yield safe(f"record {misfit['seq']} ({misfit['type']}{step}): {misfit['message']}")
    for word in ("expected", "recorded"):
        if (value := misfit[word]) is not None:
            yield safe(f"{word}: {_shown(value)}")


def _shown(value: Json) -> str:
    text = canonical(value)
    return text if len(text) <= VALUE_CHARACTERS else f"{text[:VALUE_CHARACTERS]}…"


def difference_line(difference: Difference) -> str:
    return f"{safe(difference['execution'])}: {paint('red', 'error')}[{difference['code']}] {difference['message']}"


def collected_lines(collected: Collected) -> list[str]:
    removed = collected["executions"]
    rows = [[each["execution"], each["workflow"], each["status"], clock(each["endedAt"])] for each in removed]
    would = "would be removed" if collected["dryRun"] else "removed"
    return [*columns(rows), f"{len(removed)} executions, {len(collected['files'])} files that nobody names: {would}"]

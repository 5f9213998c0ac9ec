"""Whether a repair does what it would have been worked out to do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from itertools import product

from wfrun.core.events import Record
from wfrun.core.expression import MISSING
from wfrun.core.instants import parse_instant
from wfrun.core.plan import Plan
from wfrun.core.proof_terms import SLACK, Unfounded, compare
from wfrun.core.repair import Proposal, propose
from wfrun.core.repair_history import never_called
from wfrun.core.run import Run
from wfrun.core.values import Json

_WITH_VALUE = ("skip", "set-output", "set-input")

# What a repair says of the workflow that it puts in the place of another: where that came from, and what follows.
_GIVEN = ("origin", "links", "parts", "names")


def check_repair(run: Run, record: Record, plans: Callable[[str], Plan]) -> None:
    """Raises Unfounded unless the repair is allowed, says what one of its kind says, and sets aside and undoes what it
    has to.

    Journals did not always say whether something was to be kept as it is: where one does not, either will do. Nor did
    they set aside what says that a call begins which was stopped before it was called. A repair was worked out a little
    before it was recorded, and a deadline may have passed in between.
    """
    replacement = plans(record["definition"]) if record["action"] == "replace" and "definition" in record else None
    at = parse_instant(record["at"])
    keeps = (False,) if record["action"] != "rewind" else (True,) if record.get("keep") else (False, True)
    proposals = [_proposal(run, record, replacement, keep, now) for now, keep in product((at, at - SLACK), keeps)]
    proposals += [_leaving_uncalled(run, proposal) for proposal in proposals]
    fitting = [proposal for proposal in proposals if _effects(proposal) == _recorded(record)]
    first = (fitting or proposals)[0]
    if first.reasons:
        raise Unfounded(f"such a repair is refused: {first.reasons[0].message}")
    request = {**first.request(record["by"], record["reason"]), **_replaced(replacement)}
    unsaid = () if "keep" in record else ("keep",)
    compare(request, record, but=unsaid if replacement is None else (*unsaid, *_GIVEN))


def _replaced(replacement: Plan | None) -> dict[str, Json]:
    if replacement is None:
        return {}
    return {
        "version": replacement.version,
        "steps": [*replacement.step_names],
        "listens": [*replacement.listens],
    }


def _proposal(run: Run, record: Record, replacement: Plan | None, keep: bool, now: datetime) -> Proposal:
    action = record["action"]
    value = record.get("value", MISSING) if action in _WITH_VALUE else MISSING
    return propose(run, action, now=now, step=record.get("step"), value=value, keep=keep, replacement=replacement)


def _leaving_uncalled(run: Run, proposal: Proposal) -> Proposal:
    uncalled = {started["seq"] for started in never_called(run.records, proposal.dropped)}
    return replace(proposal, dropped=tuple(seq for seq in proposal.dropped if seq not in uncalled))


def _effects(proposal: Proposal) -> tuple[tuple[int, ...], tuple[str, ...]]:
    return proposal.dropped, proposal.undo


def _recorded(record: Record) -> tuple[tuple[int, ...], tuple[str, ...]]:
    return tuple(record["dropped"]), tuple(record["undo"])

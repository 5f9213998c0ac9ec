"""Whether a repair does what it would have been worked out to do."""

from __future__ import annotations

from collections.abc import Callable

from wfrun.core.events import Record
from wfrun.core.expression import MISSING
from wfrun.core.plan import Plan
from wfrun.core.proof_terms import Unfounded, compare
from wfrun.core.repair import Proposal, propose
from wfrun.core.run import Run


def check_repair(run: Run, record: Record, plans: Callable[[str], Plan]) -> None:
    """Raises Unfounded unless the repair is allowed, and sets aside and undoes what it has to.

    Whether something was to be kept as it is, is not recorded: where that can be asked for, either will do.
    """
    replacement = plans(record["definition"]) if "definition" in record else None
    if replacement is not None:
        facts = {"version": replacement.version, "steps": replacement.step_names, "listens": [*replacement.listens]}
        compare(facts, {name: record.get(name) for name in facts})
    keeps = (False, True) if record["action"] == "rewind" else (False,)
    proposals = [_proposal(run, record, replacement, keep) for keep in keeps]
    if any(_effects(proposal) == _recorded(record) for proposal in proposals):
        return
    dropped, undo = _effects(proposals[0])
    wanted = {"dropped": list(dropped), "undo": list(undo)}
    compare(wanted, {name: record[name] for name in wanted})


def _proposal(run: Run, record: Record, replacement: Plan | None, keep: bool) -> Proposal:
    value = record.get("value", MISSING)
    step = record.get("step")
    proposal = propose(run, record["action"], step=step, value=value, keep=keep, replacement=replacement)
    if proposal.reasons:
        raise Unfounded(f"such a repair is refused: {proposal.reasons[0].message}")
    return proposal


def _effects(proposal: Proposal) -> tuple[tuple[int, ...], tuple[str, ...]]:
    return proposal.dropped, proposal.undo


def _recorded(record: Record) -> tuple[tuple[int, ...], tuple[str, ...]]:
    return tuple(record["dropped"]), tuple(record["undo"])

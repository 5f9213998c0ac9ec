"""What became of a block: of the steps in it, and so of itself. Journals tell of steps only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from wfrun.views.explain.facts import StepFacts
from wfrun.views.explain.reasons import Reason, reason
from wfrun.views.explain.turns import caught
from wfrun.views.iterations import ACTIVE, split_instance
from wfrun.views.lineage import Place
from wfrun.views.words import count_words

if TYPE_CHECKING:
    from wfrun.views.model import StepStatus, StepView, TimerView

SHOWN = 8
_BEFORE = ("pending", "skipped")


def is_block(facts: StepFacts, step: str) -> bool:
    name = split_instance(step)[0]
    return name not in facts.rows and any(_around(place, name) for place in facts.places.values())


def what_is_inside(facts: StepFacts, block: str) -> Iterator[Reason]:
    """The steps of a block that has been come to, and how they stand."""
    rows = _inside(facts, block)
    if not has_begun(facts, block):
        return
    shown = [f"{row['step']} {row['status']}" for row in rows[:SHOWN]]
    more = f" and {count_words(len(rows) - SHOWN, 'more step')}" if len(rows) > SHOWN else ""
    since = min((row["startedAt"] for row in rows if row["startedAt"]), default=None)
    yield reason(block, "inside", f"it holds {', '.join(shown)}{more}", since)


def has_begun(facts: StepFacts, block: str) -> bool:
    return any(row["status"] not in _BEFORE for row in _inside(facts, block)) or bool(facts.of(block))


def block_status(facts: StepFacts, block: str, reasons: Sequence[Reason]) -> StepStatus:
    """How a block stands, by what is inside, by where its errors went, and by whether it was come to at all."""
    if reasons and reasons[-1]["what"] in ("not-taken", "skipped"):
        return "skipped"
    if not has_begun(facts, block):
        return "pending"
    rows = _inside(facts, block)
    statuses = [row["status"] for row in rows]
    held = any(timer["step"].partition("@")[0] in _blocks(facts, block) for timer in _delays(facts))
    active = [status for status in ACTIVE if status in statuses]
    if active or held:
        return active[0] if active else "waiting"
    if any(record["timer"] == f"{block}!timeout" for record in facts.of(block, "timer.fired")):
        return "timed-out"
    if _has_failed(facts, block, rows):
        return "failed"
    if "compensated" in statuses:
        return "compensated"
    return "running" if facts.view["status"] in ("running", "interrupted") and "pending" in statuses else "completed"


def _delays(facts: StepFacts) -> Iterator[TimerView]:
    return (timer for timer in facts.view["timers"] if timer["reason"] == "delay")


def _has_failed(facts: StepFacts, block: str, rows: Sequence[StepView]) -> bool:
    """An error has left it: it ended the execution, or was taken further out."""
    own = _blocks(facts, block)
    error = facts.view["error"]
    inside = {row["step"] for row in rows} | own
    if error is not None and split_instance(error.get("step", ""))[0] in inside:
        return True
    takers = (each["step"] for row in rows for each in caught(facts, row["step"], facts.places.get(row["step"])))
    return any(taker is not None and split_instance(taker)[0] not in own for taker in takers)


def _inside(facts: StepFacts, block: str) -> list[StepView]:
    name = split_instance(block)[0]
    return [row for step, row in facts.rows.items() if step in facts.places and _around(facts.places[step], name)]


def _blocks(facts: StepFacts, block: str) -> set[str]:
    """The block, and those in it."""
    name = split_instance(block)[0]
    return {name} | {id for id, place in facts.places.items() if _around(place, name)} - facts.rows.keys()


def _around(place: Place, block: str) -> bool:
    return any(turn.block.id == block for turn in place.turns)

"""Which way was gone at the blocks around a step: to it, or past it; and which handler took its error."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from wfrun.core.plan.nodes import Try
from wfrun.core.retry import matches
from wfrun.views.explain.facts import StepFacts, instance_of
from wfrun.views.explain.reasons import Reason, What, reason
from wfrun.views.iterations import split_instance
from wfrun.views.lineage import Place, Turn, iteration_at
from wfrun.views.naming import with_names
from wfrun.views.words import came_to, handler_name, outcome

if TYPE_CHECKING:
    from wfrun.core.events import ErrorData, Record


def reason_of_turn(facts: StepFacts, turn: Turn, iteration: str) -> Reason | None:
    """Why the way went on to where the step stands, or did not; nothing where it always does, or nobody knows yet."""
    block = turn.block.id + iteration_at(iteration, turn.depth)
    asked = facts.decision(block, "step")
    if asked is not None and not asked["value"]:
        return condition(facts, asked)
    if turn.side in ("then", "else") and (decided := facts.decision(block, "branch")) is not None:
        taken = "then" if decided["value"] else "else"
        return _way(facts, block, turn.side == taken, decided)
    if turn.side in ("case", "else"):
        return _case(facts, turn, block)
    if turn.side == "handler":
        return _handler(facts, turn, block)
    return None


def _way(facts: StepFacts, block: str, taken: bool, decided: Record, words: str = "") -> Reason:
    """`words` say it if it is not what the decision itself says."""
    why = f"{words or outcome(with_names(decided, facts.names))}: {came_to(decided)}"
    return reason(block, "taken" if taken else "not-taken", why, decided["at"], decided["operands"])


def _case(facts: StepFacts, turn: Turn, block: str) -> Reason | None:
    asked = [record for record in facts.of(block, "decision.made") if record["of"] == "case"]
    if not asked:
        return None
    last = asked[-1]
    if last["value"]:
        return _way(facts, block, turn.number == last["case"], last)
    if turn.side == "else" or turn.number is None:
        return _way(facts, block, True, last, f"{facts.called(block)} takes `else`, as no case fits")
    mine = next((record for record in asked if record["case"] == turn.number), last)
    return _way(facts, block, False, mine)


def _handler(facts: StepFacts, turn: Turn, block: str) -> Reason | None:
    """A handler without a condition is chosen by the error alone."""
    asked = [
        each for each in facts.of(block, "decision.made") if each["of"] == "handler" and each["case"] == turn.number
    ]
    if asked:
        return _way(facts, block, asked[-1]["value"], asked[-1])
    failed = _failed_inside(facts, turn, split_instance(block)[1])
    taken = isinstance(turn.block, Try) and failed and _taker(facts, turn.block, block, failed["error"])
    if not failed or not taken:
        return None
    whose = f"the error of {facts.called(instance_of(failed))} ({failed['error']['type']})"
    what: What = "taken" if taken[0] == turn.number else "not-taken"
    words = f"{handler_name(facts.called(block), taken[0])} takes {whose}"
    return reason(block, what, words, failed["at"], {"error": failed["error"]})


def _failed_inside(facts: StepFacts, turn: Turn, iteration: str) -> Record | None:
    """The last error of a step in the body of a `try`, in the same iteration as the `try`."""
    for record in reversed(facts.records):
        name, at = split_instance(instance_of(record))
        place = facts.places.get(name) if "error" in record else None
        if place and iteration_at(at, turn.depth) == iteration and _is_in_body(place, turn):
            return record
    return None


def _is_in_body(place: Place, turn: Turn) -> bool:
    return any(each.block is turn.block and each.side == "body" for each in place.turns)


def condition(facts: StepFacts, record: Record) -> Reason:
    what: What = "runs" if record["value"] else "skipped"
    came = "true" if record["value"] else "false"
    why = f"the condition of {facts.called(record['step'])} was {came}: {record['condition']}"
    return reason(record["step"], what, why, record["at"], record["operands"])


# ---- errors


def caught(facts: StepFacts, step: str, place: Place | None) -> Iterator[Reason]:
    """Which handler an error went to: the first around the step that is for it."""
    error = _final_error(facts, step)
    if error is None or place is None:
        return
    for turn in reversed(place.turns):
        if isinstance(turn.block, Try) and turn.side == "body":
            block = turn.block.id + iteration_at(split_instance(step)[1], turn.depth)
            taken = _taker(facts, turn.block, block, error)
            if taken is not None:
                yield _handled(facts, turn.block, block, *taken)
                return


def _final_error(facts: StepFacts, step: str) -> ErrorData | None:
    ended = facts.of(step, "step.started", "step.completed", "step.failed", "evaluation.failed", "failure.raised")
    error: ErrorData | None = ended[-1].get("error") if ended else None
    return error


def _taker(facts: StepFacts, block: Try, instance: str, error: ErrorData) -> tuple[int, Record | None] | None:
    """The number of the handler that an error went to, and the decision if it has a condition."""
    asked = {each["case"]: each for each in facts.of(instance, "decision.made") if each["of"] == "handler"}
    for index, handler in enumerate(block.handlers):
        if not matches(handler.patterns, error["type"]):
            continue
        decided = asked.get(index)
        if handler.condition is not None and (decided is None or not decided["value"]):
            continue
        return index, decided
    return None


def _handled(facts: StepFacts, block: Try, instance: str, index: int, decided: Record | None) -> Reason:
    handler = block.handlers[index]
    fits = " or ".join(handler.patterns)
    taker = handler_name(facts.called(instance), index)
    goes = f"{taker}, for {fits}, takes its error" if handler.body else "its error is passed over"
    return reason(instance, "handled", goes, decided["at"] if decided else None, decided and decided["operands"])

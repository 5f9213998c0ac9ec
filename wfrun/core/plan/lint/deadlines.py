"""Human tasks and waits for events that nothing ends."""

from __future__ import annotations

from collections.abc import Iterator

from wfrun.core.plan.lint.advice import Advice
from wfrun.core.plan.nodes import Await, HumanTask, Parallel, Plan, Step, children


def without_deadline(plan: Plan) -> Iterator[Advice]:
    yield from _in(plan.root)


def _in(step: Step) -> Iterator[Advice]:
    """A block that is bounded bounds all that is in it, and so may one that cannot be read."""
    if step.bound is not None or step.in_doubt:
        return
    if isinstance(step, HumanTask) and step.audiences[0].timeout is None:
        yield _advice(step, f"nothing happens if nobody ever decides {step.id!r}")
    elif isinstance(step, Await):
        events = " or ".join(dict.fromkeys(repr(listener.event) for listener in step.listeners))
        yield _advice(step, f"{step.id!r} waits forever if {events} never comes")
    if isinstance(step, Parallel) and step.crew.complete is not None:
        yield from _in_race(step, step.crew.complete)
    else:
        for inner in children(step):
            yield from _in(inner)


def _in_race(block: Parallel, complete: int) -> Iterator[Advice]:
    """Nobody waits forever for a branch if enough of the others end: then it is cancelled."""
    found = [list(_in(branch)) for branch in block.branches]
    if sum(not advice for advice in found) < complete:
        for advice in found:
            yield from advice


def _advice(step: Step, message: str) -> Advice:
    return Advice("lint.no-deadline", step.path, message, "give it a `timeout`")

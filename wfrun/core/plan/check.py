"""Static checks of a plan: what will certainly go wrong is said before anything runs, and what may is advice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any

from wfrun.core.plan.collisions import collisions
from wfrun.core.plan.flow import follow
from wfrun.core.plan.keys import of_input
from wfrun.core.plan.limits import check_limits
from wfrun.core.plan.nodes import Await, Call, Child, Foreach, HumanTask, Loop, Plan, Step, children, walk
from wfrun.core.plan.paths import NOBODY, Known
from wfrun.core.plan.review import Review
from wfrun.core.plan.times import check_plan_times, check_times
from wfrun.core.plan.writes import ends, own_keys
from wfrun.errors import Problem


def check(plan: Plan) -> list[Problem]:
    """Problems of a compiled plan; those of severity `warning` are advice."""
    data: Mapping[str, Any] = plan.document.data  # type: ignore[assignment]
    declared = data.get("input")
    keys = of_input(declared)
    review = Review(plan, _known(plan, not isinstance(declared, dict)))
    follow(review, plan.root, keys)
    if plan.output is not None:
        review.template(plan.output, ("output",), keys)
        if ends(plan.root):
            review.advise("plan.unreachable", "every way through the workflow ends before it", ("output",))
    twice = list(collisions(plan, declared or ()))
    numbers = chain.from_iterable(check_limits(step, plan) for step in walk(plan.root))
    times = chain.from_iterable(check_times(step, plan.document) for step in walk(plan.root))
    found = _without_consequences(review.problems, twice)
    return [*found, *twice, *numbers, *check_plan_times(plan.document), *times]


def _known(plan: Plan, open_input: bool) -> Known:
    every = sorted(_with_loops(plan.root, None), key=lambda found: found[1] is not None)
    outputs: dict[str, str] = {}
    inside: dict[str, str] = {}
    for step, loop in every:
        for name, _ in own_keys(step):
            if name not in outputs and loop is not None:
                inside[name] = loop
            outputs.setdefault(name, step.id)
    steps = {step.id: step.output for step, _ in every if isinstance(step, Call | HumanTask | Await | Child)}
    return Known(outputs, steps, inside, open_input, plan.gaps)


def _with_loops(step: Step, loop: str | None) -> Iterator[tuple[Step, str | None]]:
    """Every step, with the loop whose iterations have its keys."""
    yield step, loop
    for inner in children(step):
        yield from _with_loops(inner, step.id if isinstance(step, Foreach | Loop) else loop)


def _without_consequences(found: list[Problem], twice: list[Problem]) -> Iterator[Problem]:
    """Where one key is set twice, another that nobody sets is most likely the same slip."""
    for problem in found:
        if not (twice and problem.code == "plan.unknown-path" and problem.hint == NOBODY):
            yield problem

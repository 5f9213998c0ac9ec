"""Keys that two steps would write, although both can run."""

from __future__ import annotations

from collections.abc import Iterator

from wfrun.core.plan.nodes import Call, Conditional, HumanTask, Parallel, Plan, Sequence, Step
from wfrun.errors import Problem


def collisions(plan: Plan, step: Step, taken: dict[str, str]) -> Iterator[Problem]:
    """`taken` says who writes a key; those of `step` are added to it."""
    match step:
        case Call() | HumanTask() if step.output is not None:
            if step.output in taken:
                place = plan.document.place((*step.path, "output"))
                message = f"the key {step.output!r} is also set by {taken[step.output]}"
                yield Problem("plan.duplicate-output", message, place, "give each its own key")
            taken.setdefault(step.output, f"step {step.id!r}")
        case Sequence(steps=inner) | Parallel(branches=inner):
            for each in inner:
                yield from collisions(plan, each, taken)
        case Conditional(then=then, otherwise=otherwise):
            before = dict(taken)
            yield from collisions(plan, then, taken)
            if otherwise is not None:
                yield from collisions(plan, otherwise, before)
                taken.update(before)

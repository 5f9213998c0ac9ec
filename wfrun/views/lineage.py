"""What a step stands in: the blocks around it, on which side of each, and in how many loops."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from wfrun.core.plan.nodes import Foreach, Loop, Plan, Step
from wfrun.core.plan.sides import sides


class Turn(NamedTuple):
    """One block on the way to a step. `side` is where the way goes on: `then`, `else`, `case`, `body`, `handler`,
    `finally`, `round`, or nothing for blocks that run all they hold. `number` is that of a case or handler, from 0;
    `depth` how many loops are around the block."""

    block: Step
    side: str
    number: int | None
    depth: int


class Place(NamedTuple):
    """A step in its plan. `turns` lead to it from the outermost block on, `depth` is how many loops are around it."""

    step: Step
    turns: tuple[Turn, ...]
    depth: int


def places(plan: Plan) -> Iterator[Place]:
    """Every step of a plan, parents first."""
    pending = [Place(plan.root, (), 0)]
    while pending:
        place = pending.pop()
        yield place
        inside = [_inner(place, *each) for each in sides(place.step)]
        pending.extend(reversed(inside))


def _inner(place: Place, step: Step, side: str, number: int | None) -> Place:
    turn = Turn(place.step, side, number, place.depth)
    return Place(step, (*place.turns, turn), place.depth + isinstance(place.step, Foreach | Loop))


def iteration_at(iteration: str, depth: int) -> str:
    """The iteration of a block around a step: `@3` for one loop around it, if the step is in `@3.1`."""
    indices = iteration.removeprefix("@").split(".")[:depth] if iteration else []
    return f"@{'.'.join(indices)}" if indices else ""

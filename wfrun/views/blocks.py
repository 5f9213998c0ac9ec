"""How steps stand in blocks, as the first record of an execution tells whoever has no plan."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from wfrun.views.iterations import split_instance

if TYPE_CHECKING:
    from wfrun.core.events import Part, Record

# The whole workflow, as the steps of its timers are called.
ROOT = "$"


class Blocks:
    """`steps` are those that act, ask or wait, `parts` the sides of blocks as ranges of them.

    Older journals tell of no parts: then nothing is known, and nothing is said.
    """

    def __init__(self, steps: Sequence[str] = (), parts: Sequence[Part] = ()) -> None:
        self._steps = steps
        self._parts = parts

    @cached_property
    def _sides(self) -> dict[str, list[Part]]:
        found: dict[str, list[Part]] = {}
        for part in self._parts:
            found.setdefault(part["block"], []).append(part)
        return found

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {step: number for number, step in enumerate(self._steps)}

    @cached_property
    def _depths(self) -> list[int]:
        """In how many loops each step is."""
        depths = [0] * len(self._steps)
        for part in self._parts:
            if part["side"] == "round":
                for number in range(part["first"], part["first"] + part["count"]):
                    depths[number] += 1
        return depths

    def passed_by(self, decision: Record) -> Iterator[str]:
        """The instances that are not going to run, as far as a decision alone tells."""
        block, iteration = split_instance(decision["step"])
        depth = iteration.count(".") + 1 if iteration else 0
        for part in self._sides.get(block, ()):
            if _is_passed(part, decision):
                for number in range(part["first"], part["first"] + part["count"]):
                    if depth in (0, self._depths[number]):
                        yield self._steps[number] + (f"@{iteration}" if iteration else "")

    def holds(self, block: str, step: str) -> bool:
        """Whether an instance of a step, or of a loop, is that of a block or stands in it."""
        if block == ROOT:
            return True
        outer, inner = self._range(split_instance(block)[0]), self._range(split_instance(step)[0])
        if outer is None or inner is None or not (outer[0] <= inner[0] and inner[1] <= outer[1]):
            return False
        around, iteration = split_instance(block)[1], split_instance(step)[1]
        return not around or f"{iteration}.".startswith(f"{around}.")

    def _range(self, name: str) -> tuple[int, int] | None:
        if name in self._numbers:
            return self._numbers[name], self._numbers[name] + 1
        sides = self._sides.get(name)
        if not sides:
            return None
        return min(part["first"] for part in sides), max(part["first"] + part["count"] for part in sides)


def _is_passed(part: Part, decision: Record) -> bool:
    side, held = part["side"], bool(decision["value"])
    number: int | None = decision.get("case")
    match decision["of"]:
        case "step":
            return not held
        case "branch":
            return side == ("else" if held else "then")
        case "case":
            return (part.get("number", -1) == number) != held
        case "handler":
            return side == "handler" and (part["number"] == number) != held
    return False

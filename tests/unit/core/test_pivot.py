"""How far a point of no return reaches: the execution, those that it is a part of, and a branch that does not count."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.world import World, an_event, call, plan_of
from tests.unit.core.test_interpreter import fail_at
from tests.unit.core.test_repair import assert_folds_again
from tests.unit.core.test_steps_crews import UNDO, parallel
from wfrun.core.interventions import is_told_to_stop
from wfrun.core.repair_refusals import reasons_not_to_undo

PIVOT = call("p", pivot=True)
CHILD = {"type": "workflow", "name": "k", "workflow": "ch"}


def committed(step: str, input: Any) -> Any:
    return {"status": "completed", "output": None, "pivot": True}


def undone(world: World) -> list[str]:
    return [step for step in world.steps() if step.startswith("compensate:")]


class TestABranchThatDoesNotCount:
    def lost(self, *branch: Any, before: Any = ()) -> World:
        """It has come to its end but for a wait, when another branch is enough."""
        never, enough = ({"type": "wait", "name": name, "event": name} for name in ("never", "enough"))
        block = parallel([call("a", compensate=UNDO), *branch, never], enough, complete="any")
        world = World(plan_of(*before, block, call("end")), children=committed).finish()
        assert world.run.pending.keys() == {"never!event", "enough!event"}
        world.add({"type": "event.received", "event": an_event("enough", "1")})
        assert world.finish().status == "completed"
        assert_folds_again(world)
        return world

    def test_is_undone(self) -> None:
        assert undone(self.lost()) == ["compensate:a"]

    def test_stays_if_it_has_passed_a_pivot(self) -> None:
        assert undone(self.lost(PIVOT, call("b", compensate=UNDO))) == []

    @pytest.mark.parametrize(
        "inside",
        [
            parallel(PIVOT, call("q")),
            {"type": "foreach", "name": "f", "items": [1], "steps": [PIVOT]},
            {"type": "repeat", "name": "r", "until": "true", "maxIterations": 2, "steps": [PIVOT]},
            CHILD,
        ],
    )
    def test_however_deep_inside(self, inside: Any) -> None:
        assert undone(self.lost(inside)) == []

    def test_also_in_a_handler(self) -> None:
        block = {"type": "try", "steps": {"type": "fail", "name": "no"}, "catch": [{"steps": [PIVOT]}]}
        assert undone(self.lost(block)) == []

    def test_one_before_the_block_is_no_reason(self) -> None:
        """That another branch was enough is no way back."""
        assert undone(self.lost(before=[PIVOT])) == ["compensate:a"]


class TestAChild:
    def test_commits_its_parent(self) -> None:
        plan = plan_of(call("a", compensate=UNDO), CHILD, call("b"))
        world = World(plan, script=fail_at("b"), children=committed).finish()
        assert world.run.is_paused
        assert [reason.code for reason in reasons_not_to_undo(world.run)] == ["repair.pivot"]
        assert [record["pivot"] for record in world.of_type("execution.paused")] == [True]
        assert_folds_again(world)

    def test_and_the_parent_of_that(self) -> None:
        world = World(plan_of(CHILD), children=committed).finish()
        assert world.run.ended is not None
        assert world.run.ended["pivot"] is True

    def test_not_one_that_has_a_way_to_be_undone(self) -> None:
        plan = plan_of({**CHILD, "compensate": UNDO}, call("b"))
        world = World(plan, script=fail_at("b"), children=committed).finish()
        assert (world.status, undone(world)) == ("compensated", ["compensate:k"])

    def test_nor_one_without_a_pivot(self) -> None:
        world = World(plan_of(CHILD, call("b")), script=fail_at("b")).finish()
        assert (world.status, world.steps("child.recalled")) == ("compensated", ["compensate:k"])

    def test_that_was_to_stop_and_has_come_to_its_end_has_its_parent_wait_for_somebody(self) -> None:
        world = World(plan_of(call("a", compensate=UNDO), CHILD, call("b")))
        world.step()
        world.add({"type": "cancel.requested", "by": "ann", "reason": ""})
        assert "repair.child-running" in {reason.code for reason in world.propose("skip", step="k").reasons}
        world.add({"type": "child.ended", "step": "k", "child": "e1.k", **committed("k", None)})
        assert world.finish().run.is_paused
        assert world.repair("resume").finish().status == "completed"
        assert undone(world) == []

    def test_is_told_once_to_stop(self) -> None:
        world = World(plan_of(PIVOT, call("b")))
        world.step()
        assert not is_told_to_stop(world.records, "e0")
        world.add({"type": "cancel.requested", "by": "e0", "reason": ""})
        world.finish()
        assert (is_told_to_stop(world.records, "e0"), is_told_to_stop(world.records, "ann")) == (True, False)
        assert world.repair("resume").run.is_paused is False
        assert is_told_to_stop(world.records, "e0")
        world.finish()
        assert not is_told_to_stop(world.records, "e0")


def test_a_pivot_that_is_skipped_later_has_been_passed_all_the_same() -> None:
    services = fail_at("c")
    world = World(plan_of(call("a"), PIVOT, call("c")), script=services).finish()
    world.script = fail_at("p")
    world.repair("rewind", step="p", keep=True).finish()
    world.script = fail_at()
    world.repair("skip", step="p").finish()
    assert world.run.ended is not None
    assert world.run.ended["pivot"] is True

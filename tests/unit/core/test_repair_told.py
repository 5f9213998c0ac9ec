"""What a repair says it is about to do comes true: what is undone, runs again, and is kept."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.world import World, call, plan_of
from tests.unit.core.test_repair import PAUSE, paused, since
from tests.unit.core.test_repair_replace import reasons
from tests.unit.core.test_steps_crews import UNDO, parallel


class TestSkip:
    def test_what_has_completed_is_not_skipped(self) -> None:
        world, _ = paused(call("a", compensate=UNDO, output="a"), call("b"), broken=("b",))
        told = reasons(world, "skip", step="a", value=1)["repair.step-completed"]
        assert "'a' has completed" in told
        assert "`set-output`" in told
        assert "`rewind`" in told

    def test_nor_in_an_execution_that_has_completed(self) -> None:
        world = World(plan_of(call("a"), {"type": "human-task", "name": "ask", "assignee": "bob"}), people=approve)
        world.finish()
        for step in ("a", "ask"):
            assert reasons(world, "skip", step=step).keys() == {"repair.step-completed"}

    def test_nor_what_somebody_has_said_was_done(self) -> None:
        world, _ = paused(call("a", output="a"), call("b"), broken=("a", "b"))
        world.script = lambda *_: 1 / 0
        world.add(world.propose("set-output", step="a", value=1).request("ann"))
        assert reasons(world, "skip", step="a").keys() == {"repair.step-completed"}

    def test_a_block_of_which_all_has_completed(self) -> None:
        block = {"type": "sequential", "name": "block", "steps": [call("a"), call("b")]}
        world, _ = paused(block, call("c"), broken=("c",))
        assert reasons(world, "skip", step="block").keys() == {"repair.step-completed"}

    @pytest.mark.parametrize("step", ["b", "block"])
    def test_what_failed_or_was_stopped_is(self, step: str) -> None:
        block = {"type": "sequential", "name": "block", "steps": [call("a"), call("b")]}
        world, _ = paused(block, call("c"), broken=("b",))
        assert world.repair("skip", step=step).finish().status == "completed"

    def test_what_was_skipped_before_can_be_skipped_with_an_output(self) -> None:
        world, _ = paused(call("a", output="a"), call("b", input="$.a"), broken=("a",))
        world.repair("skip", step="a").finish()
        assert world.repair("skip", step="a", value=3).finish().calls[-1] == ("b", 3)

    def test_what_was_undone_can_be_skipped(self) -> None:
        world, _ = paused(call("a", compensate=UNDO), call("b"), broken=("b",))
        world.add({"type": "compensation.requested", "by": "ann", "reason": ""})
        assert world.finish().status == "compensated"
        before = len(world.records)
        assert world.repair("skip", step="a").finish().status == "completed"
        assert since(world, before) == ["b"]

    def test_a_failure_that_did_not_count_can_be(self) -> None:
        world, _ = paused(call("a", onError="continue", output="a"), call("b"), broken=("a", "b"))
        assert world.propose("skip", step="a", value=1).reasons == ()


class TestWhatIsTold:
    def told(self, world: World, action: Any, **wish: Any) -> tuple[set[str], set[str], set[str]]:
        proposal = world.propose(action, **wish)
        assert proposal.reasons == ()
        return set(proposal.undo), set(proposal.again), set(proposal.kept)

    def test_nothing_inside_a_block_that_is_skipped_runs_again(self) -> None:
        block = {"type": "sequential", "name": "block", "steps": [call("a"), call("b"), call("c")]}
        world, _ = paused(call("z"), block, call("d"), broken=("c",))
        assert self.told(world, "skip", step="block") == (set(), set(), {"z"})
        before = len(world.records)
        world.repair("skip", step="block").finish()
        assert since(world, before) == ["d"]

    def test_a_handler_of_an_error_that_may_not_come_again(self) -> None:
        block = {"type": "try", "name": "t", "steps": call("a"), "catch": [{"steps": call("h")}]}
        world, _ = paused(block, call("b"), broken=("a", "b"))
        assert self.told(world, "skip", step="a") == (set(), {"b"}, set())
        before = len(world.records)
        world.repair("skip", step="a").finish()
        assert since(world, before) == ["b"]

    def test_back_to_a_step(self) -> None:
        world, _ = paused(*(call(name, compensate=UNDO) for name in "abc"), call("d"), broken=("d",))
        assert self.told(world, "compensate", step="b") == ({"c"}, {"c", "d"}, {"a", "b"})
        assert self.told(world, "rewind", step="b") == ({"c", "b"}, {"b", "c", "d"}, {"a"})

    def test_beside_it_branches_stay(self) -> None:
        world, _ = paused(parallel(call("a"), call("b")), call("c"), broken=("c",))
        assert self.told(world, "rewind", step="a") == (set(), {"a", "c"}, {"b"})

    def test_what_was_skipped_has_not_been_done(self) -> None:
        world, _ = paused(call("a"), call("b"), broken=("a",))
        proposal = world.propose("skip", step="a")
        assert (proposal.again, proposal.kept) == ((), ())

    def test_a_replacement_keeps_what_is_done(self) -> None:
        world, _ = paused(call("a"), call("b"), broken=("b",))
        other = plan_of(call("a"), call("b"), call("c"), errorHandling=PAUSE)
        assert self.told(world, "replace", replacement=other) == (set(), {"b"}, {"a"})


def approve(step: str) -> dict[str, Any]:
    return {"decision": "approved", "by": "bob", "data": {}}

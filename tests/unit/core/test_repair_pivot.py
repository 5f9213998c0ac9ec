"""Behind a point of no return: nothing that is done is undone, and each way on is open."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.world import World, call, plan_of
from tests.unit.core.test_repair import Services, assert_folds_again, keys, since
from tests.unit.core.test_repair_replace import reasons
from tests.unit.core.test_steps_crews import UNDO

TIDY = call("c", compensate=UNDO)


def stopped(*body: Any, broken: tuple[str, ...] = ("b",), type: str = "boom", last: Any = TIDY) -> World:
    """Paused behind `p`, with what its `finally` has done in place."""
    services = Services(*broken, type=type)
    block = {"type": "try", "name": "t", "steps": list(body) or [call("b", output="b")], "finally": last}
    world = World(plan_of(call("p", pivot=True), block), script=services).finish()
    assert world.run.is_paused
    services.repaired()
    return world


class TestAFinally:
    def test_what_it_has_done_stays_and_is_asked_for_once_more_under_its_key(self) -> None:
        world = stopped()
        before = len(world.records)
        assert world.propose("resume").undo == ()
        assert world.repair("resume").finish().status == "completed"
        assert since(world, before) == ["b", "c"]
        assert keys(world, "c") == ["e1/c", "e1/c"]
        assert_folds_again(world)

    @pytest.mark.parametrize(
        ("action", "wish", "again"),
        [
            ("skip", {"step": "b"}, []),
            ("set-output", {"step": "b", "value": 1}, []),
            ("set-input", {"step": "b", "value": 1}, ["b", "c"]),
            ("rewind", {"step": "c", "keep": True}, ["b", "c"]),
        ],
    )
    def test_so_it_does_whatever_is_done_about_the_failure(self, action: Any, wish: Any, again: list[str]) -> None:
        world = stopped()
        before = len(world.records)
        world.repair(action, **wish).finish()
        assert (world.status, since(world, before)) == ("completed", again)

    @pytest.mark.parametrize("action", ["skip", "set-output", "set-input"])
    def test_or_about_one_of_itself(self, action: Any) -> None:
        world = stopped(broken=("b", "d"), last=[TIDY, call("d", output="d")])
        value = {} if action == "skip" else {"value": 1}
        assert world.repair(action, step="d", **value).finish().status == "completed"
        assert "compensate:c" not in world.steps()

    def test_the_same_by_another_workflow(self) -> None:
        world = stopped()
        assert world.repair("replace", replacement=world.plan).finish().status == "completed"
        assert "compensate:c" not in world.steps()

    def test_and_after_a_cancellation(self) -> None:
        block = {"type": "try", "steps": {"type": "wait", "name": "w", "for": "1h"}, "finally": TIDY}
        world = World(plan_of(call("p", pivot=True), block))
        world.step()
        world.add({"type": "cancel.requested", "by": "ann", "reason": ""})
        assert world.finish().run.is_paused
        assert world.repair("resume").finish().status == "completed"
        assert keys(world, "c") == ["e1/c", "e1/c"]

    def test_a_rewind_says_that_it_keeps_it(self) -> None:
        world = stopped()
        assert reasons(world, "rewind", step="c").keys() == {"repair.pivot"}
        assert reasons(world, "rewind", step="b").keys() == {"repair.pivot"}


class TestWhatIsDone:
    def test_is_not_called_with_another_input(self) -> None:
        world = stopped()
        assert reasons(world, "set-input", step="c", value=1).keys() == {"repair.pivot"}

    def test_nor_is_it_called_with_what_somebody_says_that_another_step_gave(self) -> None:
        world = stopped(call("a", output="a"), call("h", input="$.a", compensate=UNDO), call("b"))
        assert reasons(world, "set-output", step="a", value=1).keys() == {"repair.pivot"}

    def test_what_failed_and_may_have_been_done_can_be_skipped(self) -> None:
        world = stopped(call("b", compensate=UNDO), type="timeout", last=call("c"))
        assert world.propose("skip", step="b").undo == ()
        assert world.repair("skip", step="b").finish().status == "completed"
        assert "compensate:b" not in world.steps()

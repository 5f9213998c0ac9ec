"""What could not be undone and is to stay: somebody says so, and the execution never claims otherwise."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.world import World, call, plan_of
from tests.unit.core.test_repair import Services, assert_folds_again, keys, paused, since
from wfrun.core.effects import Effect, RecallChild
from wfrun.core.interventions import waive
from wfrun.errors import ConflictError

UNDO = {"service": "svc", "action": "undo"}
CHILD = {"type": "workflow", "name": "c", "workflow": "sub"}


def needing(*broken: str, pauses: bool = False) -> tuple[World, Services]:
    """`d` failed, and of what was done before, these could not be undone."""
    services = Services(*broken, "d")
    steps = [call(name, compensate=UNDO) for name in "abc"]
    more: Any = {"errorHandling": {"onFailure": "pause"}} if pauses else {}
    return World(plan_of(*steps, call("d"), **more), script=services).finish(), services


def waived(world: World, step: str) -> World:
    world.add(waive(world.run, f"compensate:{step}", "kim", "written off"))
    return world.finish()


def test_what_is_left_to_stay_ends_it_without_a_claim_that_it_was_undone() -> None:
    world, _ = needing("compensate:b")
    assert world.status == "needs-attention"
    before = len(world.records)
    assert waived(world, "b").status == "partly-compensated"
    assert since(world, before) == []
    assert world.records[before] == {
        **world.records[before],
        "type": "execution.resumed",
        "by": "kim",
        "reason": "written off",
        "waived": ["compensate:b"],
    }
    assert_folds_again(world)


@pytest.mark.parametrize(("broken", "key"), [("compensate:a", "e1/a"), ("compensate:a/2", "e1/a~2")])
def test_what_was_undone_in_part_before_it_was_to_stay_is_asked_for_anew(broken: str, key: str) -> None:
    world, services = paused(call("a", compensate=[UNDO, UNDO]), call("b"), broken=("b",))
    services.broken[broken] = "boom"
    assert world.repair("rewind", step="a").finish().status == "needs-attention"
    assert waived(world, "a").status == "completed"
    assert keys(world, "a") == ["e1/a", key]
    assert_folds_again(world)


def test_others_that_failed_are_tried_again() -> None:
    world, services = needing("compensate:a", "compensate:b")
    before = len(world.records)
    assert waived(world, "b").status == "needs-attention"
    assert since(world, before) == ["compensate:a"]
    services.repaired()
    world.add({"type": "execution.resumed", "by": "ann"})
    assert world.finish().status == "partly-compensated"


def test_what_was_cancelled_says_so_too() -> None:
    services = Services("compensate:a")
    world = World(plan_of(call("a", compensate=UNDO), {"type": "wait", "name": "w", "event": "go"}), script=services)
    world.finish()
    world.add({"type": "cancel.requested", "by": "ann", "reason": ""})
    assert world.finish().status == "needs-attention"
    assert waived(world, "a").status == "partly-compensated"


@pytest.mark.parametrize("step", ["a", "d", "x"])
def test_only_what_has_failed_can_be_left(step: str) -> None:
    world, _ = needing("compensate:b")
    with pytest.raises(ConflictError) as caught:
        waive(world.run, f"compensate:{step}", "kim")
    assert caught.value.code == "repair.not-failed"
    assert "compensate:b" in str(caught.value.hint)


def test_nothing_is_left_of_what_has_not_come_to_that() -> None:
    world = World(plan_of(call("a", compensate=UNDO))).finish()
    with pytest.raises(ConflictError, match="no compensation of it has failed"):
        waive(world.run, "compensate:a", "kim")


class TestInTheMiddleOfARepair:
    def test_it_goes_on_and_keeps_the_key_of_what_is_still_there(self) -> None:
        world, services = needing("compensate:b", pauses=True)
        services.broken.pop("d")
        world.repair("rewind", step="a").finish()
        assert world.status == "needs-attention"
        assert waived(world, "b").status == "completed"
        assert keys(world, "a") == ["e1/a", "e1/a~2"]
        assert keys(world, "b") == ["e1/b", "e1/b"]
        assert_folds_again(world)

    def test_it_is_not_forgotten(self) -> None:
        world, _ = needing("compensate:b")
        world.repair("skip", step="b").finish()
        assert waived(world, "b").status == "partly-compensated"
        assert world.steps("step.completed")[-2:] == ["compensate:c", "compensate:a"]
        assert_folds_again(world)

    def test_if_it_is_done_again_under_its_key_and_undone_nothing_is_left(self) -> None:
        world, services = needing("compensate:b", pauses=True)
        world.repair("rewind", step="b").finish()
        waived(world, "b")
        services.repaired()
        world.add({"type": "compensation.requested", "by": "ann", "reason": ""})
        assert world.finish().status == "compensated"

    def test_what_is_done_with_another_input_is_another_thing(self) -> None:
        services = Services("compensate:b", "c")
        steps = [call("a", output="a", compensate=UNDO), call("b", input="$.a", compensate=UNDO), call("c")]
        world = World(plan_of(*steps, errorHandling={"onFailure": "pause"}), script=services).finish()
        services.results["a"] = "another"
        world.repair("rewind", step="a").finish()
        services.repaired()
        assert waived(world, "b").status == "completed"
        assert keys(world, "b") == ["e1/b", "e1/b~2"]
        world.add({"type": "compensation.requested", "by": "ann", "reason": ""})
        assert world.finish().status == "partly-compensated"
        assert_folds_again(world)


class TestChildren:
    def parent(self, *ends: str, **more: Any) -> World:
        """A child that ends so one time after the other."""
        coming = iter(ends)
        world = World(plan_of(call("a", compensate=UNDO), CHILD, call("b"), **more))
        world.children = lambda step, value: {"status": next(coming)}
        return world.finish()

    def test_one_that_needs_attention_is_undone_with_its_parent(self) -> None:
        world = self.parent("needs-attention")
        assert world.steps("child.recalled") == ["compensate:c"]
        assert world.status == "compensated"

    def test_one_that_had_some_of_it_left_to_stay_is_not_called_undone(self) -> None:
        assert self.parent("partly-compensated").status == "partly-compensated"

    def test_one_resume_of_the_parent_suffices(self) -> None:
        world = self.parent("needs-attention", "completed", errorHandling={"onFailure": "pause"})
        assert world.propose("resume").undo == ("c",)
        assert world.repair("resume").finish().status == "completed"
        assert [record["child"] for record in world.of_type("child.started")] == ["e1.c", "e1.c..r2"]
        assert_folds_again(world)


LOSER = [call("lose", compensate=UNDO), {"type": "wait", "name": "w", "for": "1h"}]
RACE = {"type": "parallel", "complete": "any", "steps": [LOSER, call("win")]}


class Stubborn(World):
    """No child can be undone."""

    def _answer(self, effect: Effect) -> None:
        if isinstance(effect, RecallChild):
            self.add({"type": "child.ended", "step": effect.step, "child": effect.child, "status": "needs-attention"})
        else:
            super()._answer(effect)


class TestWhilePaused:
    """A branch that lost could not be undone, and the execution stands still because of that."""

    def race(self) -> tuple[World, Services]:
        world, services = paused(call("a", compensate=UNDO), RACE, call("z"), broken=("compensate:lose",))
        services.broken["compensate:lose"] = "boom"
        return world, services

    def test_it_goes_on_with_what_is_to_stay(self) -> None:
        world, _ = self.race()
        before = len(world.records)
        assert world.propose("skip", step="compensate:lose").undo == ()
        world.repair("skip", step="compensate:lose").finish()
        assert (world.status, since(world, before)) == ("completed", ["z"])
        assert_folds_again(world)

    def test_it_is_not_forgotten_when_the_rest_is_undone(self) -> None:
        world, _ = self.race()
        world.repair("skip", step="compensate:lose").finish()
        world.add({"type": "compensation.requested", "by": "ann", "reason": ""})
        assert world.finish().status == "partly-compensated"
        assert world.steps("step.completed")[-1] == "compensate:a"
        assert_folds_again(world)

    def test_what_runs_again_is_undone_again(self) -> None:
        world, services = self.race()
        world.repair("skip", step="compensate:lose").finish()
        services.repaired()
        assert world.propose("rewind", step="a").undo == ("a",)
        world.repair("rewind", step="a").finish()
        assert keys(world, "lose") == ["e1/lose", "e1/lose"]
        assert (world.status, world.steps("step.completed")[-3:]) == ("completed", ["win", "compensate:lose", "z"])
        assert_folds_again(world)

    @pytest.mark.parametrize("step", ["a", "win", "z", "x"])
    def test_only_what_has_failed_can_be_left(self, step: str) -> None:
        world, _ = self.race()
        (reason,) = world.propose("skip", step=f"compensate:{step}").reasons
        assert (reason.code, reason.hint) == (
            "repair.not-failed",
            "only one that has can be skipped: compensate:lose",
        )

    def test_a_child_that_stays_is_another_one_if_it_runs_again(self) -> None:
        race = {"type": "parallel", "complete": "any", "steps": [[CHILD, LOSER[1]], call("win")]}
        world = Stubborn(plan_of(race, call("z"), errorHandling={"onFailure": "pause"})).finish()
        assert world.run.is_paused
        world.repair("skip", step="compensate:c").finish()
        world.repair("rewind", step="steps[0]").finish()
        assert [record["child"] for record in world.of_type("child.started")] == ["e1.c", "e1.c..r2"]

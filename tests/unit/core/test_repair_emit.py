"""What nobody can call back, and is sent out once more: events, and detached executions."""

from __future__ import annotations

from typing import Any

from tests.support.world import World, call
from tests.unit.core.test_repair import assert_folds_again, paused

TELL = {"type": "emit", "name": "tell", "event": "told", "data": "$.a"}


def ids(world: World) -> list[str]:
    return [record["event"]["id"] for record in world.of_type("event.emitted")]


def told(**more: Any) -> World:
    world, _ = paused(call("a", output="a"), TELL, call("b"), broken=("b",), **more)
    return world


def test_what_is_taken_back_and_published_anew_is_another_event() -> None:
    world = told()
    assert world.repair("rewind", step="a").finish().status == "completed"
    assert world.repair("rewind", step="tell").finish().status == "completed"
    assert ids(world) == ["e1/tell", "e1/tell~2", "e1/tell~3"]
    assert_folds_again(world)


def test_what_is_kept_is_the_same_event() -> None:
    assert ids(told().repair("rewind", step="a", keep=True).finish()) == ["e1/tell", "e1/tell"]


def test_what_stays_is_not_published_again_by_a_later_repair() -> None:
    world = told()
    world.repair("rewind", step="tell").finish()
    proposal = world.propose("set-output", step="b", value=None)
    assert "tell" not in proposal.again
    world.repair("rewind", step="b").finish()
    assert ids(world) == ["e1/tell", "e1/tell~2"]


def test_with_other_data_it_is_another_event() -> None:
    world = told()
    world.repair("set-output", step="a", value=7).finish()
    assert ids(world) == ["e1/tell", "e1/tell~2"]
    assert [record["event"]["data"] for record in world.of_type("event.emitted")] == [{"of": "a"}, 7]


class TestDetached:
    def children(self, *repairs: dict[str, Any]) -> list[str]:
        sub = {"type": "workflow", "name": "sub", "workflow": "sub", "detach": True}
        world, _ = paused(call("a"), sub, call("b"), broken=("b",))
        for repair in repairs:
            world.repair(**repair).finish()
        assert_folds_again(world)
        return [record["child"] for record in world.of_type("child.started")]

    def test_one_that_is_begun_anew_is_another_execution(self) -> None:
        assert self.children({"action": "rewind", "step": "a"}) == ["e1.sub", "e1.sub..r2"]

    def test_one_that_is_kept_is_the_same(self) -> None:
        assert self.children({"action": "rewind", "step": "a", "keep": True}) == ["e1.sub", "e1.sub"]

    def test_one_that_stays_is_not_begun_again(self) -> None:
        assert self.children({"action": "resume"}, {"action": "rewind", "step": "b"}) == ["e1.sub"]

"""Repairs while nobody knows what became of a call that is not to be made twice."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.world import World, call, plan_of
from tests.unit.core.test_repair import PAUSE, assert_folds_again
from tests.unit.core.test_steps_crews import UNDO
from wfrun.core import unknown
from wfrun.core.events import Record
from wfrun.core.plan import Plan
from wfrun.errors import ServiceError
from wfrun.views.status import status_of

CODE = "repair.unknown-call"

# What concerns a step before it, and would have it called again.
BEFORE: tuple[dict[str, Any], ...] = (
    {"action": "rewind", "step": "a"},
    {"action": "rewind", "step": "a", "keep": True},
    {"action": "set-input", "step": "a", "value": 5},
    {"action": "compensate", "step": "a"},
)


def forward(on_crash: str = "ask", **more: Any) -> Plan:
    return plan_of(call("a", compensate=UNDO), call("b", onCrash=on_crash, **more), call("c"), errorHandling=PAUSE)


def lost(world: World, step: str, *, asked: bool = True) -> World:
    """The runner was killed behind the first beginning of this call; with `asked`, another one has come upon it."""
    begun = next(seq for seq, each in enumerate(world.records) if _begins(each, step))
    found = World.resumed(world, world.records[: begun + 1], None)
    return found if asked else _unasked(found, begun)


def _begins(record: Record, step: str) -> bool:
    return (record["type"], record.get("step")) == ("step.started", step)


def _unasked(found: World, begun: int) -> World:
    before = found.records[: begun + 1]
    found.records, found.open = [], {}
    found.run = type(found.run)(found.plan, found.plans.__getitem__)
    for record in before:
        found.run.apply(record)
    found.records = before
    return found


def codes(world: World, **wish: Any) -> list[str]:
    return [each.code for each in world.propose(**wish).reasons]


class TestForward:
    @pytest.mark.parametrize(("on_crash", "asked"), [("ask", True), ("ask", False), ("fail", False)])
    @pytest.mark.parametrize("wish", BEFORE, ids=lambda wish: f"{wish['action']} {len(wish)}")
    def test_it_is_not_made_again_because_of_another_step(
        self, wish: dict[str, Any], on_crash: str, asked: bool
    ) -> None:
        world = lost(World(forward(on_crash)).finish(), "b", asked=asked)
        assert codes(world, **wish) == [CODE]

    def test_the_reason_says_what_can_be_typed(self) -> None:
        world = World(forward()).finish()
        (asked,) = lost(world, "b").propose("rewind", step="a").reasons
        assert "'b'" in asked.message
        assert all(f"`{each} b" in asked.hint for each in ("retry-now", "set-output", "fail", "skip"))
        (unasked,) = lost(world, "b", asked=False).propose("rewind", step="a").reasons
        assert "`resume`" in unasked.hint

    @pytest.mark.parametrize("asked", [True, False])
    @pytest.mark.parametrize("action", ["skip", "rewind", "set-input"])
    def test_to_name_the_step_is_a_word_about_it(self, action: Any, asked: bool) -> None:
        world = lost(World(forward()).finish(), "b", asked=asked)
        value = {"value": 3} if action == "set-input" else {}
        world.repair(action, step="b", **value).finish()
        assert world.status == "completed"
        assert world.steps().count("b") == (1 if action == "skip" else 2)

    def test_the_iteration_and_the_step_of_all_of_them_name_it(self) -> None:
        loop = {"type": "foreach", "items": [1, 2], "steps": call("b", onCrash="ask")}
        world = lost(World(plan_of(call("a"), loop)).finish(), "b@1")
        assert codes(world, action="rewind", step="a") == [CODE]
        assert codes(world, action="rewind", step="b@0") == [CODE]
        assert codes(world, action="rewind", step="b@1") == []
        assert codes(world, action="rewind", step="b") == []

    def test_undone_first_it_is_another_call(self) -> None:
        world = lost(World(forward(compensate=UNDO)).finish(), "b")
        assert codes(world, action="rewind", step="a", keep=True) == [CODE]
        world.repair("rewind", step="a").finish()
        keys = [each["key"] for each in world.of_type("step.started") if each["step"] == "b"]
        assert keys == ["e1/b", "e1/b~2"]
        assert world.status == "completed"

    def test_after_a_word_it_can_be_rewound(self) -> None:
        world = lost(World(forward()).finish(), "b")
        world.add(unknown.it_happened(world.run, "b", {}, "kim"))
        assert codes(world, action="rewind", step="a") == []

    def test_what_stays_beside_it_stays_a_question(self) -> None:
        branches = {"type": "parallel", "steps": [call("b", onCrash="ask"), call("d", compensate=UNDO)]}
        world = World(plan_of(branches, call("c"))).finish()
        cut = next(seq for seq, each in enumerate(world.records) if each["type"] == "step.completed")
        records = [each for each in world.records[: cut + 1] if each["type"] != "step.completed"]
        after = World.resumed(world, records, None).finish()
        assert unknown.is_asked(after.run, "b")
        after.repair("rewind", step="d").finish()
        assert unknown.is_asked(after.run, "b")
        assert after.steps().count("b") == 1
        assert_folds_again(after)

    def test_what_may_be_called_twice_is(self) -> None:
        world = lost(World(forward("retry")).finish(), "b", asked=False)
        assert codes(world, action="rewind", step="a") == []

    def test_another_file_does_not_make_the_question_go_away(self) -> None:
        world = lost(World(forward()).finish(), "b", asked=False)
        assert codes(world, action="replace", replacement=forward("retry")) == [CODE]
        assert codes(world, action="replace", replacement=forward("fail")) == []
        asked = lost(World(forward()).finish(), "b")
        assert codes(asked, action="replace", replacement=forward("retry")) == []
        asked.repair("replace", replacement=forward("retry")).finish()
        assert asked.steps().count("b") == 1


class TestStopped:
    """The call was out when its runner died, and was stopped before anybody had said what became of it."""

    def stopped(self, on_crash: str = "ask", *, asked: bool = True, **more: Any) -> World:
        branches = {"type": "parallel", "steps": [call("b", onCrash=on_crash, **more), call("c")]}
        world = lost(World(plan_of(call("a"), branches, errorHandling=PAUSE)).finish(), "b", asked=asked)
        if not asked:
            world.add({"type": "driver.started", "epoch": 2, "host": "h", "pid": 1, "wfrun": "0"})
        world.add({"type": "cancel.requested", "by": "ann", "reason": ""})
        for step in ("b", "c") if not asked else ("b",):
            if any(each["step"] == step for each in world.run.begun.values()):
                world.add({"type": "step.cancelled", "step": step, "attempt": 1})
        return world.finish()

    @pytest.mark.parametrize(("on_crash", "asked"), [("ask", True), ("ask", False), ("fail", False)])
    def test_it_is_not_made_again_because_of_another_step(self, on_crash: str, asked: bool) -> None:
        world = self.stopped(on_crash, asked=asked)
        assert world.status == "cancelled"
        (reason,) = world.propose("rewind", step="a").reasons
        assert reason.code == CODE
        assert "`rewind b`" in reason.hint

    def test_what_a_repair_leaves_out_is_asked_about(self) -> None:
        world = self.stopped()
        assert codes(world, action="rewind", step="c") == []
        world.repair("rewind", step="c").finish()
        assert unknown.is_asked(world.run, "b")
        assert world.steps().count("b") == 1
        assert_folds_again(world)

    @pytest.mark.parametrize(
        ("wish", "times"),
        [
            ({"action": "rewind", "step": "b"}, 2),
            ({"action": "set-output", "step": "b", "value": 1}, 1),
            ({"action": "skip", "step": "b"}, 1),
        ],
        ids=lambda wish: wish["action"] if isinstance(wish, dict) else "",
    )
    def test_to_name_it_is_a_word_about_it(self, wish: dict[str, Any], times: int) -> None:
        world = self.stopped(output="b")
        world.repair(**wish).finish()
        assert (world.status, world.steps().count("b")) == ("completed", times)
        assert codes(world, action="rewind", step="a") == []

    def test_undone_it_is_another_call(self) -> None:
        world = self.stopped(compensate=UNDO)
        assert codes(world, action="rewind", step="a") == []

    def test_what_may_be_called_twice_is(self) -> None:
        assert codes(self.stopped("retry", asked=False), action="rewind", step="a") == []

    def test_what_its_own_runner_stopped_is_called_again(self) -> None:
        branches = {"type": "parallel", "steps": [call("b", onCrash="ask"), {"type": "fail", "name": "f"}]}
        world = World(plan_of(call("a"), branches)).finish()
        assert world.steps("step.cancelled") == ["b"]
        assert codes(world, action="rewind", step="a") == []


class TestCompensation:
    def world(self, on_crash: str = "ask") -> World:
        def declined(step: str, attempt: int, value: Any) -> Any:
            if step == "c":
                raise ServiceError("boom", "no")
            return {}

        undo = {**UNDO, "onCrash": on_crash}
        plan = plan_of(call("a", compensate=undo), call("b", compensate=UNDO), call("c"))
        return World(plan, script=declined).finish()

    @pytest.mark.parametrize("asked", [True, False])
    @pytest.mark.parametrize(
        "wish",
        [
            {"action": "skip", "step": "c"},
            {"action": "set-input", "step": "c", "value": 1},
            {"action": "rewind", "step": "a"},
            {"action": "rewind", "step": "b"},
        ],
        ids=lambda wish: f"{wish['action']} {wish['step']}",
    )
    def test_nothing_is_repaired_before_there_is_a_word(self, wish: dict[str, Any], asked: bool) -> None:
        world = lost(self.world(), "compensate:a", asked=asked)
        assert codes(world, **wish) == [CODE]

    def test_one_that_fails_without_a_question_has_to_fail_first(self) -> None:
        world = lost(self.world("fail"), "compensate:a", asked=False)
        assert codes(world, action="rewind", step="a") == [CODE]

    def test_another_file_does_not_undo_it_again_either(self) -> None:
        world = lost(self.world(), "compensate:a", asked=False)
        assert CODE in codes(world, action="replace", replacement=world.plan)

    def test_after_a_word_that_it_was_undone_it_is_not_undone_again(self) -> None:
        world = lost(self.world(), "compensate:a")
        world.add(unknown.it_happened(world.run, "compensate:a", None, "kim"))
        assert world.finish().status == "compensated"
        world.repair("rewind", step="a").finish()
        assert world.steps().count("compensate:a") == 2  # of what ran again, and failed again

    def test_in_the_middle_of_a_repair_the_execution_waits_for_a_word(self) -> None:
        undo = {**UNDO, "onCrash": "ask"}
        world = World(plan_of(call("a"), call("b", compensate=undo), call("c", compensate=undo))).finish()
        world.repair("rewind", step="a")
        asked = lost(world, "compensate:c")
        assert status_of(asked.records)["status"] == "waiting"
        asked.add(unknown.call_again(asked.run, "compensate:c", "kim"))
        assert status_of(asked.records)["status"] == "running"
        assert asked.finish().status == "completed"
        assert status_of(asked.records)["status"] == "completed"

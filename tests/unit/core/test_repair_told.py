"""What a repair says it is about to do comes true: what is undone, runs again, and is kept."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.world import World, call, plan_of
from tests.unit.core.test_repair import PAUSE, Services, assert_folds_again, is_open, paused, since
from tests.unit.core.test_repair_replace import reasons
from tests.unit.core.test_steps_crews import UNDO, foreach, parallel

RACE = parallel(call("lost", output="lost"), call("won", compensate=UNDO), call("stopped"), name="race", complete="any")
ALL = {**RACE, "complete": "all"}
TOLERANT = foreach([0, 1, 2], call("a", compensate=UNDO), call("b"), tolerate=1, output="rs")
ASK = {"type": "human-task", "name": "ask", "assignee": "bob", "output": "ask"}


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

    @pytest.mark.parametrize("step", ["lost", "stopped"])
    def test_what_a_block_has_completed_without_is_not_in_the_way(self, step: str) -> None:
        told = reasons(race(), "skip", step=step)
        assert told.keys() == {"repair.step-over"}
        assert f"'race' has completed without {step!r}" in told["repair.step-over"]
        assert "`rewind race`" in told["repair.step-over"]

    def test_nor_is_an_iteration(self) -> None:
        world, _ = paused(foreach([0, 1], call("a"), complete="any"), call("b"), broken=("a@0", "b"))
        assert "'each' has completed without 'a@0'" in reasons(world, "skip", step="a@0")["repair.step-over"]

    def test_who_has_won_has_completed(self) -> None:
        assert reasons(race(), "skip", step="won").keys() == {"repair.step-completed"}

    def test_and_so_has_the_block(self) -> None:
        assert reasons(race(), "skip", step="race").keys() == {"repair.step-completed"}

    def test_what_failed_without_harm_is_skipped_but_not_what_is_around_it(self) -> None:
        around = {"type": "sequential", "name": "around", "steps": [call("before"), TOLERANT]}
        world, _ = paused(around, call("z"), broken=("b@1", "z"))
        for step in ("each", "around"):
            assert reasons(world, "skip", step=step).keys() == {"repair.step-completed"}
        assert reasons(world, "skip", step="b@1") == {}

    def test_a_block_that_failed_although_it_tolerates_some_is(self) -> None:
        world, _ = paused(TOLERANT, call("z"), broken=("b@0", "b@1"))
        assert world.repair("skip", step="each").finish().steps("step.completed")[-1] == "z"

    def test_each_time_round_is_a_block_of_its_own(self) -> None:
        world, _ = paused(foreach([0, 1], RACE, call("after")), broken=("lost@0", "lost@1", "won@1", "stopped@1"))
        assert "'race@0'" in reasons(world, "skip", step="lost@0")["repair.step-over"]
        assert world.propose("skip", step="lost@1").reasons == ()


class TestCompensate:
    @pytest.mark.parametrize("more", [{}, {"concurrency": 3}])
    def test_a_block_has_completed_of_which_something_failed_without_harm(self, more: dict[str, Any]) -> None:
        plan = [{**TOLERANT, **more}, call("c", compensate=UNDO), call("z")]
        world, _ = paused(*plan, broken=("b@1", "z"))
        before = len(world.records)
        world.repair("compensate", step="each").finish()
        assert since(world, before) == ["compensate:c"]
        assert world.repair("resume").finish().status == "completed"
        assert since(world, before) == ["compensate:c", "c", "z"]
        assert_folds_again(world)

    def test_one_that_failed_has_not(self) -> None:
        world, _ = paused(TOLERANT, call("z"), broken=("b@1", "b@2"))
        assert reasons(world, "compensate", step="each").keys() == {"repair.not-completed"}
        assert reasons(world, "compensate", step="a@0") == {}

    def test_nor_has_what_was_undone_in_it(self) -> None:
        world, _ = paused(TOLERANT, call("z"), broken=("b@1", "z"))
        assert reasons(world, "compensate", step="a@1").keys() == {"repair.not-completed"}
        assert reasons(world, "compensate", step="a@2") == {}

    def test_nor_has_what_was_undone(self) -> None:
        world, _ = paused(call("a", compensate=UNDO), call("b", compensate=UNDO), call("z"), broken=("z",))
        world.add({"type": "compensation.requested", "by": "ann", "reason": ""})
        world.finish()
        assert reasons(world, "compensate", step="a").keys() == {"repair.not-completed"}


class TestRunningAgain:
    @pytest.mark.parametrize("step", ["lost", "stopped"])
    @pytest.mark.parametrize(
        "wish", [{"action": "rewind"}, {"action": "rewind", "keep": True}, {"action": "set-input"}]
    )
    def test_what_a_block_has_completed_without_would_not_begin(self, step: str, wish: dict[str, Any]) -> None:
        value = {"value": 1} if wish["action"] == "set-input" else {}
        told = reasons(race(), step=step, **wish, **value)
        assert told.keys() == {"repair.step-over"}
        assert f"'race' has completed without {step!r}" in told["repair.step-over"]
        assert "`rewind race`" in told["repair.step-over"]

    @pytest.mark.parametrize("condition", [{}, {"condition": "true"}])
    @pytest.mark.parametrize("step", ["other", "second"])
    def test_nor_would_a_branch_of_several_steps(self, step: str, condition: dict[str, Any]) -> None:
        other = {
            "type": "sequential",
            "name": "other",
            "steps": [call("first"), {**ASK, "name": "second", **condition}],
        }
        world, _ = paused(parallel(other, call("won"), name="race", complete="any"), call("after"), broken=("after",))
        assert reasons(world, "rewind", step=step).keys() == {"repair.step-over"}

    def test_nor_an_iteration_unless_the_others_come_after_it(self) -> None:
        loop = foreach([0, 1], call("a"), complete="any")
        world, _ = paused(loop, call("b"), broken=("a@0", "b"))
        assert reasons(world, "rewind", step="a@0") == {}
        world, _ = paused({**loop, "concurrency": 2}, call("b"), broken=("a@0", "b"))
        for step, code in (("a@0", {"repair.step-over"}), ("a@1", set()), ("a", set()), ("each", set())):
            assert reasons(world, "rewind", step=step).keys() == code

    def test_who_has_won_does(self) -> None:
        world = race()
        before = len(world.records)
        world.repair("rewind", step="won").finish()
        assert since(world, before)[:2] == ["compensate:won", "won"]

    def test_what_a_branch_did_to_tidy_up_runs_again(self) -> None:
        tidy = {"type": "try", "steps": call("lost"), "finally": call("t")}
        world, _ = paused(parallel(call("won"), tidy, name="race", complete="any"), call("b"), broken=("b",))
        assert reasons(world, "rewind", step="t") == {}


class TestWhatSomebodyHasCancelled:
    def cancelled(self, *steps: Any, broken: tuple[str, ...] = (), **more: Any) -> World:
        services = Services(*broken)
        world = World(plan_of(*steps, errorHandling=PAUSE, **more), script=services).finish()
        world.add({"type": "cancel.requested", "by": "joe", "reason": ""})
        assert world.finish().status == "cancelled"
        services.repaired()
        return world

    @pytest.mark.parametrize("step", ["a", "ask"])
    def test_does_not_wait_for_what_had_not_failed(self, step: str) -> None:
        world = self.cancelled(call("a", output="a", compensate=UNDO), ASK, call("b"))
        for told in (reasons(world, "skip", step=step), reasons(world, "set-output", step=step, value=1)):
            assert told.keys() == {"repair.cancelled"}
            assert "joe has cancelled the execution" in told["repair.cancelled"]
            assert f"`rewind {step}`" in told["repair.cancelled"]

    def test_nor_while_somebody_is_asked_at_the_end_of_it(self) -> None:
        nap = {"type": "wait", "name": "nap", "event": "never"}
        world = World(plan_of({"type": "try", "steps": nap, "finally": ASK})).finish()
        world.add({"type": "cancel.requested", "by": "joe", "reason": ""})
        assert (world.finish().status, is_open(world, "e1/ask")) == ("open", True)
        assert reasons(world, "skip", step="nap").keys() == {"repair.cancelled"}
        assert world.propose("skip", step="ask").reasons == ()

    @pytest.mark.parametrize("step", ["a", "ask"])
    def test_goes_on_if_it_is_rewound(self, step: str) -> None:
        world = self.cancelled(call("a", compensate=UNDO), ASK, call("b"))
        world.people = approve
        assert world.repair("rewind", step=step).finish().status == "completed"

    def test_goes_on_without_what_had_failed(self) -> None:
        world = self.cancelled(call("a", compensate=UNDO), call("b"), broken=("b",))
        assert world.repair("skip", step="b").finish().status == "completed"

    def test_goes_on_without_what_was_rejected(self) -> None:
        world = World(plan_of(ASK, errorHandling=PAUSE), people=reject).finish()
        world.add({"type": "cancel.requested", "by": "joe", "reason": ""})
        world.finish()
        assert world.repair("set-output", step="ask", value=1).finish().status == "completed"

    def test_waits_again_once_somebody_has_taken_that_back(self) -> None:
        world = self.cancelled(call("a"), ASK, call("b"))
        world.repair("rewind", step="ask").finish()
        assert world.repair("skip", step="ask").finish().status == "completed"


class TestWhatIsTold:
    def told(self, world: World, action: Any, **wish: Any) -> tuple[set[str], set[str], set[str]]:
        proposal = world.propose(action, **wish)
        assert proposal.reasons == ()
        return {*proposal.undo, *proposal.lost}, set(proposal.again), set(proposal.kept)

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

    def test_what_was_done_by_hand_stays_and_what_was_skipped_was_not_done(self) -> None:
        services = Services("a", "b", "c")
        world = World(plan_of(*(call(name, output=name) for name in "abcd"), errorHandling=PAUSE), script=services)
        world.finish().repair("set-output", step="a", value=1).finish()
        world.repair("skip", step="b").finish()
        assert self.told(world, "set-output", step="c", value=1) == (set(), set(), {"a"})
        services.repaired()
        world.repair("resume").finish()
        assert self.told(world, "rewind", step="d") == (set(), {"d"}, {"a", "c"})
        assert self.told(world, "compensate", step="c") == (set(), {"d"}, {"a", "c"})
        assert self.told(world, "rewind", step="a") == (set(), {*"abcd"}, set())

    @pytest.mark.parametrize("action", ["skip", "set-output"])
    def test_back_to_what_did_not_run_itself(self, action: Any) -> None:
        world, _ = paused(*(call(name, output=name, compensate=UNDO) for name in "abc"), broken=("a",))
        world.repair(action, step="a", value=1).finish()
        assert world.status == "completed"
        stays = {"a"} if action == "set-output" else set()
        assert self.told(world, "compensate", step="a") == ({"b", "c"}, {"b", "c"}, stays)
        before = len(world.records)
        world.repair("compensate", step="a").finish()
        assert since(world, before) == ["compensate:c", "compensate:b"]
        world.repair("resume").finish()
        assert since(world, before)[2:] == ["b", "c"]

    def test_a_block_that_was_done_by_hand_stays(self) -> None:
        services = Services("a", "b")
        block = {"type": "sequential", "name": "block", "steps": [call("a")], "compensate": UNDO}
        world = World(plan_of(block, call("b"), errorHandling=PAUSE), script=services).finish()
        world.repair("set-output", step="block", value=1).finish()
        assert self.told(world, "resume") == (set(), {"b"}, {"block"})

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

    def test_who_has_won_is_undone_if_another_is_said_to_have(self) -> None:
        world = race()
        assert self.told(world, "set-output", step="lost", value=1) == ({"won"}, {"after"}, {"first", "stopped"})
        before = len(world.records)
        world.repair("set-output", step="lost", value=1).finish()
        assert since(world, before) == ["compensate:won", "after"]

    def test_a_replacement_for_which_fewer_branches_are_enough_undoes_the_others(self) -> None:
        both = parallel(call("a"), call("b", compensate=UNDO), call("c"), name="p")
        world, _ = paused(both, broken=("c",))
        other = plan_of({**both, "complete": "any"}, errorHandling=PAUSE)
        assert self.told(world, "replace", replacement=other) == ({"b"}, set(), {"a"})
        before = len(world.records)
        world.repair("replace", replacement=other).finish()
        assert since(world, before) == ["compensate:b"]
        assert world.status == "completed"

    def test_a_replacement_that_needs_them_all_has_the_others_run_again(self) -> None:
        world = race()
        other = plan_of(call("first"), ALL, call("after"), errorHandling=PAUSE)
        again = {"lost", "stopped", "after"}
        assert self.told(world, "replace", replacement=other) == (set(), again, {"first", "won"})
        before = len(world.records)
        world.repair("replace", replacement=other).finish()
        assert since(world, before) == ["lost", "stopped", "after"]
        assert world.status == "completed"

    def test_but_not_if_what_comes_after_them_is_done(self) -> None:
        world = race(call("late"), broken=("lost", "late"))
        other = plan_of(call("first"), ALL, call("after"), call("late"), errorHandling=PAUSE)
        told = reasons(world, "replace", replacement=other)
        assert told["repair.step-moved"].startswith("'after' has run; it comes after 'lost', 'stopped', which")

    @pytest.mark.parametrize("to", ["a", "b"])
    def test_back_to_a_step_what_was_said_of_later_ones_counts_no_more(self, to: str) -> None:
        world, services = paused(call("a"), call("b"), parallel(call("c"), call("d")), call("e"), broken=("c",))
        services.broken["e"] = "boom"
        world.repair("skip", step="c").finish()
        services.repaired()
        assert "c" in self.told(world, "compensate", step=to)[1]
        world.repair("compensate", step=to).finish()
        before = len(world.records)
        world.repair("resume").finish()
        assert {"c", "d", "e"} <= set(since(world, before))

    def test_nor_does_another_input(self) -> None:
        world, services = paused(call("a"), call("b", input=1), call("c"), broken=("b",))
        services.broken["c"] = "boom"
        world.repair("set-input", step="b", value=2).finish()
        services.repaired()
        world.repair("compensate", step="a").finish()
        world.repair("resume").finish()
        assert [value for step, value in world.calls if step == "b"] == [1, 2, 1]


def race(*after: Any, broken: tuple[str, ...] = ("lost", "after")) -> World:
    """Paused behind a block that one branch was enough for: another had failed before, and one was stopped."""
    world, _ = paused(call("first"), RACE, call("after"), *after, broken=broken)
    return world


def approve(step: str) -> dict[str, Any]:
    return {"decision": "approved", "by": "bob", "data": {}}


def reject(step: str) -> dict[str, Any]:
    return {"decision": "rejected", "by": "bob", "data": {}}

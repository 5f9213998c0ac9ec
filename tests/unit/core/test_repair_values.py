"""Results and inputs that somebody gives: what they change, and what stays as it was."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.world import World, call, plan_of
from tests.unit.core.test_repair import PAUSE, Services, assert_folds_again, keys, paused, since
from tests.unit.core.test_repair_replace import reasons
from tests.unit.core.test_steps_crews import UNDO, foreach, parallel
from wfrun.core.plan import Plan


class TestSetOutput:
    def test_what_used_the_old_result_runs_again_and_nothing_else(self) -> None:
        plan: Plan = plan_of(
            call("a", output="a"),
            parallel(call("b", input="$.a"), call("c", output="c", input="always")),
            call("d", input="$.c"),
        )
        world = World(plan).finish()
        before = len(world.records)
        world.repair("set-output", step="a", value=7).finish()
        assert world.calls[-2:] == [("b", 7), ("d", {"of": "c"})]
        assert since(world, before) == ["b", "d"]
        assert_folds_again(world)

    def test_decisions_that_would_come_out_differently_are_made_again(self) -> None:
        choice = {"type": "conditional", "condition": "$.a > 3", "then": call("high"), "else": call("low")}
        world = World(plan_of(call("a", output="a"), choice), script=lambda *_: 1).finish()
        world.repair("set-output", step="a", value=7).finish()
        assert world.steps() == ["a", "low", "high"]

    def test_one_that_comes_out_the_same_leaves_the_rest(self) -> None:
        choice = {"type": "conditional", "condition": "$.a > 3", "then": call("high"), "else": call("low")}
        world = World(plan_of(call("a", output="a"), choice), script=lambda *_: 5).finish()
        world.repair("set-output", step="a", value=7).finish()
        assert world.steps() == ["a", "high"]
        assert world.status == "completed"

    def test_a_person_who_decided_on_other_data_is_asked_again(self) -> None:
        ask = {"type": "human-task", "name": "ask", "assignee": "bob", "input": "$.a"}

        def people(step: str) -> dict[str, Any]:
            return {"decision": "approved", "by": "bob", "data": {}}

        world = World(plan_of(call("a", output="a"), ask), people=people).finish()
        world.repair("set-output", step="a", value=7).finish()
        assert [record["data"] for record in world.of_type("task.created")] == [{"of": "a"}, 7]

    def test_the_items_of_a_loop(self) -> None:
        loop = foreach("$.a", call("b", input="$.item"))
        world = World(plan_of(call("a", output="a"), loop), script=lambda *_: [1, 2]).finish()
        world.repair("set-output", step="a", value=[1, 3]).finish()
        assert world.calls[3:] == [("b@1", 3)]
        world.repair("set-output", step="a", value=[1, 3, 4]).finish()
        assert world.calls[4:] == [("b@0", 1), ("b@1", 3), ("b@2", 4)]
        world.repair("set-output", step="a", value="no list").finish()
        assert world.status == "failed"

    def test_what_runs_again_is_undone_first_with_what_it_did(self) -> None:
        undo = {**UNDO, "input": "$.result"}
        world = World(plan_of(call("a", output="a"), call("b", input="$.a", compensate=undo))).finish()
        world.repair("set-output", step="a", value=7).finish()
        assert world.calls[2:] == [("compensate:b", {"of": "b"}), ("b", 7)]
        assert keys(world, "b") == ["e1/b", "e1/b~2"]

    def test_what_somebody_did_by_hand_can_be_undone_and_passes_the_pivot(self) -> None:
        undo = {**UNDO, "input": "$.result"}
        world, services = paused(call("a", output="a", compensate=undo), call("b"), broken=("a",))
        services.broken["b"] = "boom"
        world.repair("set-output", step="a", value="by hand").finish()
        world.add({"type": "compensation.requested", "by": "ann", "reason": ""})
        assert world.finish().calls[-1] == ("compensate:a", "by hand")

    def test_the_child_that_it_was_is_still_undone(self) -> None:
        child = {"type": "workflow", "name": "ship", "workflow": "shipping", "output": "ship"}
        world = World(plan_of(child, call("b", input="$.ship"))).finish()
        world.repair("set-output", step="ship", value=1).finish()
        world.repair("set-output", step="ship", value=2).finish()
        world.add({"type": "compensation.requested", "by": "ann", "reason": ""})
        world.finish()
        assert [record["child"] for record in world.of_type("child.recalled")] == ["e1.ship"]
        assert world.calls[-1] == ("b", 2)


class TestSetInput:
    def test_the_step_is_called_with_it_also_when_it_is_tried_again(self) -> None:
        world, services = paused(call("a"), call("b", input="$"), broken=("b",))
        services.broken["b"] = "boom"
        world.repair("set-input", step="b", value=[1]).finish()
        services.repaired()
        world.repair("resume").finish()
        assert [value for step, value in world.calls if step == "b"] == [{}, [1], [1]]
        assert_folds_again(world)

    def test_one_that_completed_is_undone_and_runs_again_with_what_follows(self) -> None:
        world = World(plan_of(call("a", compensate=UNDO), call("b"))).finish()
        before = len(world.records)
        world.repair("set-input", step="a", value=1).finish()
        assert since(world, before) == ["compensate:a", "a", "b"]
        assert keys(world, "a")[-1] == "e1/a~2"

    def test_a_child_is_started_with_it(self) -> None:
        child = {"type": "workflow", "name": "ship", "workflow": "shipping"}
        plan = plan_of(child, errorHandling=PAUSE)
        world = World(plan, children=lambda step, value: {"status": "completed" if value else "failed"}).finish()
        world.repair("set-input", step="ship", value={"n": 1}).finish()
        assert world.of_type("child.started")[-1]["input"] == {"n": 1}
        assert world.status == "completed"

    def test_also_when_it_is_kept_and_asked_for_once_more(self) -> None:
        world = World(plan_of(call("a", input="own", compensate=UNDO), call("b"))).finish()
        world.repair("set-input", step="a", value="given").finish()
        world.repair("rewind", step="a", keep=True).finish()
        assert [value for step, value in world.calls if step == "a"] == ["own", "given", "given"]
        assert keys(world, "a") == ["e1/a", "e1/a~2", "e1/a~2"]
        assert_folds_again(world)

    def test_until_the_step_is_rewound(self) -> None:
        world, _ = paused(call("a", input="own"), broken=("a",))
        world.repair("set-input", step="a", value="given").finish()
        world.repair("rewind", step="a").finish()
        assert [value for _, value in world.calls] == ["own", "given", "own"]


class TestThatWasUndone:
    """What was done by hand, and then undone, is not done any more: it runs as if nobody had said what it comes to."""

    def undone(self) -> World:
        steps = (call("a", output="a", compensate=UNDO), call("b", input="$.a", compensate=UNDO), call("c"))
        world, _ = paused(*steps, broken=("a",))
        world.repair("set-output", step="a", value=7).finish()
        assert world.calls == [("a", None), ("b", 7), ("c", None)]
        world.add({"type": "compensation.requested", "by": "ann", "reason": ""})
        assert world.finish().steps()[-2:] == ["compensate:b", "compensate:a"]
        return world

    @pytest.mark.parametrize(
        ("wish", "run"),
        [
            ({"action": "rewind", "step": "b"}, ["a", "b", "c"]),
            ({"action": "skip", "step": "c"}, ["a", "b"]),
            ({"action": "set-output", "step": "b", "value": 1}, ["a", "c"]),
            ({"action": "set-output", "step": "a", "value": 8}, ["b", "c"]),
        ],
    )
    def test_it_is_done_again(self, wish: Any, run: list[str]) -> None:
        world = self.undone()
        before = len(world.records)
        assert set(world.propose(**wish).again) == set(run)
        world.repair(**wish).finish()
        assert since(world, before) == run
        assert [keys(world, step)[-1] for step in run[:-1]] == [f"e1/{step}~2" for step in run[:-1]]
        assert_folds_again(world)

    def test_and_undone_again_only_if_it_was(self) -> None:
        world = self.undone().repair("rewind", step="b").finish()
        world.add({"type": "compensation.requested", "by": "ann", "reason": ""})
        world.finish()
        assert world.steps()[-2:] == ["compensate:b", "compensate:a"]
        assert keys(world, "compensate:a") == ["e1/compensate:a", "e1/compensate:a~2"]


class TestWhatCanBeGiven:
    """The records say it, so that nobody needs the definition to know."""

    def test_of_a_step_that_failed_in_a_loop(self) -> None:
        world = World(plan_of(foreach([1, 2], call("b", input="$.item", output="b"))), script=Services("b@1")).finish()
        assert world.of_type("execution.ended")[0]["settable"] == ["input", "output"]

    def test_of_one_that_is_not_called(self) -> None:
        plan = plan_of({"type": "fail", "name": "no", "error": "no.way"}, errorHandling=PAUSE)
        assert World(plan).finish().of_type("execution.paused")[0]["settable"] == []

    def test_nothing_once_it_is_undone(self) -> None:
        world = World(plan_of(call("a", compensate=UNDO), call("b")), script=Services("b")).finish()
        assert world.status == "compensated"
        assert "settable" not in world.of_type("execution.ended")[0]


class TestInDoubt:
    """A call of which nobody knows whether it had an effect, and that is not going to be repeated as it was."""

    def paused(self, *steps: Any) -> World:
        world, _ = paused(*steps, broken=("c",), type="timeout")
        return world

    def test_it_is_undone_before_it_is_called_with_what_another_step_gives_now(self) -> None:
        world = self.paused(call("a", output="a"), call("c", input="$.a", compensate=UNDO))
        before = len(world.records)
        assert world.propose("set-output", step="a", value=7).undo == ("c",)
        world.repair("set-output", step="a", value=7).finish()
        assert since(world, before) == ["compensate:c", "c"]
        assert keys(world, "c") == ["e1/c", "e1/c~2"]

    @pytest.mark.parametrize(("input", "undone"), [("own", []), ("another", ["compensate:c"])])
    def test_or_with_what_another_file_says(self, input: str, undone: list[str]) -> None:
        world = self.paused(call("c", input="own", compensate=UNDO), call("d"))
        before = len(world.records)
        changed = plan_of(call("c", input=input, compensate=UNDO), call("d"), errorHandling=PAUSE)
        world.repair("replace", replacement=changed).finish()
        assert since(world, before) == [*undone, "c", "d"]
        assert keys(world, "c") == ["e1/c", "e1/c~2" if undone else "e1/c"]

    def test_it_is_undone_to_the_end_if_somebody_had_begun_to(self) -> None:
        world, _ = paused(parallel(call("r", output="r"), call("c", compensate=UNDO)), broken=("r",))
        world.add({"type": "cancel.requested", "by": "ann", "reason": ""})
        assert world.steps()[-1] == "compensate:c"
        before = len(world.records)
        world.repair("set-output", step="r", value=1).finish()
        assert since(world, before) == ["compensate:c", "c"]
        assert keys(world, "c") == ["e1/c", "e1/c~2"]
        assert_folds_again(world)

    def test_it_is_undone_where_the_execution_is_held_before_it(self) -> None:
        world = self.paused(call("a", compensate=UNDO), call("b", compensate=UNDO), call("c", compensate=UNDO))
        before = len(world.records)
        world.repair("compensate", step="b").finish()
        assert since(world, before) == ["compensate:c"]
        world.repair("resume").finish()
        assert keys(world, "c") == ["e1/c", "e1/c~2"]
        assert_folds_again(world)


LOOPS = [
    foreach([0, 1], call("b", output="b"), output="rs"),
    {"type": "while", "name": "each", "condition": "true", "maxIterations": 2, "steps": call("b"), "output": "rs"},
    {"type": "repeat", "name": "each", "until": "false", "maxIterations": 2, "steps": call("b"), "output": "rs"},
]


class TestLoops:
    """What a loop gives can be said of all of it."""

    @pytest.mark.parametrize("loop", LOOPS)
    @pytest.mark.parametrize("action", ["skip", "set-output"])
    def test_its_output_is_given_to_those_who_read_it(self, loop: Any, action: Any) -> None:
        world, _ = paused(loop, call("z", input="$.rs"), broken=("b@1",))
        world.repair(action, step="each", value=[7, 8]).finish()
        assert (world.status, world.calls[-1]) == ("completed", ("z", [7, 8]))
        assert_folds_again(world)

    def test_what_its_iterations_did_is_undone_first(self) -> None:
        loop = foreach([0, 1], call("a", compensate=UNDO), call("b"), output="rs")
        world, _ = paused(loop, call("z", input="$.rs"), broken=("b@1",))
        before = len(world.records)
        world.repair("skip", step="each", value=[]).finish()
        assert since(world, before) == ["compensate:a@1", "compensate:a@0", "z"]

    def test_each_of_several_keys_has_its_part_of_the_value(self) -> None:
        loop = foreach([0, 1], call("b"), output={"k": "$.item", "l": "$.item"})
        world, _ = paused(loop, call("z", input="$"), broken=("b@1",))
        for value in (1, [1], {"k": 1}, {"k": 1, "l": 2, "m": 3}):
            told = reasons(world, "skip", step="each", value=value)
            assert "'each' gives 'k', 'l'" in told["repair.output"]
        world.repair("skip", step="each", value={"k": 1, "l": 2}).finish()
        assert world.calls[-1] == ("z", {"k": 1, "l": 2})
        assert_folds_again(world)

    def test_one_without_output_takes_none(self) -> None:
        world, _ = paused(foreach([0, 1], call("b")), broken=("b@1",))
        assert reasons(world, "skip", step="each", value=1).keys() == {"repair.output"}

    def test_one_that_needs_too_many_rounds_can_be_given_what_it_was_for(self) -> None:
        world, _ = paused({**LOOPS[1], "steps": call("b", output="b")}, call("z", input="$.rs"), broken=())
        assert world.of_type("execution.paused")[0]["settable"] == ["output"]
        world.repair("set-output", step="each", value={"b": 1}).finish()
        assert world.calls[-1] == ("z", {"b": 1})

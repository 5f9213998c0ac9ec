"""Keys that two steps would set, although both can run."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.world import call
from tests.unit.core.plan_support import problems

SET = {"type": "set", "values": {"x": 1}}
FOREACH: dict[str, Any] = {"type": "foreach", "items": [1, 2]}
REPEAT: dict[str, Any] = {"type": "repeat", "until": "$.index > 3", "maxIterations": 5}


def sets(name: str, key: str = "x", **more: Any) -> dict[str, Any]:
    return call(name, output=key, **more)


def collide(*steps: Any, **more: Any) -> list[tuple[str, str]]:
    """Each collision as (place, who sets the key already)."""
    found = [each for each in problems(*steps, **more) if each.code == "plan.duplicate-output"]
    assert all(each.severity == "error" for each in found)
    return [(each.place.path, each.message.rpartition("set by ")[2]) for each in found]


class TestWhoSetsKeys:
    @pytest.mark.parametrize(
        ("step", "place"),
        [
            (SET, "steps[1].values.x"),
            ({"type": "wait", "name": "w", "event": "e", "output": "x"}, "steps[1].output"),
            ({"type": "workflow", "name": "w", "workflow": "o", "output": "x"}, "steps[1].output"),
            ({**FOREACH, "steps": call("b"), "output": "x"}, "steps[1].output"),
            ({**REPEAT, "steps": call("b"), "output": {"x": "$.index"}}, "steps[1].output.x"),
            ({"type": "try", "steps": call("b"), "finally": sets("c")}, "steps[1].finally.output"),
            ({"type": "switch", "cases": [{"condition": "$.y", "steps": sets("c")}]}, "steps[1].cases[0].steps.output"),
            (sets("b", onError="continue"), "steps[1].output"),
        ],
    )
    def test_everything_that_leaves_a_key(self, step: dict[str, Any], place: str) -> None:
        assert collide(sets("a"), step) == [(place, "step 'a'")]

    def test_values_that_are_set_together(self) -> None:
        both = {"type": "set", "values": {"x": 1, "y": 2}}
        assert collide(both, sets("a", "y")) == [("steps[1].output", "step 'steps[0]'")]


class TestLoops:
    def test_an_iteration_may_not_write_over_what_is_around_it(self) -> None:
        assert collide(sets("a"), {**FOREACH, "steps": sets("b")}) == [("steps[1].steps.output", "step 'a'")]
        assert collide({**FOREACH, "steps": sets("b")}, input={"x": "string"}) == [
            ("steps[0].steps.output", "the input")
        ]

    def test_but_two_loops_do_not_know_each_other(self) -> None:
        assert collide({**FOREACH, "steps": sets("a")}, {**FOREACH, "steps": sets("b")}, sets("c")) == []

    def test_within_one_iteration_keys_are_set_once(self) -> None:
        assert collide({**FOREACH, "steps": [sets("a"), sets("b")]}) == [("steps[0].steps[1].output", "step 'a'")]
        assert collide({**REPEAT, "steps": [sets("a"), sets("b")]}) == [("steps[0].steps[1].output", "step 'a'")]

    def test_a_round_may_set_anew_what_was_set_before_the_loop(self) -> None:
        assert collide(SET, {**REPEAT, "steps": sets("a")}) == []

    def test_what_it_hands_on_may_not(self) -> None:
        loop = {**REPEAT, "steps": sets("a"), "output": {"x": "$.x"}}
        assert collide(loop) == []
        assert collide(SET, loop) == [("steps[1].output.x", "step 'steps[0]'")]

    def test_an_iteration_within_a_round_sees_all_that_is_around(self) -> None:
        inner = {**FOREACH, "steps": sets("a")}
        assert collide(SET, {**REPEAT, "steps": inner}) == [("steps[1].steps.steps.output", "step 'steps[0]'")]
        assert collide(SET, {**FOREACH, "steps": {**REPEAT, "steps": sets("a")}}) == []

    def test_the_name_of_the_item(self) -> None:
        named = {**FOREACH, "as": "x"}
        assert collide(sets("a"), {**named, "steps": call("b")}) == [("steps[1].as", "step 'a'")]
        assert collide({**named, "steps": sets("b")}) == [
            ("steps[0].steps.output", "'steps[0]', as the name of an item")
        ]
        assert collide({**named, "steps": call("b")}, {**named, "steps": call("c")}, sets("d")) == []
        assert collide({**named, "steps": {**named, "steps": call("b")}}) == [
            ("steps[0].steps.as", "'steps[0]', as the name of an item")
        ]


class TestOneOfSeveralWays:
    def test_cases(self) -> None:
        cases = [{"condition": f"$.y == {number}", "steps": sets(f"s{number}")} for number in range(3)]
        switch = {"type": "switch", "cases": cases, "else": sets("e")}
        assert collide(switch) == []
        assert [place for place, _ in collide(switch, sets("after"))] == ["steps[1].output"]

    def test_a_way_that_ends_leaves_nothing(self) -> None:
        choice = {"type": "conditional", "condition": "$.y == 1", "then": [sets("a"), {"type": "end"}]}
        assert collide(choice, sets("b")) == []
        assert collide(sets("c"), choice) == [("steps[1].then[0].output", "step 'c'")]

    def test_a_handler_may_set_what_has_failed_to_be(self) -> None:
        step = {"type": "try", "steps": sets("a"), "catch": [{"error": "b", "steps": sets("b")}, {"steps": sets("c")}]}
        assert collide(step) == []
        assert collide({**step, "finally": sets("d")}) == [("steps[0].finally.output", "step 'c'")]
        assert [place for place, _ in collide(step, sets("d"))] == ["steps[1].output"]
        assert [place for place, _ in collide(sets("d"), step)] == [
            "steps[1].steps.output",
            "steps[1].catch[0].steps.output",
            "steps[1].catch[1].steps.output",
        ]

    def test_as_may_what_a_step_does_on_an_error(self) -> None:
        assert collide(sets("a", onError={"steps": SET})) == []

    def test_the_name_of_the_error(self) -> None:
        step = {"type": "try", "steps": call("a"), "catch": [{"as": "x", "steps": call("b")}]}
        assert collide(sets("c"), step) == [("steps[1].catch[0].as", "step 'c'")]
        assert collide(step, sets("c")) == []
        handler = {"as": "x", "steps": sets("b")}
        assert collide({"type": "try", "steps": call("a"), "catch": [handler]}) == [
            ("steps[0].catch[0].steps.output", "the handler, as the name of its error")
        ]


@pytest.mark.parametrize(("complete", "refused"), [("any", 0), (1, 0), (2, 1), ("all", 1)])
def test_of_a_race_only_one_branch_counts(complete: Any, refused: int) -> None:
    step = {"type": "parallel", "steps": [sets("a"), sets("b"), call("c")], "complete": complete}
    assert len(collide(step)) == refused
    assert len(collide(step, sets("d"))) == refused + 1

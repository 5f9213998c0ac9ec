"""What each construct is compiled to."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.world import call, document, plan_of
from tests.unit.core.plan_support import compiled, problem, problems, task
from wfrun.core.plan import build_plan
from wfrun.core.plan.nodes import (
    Call,
    Collect,
    Conditional,
    Crew,
    Foreach,
    Loop,
    Parallel,
    Switch,
    Tolerance,
    Try,
    walk,
)


class TestWhole:
    def test_the_bound_of_the_workflow(self) -> None:
        plan = plan_of(call("a"), timeout="1h")
        assert (plan.root.id, plan.root.path, plan.root.bound) == ("$", ("steps",), 3_600_000)

    def test_a_single_step_has_a_bound_of_its_own(self) -> None:
        single = {"type": "sequential", "timeout": "5m", "steps": [call("a")]}
        plan = build_plan(document({"name": "t", "steps": single, "timeout": "1h"}))
        (inner,) = plan.root.steps
        assert [(step.id, step.bound) for step in (plan.root, inner)] == [("$", 3_600_000), ("steps", 300_000)]

    @pytest.mark.parametrize(("handling", "pauses"), [({}, False), ({"onFailure": "pause"}, True)])
    def test_a_failure_can_wait_for_somebody(self, handling: dict[str, Any], pauses: bool) -> None:
        assert plan_of(call("a"), errorHandling=handling).pauses is pauses

    def test_progress_counts_what_acts_or_asks_or_waits(self) -> None:
        body = [{"type": "wait", "name": "pause", "for": "1s"}, {"type": "emit", "name": "tell", "event": "e"}]
        plan = plan_of(
            {"type": "foreach", "items": [1], "steps": body},
            {"type": "set", "values": {"x": 1}},
            {"type": "wait", "name": "hear", "event": "e"},
            {"type": "try", "steps": call("a"), "catch": [{"steps": call("b")}], "finally": task()},
            {"type": "workflow", "name": "child", "workflow": "other"},
            {"type": "end"},
        )
        assert plan.step_names == ["pause", "tell", "hear", "a", "b", "ask", "child"]

    @pytest.mark.parametrize(
        "block",
        [
            {"type": "sequential", "steps": [call("a")]},
            {"type": "parallel", "steps": [call("a")]},
            {"type": "conditional", "condition": "$.x", "then": call("a")},
            {"type": "switch", "cases": [{"condition": "$.x", "steps": call("a")}]},
            {"type": "foreach", "items": "$.x", "steps": call("a")},
            {"type": "while", "condition": "$.x", "maxIterations": 2, "steps": call("a")},
            {"type": "repeat", "until": "$.x", "maxIterations": 2, "steps": call("a")},
            {"type": "try", "steps": call("a"), "finally": call("b")},
            {"type": "workflow", "name": "w", "workflow": "other"},
            {"type": "wait", "name": "w", "event": "e"},
        ],
    )
    def test_a_block_has_a_bound_and_compensations(self, block: dict[str, Any]) -> None:
        undo = {"service": "s", "action": "u"}
        step = compiled({**block, "timeout": "1m", "compensate": undo})
        assert step.bound == 60_000
        assert [(call.service, call.path) for call in step.compensation] == [("s", ("steps", 0, "compensate"))]

    def test_calls_and_tasks_use_their_time_in_their_own_way(self) -> None:
        for step in (compiled(call("a", timeout="1m")), compiled(task(timeout="1m"))):
            assert step.bound is None

    def test_a_point_of_no_return(self) -> None:
        step = compiled(call("a", pivot=True))
        assert isinstance(step, Call)
        assert step.pivot


class TestOnError:
    def test_a_step_that_may_fail(self) -> None:
        step = compiled(call("a", condition="$.x", output="y", onError="continue"))
        assert isinstance(step, Try)
        assert (step.id, step.path, step.condition) == ("steps[0].onError", ("steps", 0, "onError"), None)
        assert (step.body.id, step.body.condition is not None) == ("a", True)
        (handler,) = step.handlers
        assert (handler.patterns, handler.body, handler.name) == (("*",), None, "error")

    def test_one_handler(self) -> None:
        step = compiled(call("a", onError={"error": "http.*", "as": "e", "steps": call("b", input="$.e.type")}))
        assert isinstance(step, Try)
        (handler,) = step.handlers
        assert (handler.path, handler.patterns, handler.name) == (("steps", 0, "onError"), ("http.*",), "e")
        assert handler.body is not None
        assert handler.body.path == ("steps", 0, "onError", "steps")

    def test_several_handlers_around_a_block(self) -> None:
        handlers = [
            {"error": ["a", "b"], "steps": call("x")},
            {"condition": "$.error.status == 1", "steps": [call("y")]},
        ]
        step = compiled({"type": "sequential", "steps": [call("s")], "onError": handlers})
        assert isinstance(step, Try)
        assert step.body.id == "steps[0]"
        assert [handler.patterns for handler in step.handlers] == [("a", "b"), ("*",)]
        assert [handler.path for handler in step.handlers] == [
            ("steps", 0, "onError", 0),
            ("steps", 0, "onError", 1),
        ]

    def test_a_branch_that_may_fail_can_be_needed(self) -> None:
        branches = [call("a", onError="continue"), call("b", needs="a", onError="continue")]
        step = compiled({"type": "parallel", "steps": branches})
        assert isinstance(step, Parallel)
        assert step.needs == ((), (0,))


class TestTry:
    def test_handlers_and_what_comes_last(self) -> None:
        step = compiled(
            {
                "type": "try",
                "steps": [call("a")],
                "catch": [{"error": "timeout", "steps": call("b")}, {"steps": [call("c")]}],
                "finally": [call("d")],
            }
        )
        assert isinstance(step, Try)
        assert [inner.id for inner in walk(step) if isinstance(inner, Call)] == ["a", "b", "c", "d"]
        assert [handler.path for handler in step.handlers] == [("steps", 0, "catch", 0), ("steps", 0, "catch", 1)]
        assert [handler.patterns for handler in step.handlers] == [("timeout",), ("*",)]

    def test_only_what_comes_last(self) -> None:
        step = compiled({"type": "try", "steps": call("a"), "finally": call("b")})
        assert isinstance(step, Try)
        assert (step.handlers, step.last and step.last.id) == ((), "b")


class TestSwitch:
    def test_cases(self) -> None:
        cases = [{"condition": "$.x == 1", "steps": call("a")}, {"condition": True, "steps": [call("b")]}]
        step = compiled({"type": "switch", "condition": "$.y", "cases": cases, "else": call("c")})
        assert isinstance(step, Switch)
        assert step.condition is not None
        assert [case.condition.text for case in step.cases] == ["$.x == 1", "true"]
        assert [case.body.path for case in step.cases] == [
            ("steps", 0, "cases", 0, "steps"),
            ("steps", 0, "cases", 1, "steps"),
        ]
        assert step.otherwise is not None

    def test_a_condition_that_cannot_be_read(self) -> None:
        found = problem({"type": "switch", "cases": [{"condition": "$.x ==", "steps": call("a")}]})
        assert (found.code, found.place.path) == ("expression.syntax", "steps[0].cases[0].condition")


class TestLoops:
    def test_a_condition_of_a_loop_is_its_test(self) -> None:
        step = compiled(
            {
                "type": "while",
                "condition": "$.x < 3",
                "maxIterations": 5,
                "delay": "2s",
                "steps": call("a"),
                "output": "o",
            }
        )
        assert isinstance(step, Loop)
        assert (step.kind, step.test.text, step.most, step.delay) == ("while", "$.x < 3", 5, 2_000)
        assert (step.condition, step.collect) == (None, Collect("o"))

    def test_a_repetition_can_have_a_condition_too(self) -> None:
        step = compiled({"type": "repeat", "condition": "$.x", "until": "$.y", "maxIterations": 5, "steps": call("a")})
        assert isinstance(step, Loop)
        assert (step.kind, step.test.text, step.delay, step.collect) == ("until", "$.y", None, None)
        assert step.condition is not None

    def test_a_conditional_has_no_other_condition(self) -> None:
        step = compiled({"type": "conditional", "condition": "$.x", "then": call("a")})
        assert isinstance(step, Conditional)
        assert step.condition is None

    def test_each_item(self) -> None:
        step = compiled(
            {"type": "foreach", "items": "$.x", "as": "line", "steps": call("a"), "output": {"y": "$.line.z"}}
        )
        assert isinstance(step, Foreach)
        assert (step.name, step.crew) == ("line", Crew(concurrency=1))
        assert step.collect is not None
        assert step.collect.keys == ("y",)


class TestCrews:
    @pytest.mark.parametrize(
        ("written", "crew"),
        [
            ({}, Crew()),
            ({"complete": "all", "onFailure": "cancel", "tolerate": 0}, Crew()),
            ({"complete": "any"}, Crew(complete=1)),
            ({"complete": 2, "concurrency": 3}, Crew(concurrency=3, complete=2)),
            ({"tolerate": 1, "onFailure": "wait"}, Crew(tolerate=Tolerance(count=1), cancel=False)),
            ({"tolerate": "25%"}, Crew(tolerate=Tolerance(percent=25))),
        ],
    )
    def test_how_branches_go_along(self, written: dict[str, Any], crew: Crew) -> None:
        branches = [call("a"), call("b"), call("c")]
        step = compiled({"type": "parallel", "steps": branches, **written})
        assert isinstance(step, Parallel)
        assert (step.crew, step.needs) == (crew, ())

    @pytest.mark.parametrize("share", ["25", "%", "-1%", "101%", "many"])
    def test_a_share_that_is_none(self, share: str) -> None:
        found = problem({"type": "parallel", "steps": [call("a"), call("b")], "tolerate": share})
        assert (found.code, found.place.path) == ("plan.tolerate", "steps[0].tolerate")
        assert "100%" in found.hint


class TestNeeds:
    @staticmethod
    def block(*branches: Any) -> dict[str, Any]:
        return {"type": "parallel", "steps": list(branches)}

    def test_positions_of_those_that_are_needed(self) -> None:
        branches = call("c", needs=["a", "b"]), call("a"), call("b", needs="a"), [call("d")]
        step = compiled(self.block(*branches))
        assert isinstance(step, Parallel)
        assert step.needs == ((1, 2), (), (1,), ())

    def test_a_name_that_is_none(self) -> None:
        found = problem(self.block(call("fetch"), call("b", needs=["fetsch"])))
        assert (found.code, found.place.path) == ("plan.unknown-step", "steps[0].steps[1].needs[0]")
        assert found.hint == "did you mean 'fetch'?"

    def test_a_step_within_a_branch_is_none(self) -> None:
        found = problem(self.block([call("first")], call("b", needs="first")))
        assert (found.code, found.place.path) == ("plan.unknown-step", "steps[0].steps[1].needs")
        assert "`name` of its own" in found.hint

    def test_itself(self) -> None:
        found = problem(self.block(call("a", needs="a")))
        assert (found.code, found.message) == ("plan.needs", "a branch cannot need itself")

    def test_a_circle_is_told_once(self) -> None:
        branches = (
            call("z"),
            call("a", needs=["z", "b"]),
            call("b", needs="c"),
            call("c", needs="a"),
            call("d", needs="a"),
        )
        found = problem(self.block(*branches))
        assert (found.code, found.place.path) == ("plan.needs", "steps[0].steps[1].needs")
        assert found.message == "they wait for each other: 'a' needs 'b' needs 'c' needs 'a'"

    def test_two_circles(self) -> None:
        branches = call("a", needs="b"), call("b", needs="a"), call("c", needs="d"), call("d", needs="c")
        assert [found.code for found in problems(self.block(*branches))] == ["plan.needs"] * 2

    @pytest.mark.parametrize(
        "step",
        [
            call("b", needs="a"),
            {"type": "parallel", "steps": [call("x"), [call("b", needs="x")]]},
            {"type": "parallel", "steps": [call("x"), {"type": "sequential", "steps": call("b", needs="x")}]},
        ],
    )
    def test_where_there_is_nothing_to_wait_for(self, step: Any) -> None:
        found = problem(call("a"), step)
        assert found.code == "plan.needs"
        assert "directly" in found.message

"""Numbers and times that cannot be meant, and steps that nothing leads to."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.world import call
from tests.unit.core.plan_support import problem, problems, task
from wfrun.errors import Problem

END = {"type": "end"}
FAIL = {"type": "fail"}


def parallel(**more: Any) -> dict[str, Any]:
    return {"type": "parallel", "steps": [call("p1"), call("p2")], **more}


def repeat(**more: Any) -> dict[str, Any]:
    return {"type": "repeat", "until": "$.index > 3", "maxIterations": 5, "steps": call("r"), **more}


def foreach(**more: Any) -> dict[str, Any]:
    return {"type": "foreach", "items": "$.list", "steps": call("f"), **more}


class TestNumbers:
    @pytest.mark.parametrize("complete", [0, 3])
    def test_more_branches_than_there_are(self, complete: int) -> None:
        found = problem(parallel(complete=complete))
        assert (found.code, found.severity, found.place.path) == ("plan.complete", "error", "steps[0].complete")
        assert found.message == f"{complete} of 2 branches cannot be complete"
        assert "1 to 2" in found.hint

    def test_more_events_than_there_are(self) -> None:
        found = problem({"type": "wait", "name": "w", "event": ["a", "b"], "complete": 3})
        assert (found.code, found.message) == ("plan.complete", "3 of 2 events cannot be complete")

    @pytest.mark.parametrize("complete", [1, 2, "any", "all"])
    def test_as_many_as_there_are(self, complete: Any) -> None:
        wait = {"type": "wait", "name": "w", "event": ["a", "b"], "complete": complete}
        assert problems(parallel(complete=complete), wait) == []

    def test_how_many_items_there_are_is_not_known(self) -> None:
        assert problems(foreach(complete=100)) == []

    @pytest.mark.parametrize("complete", ["any", 1])
    @pytest.mark.parametrize("block", [parallel, foreach])
    def test_what_is_not_needed_need_not_be_tolerated(self, block: Any, complete: Any) -> None:
        found = problem(block(complete=complete, tolerate="50%"))
        assert (found.code, found.severity, found.place.path) == ("plan.tolerate", "error", "steps[0].tolerate")
        assert problems(block(complete=complete, tolerate=0)) == []
        assert problems(block(complete="all", tolerate=1)) == []

    def test_a_loop_that_may_not_run(self) -> None:
        found = problem(repeat(maxIterations=0))
        assert (found.code, found.severity, found.place.path) == (
            "plan.max-iterations",
            "error",
            "steps[0].maxIterations",
        )


class TestTimes:
    BLOCKS = (
        parallel(),
        repeat(),
        foreach(),
        {"type": "sequential", "steps": call("s")},
        {"type": "conditional", "condition": "$.x == 1", "then": call("c")},
        {"type": "switch", "cases": [{"condition": "$.x == 1", "steps": call("c")}]},
        {"type": "while", "condition": "$.x == 1", "maxIterations": 2, "steps": call("c")},
        {"type": "try", "steps": call("t"), "finally": call("u")},
        {"type": "wait", "name": "w", "event": "e"},
        {"type": "workflow", "name": "w", "workflow": "o"},
    )

    @pytest.mark.parametrize("block", BLOCKS)
    def test_what_all_of_a_block_may_take(self, block: dict[str, Any]) -> None:
        over, short = problem({**block, "timeout": 0}), problem({**block, "timeout": 30})
        assert [(found.code, found.severity) for found in (over, short)] == [
            ("plan.duration", "error"),
            ("plan.duration", "warning"),
        ]
        assert {over.place.path, short.place.path} == {"steps[0].timeout"}
        assert problem({**block, "timeout": "soon"}).code == "plan.duration"

    def test_what_the_whole_workflow_may_take(self) -> None:
        assert [problem(call("a"), timeout=time).severity for time in (0, 30)] == ["error", "warning"]
        assert problem(call("a"), timeout="x").place.path == "timeout"

    def test_delays_may_be_short_but_not_that_short(self) -> None:
        assert [problems(repeat(delay=time)) for time in (0, 200, "5ms")] == [[], [], []]
        assert "5 milliseconds" in problem(repeat(delay=5)).message
        assert problem(repeat(delay="soon")).place.path == "steps[0].delay"

    def test_a_wait_of_milliseconds(self) -> None:
        found = problem({"type": "wait", "name": "w", "for": 24})
        assert (found.severity, found.message) == ("warning", "a wait of 24 is 24 milliseconds")

    def test_those_of_what_undoes_a_block(self) -> None:
        undo = {"service": "s", "action": "u", "timeout": 0}
        found = problem(parallel(compensate=[{"service": "s", "action": "u"}, undo]))
        assert found.place.path == "steps[0].compensate[1].timeout"


class TestWhatNothingLeadsTo:
    @staticmethod
    def unreachable(*steps: Any, **more: Any) -> list[Problem]:
        found = problems(*steps, **more)
        assert [(each.code, each.severity) for each in found] == [("plan.unreachable", "warning")] * len(found)
        return found

    @pytest.mark.parametrize(
        "ends",
        [
            END,
            FAIL,
            {"type": "sequential", "steps": [call("s"), END]},
            {"type": "conditional", "condition": "$.x == 1", "then": END, "else": FAIL},
            {"type": "switch", "cases": [{"condition": "$.x == 1", "steps": FAIL}]},
            {"type": "parallel", "steps": [call("s"), [call("t"), FAIL]]},
            {"type": "try", "steps": [call("s"), FAIL], "catch": [{"steps": FAIL}]},
            {"type": "try", "steps": call("s"), "finally": FAIL},
            {"type": "repeat", "until": "$.index > 1", "maxIterations": 2, "steps": FAIL},
        ],
    )
    def test_what_comes_after_an_end(self, ends: dict[str, Any]) -> None:
        (found,) = self.unreachable(ends, call("never"), call("more"))
        assert found.place.path == "steps[1]"
        assert "this step never runs" in found.message

    @pytest.mark.parametrize(
        "goes_on",
        [
            {**END, "condition": "$.x == 1"},
            {"type": "conditional", "condition": "$.x == 1", "then": END},
            {"type": "parallel", "steps": [call("s"), FAIL], "tolerate": 1},
            {"type": "try", "steps": FAIL, "catch": [{"steps": call("s")}]},
            {**FAIL, "onError": "continue"},
            {"type": "foreach", "items": "$.list", "steps": FAIL},
            {"type": "while", "condition": "$.x == 1", "maxIterations": 2, "steps": END},
            {"type": "switch", "cases": [{"condition": "$.x == 1", "steps": FAIL}], "else": call("s")},
        ],
    )
    def test_what_may_come_after_one(self, goes_on: dict[str, Any]) -> None:
        assert problems(goes_on, call("after")) == []

    def test_an_output_that_is_never_given(self) -> None:
        (found,) = self.unreachable(call("a"), END, output={"x": 1})
        assert found.place.path == "output"

    def test_a_case_after_one_that_always_fits(self) -> None:
        cases = [{"condition": "1 == 1", "steps": call("a")}, {"condition": "$.x == 1", "steps": call("b")}]
        assert [found.message for found in self.unreachable({"type": "switch", "cases": cases})] == [
            "the condition is always true: what follows never runs"
        ]
        assert problems({"type": "switch", "cases": list(reversed(cases))}) == []

    def test_a_case_that_never_fits(self) -> None:
        (found,) = self.unreachable({"type": "switch", "cases": [{"condition": False, "steps": call("a")}]})
        assert (found.place.path, "this case never runs" in found.message) == ("steps[0].cases[0].condition", True)

    def test_a_handler_after_one_that_takes_everything(self) -> None:
        handlers: list[dict[str, Any]] = [{"steps": call("b")}, {"error": "timeout", "steps": call("c")}]
        (found,) = self.unreachable({"type": "try", "steps": call("a"), "catch": handlers})
        assert found.place.path == "steps[0].catch[1]"
        assert problems({"type": "try", "steps": call("a"), "catch": list(reversed(handlers))}) == []
        handlers[0]["condition"] = "$.error.type == 'x'"
        assert problems({"type": "try", "steps": call("a"), "catch": handlers}) == []

    def test_a_loop_that_never_runs(self) -> None:
        loop = {"type": "while", "condition": False, "maxIterations": 3, "steps": call("a")}
        assert [found.message for found in self.unreachable(loop)] == [
            "the condition is always false: the loop never runs"
        ]
        assert problems({**loop, "condition": True}) == []

    def test_a_loop_of_one_round(self) -> None:
        (found,) = self.unreachable(repeat(until=True))
        assert "one round is all there is" in found.message
        assert problems(repeat(until=False)) == []

    def test_tasks_and_waits_end_nothing(self) -> None:
        assert problems(task(), {"type": "wait", "name": "w", "for": "1h"}, call("a")) == []

"""switch, try, loops, timeouts of blocks, set, fail and end."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.world import World, call, plan_of
from tests.unit.core.test_interpreter import fail_at
from tests.unit.core.test_steps_crews import UNDO, foreach, parallel


def error_of(world: World) -> Any:
    assert world.run.ended is not None
    return world.run.ended["error"]


class TestSwitch:
    CASES = ({"condition": "$.x < 1", "steps": call("a")}, {"condition": "$.x < 2", "steps": [call("b")]})

    @pytest.mark.parametrize(("x", "taken"), [(0, ["a"]), (1, ["b"]), (2, ["c"])])
    def test_the_first_case_that_holds_is_taken(self, x: int, taken: list[str]) -> None:
        plan = plan_of({"type": "switch", "cases": list(self.CASES), "else": call("c")})
        world = World(plan, {"x": x}).finish()
        assert world.steps() == taken
        assert [record["case"] for record in world.of_type("decision.made")] == [0, 1][: x + 1]

    def test_no_case_and_no_else_is_an_error(self) -> None:
        world = World(plan_of({"type": "switch", "cases": list(self.CASES)}), {"x": 2}).finish()
        assert error_of(world)["type"] == "switch.no-match"


class TestTry:
    def block(self, **more: Any) -> Any:
        return {"type": "try", "steps": [call("a", output="a"), call("b")], **more}

    def test_the_first_handler_whose_pattern_fits_gets_the_error(self) -> None:
        handlers = [
            {"error": "http.*", "steps": call("no")},
            {"error": ["x", "bo*"], "as": "oops", "steps": call("yes", input="$.oops.message")},
            {"steps": call("all")},
        ]
        world = World(plan_of(self.block(catch=handlers), call("end")), script=fail_at("b")).finish()
        assert world.calls[2:] == [("yes", "b failed"), ("end", None)]

    def test_a_handler_may_ask_about_the_error(self) -> None:
        handlers = [
            {"condition": "$.error.step == 'a'", "steps": call("no")},
            {"condition": "$.error.step == 'b'", "steps": call("yes")},
        ]
        world = World(plan_of(self.block(catch=handlers)), script=fail_at("b")).finish()
        assert world.steps()[-1] == "yes"
        assert [record["value"] for record in world.of_type("decision.made")] == [False, True]

    def test_keys_of_the_body_and_of_the_handler_are_known_afterwards(self) -> None:
        block = self.block(catch=[{"steps": call("h", output="h")}])
        world = World(plan_of(block, call("end", input="$")), script=fail_at("b")).finish()
        assert set(world.calls[-1][1]) == {"a", "h"}

    def test_an_error_in_a_handler_keeps_the_first_as_its_cause(self) -> None:
        block = self.block(catch=[{"steps": call("h")}])
        world = World(plan_of(block), script=fail_at("b", "h")).finish()
        assert error_of(world)["step"] == "h"
        assert error_of(world)["cause"]["step"] == "b"

    @pytest.mark.parametrize("failing", [(), ("b",)])
    def test_finally_runs_however_it_ends(self, failing: tuple[str, ...]) -> None:
        plan = plan_of(self.block(**{"finally": call("last")}), call("end"))
        world = World(plan, script=fail_at(*failing)).finish()
        assert world.steps()[2] == "last"
        assert world.status == ("failed" if failing else "completed")

    def test_finally_runs_when_the_execution_is_cancelled_and_no_handler_does(self) -> None:
        plan = plan_of(self.block(**{"catch": [{"steps": call("h")}], "finally": call("last")}))
        world = World(plan)
        world.add({"type": "cancel.requested", "by": "ann", "reason": ""})
        world.finish()
        assert world.steps() == ["a", "last"]
        assert world.status == "cancelled"

    def test_on_error_continue_goes_on_without_the_output(self) -> None:
        plan = plan_of(call("a", onError="continue", output="a"), call("end", input="${default($.a, 'none')}"))
        assert World(plan, script=fail_at("a")).finish().calls[-1] == ("end", "none")

    def test_on_error_takes_handlers(self) -> None:
        plan = plan_of(call("a", onError={"error": "boom", "steps": call("h", input="$.error.type")}))
        assert World(plan, script=fail_at("a")).finish().calls[-1] == ("h", "boom")


class TestLoops:
    def loop(self, kind: str, test: str, **more: Any) -> Any:
        key = {"while": "condition", "repeat": "until"}[kind]
        body = {"type": "set", "values": {"n": "${default($.n, 0) + 1}"}}
        return {"type": kind, "name": "again", key: test, "maxIterations": 5, "steps": body, "output": "last", **more}

    @pytest.mark.parametrize(
        ("kind", "test", "n"),
        [
            ("while", "default($.n, 0) < 3", 3),
            ("while", "false", None),
            ("repeat", "$.n >= 3", 3),
            ("repeat", "true", 1),
        ],
    )
    def test_an_iteration_sees_the_keys_of_the_one_before(self, kind: str, test: str, n: int | None) -> None:
        world = World(plan_of(self.loop(kind, test), output="$.last")).finish()
        assert world.output == ({} if n is None else {"n": n})

    def test_a_key_from_before_the_loop_is_counted_on_inside_and_kept_outside(self) -> None:
        before = {"type": "set", "values": {"n": 1}}
        plan = plan_of(before, self.loop("while", "$.n < 4", output={"m": "$.n"}), output="$")
        assert World(plan).finish().output == {"n": 1, "m": 4}

    def test_a_guard_ends_what_would_not_end(self) -> None:
        world = World(plan_of(self.loop("while", "true"))).finish()
        assert error_of(world)["type"] == "loop.limit"
        assert len(world.of_type("values.set")) == 5

    def test_there_is_a_delay_between_iterations_and_none_before_the_first(self) -> None:
        world = World(plan_of(self.loop("repeat", "$.n == 3", delay="10s"))).finish()
        assert [record["timer"] for record in world.of_type("timer.fired")] == ["again@1!delay", "again@2!delay"]

    def test_a_failure_inside_undoes_earlier_iterations(self) -> None:
        body = [call("a", compensate=UNDO), call("b")]
        plan = plan_of({"type": "repeat", "until": "false", "maxIterations": 3, "steps": body})
        world = World(plan, script=fail_at("b@1")).finish()
        assert [step for step in world.steps() if ":" in step] == ["compensate:a@1", "compensate:a@0"]

    def test_a_value_that_grows_into_itself_is_stopped(self) -> None:
        body = {"type": "set", "values": {"x": ["$.x"]}}
        plan = plan_of({"type": "repeat", "until": "false", "maxIterations": 100, "steps": body})
        world = World(plan, {"x": 0}).finish()
        assert error_of(world)["type"] == "expression.limit"


class TestTimeouts:
    def test_a_block_that_takes_too_long_is_stopped_and_fails(self) -> None:
        task = {"type": "human-task", "name": "ask", "assignee": "bob"}
        plan = plan_of(
            {"type": "sequential", "name": "block", "timeout": "1h", "steps": [call("a", compensate=UNDO), task]}
        )
        world = World(plan).finish()
        assert error_of(world) == {"type": "timeout", "message": "not done within 3600 s", "step": "block"}
        assert len(world.of_type("task.withdrawn")) == 1
        assert world.status == "compensated"

    def test_a_block_that_is_done_in_time_leaves_no_timer_behind(self) -> None:
        plan = plan_of(
            {"type": "sequential", "timeout": "1h", "steps": call("a", output="a")}, call("b", input="$.a.of")
        )
        world = World(plan).finish()
        assert world.calls == [("a", None), ("b", "a")]
        assert not world.of_type("timer.fired")

    def test_it_can_be_caught(self) -> None:
        wait = {"type": "wait", "name": "w", "event": "never"}
        block = {"type": "try", "timeout": "2h", "steps": [wait], "catch": [{"steps": call("h")}]}
        # The timeout bounds the whole of the block, its handlers too, so it is caught one level up.
        outer = {"type": "try", "steps": block, "catch": [{"error": "timeout", "steps": call("late")}]}
        world = World(plan_of(outer)).finish()
        assert world.steps() == ["late"]

    def test_a_workflow_has_a_timeout_too(self) -> None:
        wait = {"type": "wait", "name": "w", "event": "never"}
        world = World(plan_of(wait, timeout="1d")).finish()
        assert error_of(world)["type"] == "timeout"


class TestValues:
    def test_set_works_all_of_it_out_before_it_sets_any(self) -> None:
        swap = {"type": "repeat", "until": "true", "maxIterations": 1, "output": {"p": "$.a", "q": "$.b"}}
        swap["steps"] = {"type": "set", "values": {"a": "$.b", "b": "$.a"}}
        assert World(plan_of(swap, output="$"), {"a": 1, "b": 2}).finish().output == {"a": 1, "b": 2, "p": 2, "q": 1}

    def test_a_value_that_is_not_there_fails_the_step(self) -> None:
        world = World(plan_of({"type": "set", "values": {"a": "$.missing"}})).finish()
        assert error_of(world)["type"] == "expression.undefined"

    def test_fail_ends_with_the_error_it_names(self) -> None:
        step = {
            "type": "fail",
            "name": "no",
            "error": "order.too-small",
            "message": "only ${$.n}",
            "details": {"n": "$.n"},
        }
        world = World(plan_of(call("a", compensate=UNDO), step), {"n": 2}).finish()
        assert error_of(world) == {"type": "order.too-small", "message": "only 2", "details": {"n": 2}, "step": "no"}
        assert world.status == "compensated"

    @pytest.mark.parametrize("around", ["sequential", "parallel", "foreach", "try"])
    def test_end_completes_the_execution_from_anywhere(self, around: str) -> None:
        steps: list[Any] = [call("a", output="a", compensate=UNDO), {"type": "end", "output": {"early": "$.a.of"}}]
        block: Any = {"type": around, "steps": steps}
        if around == "parallel":
            block = parallel(steps, {"type": "human-task", "name": "ask", "assignee": "bob"})
        elif around == "foreach":
            block = foreach([1, 2], *steps)
        elif around == "try":
            block["catch"] = [{"steps": call("h")}]
        world = World(plan_of(block, call("never"), output="$.missing")).finish()
        assert (world.status, world.output) == ("completed", {"early": "a@0" if around == "foreach" else "a"})
        assert not [step for step in world.steps() if ":" in step or step in ("never", "h")]

"""Why things are as they are, of executions that the interpreter has run."""

from __future__ import annotations

import re
from typing import Any, ClassVar

import pytest

from tests.support.world import World, an_event, call, plan_of
from wfrun.errors import NotFoundError, ServiceError
from wfrun.views.explain import Explanation, explain, explain_step
from wfrun.views.explain.reasons import Reason
from wfrun.views.status import status_of


def failing(*steps: str, type: str = "shop.down", times: int = 99) -> Any:
    """A service that fails for these steps, so often."""

    def script(step: str, attempt: int, value: Any) -> Any:
        if step in steps and attempt <= times:
            raise ServiceError(type, "no")
        return {"of": step}

    return script


def world(
    *steps: Any, script: Any = None, input: Any = None, events: Any = None, people: Any = None, **more: Any
) -> World:
    made = World(plan_of(*steps, **more), input, script or failing(), events=events, people=people)
    return made.finish()


def of(made: World, step: str | None = None, *, plan: bool = True) -> Explanation:
    view, used = status_of(made.records), made.plan if plan else None
    return explain(made.records, view, used) if step is None else explain_step(made.records, view, used, step)


def told(made: World, step: str | None = None, *, plan: bool = True) -> list[tuple[str, str]]:
    return [(each["what"], each["why"]) for each in of(made, step, plan=plan)["reasons"]]


def only(made: World, step: str | None, what: str) -> Reason:
    (found,) = [each for each in of(made, step)["reasons"] if each["what"] == what]
    return found


class TestWhetherItRan:
    def test_its_own_condition(self) -> None:
        made = world(call("a", condition="$.x > 5"), call("b", condition="$.x > 1"), input={"x": 3})
        skipped = only(made, "a", "skipped")
        assert (skipped["why"], skipped["values"]) == ("the condition of a was false: $.x > 5", {"$.x": 3})
        assert told(made, "a") == [("skipped", skipped["why"])]
        assert only(made, "b", "runs")["values"] == {"$.x": 3}
        assert (of(made, "a")["stepStatus"], of(made, "b")["stepStatus"]) == ("skipped", "completed")

    def test_the_branch_it_stands_in(self) -> None:
        block = {"name": "big", "type": "conditional", "condition": "$.x > 5", "then": call("a"), "else": call("b")}
        made = world(block, input={"x": 3})
        assert told(made, "a") == [("not-taken", "big takes `else`: $.x > 5 is false")]
        assert told(made, "b")[0] == ("taken", "big takes `else`: $.x > 5 is false")
        decided = ("decided", 'big takes `else`: $.x > 5 is false with {"$.x":3}')
        assert told(made, "big") == [decided, ("inside", "it holds a skipped, b completed")]

    def test_the_condition_of_a_block_around(self) -> None:
        block = {"name": "all", "type": "sequential", "condition": "$.x > 5", "steps": [call("a")]}
        assert told(world(block, input={"x": 3}), "a") == [("skipped", "the condition of all was false: $.x > 5")]

    def test_the_case_it_stands_in(self) -> None:
        ways = [{"condition": f"$.x == {number}", "steps": call(f"s{number}")} for number in range(3)]
        block = {"name": "which", "type": "switch", "cases": ways, "else": call("other")}
        made = world(block, input={"x": 1})
        assert told(made, "s1")[0] == ("taken", "which takes cases[1]: $.x == 1 is true")
        assert told(made, "s0") == told(made, "s2") == told(made, "other")
        assert told(made, "s0") == [("not-taken", "which takes cases[1]: $.x == 1 is true")]
        made = world(block, input={"x": 7})
        assert told(made, "other")[0][1] == "which takes `else`, as no case fits: $.x == 2 is false"
        assert told(made, "s0") == [("not-taken", "which passes by cases[0]: $.x == 0 is false")]

    def test_not_reached(self) -> None:
        made = world(call("a"), call("b"), script=failing("a"))
        assert told(made, "b") == [("not-reached", "the execution ended before it: failed, a failed: shop.down: no")]
        made = world({"type": "wait", "name": "w", "event": "e"}, call("b"))
        assert told(made, "b") == [("pending", "it has not come to it yet")]

    def test_without_the_plan_there_are_the_words_of_the_journal(self) -> None:
        made = world(call("a", condition="$.x > 5"), call("b"), input={"x": 3})
        assert told(made, "a", plan=False)[0][0] == "skipped"
        assert told(made, "b", plan=False)[0][0] == "called"

    def test_a_step_that_does_not_exist(self) -> None:
        made = world(call("charge"))
        with pytest.raises(NotFoundError) as error:
            of(made, "chage")
        assert (error.value.code, error.value.hint) == ("step.unknown", "did you mean charge?")


class TestAttempts:
    def test_the_policy_by_which_it_is_tried_again(self) -> None:
        retry = {"policy": "fixed", "initialDelay": "1s", "jitter": 0, "maxRetries": 2}
        made = world(call("a", retry=retry), script=failing("a", times=1))
        found = only(made, "a", "retried")
        assert found["why"].startswith("attempt 1 failed with shop.down: no; tried again at 2")
        assert found["why"].endswith("(fixed, from 1.0s on, at most 2 times)")
        assert found["values"]["error"] == {"type": "shop.down", "message": "no"}
        assert found["values"]["due"]

    @pytest.mark.parametrize(
        ("retry", "type", "why"),
        [
            ("none", "shop.down", "not tried again, as no retries are asked for"),
            ({"maxRetries": 1}, "http.404", "not tried again, as errors of this type are not retried"),
            ({"maxRetries": 1}, "shop.down", "not tried again, as that is allowed 1 time"),
        ],
    )
    def test_why_it_is_not(self, retry: Any, type: str, why: str) -> None:
        made = world(call("a", retry=retry), script=failing("a", type=type))
        assert only(made, "a", "failed")["why"].endswith(f"{type}: no; {why}")

    def test_one_that_is_due(self) -> None:
        made = World(plan_of(call("a", retry={"maxRetries": 1})), None, failing("a"))
        made.step()
        (found,) = of(made)["reasons"]
        assert (found["step"], found["what"], found["why"].partition("; ")[0]) == (
            "a",
            "retried",
            "attempt 1 failed with shop.down: no",
        )

    def test_the_handler_that_its_error_went_to(self) -> None:
        handlers = [
            {"error": "http.*", "steps": call("h")},
            {"error": "shop.*", "condition": "$.error.message == 'yes'", "steps": call("i")},
            {"error": ["shop.down", "x"], "steps": call("j")},
        ]
        made = world(call("a", onError=handlers), script=failing("a"))
        assert only(made, "a", "handled")["why"] == "a.onError[2], for shop.down or x, takes its error"
        assert told(made, "j")[0] == (
            "taken",
            "a.onError[2] takes the error of a (shop.down)",
        )
        assert told(made, "h")[0][0] == "not-taken"
        refused = of(made, "i")["reasons"][0]
        assert (refused["what"], refused["values"]) == ("not-taken", {"$.error.message": "no"})

    def test_an_error_that_is_passed_over(self) -> None:
        made = world(call("a", onError="continue"), script=failing("a"))
        assert only(made, "a", "handled")["why"] == "its error is passed over"


class TestWaiting:
    WAIT: ClassVar[Any] = {
        "type": "wait",
        "name": "w",
        "event": "paid",
        "match": "$.event.data.n == $.n",
        "timeout": "1h",
    }

    def test_an_event_that_was_refused_and_the_values_of_its_match(self) -> None:
        made = World(plan_of(self.WAIT), {"n": 5}, failing(), events=[an_event("paid", "e-1", {"n": 4})])
        made.step()
        refused = only(made, "w", "refused")
        assert refused["why"] == "`match` is false for event e-1"
        assert refused["values"] == {"$.event.data.n": 4, "$.n": 5}
        waits, again = of(made)["reasons"]
        assert waits["why"].startswith("for the event paid, until 2")
        assert again == refused

    def test_one_that_was_taken(self) -> None:
        made = world(self.WAIT, input={"n": 5}, events=[an_event("paid", "e-1", {"n": 5})])
        assert only(made, "w", "took")["why"] == "event e-1 is the one"

    def test_who_a_task_waits_for(self) -> None:
        task = {"type": "human-task", "name": "ask", "assignee": {"users": ["kim"], "groups": ["bosses"]}}
        (found,) = of(world(task))["reasons"]
        assert (found["step"], found["what"]) == ("ask", "waits")
        assert found["why"] == "kim or bosses has not decided 'ask', without a deadline"
        assert found["values"]["assignee"] == {"users": ["kim"], "groups": ["bosses"]}

    def test_what_was_decided(self) -> None:
        task = {"type": "human-task", "name": "ask", "assignee": "kim"}
        made = world(task, people=lambda _: {"decision": "approved", "by": "kim", "data": {}})
        decided = only(made, "ask", "decided")
        assert (decided["values"]["decision"], decided["values"]["by"]) == ("approved", "kim")

    def test_a_word_about_a_call_that_was_lost(self) -> None:
        plan = plan_of(call("pay", onCrash="ask"))
        begun = World(plan)
        (found,) = of(World.resumed(begun, begun.records, None))["reasons"]
        assert (found["step"], found["what"]) == ("pay", "unknown")
        assert re.fullmatch(
            r"what became of the call, begun at 2.*Z, is not known: `retry-now`, .* says it", found["why"]
        )

    def test_a_child(self) -> None:
        made = World(plan_of({"type": "workflow", "name": "c", "workflow": "other"}))
        (found,) = of(made)["reasons"]
        assert (found["step"], found["what"]) == ("c", "runs")


class TestLoops:
    def loop(self) -> World:
        step = call("ship", condition="$.item != 2")
        return world({"name": "all", "type": "foreach", "items": [1, 2, 3], "steps": step})

    def test_what_it_went_through(self) -> None:
        assert told(self.loop(), "all") == [
            ("iterates", "all goes through 3 items"),
            ("inside", "it holds ship completed"),
        ]

    def test_an_iteration(self) -> None:
        made = self.loop()
        assert only(made, "ship@1", "skipped")["values"] == {"$.item": 2}
        assert (of(made, "ship@1")["stepStatus"], of(made, "ship@0")["stepStatus"]) == ("skipped", "completed")

    def test_all_of_them_at_once_are_counted(self) -> None:
        (found,) = of(self.loop(), "ship")["reasons"]
        assert found["why"] == "it runs in a loop: 2 completed, 1 skipped; `ship@0` is its first iteration"

    def test_an_iteration_that_is_not_there(self) -> None:
        with pytest.raises(NotFoundError):
            of(self.loop(), "ship@9")

    def test_a_branch_in_a_loop_in_a_loop(self) -> None:
        block = {"name": "b", "type": "conditional", "condition": "$.item > 1", "then": call("a"), "else": call("z")}
        inner = {"type": "foreach", "items": [1, 2], "steps": [block]}
        made = world({"type": "foreach", "items": [0, 0], "steps": [inner]})
        assert told(made, "a@1.1")[0] == ("taken", "b@1.1 takes `then`: $.item > 1 is true")
        assert told(made, "z@0.0")[0][0] == "taken"


class TestEnds:
    UNDO: ClassVar[Any] = {"service": "svc", "action": "undo"}

    def test_what_failed_and_what_was_undone(self) -> None:
        made = world(call("a", compensate=self.UNDO), call("b"), script=failing("b"))
        assert told(made) == [
            ("failed", "b failed: shop.down: no"),
            ("undone", "as it failed, what was done is undone, last first: a"),
        ]
        undone = only(made, "a", "undone")
        assert undone["why"] == ("undone as number 1 of 1 (the execution failed), because of b shop.down: no")
        assert told(made, "a")[-1] == ("completed", 'undo a completed: {"of":"compensate:a"}')

    def test_a_compensation_can_be_asked_about_too(self) -> None:
        made = world(call("a", compensate=self.UNDO), call("b"), script=failing("b"))
        assert of(made, "compensate:a")["step"] == "a"

    def test_what_could_not_be_undone(self) -> None:
        made = world(call("a", compensate=self.UNDO), call("b"), script=failing("b", "compensate:a"))
        assert "not-undone" in [what for what, _ in told(made)]

    def test_the_cause_behind_an_error(self) -> None:
        made = world(call("a", onError={"steps": call("h")}), script=failing("a", "h"))
        assert told(made) == [("failed", "h failed: shop.down: no"), ("cause", "before that, a failed: shop.down: no")]

    def test_a_workflow_that_completed(self) -> None:
        made = world(call("a", condition="$.x > 5"), call("b"), input={"x": 3})
        assert told(made) == [
            ("skipped", "its condition $.x > 5 was false"),
            ("completed", "every step that was to run has run"),
        ]

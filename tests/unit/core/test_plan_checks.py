"""Conditions that cannot come out, texts that look like data, times and quorums that cannot be meant."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.world import call
from tests.unit.core.plan_support import of_input, problem, problems, task
from wfrun.core.plan import compile_plan
from wfrun.errors import InvalidError
from wfrun.load.definition import load_definition

INPUT = {"amount": "number", "name": "string", "paid": "boolean", "any": "any", "many": "array", "order": "object"}


class TestConditions:
    @pytest.mark.parametrize(
        ("condition", "message", "hint"),
        [
            ("$.amount", "a condition must be true or false, and $.amount is a number", "$.amount > 0"),
            ("${ $.name }", "and $.name is text", "$.name == 'yes'"),
            ("$.many", "and $.many is a list", "!= null"),
            ("$.amount == '5'", "$.amount is a number and '5' is text: they are never equal", "write 5 without quotes"),
            ("'x' != $.amount", "they always differ", "nothing is converted"),
            ("$.name > 5", "$.name is text and 5 is a number: neither is before the other", "write '5'"),
            ("$.paid == 1", "$.paid is true or false and 1 is a number", "nothing is converted"),
            ("$.paid and $.name == 5", "they are never equal", "write '5'"),
        ],
    )
    def test_those_that_cannot_come_out(self, condition: str, message: str, hint: str) -> None:
        found = problem(call("a", condition=condition), input=INPUT)
        assert (found.code, found.severity) == ("expression.type", "error")
        assert message in found.message
        assert hint in found.hint

    @pytest.mark.parametrize(
        "condition",
        ["$.paid", "$.any", "$.any == 'x'", "$.any > 5", "$.name == 'x'", "$.amount in [1]", "$.order.paid"],
    )
    def test_those_that_may(self, condition: str) -> None:
        assert problems(call("a", condition=condition), input=INPUT) == []

    def test_those_of_blocks_are_held_to_the_same(self) -> None:
        found = problem({"type": "conditional", "condition": "$.amount", "then": call("a")}, input=INPUT)
        assert found.code == "expression.type"

    def test_the_braces_of_other_tools(self) -> None:
        assert problem(call("a", condition="${{ inputs.paid }}")).hint.endswith("${ $.paid }")


class TestTextsThatLookLikeData:
    @pytest.mark.parametrize(
        ("text", "hint"),
        [
            ("order.id", "write $.order.id"),
            ("order.lines[0].sku", "write $.order.lines[0].sku"),
            ("execution.id", "write $.execution.id"),
            ("{{ order.id }}", "one pair of braces, and data begins with $.: ${ $.order.id }"),
        ],
    )
    def test_a_forgotten_dollar(self, text: str, hint: str) -> None:
        (found,) = of_input({"reference": [text]}, input=INPUT)
        assert (found.code, found.severity, found.hint) == ("plan.literal-path", "warning", hint)

    @pytest.mark.parametrize(
        "text", ["orders.id", "execution.log", "name.first", "order", "an order.id", "order.", "v1.2"]
    )
    def test_other_texts(self, text: str) -> None:
        assert of_input({"reference": text}, input=INPUT) == []

    def test_a_whole_input_that_is_only_the_name_of_a_key(self) -> None:
        assert [found.hint for found in of_input("order", input=INPUT)] == ["write $.order"]

    def test_the_output_of_an_earlier_step(self) -> None:
        found = problem(call("a", output="x"), call("b", input={"y": "x.id"}))
        assert found.hint == "write $.x.id"

    def test_everywhere_where_data_can_stand(self) -> None:
        undo = {"service": "s", "action": "u", "input": ["result.id"]}
        steps = [
            call("a", idempotencyKey="order.id", compensate=undo),
            task(title="order.id", assignee={"users": ["order.manager"]}, input="order.id"),
        ]
        found = problems(*steps, input=INPUT, output="order.id")
        assert [each.code for each in found] == ["plan.literal-path"] * 6


class TestTimes:
    @pytest.mark.parametrize("key", ["timeout", "deadline"])
    def test_a_bare_number_that_is_too_small_for_milliseconds(self, key: str) -> None:
        found = problem(call("a", **{key: 24}))
        assert (found.code, found.severity) == ("plan.duration", "warning")
        assert "24 milliseconds" in found.message
        assert "24s, 24m or 24h, or 24ms" in found.hint

    @pytest.mark.parametrize("time", [1000, 30000, "24ms", "1s"])
    def test_times_that_may_be_meant(self, time: Any) -> None:
        assert problems(call("a", timeout=time), errorHandling={"timeout": time}) == []

    @pytest.mark.parametrize("time", [0, "0s", "PT0S"])
    def test_a_time_that_is_over_at_once(self, time: Any) -> None:
        found = problem(call("a", timeout=time))
        assert (found.code, found.severity) == ("plan.duration", "error")

    def test_everywhere(self) -> None:
        undo = {"service": "s", "action": "u", "timeout": 5}
        chain: dict[str, Any] = {
            "timeout": 5,
            "onTimeout": "escalate",
            "escalation": [{"assignee": "eve", "timeout": 5}],
        }
        found = problems(call("a", compensate=undo), task(**chain), errorHandling={"timeout": 5})
        assert [each.code for each in found] == ["plan.duration"] * 4

    def test_a_first_delay_may_be_short(self) -> None:
        assert problems(call("a", retry={"initialDelay": 200})) == []

    def test_a_deadline_that_cuts_the_first_attempt_short(self) -> None:
        found = problem(call("a", deadline="5s"), errorHandling={"timeout": "10s"})
        assert (found.code, found.severity) == ("plan.deadline", "warning")

    @pytest.mark.parametrize("heartbeat", ["10s", "1m"])
    def test_a_heartbeat_that_the_timeout_never_waits_for(self, heartbeat: str) -> None:
        found = problem(call("a", timeout="10s", heartbeat=heartbeat))
        assert (found.code, found.severity) == ("plan.heartbeat", "warning")
        assert problems(call("a", timeout="2m", heartbeat=heartbeat)) == problems(call("a", heartbeat=heartbeat)) == []

    def test_a_heartbeat_is_a_time_like_others(self) -> None:
        assert problem(call("a", heartbeat=0)).severity == "error"
        assert problem(call("a", heartbeat=30)).message == "a heartbeat of 30 is 30 milliseconds"


class TestQuorum:
    @pytest.mark.parametrize("users", [["ann", "bob"], ["ann", "bob", "ann"], "ann"])
    def test_more_than_there_are_people(self, users: Any) -> None:
        found = problem(task(assignee={"users": users, "quorum": 3}))
        assert (found.code, found.severity) == ("plan.quorum", "error")

    @pytest.mark.parametrize(
        "assignee",
        [
            {"users": ["ann", "bob"], "quorum": 2},
            {"users": "$.order.managers", "quorum": 2},
            {"groups": ["managers"], "quorum": 2},
            {"users": ["ann"], "groups": ["managers"], "quorum": 2},
        ],
    )
    def test_enough_people_or_nobody_knows_how_many(self, assignee: Any) -> None:
        assert problems(task(assignee=assignee), input=INPUT) == []

    def test_each_of_those_a_task_goes_on_to_is_judged_by_itself(self) -> None:
        few, enough = {"users": ["cem"], "quorum": 2}, {"users": ["cem"]}
        more: Any = {"timeout": "1d", "onTimeout": "escalate", "assignee": {"users": ["ann", "bob"], "quorum": 2}}
        found = problem(task(**more, escalation=[{"assignee": enough}, {"assignee": few}]))
        assert found.code == "plan.quorum"
        assert found.message == "2 people have to decide, and only 1 may"


def test_a_name_given_twice_is_told_without_the_compensation_that_misses_its_step() -> None:
    undo = {"charge": {"service": "s", "action": "refund"}}
    assert problem(call("reserve"), call("reserve"), compensations=undo).code == "plan.duplicate-name"


SOURCE = b"""name: t
compensations: { b: { service: s, action: u, input: $.nope } }
steps:
  - { name: a, service: s, action: do, timeout: 0 }
  - { name: b, service: s, action: do, input: $.nope }
input: { yes: string }
"""


def test_problems_are_told_in_the_order_of_the_file() -> None:
    with pytest.raises(InvalidError) as caught:
        compile_plan(load_definition(SOURCE, "t.yaml"))
    assert [problem.place.line for problem in caught.value.problems] == [2, 4, 5]

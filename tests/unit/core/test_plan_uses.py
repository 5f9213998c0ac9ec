"""What steps that lead to no others need to know, and what is known once they are done."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.world import call
from tests.unit.core.plan_support import FIELDS, advice, block, errors, problem, problems, task, told, use


class TestWaits:
    @staticmethod
    def wait(**more: Any) -> dict[str, Any]:
        return {"type": "wait", "name": "w", "event": "paid", "output": "got", **more}

    def test_an_event(self) -> None:
        used = use("$.got.id", "$.got.type", "$.got.source", "$.got.time", "$.got.data.anything")
        assert advice(self.wait(match="$.event.data.order == $.order.id"), used) == []
        (found,) = problems(self.wait(), use("$.got.dta"), input=FIELDS)
        assert (found.severity, found.hint) == ("error", "did you mean $.got.data?")

    @pytest.mark.parametrize("more", [{}, {"complete": 1}, {"complete": 2}])
    def test_several_events_are_a_list(self, more: dict[str, Any]) -> None:
        step = self.wait(event=["a", {"event": "b", "match": "$.event.data.x == 1"}], **more)
        assert advice(step, use("$.got[0].data.x", "$.got[1].id")) == []
        assert errors(step, use("$.got.data")) == ["$.got.data: $.got is a list"]

    def test_any_of_several_is_one(self) -> None:
        assert errors(self.wait(event=["a", "b"], complete="any"), use("$.got[0]")) == ["$.got[0]: $.got is an object"]

    def test_it_may_not_come(self) -> None:
        step = self.wait(timeout="1h", onTimeout="continue")
        assert advice(step, use("$.got.id")) == ["$.got.id may be missing here: 'w' goes on when no event came in time"]
        assert advice(self.wait(timeout="1h"), use("$.got.id")) == []

    def test_the_event_is_known_only_where_it_is_matched(self) -> None:
        assert errors(self.wait(), use("$.event.data")) == ["$.event.data has no meaning here"]
        assert errors(self.wait(match="$.event.dta == 1")) == ["$.event.dta: $.event has no key 'dta'"]
        assert errors(self.wait(event=[{"event": "a", "match": "$.evnt.id == 1"}])) == ["$.evnt.id is never set"]

    def test_a_match_that_never_is_one(self) -> None:
        assert advice(self.wait(match="1 == 2")) == ["the condition is always false: no event is ever taken"]

    @pytest.mark.parametrize(
        ("time", "message"),
        [
            ({"for": "$.order"}, "`for` must be a duration, and $.order is an object"),
            ({"until": "$.amount"}, "`until` must be an instant, and $.amount is a number"),
            ({"until": "$.nope"}, "$.nope is never set"),
        ],
    )
    def test_times_that_are_none(self, time: dict[str, Any], message: str) -> None:
        assert errors({"type": "wait", "name": "w", **time}) == [message]

    @pytest.mark.parametrize("time", [{"for": "$.amount"}, {"for": "${$.amount}s"}, {"until": "${ now() }"}])
    def test_times_that_may_be(self, time: dict[str, Any]) -> None:
        assert advice({"type": "wait", "name": "w", **time}) == []


class TestValues:
    @staticmethod
    def values(**values: Any) -> dict[str, Any]:
        return {"type": "set", "values": values}

    def test_they_are_seen_from_the_next_step_on(self) -> None:
        assert errors(self.values(a=1, b="$.a")) == ["$.a is not set here"]
        assert advice(self.values(a=1), self.values(b="$.a"), use("$.b")) == []

    @pytest.mark.parametrize(
        ("value", "path", "message"),
        [
            (1, "$.v.x", "$.v is a number"),
            (None, "$.v.x", "$.v is null"),
            (True, "$.v.x", "$.v is true or false"),
            ("text", "$.v.x", "$.v is text"),
            ("${$.amount} euros", "$.v.x", "$.v is text"),
            ("$$5", "$.v.x", "$.v is text"),
            ({"a": {"b": 1}}, "$.v.a.c", "$.v.a has no key 'c'"),
            ([1, 2], "$.v[0].x", "$.v[0] is a number"),
            ("$.amount", "$.v.x", "$.v is a number"),
            ("${ $.amount }", "$.v.x", "$.v is a number"),
            ({"deep": ["$.order"]}, "$.v.deep[0][0]", "$.v.deep[0] is an object"),
            ("$.lines[*].sku", "$.v.x", "$.v is a list"),
        ],
    )
    def test_their_shapes(self, value: Any, path: str, message: str) -> None:
        assert errors(self.values(v=value), use(path)) == [f"{path}: {message}"]

    @pytest.mark.parametrize(
        "value", ["${ $.amount + 1 }", "${ $.order ?? 1 }", "$.order.x", "$", "${$.order}${$.order}"]
    )
    def test_where_nothing_can_be_known(self, value: str) -> None:
        assert advice(self.values(v=value), use("$.v.x.y")) == []

    def test_a_word_that_is_a_key_too_is_no_mistake(self) -> None:
        assert advice(self.values(status="note", other="items")) == []
        assert advice(self.values(status="order.id")) == ["'order.id' is plain text here"]


class TestOthers:
    def test_an_emitted_event(self) -> None:
        assert errors({"type": "emit", "name": "e", "event": "x", "data": {"id": "$.nope"}}) == ["$.nope is never set"]

    @pytest.mark.parametrize("value", ["$.amount", "text", [1]])
    def test_a_workflow_gets_an_object(self, value: Any) -> None:
        (message,) = errors({"type": "workflow", "name": "w", "workflow": "o", "input": value})
        assert message.startswith("the input of a workflow must be an object, and ")

    @pytest.mark.parametrize("more", [{}, {"input": "$.order"}, {"input": {"a": "$.amount"}}, {"input": "$"}])
    def test_and_gives_its_output(self, more: dict[str, Any]) -> None:
        assert advice({"type": "workflow", "name": "w", "workflow": "o", "output": "got", **more}, use("$.got.x")) == []

    def test_unless_nobody_waits_for_it(self) -> None:
        (found,) = problems({"type": "workflow", "name": "w", "workflow": "o", "output": "x", "detach": True})
        assert (found.code, found.severity, found.place.path) == ("plan.detached", "warning", "steps[0].output")

    def test_what_a_failure_says(self) -> None:
        step = {"type": "fail", "error": "order.invalid", "message": "no ${$.nope}", "details": {"a": "order.id"}}
        assert sorted(told(step, input=FIELDS)) == [
            ("error", "$.nope is never set"),
            ("warning", "'order.id' is plain text here"),
        ]

    def test_what_an_end_gives(self) -> None:
        assert errors({"type": "end", "output": "$.nope"}) == ["$.nope is never set"]


class TestCompensations:
    UNDO = staticmethod(lambda *paths: {"service": "s", "action": "u", "input": list(paths)})

    def test_that_of_a_block_sees_what_the_block_has_set(self) -> None:
        step = block("parallel", call("a", output="x"), call("b", output="y"))
        assert advice({**step, "compensate": self.UNDO("$.x", "$.y", "$.error")}) == []

    def test_but_a_block_has_no_result(self) -> None:
        step = block("sequential", call("a"), compensate=[self.UNDO("$.amount"), self.UNDO("$.result")])
        (found,) = problems(step, input=FIELDS)
        assert (found.message, found.place.path) == ("$.result has no meaning here", "steps[0].compensate[1].input[0]")

    @pytest.mark.parametrize("step", [task(), {"type": "wait", "name": "w", "event": "e"}])
    def test_what_has_a_result(self, step: dict[str, Any]) -> None:
        assert advice({**step, "compensate": self.UNDO("$.result.id")}) == []

    @pytest.mark.parametrize(
        ("step", "who"),
        [
            (call("a", output="x"), "a call that was stopped or timed out"),
            ({"type": "workflow", "name": "w", "workflow": "o", "output": "x"}, "a workflow that needs attention"),
        ],
    )
    @pytest.mark.parametrize("path", ["$.result", "$.result.id", "$.x.id", "id-${$.result.id}"])
    def test_what_may_have_none(self, step: dict[str, Any], who: str, path: str) -> None:
        found = problem({**step, "compensate": self.UNDO(path)})
        assert (found.code, found.severity) == ("plan.may-be-missing", "warning")
        assert f"{who} is undone too, and has no result" in found.message
        assert found.hint.startswith("undo it by what it was given, or say what then: ${default($.")

    @pytest.mark.parametrize(
        "path",
        [
            "${default($.result.id, 'unknown')}",
            "${has($.result) ? $.result.id : 'unknown'}",
            "${$.x.id ?? 'unknown'}",
            "$.order.id",
            "$.execution.id",
            "$.error",
            "${default($.error.type, 'cancelled')}",
            "$",
        ],
    )
    def test_what_is_there_in_any_case(self, path: str) -> None:
        assert advice(call("a", output="x", compensate=self.UNDO(path))) == []

    def test_what_was_set_before_is_there_in_any_case(self) -> None:
        first = {"type": "set", "values": {"x": {"id": 1}}}
        again = call("a", output="x", compensate=self.UNDO("$.x.id"))
        assert advice(first, block("repeat", again, until="$.x.id == 2", maxIterations=3)) == []

    def test_there_is_no_error_when_it_is_cancelled(self) -> None:
        (message,) = advice(call("a", compensate=self.UNDO("$.error.message")))
        assert message == "$.error.message may be missing here: there is no error when it is cancelled"

    def test_what_another_step_gave_is_there(self) -> None:
        assert advice(call("a", output="x"), call("b", compensate=self.UNDO("$.x.id"))) == []

    def test_that_of_a_step_in_a_loop_knows_the_item(self) -> None:
        assert advice(block("foreach", call("a", compensate=self.UNDO("$.item", "$.index")), items="$.items")) == []

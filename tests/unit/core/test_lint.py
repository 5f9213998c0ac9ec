"""Advice: when it is given and, as important, when it is not."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.world import call, document
from tests.unit.core.plan_support import block, task, use
from wfrun.core.plan import examine_plan
from wfrun.core.plan.lint import lint, secrets
from wfrun.errors import Problem

UNDO = {"service": "svc", "action": "undo"}


def advice(*steps: Any, **more: Any) -> list[Problem]:
    return lint(examine_plan(document({"name": "test", "steps": list(steps), **more}))[0])


def told(code: str, *steps: Any, **more: Any) -> list[str]:
    return [found.message for found in advice(*steps, **more) if found.code == code]


def act(name: str, **more: Any) -> dict[str, Any]:
    """A call that changes something."""
    return call(name, **{"action": "reserve", **more})


class TestCompensations:
    def left(self, *steps: Any, **more: Any) -> str:
        """The names of the steps that the advice lists, as it lists them."""
        (message, *others) = [*told("lint.no-compensation", *steps, **more), ""]
        assert others in ([""], [])
        return message.partition(" stay")[0].replace("'", "")

    def test_a_step_before_one_that_can_fail(self) -> None:
        assert self.left(act("a", compensate=UNDO), act("b"), act("c")) == "b"
        assert self.left(act("a"), act("b", compensate=UNDO)) == "a"
        assert self.left(act("a"), act("b"), act("c", compensate=UNDO)) == "a, b"

    def test_the_place_is_that_of_the_first(self) -> None:
        (found,) = advice(act("a", compensate=UNDO), act("b"), act("c"), act("d"))
        assert (found.place.path, found.severity) == ("steps[1]", "warning")

    def test_many_are_not_all_listed(self) -> None:
        steps = [act(f"s{number}") for number in range(9)]
        assert self.left(act("a", compensate=UNDO), *steps) == "s0, s1, s2, s3, s4, …"

    def test_a_workflow_that_undoes_nothing_has_none(self) -> None:
        assert self.left(act("a"), act("b")) == ""

    def test_nor_has_one_that_stops_for_a_person(self) -> None:
        more = {"errorHandling": {"onFailure": "pause"}}
        assert self.left(act("a", compensate=UNDO), act("b"), act("c"), **more) == ""

    def test_an_entry_of_compensations_counts(self) -> None:
        assert self.left(act("a"), act("b"), act("c"), compensations={"a": UNDO, "b": UNDO}) == ""

    @pytest.mark.parametrize(
        "action", ["getOrder", "check", "validate_order", "list-items", "FindAll", "sendMail", "notify", "GET_ITEMS"]
    )
    def test_what_changes_nothing_or_only_tells(self, action: str) -> None:
        assert self.left(call("a", action=action), act("b", compensate=UNDO), act("c")) == ""

    @pytest.mark.parametrize("action", ["getaway", "checkout", "listen", "reserve", "sender", "x"])
    def test_words_that_only_begin_so(self, action: str) -> None:
        assert self.left(call("a", action=action), act("b", compensate=UNDO)) == "a"

    @pytest.mark.parametrize(
        ("request_", "left"),
        [("GET /x", ""), ("get /x", ""), ({"method": "HEAD", "path": "/x"}, ""), ("POST /x", "a"), ({}, "a")],
    )
    def test_http_methods_that_are_safe(self, request_: Any, left: str) -> None:
        services = {"svc": {"adapter": "http", "baseUrl": "http://h", "actions": {"reserve": request_}}}
        assert self.left(act("a"), act("b", compensate=UNDO), services=services) == left

    def test_another_adapter_has_no_methods(self) -> None:
        services = {"svc": {"adapter": "mock", "actions": {"reserve": "GET it"}}}
        assert self.left(act("a"), act("b", compensate=UNDO), services=services) == "a"

    def test_a_block_that_is_undone_as_a_whole(self) -> None:
        whole = block("sequential", act("a"), act("b"), compensate=UNDO)
        assert self.left(whole, act("c")) == ""

    def test_branches_beside_each_other(self) -> None:
        assert self.left(block("parallel", act("a", compensate=UNDO), act("b"))) == "b"

    def test_ways_of_which_one_is_gone(self) -> None:
        ways = {"type": "conditional", "condition": "$.x", "then": [act("a", compensate=UNDO)], "else": [act("b")]}
        assert self.left(ways) == ""
        assert self.left(ways, act("c")) == "b"

    def test_the_next_round_can_fail(self) -> None:
        assert self.left(block("foreach", act("a"), items=[1]), compensations={"a": UNDO}) == ""
        assert self.left(act("z", compensate=UNDO), block("foreach", act("a"), items=[1])) == "a"

    def test_what_follows_cannot_fail(self) -> None:
        quiet = [
            act("b", onError="continue"),
            {"type": "set", "values": {"x": 1}},
            {"type": "emit", "name": "e", "event": "e"},
        ]
        assert self.left(act("z", compensate=UNDO), act("a"), *quiet) == ""

    def test_an_error_that_is_caught_undoes_nothing(self) -> None:
        caught = block("try", act("a"), act("b"), catch=[{"steps": [{"type": "set", "values": {"x": 1}}]}])
        assert self.left(act("z", compensate=UNDO), caught) == ""
        some = block("try", act("a"), act("b"), catch=[{"error": "timeout", "steps": [call("c", action="get")]}])
        assert self.left(act("z", compensate=UNDO), some) == "a"

    def test_behind_a_pivot_nothing_is_undone(self) -> None:
        assert self.left(act("a", compensate=UNDO), act("b", pivot=True), act("c"), act("d")) == ""
        assert self.left(act("a"), act("b", compensate=UNDO), act("c", pivot=True)) == "a"

    def test_spared_for_one_step(self) -> None:
        spared = {"ignore": ["lint.no-compensation"]}
        assert self.left(act("a", metadata=spared), act("b"), act("c", compensate=UNDO)) == "b"


class TestDeadlines:
    def told(self, *steps: Any, **more: Any) -> list[str]:
        return told("lint.no-deadline", *steps, **more)

    def test_a_task_and_a_wait(self) -> None:
        wait = {"type": "wait", "name": "w", "event": ["paid", "refused"]}
        assert self.told(task(), wait) == [
            "nothing happens if nobody ever decides 'ask'",
            "'w' waits forever if 'paid' or 'refused' never comes",
        ]

    def test_with_a_timeout_of_their_own_or_around(self) -> None:
        wait = {"type": "wait", "name": "w", "event": "paid"}
        assert (
            self.told(task(timeout="1h"), {**wait, "timeout": "1d"}, {"type": "wait", "name": "v", "for": "1d"}) == []
        )
        assert self.told(block("sequential", task(), wait, timeout="1d")) == []
        assert self.told(task(), wait, timeout="1w") == []

    def test_an_escalation_has_a_beginning(self) -> None:
        chain: dict[str, Any] = {"timeout": "1h", "onTimeout": "escalate", "escalation": [{"assignee": "boss"}]}
        assert self.told(task(**chain)) == []

    def test_a_race(self) -> None:
        wait = {"type": "wait", "name": "w", "event": "paid"}
        assert self.told(block("parallel", wait, call("a"), complete="any")) == []
        assert len(self.told(block("parallel", wait, task(), complete="any"))) == 2
        assert len(self.told(block("parallel", wait, task(), call("a"), complete=2))) == 2
        assert len(self.told(block("parallel", wait, call("a")))) == 1


class TestHandlers:
    def told(self, *handlers: Any) -> list[tuple[str, str]]:
        found = advice(call("a", onError=[{"steps": call(f"h{at}"), **each} for at, each in enumerate(handlers)]))
        return [(each.code, each.place.path) for each in found]

    @pytest.mark.parametrize(
        ("first", "second"),
        [
            ("http.*", "http.503"),
            ("http.*", "http.5*"),
            ("a", "a"),
            (["a", "b"], ["b", "a"]),
            (["x.*", "y"], ["x.1", "y"]),
        ],
    )
    def test_what_one_before_takes(self, first: Any, second: Any) -> None:
        found = self.told({"error": first}, {"error": second})
        assert found == [("lint.unreachable-handler", "steps[0].onError[1]")]

    @pytest.mark.parametrize(
        ("first", "second"),
        [("http.503", "http.*"), ("http.?", "http.*"), ("http.[45]*", "http.[4]*"), ("a", ["a", "b"]), ("*", "a")],
    )
    def test_what_it_may_not_take(self, first: Any, second: Any) -> None:
        """Behind a handler for everything the checks of the plan say so."""
        assert self.told({"error": first}, {"error": second}) == []

    def test_a_condition_lets_errors_by(self) -> None:
        assert self.told({"error": "a", "condition": "$.error.status == 1"}, {"error": "a"}) == []

    def test_patterns_that_say_the_same(self) -> None:
        twice = [("lint.duplicate-pattern", "steps[0].onError[0].error[1]")]
        assert self.told({"error": ["timeout", "timeout"]}) == twice
        assert self.told({"error": ["http.5*", "http.503"]}) == twice
        assert self.told({"error": ["http.503", "http.5*"]}) == [
            ("lint.duplicate-pattern", "steps[0].onError[0].error[0]")
        ]
        assert self.told({"error": ["http.5*", "http.4*"]}) == []

    def test_cases_that_ask_the_same(self) -> None:
        def cases(*conditions: Any) -> dict[str, Any]:
            ways = [{"condition": each, "steps": call(f"s{at}")} for at, each in enumerate(conditions)]
            return {"type": "switch", "cases": ways}

        found = advice(cases("$.a > 1", "$.b", "$.a  > 1"))
        assert [(each.code, each.place.path) for each in found] == [
            ("lint.unreachable-case", "steps[0].cases[2].condition")
        ]
        assert advice(cases("$.a > 1", "$.a > 2", "$.b")) == []


class TestOutputs:
    def told(self, *steps: Any, **more: Any) -> list[str]:
        return told("lint.unused-output", *steps, **more)

    def test_a_key_that_nobody_reads(self) -> None:
        assert self.told(call("a", output="x")) == ["nobody reads 'x', which 'a' sets"]
        (found,) = advice({"type": "set", "values": {"x": 1, "y": 2}}, use("$.x"))
        assert (found.message, found.place.path) == ("nobody reads 'y', which 'steps[0]' sets", "steps[0].values.y")

    @pytest.mark.parametrize(
        "reader",
        [
            use("$.x"),
            use("${has($.x.y)}"),
            use("$"),
            use("$..y"),
            call("b", condition="$.x == 1"),
            call("b", compensate={**UNDO, "input": "$.x"}),
            call("b", idempotencyKey="k-${$.x}"),
            task(title="${$.x}", output=None),
            task(assignee="$.x", output=None),
            {"type": "wait", "name": "w", "event": "e", "match": "$.event.data == $.x"},
            {"type": "wait", "name": "w", "until": "$.x"},
            {"type": "workflow", "name": "c", "workflow": "w", "input": {"x": "$.x"}},
            {"type": "fail", "message": "because of ${$.x}"},
            {"type": "end", "output": "$.x"},
            block("repeat", call("b"), until="$.x", maxIterations=2),
            call("b", onError={"condition": "$.x", "steps": call("c")}),
            {"type": "switch", "cases": [{"condition": "$.x", "steps": call("c")}]},
        ],
    )
    def test_whoever_reads_it(self, reader: dict[str, Any]) -> None:
        reader = {key: value for key, value in reader.items() if value is not None}
        assert self.told(call("a", output="x"), reader) == []

    def test_the_output_of_the_workflow(self) -> None:
        assert self.told(call("a", output="x"), output={"x": "$.x"}) == []

    def test_what_a_loop_hands_on_as_a_whole(self) -> None:
        loop = block("foreach", call("a", output="x"), items=[1], output="all")
        assert self.told(loop, output="$.all") == []
        assert self.told(loop) == ["nobody reads 'all', which 'steps[0]' sets"]
        apart = block("foreach", call("a", output="x"), call("b", output="y"), items=[1], output={"xs": "$.x"})
        assert self.told(apart, output="$.xs") == ["nobody reads 'y', which 'b' sets"]


class TestSecrets:
    def told(self, data: Any) -> list[tuple[str, str]]:
        found = secrets(document({"name": "test", "steps": [], **data}))
        return [(each.place.path, each.message) for each in found]

    @pytest.mark.parametrize(
        "key",
        [
            "password",
            "dbPassword",
            "token",
            "access_token",
            "apiKey",
            "api-key",
            "X-Api-Key",
            "clientSecret",
            "PRIVATE_KEY",
        ],
    )
    def test_by_the_name_of_the_key(self, key: str) -> None:
        assert self.told({"services": {"s": {key: "hunter2"}}}) == [
            (f"services.s.{key}", f"the value of {key!r} stands here in plain text")
        ]

    @pytest.mark.parametrize("key", ["tokenUrl", "secretName", "passwordReset", "tokens", "keys", "keyboard", "author"])
    def test_names_of_other_things(self, key: str) -> None:
        assert self.told({"services": {"s": {key: "hunter2"}}}) == []

    @pytest.mark.parametrize(
        "value", ["${secret.X}", "Bearer ${secret.X}", "$.order.token", "$", "", "none", 5, None, {}]
    )
    def test_values_that_are_none(self, value: Any) -> None:
        assert self.told({"services": {"s": {"token": value}}}) == []

    @pytest.mark.parametrize(
        ("value", "what"),
        [
            ("AKIA" + "ABCDEFGHIJKLMNOP", "an AWS access key"),
            ("ghp_" + "a1B2" * 9, "a GitHub token"),
            ("github_pat_" + "a1B2_" * 6, "a GitHub token"),
            ("glpat-" + "a1B2" * 5, "a GitLab token"),
            ("xoxb-" + "1234567890-ab", "a Slack token"),
            ("sk_live_" + "a1B2c3D4e5", "a Stripe key"),
            ("AIza" + "a" * 35, "a Google API key"),
            ("Bearer " + "eyJhbGciOiJI.eyJzdWIiOiIx.abc", "a JSON Web Token"),
            ("-----BEGIN " + "RSA PRIVATE KEY-----\nMII", "a private key"),
            ("postgres://app:" + "hunter2@db/x", "a password in a URL"),
        ],
    )
    def test_by_the_shape(self, value: str, what: str) -> None:
        (found,) = self.told({"steps": [{"input": {"note": [f"see {value}"]}}]})
        assert found == ("steps[0].input.note[0]", f"{what} stands here in plain text")

    @pytest.mark.parametrize(
        "value", ["https://example.com/a:b@c", "http://${env.USER}:${secret.PW}@h", "sk_live_", "AKIA", "eyJ"]
    )
    def test_shapes_of_other_things(self, value: str) -> None:
        assert self.told({"description": value}) == []

    def test_declared_fields_and_mocks_are_not_meant(self) -> None:
        assert self.told({"input": {"password": "string"}, "steps": [{"form": {"token": "string"}}]}) == []
        mock = {"adapter": "mock", "actions": {"login": {"result": {"token": "t-1"}}}}
        assert self.told({"services": {"s": mock}}) == []

    def test_but_a_token_is_a_token_there_too(self) -> None:
        default = {"type": "string", "default": "sk_live_" + "a1B2c3D4e5"}
        assert [path for path, _ in self.told({"input": {"key": default}})] == ["input.key.default"]

    def test_the_secret_is_not_repeated(self) -> None:
        found = secrets(document({"name": "t", "password": "hunter2"}))
        assert "hunter2" not in str(found)

    def test_in_a_whole_plan(self) -> None:
        (found,) = advice(call("a", input={"password": "hunter2"}))
        assert (found.code, found.place.path) == ("lint.secret", "steps[0].input.password")


class TestIgnoring:
    def test_for_a_step_and_what_is_inside(self) -> None:
        for listed in (["lint.no-deadline"], "lint.no-deadline", ["x", "lint.no-deadline"]):
            spared = block("sequential", task(output="a"), metadata={"ignore": listed})
            assert [found.code for found in advice(spared)] == ["lint.unused-output"]

    def test_for_all(self) -> None:
        assert advice(call("a", output="x"), metadata={"ignore": ["lint.unused-output"]}) == []

    @pytest.mark.parametrize("metadata", [{}, {"ignore": None}, {"ignore": ["unused-output"]}, {"ignore": {"a": 1}}])
    def test_anything_else_means_nothing(self, metadata: Any) -> None:
        assert len(advice(call("a", output="x", metadata=metadata))) == 1

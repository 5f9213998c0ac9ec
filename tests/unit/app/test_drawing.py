"""The outline of a workflow: every construct, with what it is about."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.world import call, plan_of
from wfrun.app.drawing import draw
from wfrun.views.graph import mermaid, tree
from wfrun.views.model import OutlineNode


def drawn(*steps: Any) -> list[OutlineNode]:
    plan = plan_of(*steps)
    return draw(plan.root.steps, plan.document)


def lines(*steps: Any) -> list[str]:
    return [line.rails + line.text for line in tree(drawn(*steps))]


class TestSteps:
    @pytest.mark.parametrize(
        ("step", "type", "label"),
        [
            (call("a"), "call", "svc.do"),
            ({"type": "human-task", "name": "t", "assignee": "ann"}, "human-task", "asks a person"),
            ({"type": "wait", "name": "w", "for": "2h"}, "wait", "for 2h"),
            ({"type": "wait", "name": "w", "until": "$.due"}, "wait", "until $.due"),
            ({"type": "wait", "name": "w", "event": "paid"}, "wait", "event paid"),
            ({"type": "wait", "name": "w", "event": ["a", "b"]}, "wait", "events a, b"),
            ({"type": "wait", "name": "w", "event": ["a", "b"], "complete": "any"}, "wait", "any of the events a, b"),
            ({"type": "wait", "name": "w", "event": ["a", "b", "c"], "complete": 2}, "wait", "2 of the events a, b, c"),
            ({"type": "set", "values": {"x": 1, "y": 2}}, "set", "x, y"),
            ({"type": "emit", "name": "e", "event": "order.placed"}, "emit", "order.placed"),
            ({"type": "workflow", "name": "w", "workflow": "billing"}, "workflow", "billing"),
            ({"type": "workflow", "name": "w", "workflow": "b", "detach": True}, "workflow", "b (detached)"),
            ({"type": "fail", "error": "order.invalid"}, "fail", "order.invalid"),
            ({"type": "fail"}, "fail", ""),
            ({"type": "end"}, "end", ""),
        ],
    )
    def test_each_says_what_it_is_about(self, step: dict[str, Any], type: str, label: str) -> None:
        (node,) = drawn(step)
        assert (node["type"], node["label"], node["children"]) == (type, label, [])

    def test_names_are_those_that_were_given(self) -> None:
        names = [(node["id"], node["name"]) for node in drawn(call("steps-a"), {"type": "set", "values": {"x": 1}})]
        assert names == [("steps-a", "steps-a"), ("steps[1]", "")]

    def test_a_step_that_may_fail_is_still_that_step(self) -> None:
        (node,) = drawn(call("a", onError="continue", condition="$.x == 1"))
        assert (node["id"], node["label"], node["condition"]) == ("a", "svc.do, goes on after an error", "$.x == 1")

    def test_all_that_undoes_a_step(self) -> None:
        undo = [{"service": "s", "action": "a"}, {"service": "s", "action": "b"}]
        (node,) = drawn({"type": "parallel", "name": "p", "steps": [call("a")], "compensate": undo})
        assert node["compensation"] == "s.a, s.b"


class TestBlocks:
    @pytest.mark.parametrize(
        ("block", "type", "label"),
        [
            ({"type": "parallel", "complete": "any"}, "parallel", "one is enough"),
            ({"type": "parallel", "complete": 2}, "parallel", "2 are enough"),
            ({"type": "parallel", "tolerate": 1}, "parallel", "1 may fail"),
            ({"type": "parallel", "tolerate": "12.5%"}, "parallel", "12.5% may fail"),
            ({"type": "foreach", "items": "$.list"}, "foreach", "item of $.list"),
            ({"type": "foreach", "items": [1], "as": "n", "tolerate": 1}, "foreach", "n of a list, 1 may fail"),
            ({"type": "while", "condition": "$.x == 1", "maxIterations": 3}, "while", "as long as $.x == 1"),
            ({"type": "repeat", "until": "$.x == 1", "maxIterations": 3}, "repeat", "until $.x == 1"),
        ],
    )
    def test_those_with_steps(self, block: dict[str, Any], type: str, label: str) -> None:
        (node,) = drawn({**block, "steps": [call("a"), call("b")]})
        assert (node["type"], node["label"]) == (type, label)
        assert [child["id"] for child in node["children"]] == ["a", "b"]

    def test_a_loops_condition_is_told_once(self) -> None:
        loop = {"type": "while", "condition": "$.x == 1", "maxIterations": 3, "steps": call("a")}
        assert lines(loop) == ["└─ while  as long as $.x == 1", "   └─ a  svc.do"]

    def test_lists_of_steps_are_no_blocks_of_their_own(self) -> None:
        inner = {"type": "sequential", "steps": [call("b")]}
        named = {"type": "sequential", "name": "both", "steps": [call("c")]}
        assert lines({"type": "sequential", "steps": [call("a"), inner, named]}) == [
            "├─ a  svc.do",
            "├─ b  svc.do",
            "└─ both",
            "   └─ c  svc.do",
        ]

    def test_branches_stay_apart_and_say_what_they_need(self) -> None:
        branches = [call("a", onError="continue"), [call("b"), call("c")], call("d", needs="a")]
        (node,) = drawn({"type": "parallel", "steps": branches})
        assert [(child["type"], child.get("needs")) for child in node["children"]] == [
            ("call", None),
            ("sequential", None),
            ("call", ["a"]),
        ]

    def test_cases(self) -> None:
        cases = [{"condition": "$.x == 1", "steps": call("a")}, {"condition": "$.x == 2", "steps": [call("b")]}]
        assert lines({"type": "switch", "name": "which", "cases": cases, "else": call("c")}) == [
            "└─ which  switch",
            "   ├─ $.x == 1",
            "   │  └─ a  svc.do",
            "   ├─ $.x == 2",
            "   │  └─ b  svc.do",
            "   └─ else",
            "      └─ c  svc.do",
        ]

    def test_handlers(self) -> None:
        handlers = [
            {"error": ["http.5*", "timeout"], "steps": call("b")},
            {"condition": "$.error.type == 'x'", "steps": call("c")},
        ]
        (node,) = drawn({"type": "try", "steps": [call("a")], "catch": handlers, "finally": call("d")})
        assert (node["type"], [(child["id"], child["branch"]) for child in node["children"]]) == (
            "try",
            [("a", None), ("b", "catch http.5*, timeout"), ("c", "catch * if $.error.type == 'x'"), ("d", "finally")],
        )

    def test_what_a_step_does_on_an_error(self) -> None:
        (node,) = drawn(call("a", onError={"error": "x", "steps": call("b")}))
        assert (node["type"], [(child["id"], child["branch"]) for child in node["children"]]) == (
            "try",
            [("a", None), ("b", "catch x")],
        )


def test_a_chart_of_branches_in_their_order() -> None:
    chart = mermaid("w", drawn({"type": "parallel", "steps": [call("b", needs="a"), call("a")]})).splitlines()
    assert [line.strip() for line in chart if "-->" in line] == ["n1 --> n2", "n2 --> n3", "n3 --> n4", "n4 --> n5"]

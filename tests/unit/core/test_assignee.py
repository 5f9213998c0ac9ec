"""Whom a task is for and what it asks, where that comes from data."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.world import World, call, plan_of


def ask(assignee: Any = "$.who", **more: Any) -> dict[str, Any]:
    return {"type": "human-task", "name": "ask", "assignee": assignee, **more}


def asked(assignee: Any, who: Any) -> Any:
    return World(plan_of(ask(assignee)), {"who": who}).of_type("task.created")[0]["assignee"]


@pytest.mark.parametrize(
    ("assignee", "who", "found"),
    [
        ("$.who", "ann", {"names": ["ann"]}),
        ("$.who", ["ann", ["bob"]], {"names": ["ann", "bob"]}),
        (["carl", "$.who"], ["ann", "bob"], {"names": ["carl", "ann", "bob"]}),
        ({"users": "$.who", "groups": "staff"}, [], {"groups": ["staff"]}),
        ({"users": "${string($.who)}"}, 42, {"users": ["42"]}),
    ],
)
def test_names_are_texts_and_lists_of_them(assignee: Any, who: Any, found: Any) -> None:
    assert asked(assignee, who) == found


@pytest.mark.parametrize("assignee", ["$.who", ["ann", "$.who"], {"users": "$.who"}, {"groups": ["$.who"]}])
@pytest.mark.parametrize(
    ("who", "code"),
    [
        (None, "expression.type"),
        (42, "expression.type"),
        (True, "expression.type"),
        ({"a": 1}, "expression.type"),
        (["bob", None], "expression.type"),
        ("", "expression.value"),
    ],
)
def test_nothing_else_names_anybody(assignee: Any, who: Any, code: str) -> None:
    world = World(plan_of(ask(assignee)), {"who": who}).finish()
    assert world.run.ended is not None
    assert world.run.ended["error"]["type"] == code
    assert world.run.ended["error"]["message"].startswith("test.yaml:")
    assert not world.run.tasks


def test_that_can_be_caught() -> None:
    block = {"type": "try", "steps": ask(), "catch": [{"errors": ["expression.type"], "steps": call("other")}]}
    assert World(plan_of(block), {"who": None}).finish().steps("step.completed") == ["other"]


def test_a_task_that_goes_on_to_nobody_fails() -> None:
    chain = [{"assignee": {"users": "$.who"}}]
    plan = plan_of(ask("boss", timeout="1h", onTimeout="escalate", escalation=chain))
    world = World(plan, {"who": None})
    world.add({"type": "task.expired", "task": "e1/ask"})
    assert world.run.ended is not None
    assert world.run.ended["error"]["type"] == "expression.type"
    assert world.run.tasks["e1/ask"].closed is not None


@pytest.mark.parametrize(
    ("given", "text"),
    [("Pay?", "Pay?"), (None, ""), (True, "true"), ({"b": None, "a": [1.5]}, '{"a":[1.5],"b":null}'), ([], "[]")],
)
@pytest.mark.parametrize("member", ["title", "description"])
def test_what_is_asked_is_text_as_in_any_other_text(given: Any, text: str, member: str) -> None:
    world = World(plan_of(ask("ann", **{member: "$.what"})), {"what": given})
    assert world.of_type("task.created")[0][member] == text

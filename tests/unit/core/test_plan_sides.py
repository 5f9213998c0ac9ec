"""How steps stand in blocks, for readers without the plan."""

from __future__ import annotations

from tests.support.world import call, plan_of
from wfrun.core.plan.sides import parts, shown_names

PICK = {
    "name": "pick",
    "type": "conditional",
    "condition": "$.x > 1",
    "then": [call("a"), call("b")],
    "else": call("c"),
}


def told(*steps: object) -> list[tuple[object, ...]]:
    return [(*part.values(),) for part in parts(plan_of(*steps).root)]


def test_each_side_is_a_range_of_the_steps() -> None:
    assert told(call("first"), PICK) == [("pick", "then", 1, 2), ("pick", "else", 3, 1)]


def test_cases_and_handlers_have_their_numbers() -> None:
    cases = [{"condition": f"$.x == {number}", "steps": call(f"s{number}")} for number in range(2)]
    switch = {"name": "which", "type": "switch", "cases": cases, "else": call("other")}
    assert told(switch) == [("which", "case", 0, 1, 0), ("which", "case", 1, 1, 1), ("which", "else", 2, 1)]
    block = {"name": "t", "type": "try", "steps": call("a"), "catch": [{"steps": call("h")}], "finally": call("f")}
    assert told(block) == [("t", "body", 0, 1), ("t", "handler", 1, 1, 0), ("t", "finally", 2, 1)]


def test_what_runs_all_it_holds_is_told_if_it_may_not_run_or_be_stopped() -> None:
    assert told({"name": "all", "type": "sequential", "steps": [call("a")]}) == []
    assert told({"name": "all", "type": "sequential", "timeout": "1h", "steps": [call("a")]}) == [("all", "", 0, 1)]
    both = {"name": "both", "type": "parallel", "condition": "$.x > 1", "steps": [call("a"), call("b")]}
    assert told(both) == [("both", "", 0, 2)]


def test_steps_without_a_name_are_called_after_the_step_around_them() -> None:
    inner = {"type": "conditional", "condition": "$.x > 2", "then": call("b")}
    outer = {"name": "pick", "type": "conditional", "condition": "$.x > 1", "then": [inner]}
    pay = call("pay", onError=[{"steps": call("h")}])
    root = plan_of(outer, pay, {"type": "sequential", "steps": [call("z")]}).root
    names = shown_names(root)
    assert (names["steps[0].then[0]"], names["steps[1].onError"]) == ("pick.then[0]", "pay.onError")
    assert "steps[2]" not in names

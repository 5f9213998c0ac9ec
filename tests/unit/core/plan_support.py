"""What the tests of the plan's checks share."""

from __future__ import annotations

from typing import Any

from tests.support.world import call, document
from wfrun.core.plan import examine_plan
from wfrun.errors import InvalidError, Problem


def problems(*steps: Any, **more: Any) -> list[Problem]:
    """Everything that is said of a plan, errors and advice."""
    try:
        return examine_plan(document({"name": "test", "steps": list(steps), **more}))[1]
    except InvalidError as invalid:
        return list(invalid.problems)


def problem(*steps: Any, **more: Any) -> Problem:
    (found,) = problems(*steps, **more)
    return found


def of_input(value: Any, **more: Any) -> list[Problem]:
    """What is said of a call with this input."""
    return problems(call("a", input=value), **more)


def task(name: str = "ask", **more: Any) -> dict[str, Any]:
    return {"type": "human-task", "name": name, "assignee": "ann", "output": name, **more}

"""What the tests of the plan's checks share."""

from __future__ import annotations

from typing import Any

from tests.support.world import call, document
from wfrun.core.plan import examine_plan
from wfrun.core.plan.nodes import Step
from wfrun.errors import InvalidError, Problem

FIELDS = {
    "amount": "number",
    "note": "string?",
    "items": "array",
    "lines": {"type": "array", "items": {"type": "object", "properties": {"sku": {"type": "string"}}}},
    "order": "object",
}


def problems(*steps: Any, **more: Any) -> list[Problem]:
    """Everything that is said of a plan, errors and advice."""
    try:
        return examine_plan(document({"name": "test", "steps": list(steps), **more}))[1]
    except InvalidError as invalid:
        return list(invalid.problems)


def problem(*steps: Any, **more: Any) -> Problem:
    (found,) = problems(*steps, **more)
    return found


def compiled(step: Any, **more: Any) -> Step:
    """A step as it is compiled, whatever the checks say of it."""
    return examine_plan(document({"name": "test", "steps": [step], **more}))[0].root.steps[0]


def told(*steps: Any, **more: Any) -> list[tuple[str, str]]:
    """Everything that is said, as (severity, message)."""
    return [(found.severity, found.message) for found in problems(*steps, **more)]


def of_input(value: Any, **more: Any) -> list[Problem]:
    """What is said of a call with this input."""
    return problems(call("a", input=value), **more)


def task(name: str = "ask", **more: Any) -> dict[str, Any]:
    return {"type": "human-task", "name": name, "assignee": "ann", "output": name, **more}


def block(type: str, *steps: Any, **more: Any) -> dict[str, Any]:
    return {"type": type, "steps": list(steps), **more}


def use(*paths: Any, name: str = "use", **more: Any) -> dict[str, Any]:
    return call(name, input=list(paths), **more)


def errors(*steps: Any, **more: Any) -> list[str]:
    return [message for severity, message in told(*steps, **{"input": FIELDS, **more}) if severity == "error"]


def advice(*steps: Any, **more: Any) -> list[str]:
    found = told(*steps, **{"input": FIELDS, **more})
    assert [severity for severity, _ in found] == ["warning"] * len(found)
    return [message for _, message in found]

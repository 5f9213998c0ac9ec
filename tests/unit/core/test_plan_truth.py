"""What is said of keys, held against what becomes of them in executions of generated workflows.

Every call asks for every key. What is an error must never be there when the call is made, and what nothing is said of
must be, unless a condition was asked on the way to it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.plans import EVENTS, faults, workflows
from tests.support.world import World, document
from wfrun.core.definition import render_path
from wfrun.core.plan import build_plan, examine_plan
from wfrun.errors import ServiceError

_CONDITIONAL = ("conditional", "switch", "while")


def calls_of(data: Any, path: tuple[Any, ...] = (), certain: bool = True) -> Iterator[tuple[dict[str, Any], str, bool]]:
    """Every call that is a step, with its path, and whether no condition stands before it."""
    if isinstance(data, list):
        for index, item in enumerate(data):
            yield from calls_of(item, (*path, index), certain)
    elif isinstance(data, dict):
        inside = certain and "condition" not in data and data.get("type") not in _CONDITIONAL
        if "service" in data and "compensate" not in path:
            yield data, render_path(path), inside
        for key, value in data.items():
            yield from calls_of(value, (*path, key), inside)


def keys_of(data: Any) -> set[str]:
    if isinstance(data, list):
        return set().union(*map(keys_of, data))
    if not isinstance(data, dict):
        return set()
    output = data.get("output")
    own = {output} if isinstance(output, str) and output != "$" else set(output or ()) - {"$"}
    values = set(data["values"]) if data.get("type") == "set" else set()
    return own.union(values, *map(keys_of, data.values()))


class Said:
    """What is said of each key where each call stands, and at the end: by the path of the call."""

    def __init__(self, definition: dict[str, Any]) -> None:
        self.keys = keys_of(definition["steps"])
        for step, _, _ in calls_of(definition["steps"], ("steps",)):
            step["input"] = {key: f"$.{key}" for key in self.keys}
        definition |= {"input": {"x": "integer"}, "output": {key: f"$.{key}" for key in self.keys}}
        found = examine_plan(document(definition))[1]
        self._severities = {problem.place.path: problem.severity for problem in found}

    def of(self, path: str, key: str) -> str | None:
        return self._severities.get(f"{path}.{key}")


def executed(
    definition: dict[str, Any], keys: set[str], x: int, broken: dict[str, tuple[int, str]], seed: int
) -> World:
    def script(step: str, attempt: int, value: Any) -> Any:
        times, type = broken.get(step.partition("@")[0], (0, ""))
        if attempt <= times:
            raise ServiceError(type, "told to fail")
        return {"of": step}

    asked = {key: f"${{has($.{key})}}" for key in keys}
    for step, _, _ in calls_of(definition["steps"], ("steps",)):
        step["input"] = asked
    plan = build_plan(document({**definition, "output": asked}))
    people = {"decision": "approved", "by": "bob", "data": {}}
    return World(plan, {"x": x}, script, seed, lambda step: people, events=EVENTS).finish()


@given(workflows(racy=True), faults(), st.integers(0, 9), st.integers())
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_what_is_said_of_keys_is_true(definition: Any, broken: dict[str, tuple[int, str]], x: int, seed: int) -> None:
    said = Said(definition)
    world = executed(definition, said.keys, x, broken, seed)
    places = {step["name"]: (path, certain) for step, path, certain in calls_of(definition["steps"], ("steps",))}
    for step, there in world.calls:
        path, certain = places.get(step.partition("@")[0], ("", False))
        for key in said.keys if path else ():
            assert not (there[key] and said.of(f"{path}.input", key) == "error"), (step, key, "is there")
            assert there[key] or said.of(f"{path}.input", key) or not certain, (step, key, "is not there")
    if world.status == "completed" and isinstance(world.output, dict) and set(world.output) == said.keys:
        for key, known in world.output.items():
            assert not (known and said.of("output", key) == "error"), (key, "is there at the end")
            assert known or said.of("output", key), (key, "is not there at the end")

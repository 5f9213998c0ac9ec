"""Generated workflows: any nesting of what the language has, with unique names and keys."""

from __future__ import annotations

from itertools import count
from typing import Any

from hypothesis import strategies as st

from tests.support.world import call


def _undo() -> dict[str, Any]:
    retry = {"policy": "fixed", "maxRetries": 1}
    return {"service": "svc", "action": "undo", "input": "${default($.result, null)}", "retry": retry}


@st.composite
def workflows(draw: st.DrawFn, max_leaves: int = 8) -> dict[str, Any]:
    """A whole definition. Every step name is `s<n>`, every output `k<n>`; conditions look at the input key `x`."""
    numbers = count()

    def leaf() -> dict[str, Any]:
        number = next(numbers)
        if draw(st.integers(0, 5)) == 0:
            return {"type": "human-task", "name": f"s{number}", "assignee": "bob", "output": f"k{number}"}
        more: dict[str, Any] = {"output": f"k{number}", "input": "$"}
        if draw(st.booleans()):
            more["compensate"] = _undo()
        if draw(st.integers(0, 4)) == 0:
            more["condition"] = draw(st.sampled_from(["$.x > 3", "$.x > 7", "true"]))
        return call(f"s{number}", **more)

    def block(depth: int) -> Any:
        kind = draw(st.integers(0, 6 if depth else 2))
        if kind <= 2:
            return leaf()
        if kind == 3:
            return {"type": "sequential", "steps": several(depth)}
        if kind == 4:
            return several(depth)
        if kind == 5:
            more = {"concurrency": 2} if draw(st.booleans()) else {}
            failure = draw(st.sampled_from(["cancel", "wait"]))
            return {"type": "parallel", "onFailure": failure, "steps": several(depth), **more}
        condition = draw(st.sampled_from(["$.x > 3", "$.x > 7 or $.x == 1"]))
        step: dict[str, Any] = {"type": "conditional", "condition": condition, "then": block(depth - 1)}
        if draw(st.booleans()):
            step["else"] = block(depth - 1)
        return step

    def several(depth: int) -> list[Any]:
        return [block(depth - 1) for _ in range(draw(st.integers(1, 3)))]

    steps = [block(3) for _ in range(draw(st.integers(1, 4)))]
    handling = {"retryPolicy": "fixed", "maxRetries": draw(st.integers(0, 2))}
    return {"name": "generated", "steps": _unlist(steps), "errorHandling": handling}


def _unlist(steps: list[Any]) -> list[Any]:
    """A list inside a list of steps is written as a sequential block, except in parallel, where it is a branch."""
    return [
        {"type": "sequential", "steps": _unlist(step)} if isinstance(step, list) else _inside(step) for step in steps
    ]


def _inside(step: Any) -> Any:
    if isinstance(step, list):
        return _unlist(step)
    fixed = dict(step)
    if fixed.get("type") == "sequential":
        fixed["steps"] = _unlist(fixed["steps"])
    elif fixed.get("type") == "parallel":
        fixed["steps"] = [_inside(inner) for inner in fixed["steps"]]
    for key in ("then", "else"):
        if key in fixed:
            fixed[key] = _inside(fixed[key])
    return fixed


def faults() -> st.SearchStrategy[dict[str, tuple[int, str]]]:
    """Which steps fail: name → how many of its first attempts, and how. `compensate:…` can fail, too."""
    names = st.integers(0, 9).flatmap(lambda n: st.sampled_from([f"s{n}", f"compensate:s{n}"]))
    return st.dictionaries(
        names, st.tuples(st.integers(1, 4), st.sampled_from(["boom", "timeout", "http.404"])), max_size=3
    )

"""Generated workflows: any nesting of what the language has, with unique names and keys."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import count
from random import Random
from typing import Any, Protocol, TypeVar

from hypothesis import strategies as st

from tests.support.world import an_event, call

# More than any generated workflow waits for.
EVENTS = [an_event("go", str(number)) for number in range(100)]


T = TypeVar("T")


class Pick(Protocol):
    """One of several, by whatever chance."""

    def __call__(self, options: Sequence[T], /) -> T: ...


def _undo() -> dict[str, Any]:
    retry = {"policy": "fixed", "maxRetries": 1}
    return {"service": "svc", "action": "undo", "input": "${default($.result, null)}", "retry": retry}


class Author:
    """Invents steps. Every name is `s<n>`, every output `k<n>`; conditions look at the input key `x`."""

    def __init__(self, pick: Pick, racy: bool) -> None:
        self.pick = pick
        self.numbers = count()
        self.leaves: list[Callable[[int], Any]] = [self.call] * 5 + [self.task, self.values, self.pause, self.child]
        self.leaves += [self.wait, self.emit] + ([self.fail, self.end] if racy else [])
        self.blocks = [self.sequence, self.parallel, self.conditional, self.switch, self.foreach, self.repeat]
        self.blocks += [self.attempt, self.graph, self.bounded] + ([self.race, self.race] if racy else [])

    def chance(self, one_in: int) -> bool:
        return self.pick(range(one_in)) == 0

    def condition(self) -> str:
        return self.pick(["$.x > 3", "$.x > 7", "true", "$.x > 7 or $.x == 1"])

    def step(self, depth: int) -> Any:
        if depth and self.chance(2):
            return self.pick(self.blocks)(depth - 1)
        return self.pick(self.leaves)(next(self.numbers))

    def steps(self, depth: int) -> list[Any]:
        return [self.step(depth) for _ in range(self.pick((1, 2, 3)))]

    def branches(self, depth: int) -> list[Any]:
        return [self.steps(depth) if self.chance(2) else self.step(depth) for _ in range(self.pick((1, 2, 3)))]

    # ---- leaves

    def call(self, number: int) -> Any:
        more: dict[str, Any] = {"output": f"k{number}", "input": "$"}
        if self.chance(2):
            more["compensate"] = _undo() if self.chance(2) else [_undo(), _undo()]
        if self.chance(5):
            more["condition"] = self.condition()
        if self.chance(6):
            more["onError"] = "continue"
        if self.chance(3):
            more["onCrash"] = self.pick(["retry", "fail", "ask"])
        return call(f"s{number}", **more)

    def task(self, number: int) -> Any:
        return {"type": "human-task", "name": f"s{number}", "assignee": "bob", "output": f"k{number}"}

    def values(self, number: int) -> Any:
        return {"type": "set", "values": {f"k{number}": {"x": "$.x"}}}

    def pause(self, number: int) -> Any:
        return {"type": "wait", "name": f"s{number}", "for": "1m"}

    def wait(self, number: int) -> Any:
        return {"type": "wait", "name": f"s{number}", "event": "go", "output": f"k{number}"}

    def emit(self, number: int) -> Any:
        return {"type": "emit", "name": f"s{number}", "event": "gone", "data": "$.x"}

    def child(self, number: int) -> Any:
        return {"type": "workflow", "name": f"s{number}", "workflow": "other", "output": f"k{number}"}

    def fail(self, number: int) -> Any:
        return {"type": "fail", "name": f"s{number}", "error": "boom", "condition": self.condition()}

    def end(self, number: int) -> Any:
        return {"type": "end", "name": f"s{number}", "output": "$", "condition": self.condition()}

    # ---- blocks

    def sequence(self, depth: int) -> Any:
        return {"type": "sequential", "steps": self.steps(depth)}

    def bounded(self, depth: int) -> Any:
        return {"type": "sequential", "steps": self.steps(depth), "timeout": "1d"}

    def parallel(self, depth: int) -> Any:
        more = {"concurrency": 2} if self.chance(2) else {}
        failure = self.pick(["cancel", "wait"])
        return {"type": "parallel", "onFailure": failure, "steps": self.branches(depth), **more}

    def graph(self, depth: int) -> Any:
        first, second, third = (self.call(next(self.numbers)) for _ in range(3))
        second["needs"], third["needs"] = first["name"], [second["name"], first["name"]]
        return {"type": "parallel", "steps": [third, second, first]}

    def race(self, depth: int) -> Any:
        branches = self.branches(depth)
        most = len(branches)
        crews: list[dict[str, Any]] = [{"complete": "any"}, {"complete": most}, {"tolerate": 1}, {"tolerate": "50%"}]
        more = self.pick(crews)
        return {"type": "parallel", "steps": branches, **more}

    def conditional(self, depth: int) -> Any:
        step: dict[str, Any] = {"type": "conditional", "condition": self.condition(), "then": self.steps(depth)}
        if self.chance(2):
            step["else"] = self.step(depth)
        return step

    def switch(self, depth: int) -> Any:
        cases = [{"condition": self.condition(), "steps": self.steps(depth)} for _ in range(2)]
        return {"type": "switch", "cases": cases, "else": self.step(depth)}

    def foreach(self, depth: int) -> Any:
        more = {"concurrency": 2} if self.chance(2) else {}
        key = f"k{next(self.numbers)}"
        output = self.pick([key, {key: "$.item"}])
        return {"type": "foreach", "items": [1, 2], "steps": self.steps(depth), "output": output, **more}

    def repeat(self, depth: int) -> Any:
        key = f"k{next(self.numbers)}"
        loop: dict[str, Any] = {"maxIterations": 3, "steps": self.steps(depth), "output": key}
        if self.chance(2):
            return {"type": "repeat", "until": "$.index > 0", **loop}
        return {"type": "while", "condition": "$.index < 2 and $.x > 3", **loop}

    def attempt(self, depth: int) -> Any:
        block: dict[str, Any] = {"type": "try", "steps": self.steps(depth)}
        if self.chance(3):
            block["finally"] = self.step(depth)
        if "finally" not in block or self.chance(2):
            block["catch"] = [{"error": ["boom", "timeout"], "steps": self.step(depth)}]
        return block


@st.composite
def workflows(draw: st.DrawFn, *, racy: bool = False) -> dict[str, Any]:
    """A whole definition; only with `racy` one whose result may depend on what comes first."""
    return _written(Author(lambda options: draw(st.sampled_from(options)), racy), 3)


def invent(chance: Random, depth: int = 3) -> dict[str, Any]:
    """The same without hypothesis: one whose result does not depend on what comes first."""
    return _written(Author(chance.choice, False), depth)


def _written(author: Author, depth: int) -> dict[str, Any]:
    handling: dict[str, Any] = {"retryPolicy": "fixed", "maxRetries": author.pick(range(3))}
    steps = [author.step(depth) for _ in range(author.pick(range(1, 5)))]
    if author.chance(2):
        handling["onCrash"] = author.pick(["fail", "ask"])
    return {"name": "generated", "steps": steps, "errorHandling": handling}


def faults() -> st.SearchStrategy[dict[str, tuple[int, str]]]:
    """Which steps fail: name → how many of its first attempts, and how. `compensate:…` can fail, too."""
    names = st.integers(0, 9).flatmap(lambda n: st.sampled_from([f"s{n}", f"compensate:s{n}"]))
    return st.dictionaries(
        names, st.tuples(st.integers(1, 4), st.sampled_from(["boom", "timeout", "http.404"])), max_size=3
    )

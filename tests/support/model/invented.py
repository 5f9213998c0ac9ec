"""Invented workflows, and invented worlds around them: what the model is compared with wfrun by.

Every step kind with every key that changes what it does. Times come from a hash of the seed and of what takes the time,
so that hardly ever two things happen at the same instant, also when an example is made smaller.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any, NamedTuple

from hypothesis import strategies as st

from tests.support.cases import Scenario
from tests.support.plans import Author
from tests.support.world import call

_ERRORS = ["boom", "timeout", "http.404", "http.503"]
_PEOPLE = ["ann", "bob", "bob", "cid"]


class Invention(NamedTuple):
    """`definitions` by name; that of the workflow itself is under None."""

    definitions: dict[str | None, dict[str, Any]]
    scenario: Scenario


def chance(*what: Any) -> int:
    return int.from_bytes(sha256(repr(what).encode()).digest()[:6])


class Services(dict[str, Any]):
    """What each attempt at each step is answered: `faults` say how many of the first ones fail, and how."""

    def __init__(self, seed: int, faults: dict[str, tuple[int, str]]) -> None:
        super().__init__()
        self._seed = seed
        self._faults = faults

    def get(self, step: str, default: Any = None) -> Any:
        times, type = self._faults.get(step, self._faults.get(step.partition("@")[0].partition("/")[0], (0, "")))
        return [self._answer(step, number, type if number < times else None) for number in range(8)]

    def _answer(self, step: str, number: int, error: str | None) -> Any:
        delay = {"delay": f"{1 + chance(self._seed, step, number) % 40_000}ms"}
        return {"error": {"type": error}, **delay} if error is not None else {"result": {"of": step}, **delay}


class People(dict[str, Any]):
    """What three people say about each task, one after the other, one of them twice, or nothing."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self._seed = seed

    def get(self, step: str, default: Any = None) -> Any:
        votes, after = [], 0
        for person in _PEOPLE[: chance(self._seed, step, "people") % 5]:
            after += 1 + chance(self._seed, step, person) % 60_000
            decision = "rejected" if chance(self._seed, step, person, "no") % 5 == 0 else "approved"
            vote = {"by": person, "decision": decision, "after": f"{after}ms", "data": {person: after}}
            votes.append({**vote, "refused": "perhaps"})
        return votes


class Inventor(Author):
    """Draws steps with whatever they can have."""

    def __init__(self, draw: st.DrawFn, children: list[str]) -> None:
        super().__init__(lambda options: draw(st.sampled_from(options)), racy=True)
        self.draw = draw
        self.children = children
        self.leaves = [self.call] * 6 + [self.task, self.values, self.pause, self.wait, self.wait, self.emit]
        self.leaves += [self.fail, self.end] + ([self.child] if children else [])

    def chance(self, one_in: int) -> bool:
        """An example is made smaller towards what is usual."""
        return bool(self.draw(st.integers(1, one_in)) == one_in)

    def one_of(self, *options: Any) -> Any:
        return self.draw(st.sampled_from(options))

    def some(self, **options: list[Any]) -> dict[str, Any]:
        """Some of these keys, each with one of its values; most often none."""
        return {key: self.one_of(*values) for key, values in options.items() if self.chance(5)}

    def time(self, number: int) -> str:
        """Some seconds, in milliseconds that nobody else has."""
        return f"{self.draw(st.integers(1, 60)) * 1000 + number * 7 + 3}ms"

    def common(self, number: int) -> dict[str, Any]:
        return self.some(
            condition=[self.condition()],
            compensate=[self.undo(), [self.undo(), self.undo()]],
            onError=["continue", self.handler(number)],
        )

    def undo(self) -> dict[str, Any]:
        retry = {"policy": "fixed", "maxRetries": self.one_of(0, 1), "jitter": 0}
        given = {"was": "${default($.result, null)}", "error": "${default($.error.type, null)}", "seen": "$"}
        return {"service": "svc", "action": "undo", "input": given, "retry": retry}

    def handler(self, number: int) -> dict[str, Any]:
        more = self.some(error=[["boom", "timeout"], "http.*"], condition=["$.error.type != 'timeout'"])
        return {**more, "steps": {"type": "set", "values": {f"e{number}": "$.error.type"}}}

    # ---- leaves

    def call(self, number: int) -> Any:
        retry = {"policy": self.one_of("fixed", "linear", "exponential"), "maxRetries": 2, "jitter": 0}
        more = self.some(
            retry=[retry, "none", [{"on": ["http.*"], **retry}, {"maxRetries": 1, "policy": "fixed"}]],
            timeout=[self.time(number)],
            deadline=[self.time(number + 500)],
            input=["${ $.x + 1 }", {"x": "$.x"}, "$.nothing"],
            idempotencyKey=["key-${$.x}"],
            heartbeat=[self.time(number + 700)],
        )
        pivot = {"pivot": True} if self.chance(25) else {}
        undo = {"compensate": self.undo()} if self.chance(2) else {}
        usual = {"input": "$", "output": f"k{number}", **undo, **self.common(number)}
        return call(f"s{number}", **{**usual, **more, **pivot})

    def task(self, number: int) -> Any:
        more = self.some(timeout=[self.time(number)], onReject=["continue"])
        staff = {"groups": ["staff"], "quorum": 2, "excludeInitiator": True}
        who = self.one_of("bob", {"users": ["bob", "cid"]}, staff)
        if "timeout" in more and self.chance(2):
            more["onTimeout"] = "escalate"
            if self.chance(2):
                others = self.one_of("cid", {"users": ["cid", "bob", "ann"], "quorum": 2}, staff)
                more["escalation"] = [{"assignee": others, "timeout": self.time(number + 300)}]
        more |= {"assignee": who, "output": f"k{number}", **self.common(number)}
        return {"type": "human-task", "name": f"s{number}", **more}

    def values(self, number: int) -> Any:
        value = self.one_of({"x": "$.x"}, "${ $.x * 2 }", "$")
        return {"type": "set", "values": {f"k{number}": value, f"l{number}": "$.x"}, **self.common(number)}

    def pause(self, number: int) -> Any:
        return {"type": "wait", "name": f"s{number}", "for": self.time(number), **self.common(number)}

    def wait(self, number: int) -> Any:
        more = self.some(early=["ignore"])
        if self.chance(2):
            more["timeout"] = self.time(number)
            more |= self.some(onTimeout=["continue"])
        if self.chance(2):
            more |= {"event": self.one_of("go", "gone"), **self.some(match=["$.event.data > 3", "true"])}
        else:
            events = ["go", {"event": "gone", "match": "$.event.data != $.x"}, "go"]
            more |= {"event": events, **self.some(complete=["any", 2, "all"])}
        return {"type": "wait", "name": f"s{number}", "output": f"k{number}", **more, **self.common(number)}

    def emit(self, number: int) -> Any:
        event = self.one_of("go", "gone")
        return {"type": "emit", "name": f"s{number}", "event": event, "data": "$.x", **self.common(number)}

    def child(self, number: int) -> Any:
        more = {"workflow": self.one_of(*self.children), "input": {"x": "$.x"}, **self.common(number)}
        if self.chance(4):
            more["detach"] = True
        else:
            more |= {"output": f"k{number}", **self.some(timeout=[self.time(number)])}
        return {"type": "workflow", "name": f"s{number}", **more}

    # ---- blocks: those of any author, with more keys

    def step(self, depth: int) -> Any:
        step = super().step(depth)
        number = next(self.numbers)
        if "name" in step or step["type"] in ("set", "fail", "end"):
            return step
        common = self.common(number)
        if step["type"] in ("conditional", "while"):
            common.pop("condition", None)
        return {**self.some(timeout=[self.time(number)]), **common, **step}

    def parallel(self, depth: int) -> Any:
        branches = self.branches(depth)
        return {"type": "parallel", "steps": branches, **self.crew(len(branches))}

    def race(self, depth: int) -> Any:
        return self.parallel(depth)

    def crew(self, most: int) -> dict[str, Any]:
        more = self.some(concurrency=[1, 2], onFailure=["wait", "cancel"])
        if self.chance(2):
            count = {"complete": min(most, 2)}
            more |= self.one_of({"complete": "any"}, count, {"tolerate": 1}, {"tolerate": "50%"}, {"complete": "all"})
        return more

    def graph(self, depth: int) -> Any:
        first, second, third = (self.call(next(self.numbers)) for _ in range(3))
        second["needs"], third["needs"] = first["name"], [second["name"], first["name"]]
        return {"type": "parallel", "steps": [third, second, first], **self.crew(3)}

    def foreach(self, depth: int) -> Any:
        key = f"k{next(self.numbers)}"
        more = {"output": self.one_of(key, {key: "$.item", f"{key}b": "${ $.index + $.x }"})} if self.chance(2) else {}
        items = self.one_of([1, 2, 3], [1, 2], [], "$.list", "$.x" if self.chance(5) else "$.list")
        name = {"as": f"item{key}"} if self.chance(3) else {}
        return {"type": "foreach", "items": items, "steps": self.steps(depth), **more, **name, **self.crew(2)}

    def repeat(self, depth: int) -> Any:
        key, number = f"k{next(self.numbers)}", next(self.numbers)
        loop: dict[str, Any] = {"maxIterations": self.one_of(1, 3), "steps": self.steps(depth)}
        loop |= self.some(delay=[self.time(number)], output=[key, {key: "$.index"}])
        if self.chance(2):
            return {"type": "repeat", "until": "$.index > 0", **loop}
        return {"type": "while", "condition": "$.index < 2 and $.x > 3", **loop}

    def attempt(self, depth: int) -> Any:
        block: dict[str, Any] = {"type": "try", "steps": self.steps(depth)}
        if self.chance(2):
            block["finally"] = self.steps(min(depth, 1))
        if "finally" not in block or self.chance(2):
            number = next(self.numbers)
            again = {"error": ["boom", "timeout"], "steps": self.step(min(depth, 1))}
            block["catch"] = [self.handler(number), again] if self.chance(2) else [again]
        return block


@st.composite
def inventions(draw: st.DrawFn) -> Invention:
    names = draw(st.sampled_from([[], [], ["one"], ["one", "two"]]))
    definitions: dict[str | None, dict[str, Any]] = {}
    for name in [None, *names]:
        inventor = Inventor(draw, names if name is None else [])
        steps = [inventor.step(3 if name is None else 1) for _ in range(draw(st.integers(1, 4)))]
        handling = {"retryPolicy": "fixed", "maxRetries": draw(st.integers(0, 2)), **inventor.some(onFailure=["pause"])}
        whole = inventor.some(timeout=["200s"], output=["$"])
        definitions[name] = {"name": name or "whole", "steps": steps, "errorHandling": handling, **whole}
    return Invention(definitions, draw(scenarios()))


@st.composite
def scenarios(draw: st.DrawFn) -> Scenario:
    seed = draw(st.integers(0, 9_999))
    names = st.integers(0, 40).flatmap(lambda n: st.sampled_from([f"s{n}", f"s{n}", f"compensate:s{n}", f"s{n}@1"]))
    faults = draw(st.dictionaries(names, st.tuples(st.integers(1, 6), st.sampled_from(_ERRORS)), max_size=5))
    types = st.sampled_from(["go", "gone"])
    events = [
        {"type": draw(types), "data": draw(st.integers(0, 9)), "at": _at(seed, "event", number)}
        for number in range(draw(st.integers(0, 5)))
    ]
    operator = [
        {"do": draw(st.sampled_from(["cancel", "cancel", "compensate"])), "at": _at(seed, "operator", number)}
        for number in range(draw(st.sampled_from([0, 0, 1, 2])))
    ]
    input = {"x": draw(st.integers(0, 9)), "list": draw(st.sampled_from([[], [1], [1, 2, 3]]))}
    return Scenario("invented", input, Services(seed, faults), People(seed), events, operator, {}, timeless=True)


def _at(seed: int, *what: Any) -> str:
    return f"{chance(seed, *what) % 150_000}ms"


class PatientInventor(Inventor):
    """Calls take as long as whoever answers them likes, who gives no signs of life. Runners of theirs may die."""

    def call(self, number: int) -> Any:
        step = super().call(number) | self.some(onCrash=["fail", "ask"])
        return {key: value for key, value in step.items() if key != "heartbeat"}


@st.composite
def live_definitions(draw: st.DrawFn) -> dict[str | None, dict[str, Any]]:
    """Workflows whose calls somebody answers who does not look at the clock, by name."""
    names = draw(st.sampled_from([[], [], ["one"]]))
    definitions: dict[str | None, dict[str, Any]] = {}
    for name in [None, *names]:
        inventor = PatientInventor(draw, names if name is None else [])
        steps = [inventor.step(2 if name is None else 1) for _ in range(draw(st.integers(1, 3)))]
        handling = {"retryPolicy": "fixed", "maxRetries": draw(st.integers(0, 1)), **inventor.some(onFailure=["pause"])}
        definitions[name] = {"name": name or "whole", "steps": steps, "errorHandling": handling}
    return definitions

"""Keys that two steps would write, although both can run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import Enum

from wfrun.core.definition import Path
from wfrun.core.plan.nodes import Conditional, Foreach, Handler, Loop, Parallel, Plan, Step, Switch, Try, children
from wfrun.core.plan.writes import ends, own_keys
from wfrun.errors import Problem


class _Kind(Enum):
    WAY = "one of several ways: its keys are kept if anything comes after it"
    FOREACH = "an iteration with keys of its own, which are none of those around it"
    LOOP = "an iteration with keys of its own, which may have the names of those around it"


class _Taken:
    """Who sets which key, at one place and around it."""

    def __init__(self, around: _Taken | None, kind: _Kind) -> None:
        self.own: dict[str, str] = {}
        self._around = around
        self._kind = kind

    def inside(self, kind: _Kind) -> _Taken:
        return _Taken(self, kind)

    def by(self, name: str) -> str | None:
        """Who sets a key that cannot be set here any more."""
        place: _Taken | None = self
        foreign = False
        while place is not None:
            if name in place.own:
                return place.own[name]
            if place._kind is _Kind.LOOP and not foreign:
                return None
            foreign = foreign or place._kind is _Kind.FOREACH
            place = place._around
        return None


def collisions(plan: Plan, declared: Iterable[str]) -> Iterator[Problem]:
    """`declared` are the names of the input."""
    taken = _Taken(None, _Kind.WAY)
    taken.own.update(dict.fromkeys(declared, "the input"))
    return _Collisions(plan).of(plan.root, taken)


class _Collisions:
    def __init__(self, plan: Plan) -> None:
        self._plan = plan

    def of(self, step: Step, taken: _Taken) -> Iterator[Problem]:
        """What a step sets is added to `taken`."""
        match step:
            case Conditional(then=then, otherwise=otherwise):
                yield from self._ways([then, otherwise] if otherwise is not None else [then], taken)
            case Switch(cases=cases, otherwise=otherwise):
                bodies = [case.body for case in cases]
                yield from self._ways([*bodies, otherwise] if otherwise is not None else bodies, taken)
            case Parallel(branches=branches, crew=crew) if crew.complete == 1 or step.in_doubt:
                yield from self._ways(branches, taken)
            case Try():
                yield from self._try(step, taken)
            case Foreach(name=name, body=body):
                inside = taken.inside(_Kind.FOREACH)
                if name is not None:
                    yield from self._take(name, (*step.path, "as"), f"{step.id!r}, as the name of an item", inside)
                yield from self.of(body, inside)
            case Loop(body=body):
                yield from self.of(body, taken.inside(_Kind.LOOP))
            case _:
                for inner in children(step):
                    yield from self.of(inner, taken)
        for name, path in own_keys(step):
            yield from self._take(name, path, f"step {step.id!r}", taken)

    def _take(self, name: str, path: Path, who: str, taken: _Taken) -> Iterator[Problem]:
        before = taken.by(name)
        if before is not None:
            message = f"the key {name!r} is also set by {before}"
            yield Problem("plan.duplicate-output", message, self._plan.document.place(path), "give each its own key")
        taken.own.setdefault(name, who)

    def _ways(self, steps: Iterable[Step], taken: _Taken) -> Iterator[Problem]:
        """Only one of them counts, so they may set the same keys."""
        ways = []
        for step in steps:
            way = taken.inside(_Kind.WAY)
            yield from self.of(step, way)
            if not (ends(step) or self._plan.gaps.within(step.path)):
                ways.append(way)
        for way in ways:
            taken.own.update(way.own)

    def _try(self, block: Try, taken: _Taken) -> Iterator[Problem]:
        """A handler may set what the failed steps would have set; what comes after all may not."""
        ways = [taken.inside(_Kind.WAY)]
        yield from self.of(block.body, ways[0])
        for handler in block.handlers:
            way = taken.inside(_Kind.WAY)
            yield from self._handler(handler, way)
            ways.append(way)
        for way in ways:
            taken.own.update(way.own)
        if block.last is not None:
            yield from self.of(block.last, taken)

    def _handler(self, handler: Handler, way: _Taken) -> Iterator[Problem]:
        if handler.name != "error":
            yield from self._take(handler.name, (*handler.path, "as"), "the handler, as the name of its error", way)
        if handler.body is not None:
            yield from self.of(handler.body, way)
        way.own.pop(handler.name, None)

"""What a step can see: the context, as scopes that fork with parallel branches and merge at the join.

A scope only ever grows, so "the context as it was" is a scope and a length. That is all a compensation has to keep.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from itertools import islice
from typing import NamedTuple

from wfrun.core.expression import MISSING, Missing
from wfrun.core.plan.nodes import Call
from wfrun.core.values import Json

_NOTHING: Mapping[str, Json] = {}


class Scope:
    """The keys known at one place of a running execution: its own, then those of the scope it was forked from.

    `reserved` are names that can be asked for (`$.execution.id`) but are no part of the whole `$`.
    `iteration` is the suffix (`@3.1`) that makes step ids into step instances inside loops.
    `done` is what would have to be undone, by the order of completion over all branches, `taken` the ids of the
    events that waits on this path have used. What a path that `has_passed_pivot` has done stays.
    """

    __slots__ = ("_known", "_own", "_parent", "_reserved", "_same", "done", "has_passed_pivot", "iteration", "taken")

    def __init__(
        self,
        own: dict[str, Json],
        reserved: Mapping[str, Json] = _NOTHING,
        parent: Scope | None = None,
        iteration: str = "",
    ) -> None:
        self._own = own
        self._reserved = reserved
        self._parent = parent
        self._same: Scope | None = None
        self._known = len(parent._own) if parent is not None else 0
        self.iteration = iteration
        self.done: dict[int, Undo] = {}
        self.has_passed_pivot = False
        self.taken: set[str] = set()

    def get(self, name: str) -> Json | Missing:
        scope: Scope | None = self
        while scope is not None:
            if name in scope._reserved:
                return scope._reserved[name]
            if name in scope._own:
                return scope._own[name]
            scope = scope._parent
        return MISSING

    def whole(self) -> dict[str, Json]:
        return self.as_of(len(self._own))

    def names(self) -> Iterable[str]:
        scope: Scope | None = self
        while scope is not None:
            yield from scope._own
            yield from scope._reserved
            scope = scope._parent

    def set(self, name: str, value: Json) -> None:
        self._own[name] = value

    @property
    def own(self) -> dict[str, Json]:
        """The keys that were set here: a copy."""
        return dict(self._own)

    def fork(self, own: Mapping[str, Json] = _NOTHING) -> Scope:
        """A scope for a branch: it sees what is known now, and keeps what it produces to itself."""
        return Scope(dict(own), parent=self, iteration=self.iteration)

    def iterate(self, index: int, reserved: Mapping[str, Json], own: Mapping[str, Json] = _NOTHING) -> Scope:
        """A scope for an iteration of a loop, which may begin with keys `own` of the iteration before.

        Those are in a scope around it: what is set anew does not change what was known before.
        """
        suffix = f"{self.iteration}.{index}" if self.iteration else f"@{index}"
        return Scope({}, {**reserved, "index": index}, self.fork(own) if own else self, suffix)

    def knowing(self, more: Mapping[str, Json]) -> Scope:
        """This very scope, with further reserved names."""
        scope = Scope(self._own, {**self._reserved, **more}, self._parent, self.iteration)
        scope._known, scope.done, scope.taken, scope._same = self._known, self.done, self.taken, self
        return scope

    def pass_pivot(self) -> None:
        """From here on nothing is undone on this path, nor on those that it is a part of."""
        scope: Scope | None = self
        while scope is not None:
            scope.has_passed_pivot = True
            scope = scope._same or scope._parent

    def join(self, branch: Scope) -> None:
        """Take over the keys that a finished branch produced."""
        self._own.update(branch._own)

    def keep(self, branch: Scope) -> None:
        """Take over what a branch has done."""
        self.done |= branch.done

    def own_since(self, ancestor: Scope) -> dict[str, Json]:
        """The keys that were set between a scope around this one and here."""
        if self._parent is None or self._parent is ancestor:
            return self.own
        return self._parent.own_since(ancestor) | self._own

    def taken_since(self, ancestor: Scope) -> AbstractSet[str]:
        if self._parent is None or self._parent is ancestor:
            return self.taken
        return self._parent.taken_since(ancestor) | self.taken

    def has_taken(self, event: str) -> bool:
        scope: Scope | None = self
        while scope is not None:
            if event in scope.taken:
                return True
            scope = scope._parent
        return False

    def as_of(self, length: int) -> dict[str, Json]:
        """`$` as it was when this scope had `length` keys of its own."""
        merged = self._parent.as_of(self._known) if self._parent else {}
        merged.update(islice(self._own.items(), length))
        return merged

    def reserved(self) -> dict[str, Json]:
        inherited = self._parent.reserved() if self._parent else {}
        return {**inherited, **self._reserved}

    def remember(self) -> Memory:
        return Memory(self, len(self._own))


class Memory(NamedTuple):
    """A scope at one moment of the past."""

    scope: Scope
    length: int

    def context(self, **more: Json) -> Scope:
        """The scope as it was, with further reserved names (`result`, `error`) that a compensation may use."""
        reserved = {**self.scope.reserved(), **more}
        return Scope(self.scope.as_of(self.length), reserved, iteration=self.scope.iteration)


class Undo(NamedTuple):
    """A step that has to be undone if what it is part of fails.

    What undoes it are `calls`, and for a child execution its own
    compensation. `memory` is what was known when it completed, `result` its result if it has one.
    """

    step: str
    calls: tuple[Call, ...]
    child: str | None
    memory: Memory
    result: Mapping[str, Json]

"""What a step can see: the context, as scopes that fork with parallel branches and merge at the join.

A scope only ever grows, so "the context as it was" is a scope and a length. That is all a compensation has to keep.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import NamedTuple

from wfrun.core.expression import MISSING, Missing
from wfrun.core.values import Json


class Scope:
    """The keys known at one place of a running execution: its own, then those of the scope it was forked from.

    `reserved` are names that can be asked for (`$.execution.id`) but are no part of the whole `$`.
    `iteration` is the suffix (`@3.1`) that makes step ids into step instances inside loops.
    """

    __slots__ = ("_known", "_own", "_parent", "_reserved", "iteration")

    def __init__(
        self,
        own: dict[str, Json],
        reserved: Mapping[str, Json] | None = None,
        parent: Scope | None = None,
        iteration: str = "",
    ) -> None:
        self._own = own
        self._reserved = reserved or {}
        self._parent = parent
        self._known = len(parent._own) if parent else 0
        self.iteration = iteration

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

    def fork(self) -> Scope:
        """A scope for a branch: it sees what is known now, and keeps what it produces to itself."""
        return Scope({}, parent=self, iteration=self.iteration)

    def join(self, branch: Scope) -> None:
        """Take over what a finished branch produced."""
        self._own.update(branch._own)

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

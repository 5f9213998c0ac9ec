"""What an expression mentions, gathered while it is parsed: static checks ask for it, evaluation does not."""

from __future__ import annotations

from typing import TypeAlias

from wfrun.core.expression.path import Path
from wfrun.core.expression.reference import Comparison, Operation, Reference, Variable

# How many paths and variables had been mentioned when a part of the expression began.
Mark: TypeAlias = tuple[int, int]


class Mentions:
    """`paths` are the distinct paths by their texts; the other lists are in the order written."""

    def __init__(self) -> None:
        self.paths: dict[str, Path] = {}
        self.comparisons: list[Comparison] = []
        self.operations: list[Operation] = []
        self._references: list[Reference] = []
        self._variables: list[Variable] = []
        self._guards: list[tuple[str | int, ...]] = []
        self._guarded_variables: set[tuple[str, str]] = set()

    @property
    def references(self) -> tuple[Reference, ...]:
        return tuple(found._replace(optional=True) if self._is_guarded(found) else found for found in self._references)

    @property
    def variables(self) -> tuple[Variable, ...]:
        guarded = self._guarded_variables
        return tuple(each._replace(optional=True) if each[:2] in guarded else each for each in self._variables)

    def _is_guarded(self, reference: Reference) -> bool:
        return any(reference.segments[: len(guard)] == guard for guard in self._guards)

    def mark(self) -> Mark:
        return len(self._references), len(self._variables)

    def path(self, path: Path, column: int) -> None:
        self.paths.setdefault(path.text, path)
        self._references.append(Reference(path.text, path.keys, path.definite, False, column))

    def variable(self, kind: str, name: str) -> None:
        self._variables.append(Variable(kind, name))

    def guard(self, keys: tuple[str | int, ...]) -> None:
        """has() asks for a path: what follows it may be missing wherever it stands."""
        self._guards.append(keys)

    def guard_variables(self, since: Mark) -> None:
        self._guarded_variables.update(each[:2] for each in self._variables[since[1] :])

    def make_optional(self, since: Mark) -> None:
        """What was mentioned since then may be missing."""
        start, variables = since
        self._references[start:] = [found._replace(optional=True) for found in self._references[start:]]
        self._let_go(variables)

    def make_conditional(self, since: Mark) -> None:
        """What was mentioned since then is not always asked for."""
        start, _ = since
        self._references[start:] = [found._replace(conditional=True) for found in self._references[start:]]

    def make_fallback(self, first: Mark, since: Mark) -> None:
        """What was mentioned since then is only asked for where what was mentioned before it, from `first` on, is not
        there. One that stands in for a variable cannot be missed before that is known."""
        if since[1] > first[1]:
            self._let_go(since[1])

    def _let_go(self, start: int) -> None:
        self._variables[start:] = [found._replace(optional=True) for found in self._variables[start:]]

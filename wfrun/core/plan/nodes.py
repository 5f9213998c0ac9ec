"""The plan: a definition compiled to a tree of steps with stable ids, every expression parsed.

A step's id is its name, or for an unnamed block its key path (`steps[1].then[0]`). Ids do not depend on what happens.
Durations are milliseconds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from wfrun.core.definition import Document, Path
from wfrun.core.expression import Expression, Template
from wfrun.core.retry import Retry
from wfrun.core.values import Json
from wfrun.errors import ExpressionError, Place


@dataclass(frozen=True, slots=True)
class Node:
    """What every step has. `condition` decides whether it runs at all; None always does."""

    id: str
    path: Path
    condition: Expression | None


@dataclass(frozen=True, slots=True)
class Call(Node):
    """One call of a service. `timeout` bounds one attempt, `deadline` all of them together."""

    service: str
    action: str
    input: Template
    key: Template | None
    output: str | None
    retry: Retry
    timeout: int | None
    deadline: int | None
    compensation: Call | None = None


@dataclass(frozen=True, slots=True)
class Sequence(Node):
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Parallel(Node):
    """All branches at once, at most `concurrency` of them; with `cancel`, the first failure stops the others."""

    branches: tuple[Step, ...]
    concurrency: int | None
    cancel: bool


@dataclass(frozen=True, slots=True)
class Conditional(Node):
    choice: Expression
    then: Step
    otherwise: Step | None


@dataclass(frozen=True, slots=True)
class Audience:
    """Who may decide: each name is a template."""

    names: Template
    users: Template
    groups: Template
    timeout: int | None


@dataclass(frozen=True, slots=True)
class HumanTask(Node):
    """`audiences` are those asked first, then, each time nobody decided in time, those it escalates to.

    With `stays_open`, a task that nobody decided stays open, marked as escalated, for the last of them.
    """

    title: Template
    description: Template
    data: Template
    form: dict[str, Json]
    decisions: tuple[str, ...]
    quorum: int
    exclude_initiator: bool
    audiences: tuple[Audience, ...]
    stays_open: bool
    accept_rejection: bool
    output: str | None


Step: TypeAlias = Call | Sequence | Parallel | Conditional | HumanTask


@dataclass(frozen=True, slots=True)
class Plan:
    """`step_names` are the ids of the steps that act or ask, in the order written: what progress is counted in."""

    name: str
    version: Json
    document: Document
    root: Sequence
    output: Template | None
    step_names: list[str]

    def locate(self, path: Path, error: ExpressionError) -> Place:
        """Where in the file the template at `path` went wrong."""
        return self.document.place(path + getattr(error, "template_path", ()))


def children(step: Step) -> tuple[Step, ...]:
    match step:
        case Sequence(steps=steps):
            return steps
        case Parallel(branches=branches):
            return branches
        case Conditional(then=then, otherwise=otherwise):
            return (then, otherwise) if otherwise else (then,)
    return ()


def walk(step: Step) -> Iterator[Step]:
    """Every step of a tree, parents first, in the order written."""
    pending = [step]
    while pending:
        current = pending.pop()
        yield current
        pending.extend(reversed(children(current)))

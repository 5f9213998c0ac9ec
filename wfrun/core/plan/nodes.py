"""The plan: a definition compiled to a tree of steps with stable ids, every expression parsed.

A step's id is its name, or for an unnamed block its key path (`steps[1].then[0]`). Ids do not depend on what happens.
Durations are milliseconds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from wfrun.core.definition import Document, Path
from wfrun.core.expression import Expression, Template
from wfrun.core.frozen import frozen
from wfrun.core.gaps import NO_GAPS, Gaps
from wfrun.core.retry import Retry
from wfrun.core.values import Json
from wfrun.errors import ExpressionError, Place

if TYPE_CHECKING:
    from wfrun.core.events import Settable

# What is done about a call that was begun, and whose runner died before its outcome was known.
OnCrash: TypeAlias = Literal["retry", "fail", "ask"]


@frozen
class Node:
    """What every step has. `condition` decides whether it runs at all; None always does.

    `compensation` are the calls that undo it once it has completed. `bound` is how long all of it may take.
    `in_doubt`: something is wrong in what is written, so that nobody knows whether and how it runs. No plan with such a
    step is ever run.
    """

    id: str
    path: Path
    condition: Expression | None
    compensation: tuple[Call, ...] = field(default=(), kw_only=True)
    bound: int | None = field(default=None, kw_only=True)
    in_doubt: bool = field(default=False, kw_only=True)


@frozen
class Call(Node):
    """One call of a service. `timeout` bounds one attempt, `deadline` all of them together; an attempt may go without a
    sign of life for a `heartbeat`.

    Each of `retries` keeps a counter of its own, and the first one that an error fits decides about it. Once a
    `pivot` has completed, nothing is undone any more. `on_crash` says what is done about one whose runner died.
    """

    service: str
    action: str
    input: Template
    key: Template | None
    output: str | None
    retries: tuple[Retry, ...]
    timeout: int | None
    deadline: int | None
    pivot: bool = False
    heartbeat: int | None = None
    on_crash: OnCrash = "retry"


@frozen
class Sequence(Node):
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True, repr=False)
class Tolerance:
    """How many branches may fail: a count, or a share of them in percent."""

    count: int = 0
    percent: float = 0

    def of(self, branches: int) -> int:
        return self.count + int(branches * self.percent / 100)


class Crew(NamedTuple):
    """How branches go along with each other.

    At most `concurrency` run at once, None means all. `complete` of them have to succeed, None means all that are not
    tolerated to fail; the rest is cancelled then. With `cancel`, a failure that is not tolerated stops the others.
    """

    concurrency: int | None = None
    complete: int | None = None
    tolerate: Tolerance = Tolerance()
    cancel: bool = True


@frozen
class Parallel(Node):
    """All branches at once. `needs` are for each branch the positions of those that have to be completed before it."""

    branches: tuple[Step, ...]
    crew: Crew
    needs: tuple[tuple[int, ...], ...] = ()


@frozen
class Conditional(Node):
    choice: Expression
    then: Step
    otherwise: Step | None


@frozen
class Case:
    condition: Expression
    body: Step


@frozen
class Switch(Node):
    cases: tuple[Case, ...]
    otherwise: Step | None


class Collect(NamedTuple):
    """What outlives a loop: under `key` what its iterations set, or `values`, evaluated at the end of iterations."""

    key: str | None
    values: tuple[tuple[str, Template], ...] = ()

    @property
    def keys(self) -> tuple[str, ...]:
        return (self.key,) if self.key is not None else tuple(name for name, _ in self.values)


@frozen
class Foreach(Node):
    """The body once for each item. `name` is what the item is called besides `item`."""

    items: Template
    name: str | None
    crew: Crew
    body: Step
    collect: Collect | None


@frozen
class Loop(Node):
    """`kind` says whether `test` is asked before each iteration (`while` it holds) or after (`until` it does)."""

    kind: Literal["while", "until"]
    test: Expression
    most: int
    delay: int | None
    body: Step
    collect: Collect | None


@frozen
class Handler:
    """For errors whose type fits one of `patterns`. The error is known under `name` inside. No body: it is ignored."""

    path: Path
    patterns: tuple[str, ...]
    condition: Expression | None
    name: str
    body: Step | None


@frozen
class Try(Node):
    body: Step
    handlers: tuple[Handler, ...]
    last: Step | None


@frozen
class Audience:
    """Who may decide: each name is a template. `quorum` of them have to decide alike, within `timeout` ms."""

    names: Template
    users: Template
    groups: Template
    quorum: int
    exclude_initiator: bool
    timeout: int | None


@frozen
class HumanTask(Node):
    """`audiences` are those asked first, then, each time nobody decided in time, those it escalates to.

    With `stays_open`, a task that nobody decided stays open, marked as escalated, for the last of them.
    """

    title: Template
    description: Template
    data: Template
    form: dict[str, Json]
    decisions: tuple[str, ...]
    audiences: tuple[Audience, ...]
    stays_open: bool
    accept_rejection: bool
    output: str | None


@frozen
class Pause(Node):
    """Waits for a while (`kind` is `for`: a duration) or `until` an instant."""

    kind: Literal["for", "until"]
    time: Template


@frozen
class Listener:
    """An event that is waited for, if `match`, which can ask for `$.event`, holds for it."""

    path: Path
    event: str
    match: Expression | None


@frozen
class Await(Node):
    """Waits for events: `complete` of its listeners. `single`: the output is one event, not a list.

    With `accept_timeout`, nothing is wrong if they do not come within the bound; with `early`, events count that came
    before the wait began.
    """

    listeners: tuple[Listener, ...]
    complete: int
    single: bool
    accept_timeout: bool
    early: bool
    output: str | None


@frozen
class Set(Node):
    values: tuple[tuple[str, Template], ...]


@frozen
class Emit(Node):
    event: str
    data: Template


@frozen
class Child(Node):
    """Another workflow as a step: `workflow` is the name or file as written. `detach` does not wait for it."""

    workflow: str
    version: Json
    input: Template
    output: str | None
    detach: bool


@frozen
class Fail(Node):
    error: Template
    message: Template
    details: Template


@frozen
class Finish(Node):
    """The end of the execution, here and now."""

    output: Template | None


Step: TypeAlias = (
    Call
    | Sequence
    | Parallel
    | Conditional
    | Switch
    | Foreach
    | Loop
    | Try
    | HumanTask
    | Pause
    | Await
    | Set
    | Emit
    | Child
    | Fail
    | Finish
)

# What acts or asks or waits, rather than leads to other steps: progress is counted in these.
Task: TypeAlias = Call | HumanTask | Pause | Await | Emit | Child


@frozen
class Plan:
    """`step_names` are the ids of the steps that act, ask or wait, in the order written: what progress is counted in.

    `pauses`: a failure waits for somebody instead of being undone. `listens` are the events that steps wait for,
    `workflows` the others that are run as steps, as they are written. A plan with `gaps` is there to be checked alone.
    """

    name: str
    version: Json
    document: Document
    root: Sequence
    output: Template | None
    step_names: list[str]
    pauses: bool = False
    listens: tuple[str, ...] = ()
    workflows: tuple[str, ...] = ()
    gaps: Gaps = NO_GAPS

    def locate(self, path: Path, error: ExpressionError) -> Place:
        """Where in the file the template at `path` went wrong."""
        return self.document.place(path + getattr(error, "template_path", ()))


def children(step: Step) -> tuple[Step, ...]:
    match step:
        case Call():
            return ()
        case Sequence(steps=steps):
            return steps
        case Parallel(branches=branches):
            return branches
        case Conditional(then=then, otherwise=otherwise):
            return (then, otherwise) if otherwise else (then,)
        case Switch(cases=cases, otherwise=otherwise):
            bodies = tuple(case.body for case in cases)
            return (*bodies, otherwise) if otherwise else bodies
        case Foreach(body=body) | Loop(body=body):
            return (body,)
        case Try():
            handled = tuple(handler.body for handler in step.handlers if handler.body)
            return (step.body, *handled, step.last) if step.last else (step.body, *handled)
    return ()


def keys_of(step: Step | None) -> tuple[str, ...]:
    """The keys under which others can read what the step gives."""
    output = getattr(step, "output", None)
    if isinstance(output, str):
        return (output,)
    return step.collect.keys if isinstance(step, Foreach | Loop) and step.collect is not None else ()


def has_columns(step: Step | None) -> bool:
    """Whether what the step gives is an object, whose keys are those that others can read."""
    return isinstance(step, Foreach | Loop) and step.collect is not None and step.collect.key is None


def heeds_result(step: Step | None) -> bool:
    """Whether it matters what a step is said to have given: others read it, its undoing does, or nothing is undone any
    more behind it."""
    if step is None:
        return False
    return bool(keys_of(step)) or bool(step.compensation) or (isinstance(step, Call) and step.pivot)


def settable(step: Step | None) -> tuple[Settable, ...]:
    """What somebody can give a step instead of its own."""
    can: tuple[Settable, ...] = ("input",) if isinstance(step, Call | Child) else ()
    return (*can, "output") if heeds_result(step) else can


def walk(step: Step) -> Iterator[Step]:
    """Every step of a tree, parents first, in the order written."""
    pending = [step]
    while pending:
        current = pending.pop()
        yield current
        if below := children(current):
            pending.extend(reversed(below))

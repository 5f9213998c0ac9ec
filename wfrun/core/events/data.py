"""What facts are made of."""

from __future__ import annotations

from typing import Literal, NotRequired, TypeAlias, TypedDict

from wfrun.core.values import Json

Status: TypeAlias = Literal["completed", "failed", "compensated", "partly-compensated", "cancelled", "needs-attention"]

# What a repair can give a step instead of its own.
Settable: TypeAlias = Literal["input", "output"]


class ErrorData(TypedDict):
    """An error as data: what handlers, compensations and people see."""

    type: str
    message: str
    status: NotRequired[int]
    details: NotRequired[Json]
    step: NotRequired[str]
    attempt: NotRequired[int]
    cause: NotRequired[ErrorData]
    retryable: NotRequired[bool]
    retryAfterMs: NotRequired[int]


class Assignee(TypedDict, total=False):
    """Who may decide a task. A bare name in the YAML, person or role, is `{"names": [name]}`."""

    names: list[str]
    users: list[str]
    groups: list[str]


class Parent(TypedDict):
    """The execution of which this one is a step. `depth` is how many executions are above it."""

    execution: str
    step: str
    depth: NotRequired[int]


class Part(TypedDict):
    """One side of a block: of the steps that act, ask or wait, the `count` ones from number `first` on (from 0).

    `side` is `then`, `else`, `case`, `body`, `handler`, `finally`, `round` of a loop, or empty for a block that runs
    all it holds; `number` is that of a case or handler, from 0.
    """

    block: str
    side: str
    first: int
    count: int
    number: NotRequired[int]


class EventData(TypedDict):
    """An event, in the words of CloudEvents: `type` is its name, `time` when it was made known."""

    id: str
    type: str
    source: str
    time: str
    data: Json

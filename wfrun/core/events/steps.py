"""Facts about steps: calls, decisions, computed keys."""

from __future__ import annotations

from typing import Literal, NotRequired, TypeAlias, TypedDict

from wfrun.core.events.data import ErrorData
from wfrun.core.values import Json


class StepStarted(TypedDict):
    """Written and synced before the adapter acts (C2). `input` stands here only when it is small."""

    type: Literal["step.started"]
    step: str
    attempt: int
    service: str
    action: str
    key: str
    inputHash: str
    epoch: int
    input: NotRequired[Json]


class StepCompleted(TypedDict):
    """`by` and `reason`: a person has said that it did, of a call of which nobody knew."""

    type: Literal["step.completed"]
    step: str
    attempt: int
    result: Json
    by: NotRequired[str]
    reason: NotRequired[str]


class StepFailed(TypedDict):
    """`random` is drawn by the engine, in [0, 1): the jitter of the retry that may follow. `by` as above."""

    type: Literal["step.failed"]
    step: str
    attempt: int
    error: ErrorData
    random: float
    by: NotRequired[str]
    reason: NotRequired[str]


class StepCancelled(TypedDict):
    """The call was stopped on purpose. Whether it had an effect is not known, unless it had not been `begun`."""

    type: Literal["step.cancelled"]
    step: str
    attempt: int
    begun: NotRequired[Literal[False]]


class StepUnknown(TypedDict):
    """The call was begun at `since`, and its runner died. Whether it is made again, a person is to say (`onCrash`)."""

    type: Literal["step.unknown"]
    step: str
    attempt: int
    key: str
    since: str


class StepRetried(TypedDict):
    """A person has said that a call of which nobody knows is to be made again: the same attempt, with the same key."""

    type: Literal["step.retried"]
    step: str
    attempt: int
    by: str
    reason: str


# What a condition decides: whether a step runs, which branch is taken, whether a case of a `switch` or a handler of an
# error fits, whether a loop goes on (`while`) or is done (`until`).
Matter: TypeAlias = Literal["step", "branch", "case", "handler", "while", "until"]


class DecisionMade(TypedDict):
    """What a condition came to. `case` is the position, from 0, of a case or handler among those of the step."""

    type: Literal["decision.made"]
    step: str
    of: Matter
    condition: str
    value: bool
    operands: dict[str, Json]
    case: NotRequired[int]


class ForeachStarted(TypedDict):
    """The items are known: `count` of them. The facts of each iteration carry its index behind the step (`@3`).

    `steps` are the ids of the steps inside that act, ask or wait: so that a reader without the plan can count.
    """

    type: Literal["foreach.started"]
    step: str
    count: int
    steps: NotRequired[list[str]]


class ValuesSet(TypedDict):
    """Computed keys: those of a `set` step, or what an iteration or loop hands on."""

    type: Literal["values.set"]
    step: str
    values: dict[str, Json]


class FailureRaised(TypedDict):
    """A `fail` step has ended what it stands in."""

    type: Literal["failure.raised"]
    step: str
    error: ErrorData


class EvaluationFailed(TypedDict):
    """An expression of a step, a task or the output has no value. `effect` is the id of what could not be done."""

    type: Literal["evaluation.failed"]
    effect: str
    step: str
    error: ErrorData

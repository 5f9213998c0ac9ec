"""Facts about timers, events, and child executions."""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict

from wfrun.core.events.data import ErrorData, EventData, Status
from wfrun.core.values import Json


class TimerStarted(TypedDict):
    type: Literal["timer.started"]
    timer: str
    step: str
    due: str
    reason: str


class TimerFired(TypedDict):
    """It is time; or somebody, `by`, did not want to wait for it."""

    type: Literal["timer.fired"]
    timer: str
    by: NotRequired[str]
    reason: NotRequired[str]


class WaitStarted(TypedDict):
    """From here on the execution waits for events with these names. They are kept if they come before.

    `complete` is how many of them have to come, those that came before included; not given, it is all.
    """

    type: Literal["wait.started"]
    wait: str
    step: str
    events: list[str]
    complete: NotRequired[int]


class WaitWithdrawn(TypedDict):
    """A wait for events, or a timer, is no longer needed: it was part of what has been stopped."""

    type: Literal["wait.withdrawn"]
    wait: str
    step: str


class EventReceived(TypedDict):
    """An event for this execution. One id is recorded once (duplicates collapse)."""

    type: Literal["event.received"]
    event: EventData


class EventMatched(TypedDict):
    """Whether an event is one that the wait is for: what its `match` came to, judged once."""

    type: Literal["event.matched"]
    wait: str
    step: str
    listener: int
    event: str
    value: bool
    operands: dict[str, Json]


class EventEmitted(TypedDict):
    """What a step is about to publish. Whoever receives it knows it by its id, so that it counts once."""

    type: Literal["event.emitted"]
    step: str
    event: EventData


class EventPublished(TypedDict):
    """It has been recorded for `reached` executions."""

    type: Literal["event.published"]
    step: str
    reached: int


class ChildStarted(TypedDict):
    """Written before the child execution exists: `child` is its id, `definition` the hash of its workflow file."""

    type: Literal["child.started"]
    step: str
    child: str
    workflow: str
    input: dict[str, Json]
    detach: bool


class ChildRecalled(TypedDict):
    """A child that completed is to be undone, as part of undoing its parent. `step` is `compensate:` and the step."""

    type: Literal["child.recalled"]
    step: str
    child: str


class ChildEnded(TypedDict):
    """How the child ended, or its undoing. A detached child counts as completed once it has been created. `pivot`, if
    it has passed its point of no return: then its parent has."""

    type: Literal["child.ended"]
    step: str
    child: str
    status: Status
    output: NotRequired[Json]
    error: NotRequired[ErrorData]
    pivot: NotRequired[bool]

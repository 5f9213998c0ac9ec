"""Facts about an execution as a whole: how it begins, who drives it, how it ends, is undone and repaired."""

from __future__ import annotations

from typing import Literal, NotRequired, TypeAlias, TypedDict

from wfrun.core.events.data import ErrorData, Parent, Part, Settable, Status
from wfrun.core.values import Json


class ExecutionStarted(TypedDict):
    """`links` says for the hash of a definition which definitions its names of other workflows stand for: they are kept
    as they were at the start. `listens` are the events that steps wait for. `parts` and `names` tell a reader who has
    no plan how the steps stand in blocks, and what to call those that have no name but stand in one that has.
    """

    type: Literal["execution.started"]
    format: int
    execution: str
    workflow: str
    version: Json
    definition: str
    input: dict[str, Json]
    seed: str
    initiator: str
    steps: list[str]
    origin: dict[str, str]
    parent: NotRequired[Parent]
    links: NotRequired[dict[str, dict[str, str]]]
    listens: NotRequired[list[str]]
    parts: NotRequired[list[Part]]
    names: NotRequired[dict[str, str]]


class DriverStarted(TypedDict):
    type: Literal["driver.started"]
    epoch: int
    host: str
    pid: int
    wfrun: str


class DriverStopped(TypedDict):
    type: Literal["driver.stopped"]
    epoch: int
    reason: str


# Why an execution is undone.
Reason: TypeAlias = Literal["failure", "cancel", "request"]


class CompensationStarted(TypedDict):
    """From here on the execution is undone: `steps` in the order in which they will be compensated."""

    type: Literal["compensation.started"]
    reason: Reason
    steps: list[str]
    error: NotRequired[ErrorData]


class CancelRequested(TypedDict):
    type: Literal["cancel.requested"]
    by: str
    reason: str


class ExecutionPaused(TypedDict):
    """A failure that is not undone: everything is kept as it is until somebody repairs the execution. `pivot`, if it
    has passed its point of no return. `settable` is what somebody can give the step that failed, instead of its own."""

    type: Literal["execution.paused"]
    error: ErrorData
    pivot: NotRequired[bool]
    settable: NotRequired[list[Settable]]


class CompensationRequested(TypedDict):
    """A completed or paused execution is to be undone."""

    type: Literal["compensation.requested"]
    by: str
    reason: str


# What somebody does about an execution that went wrong.
Repair: TypeAlias = Literal["resume", "skip", "set-output", "set-input", "rewind", "compensate", "replace"]


class RepairRequested(TypedDict):
    """What is to be repaired, by whom, and what follows: the facts with the numbers `dropped` no longer count, after
    the steps `undo` have been compensated in this order. With `keep` nothing was to be undone that runs again.
    `definition` is the hash of a workflow that replaces it; then the last seven say what execution.started would say of
    that one."""

    type: Literal["repair.requested"]
    action: Repair
    by: str
    reason: str
    step: NotRequired[str]
    value: NotRequired[Json]
    dropped: list[int]
    undo: list[str]
    keep: NotRequired[bool]
    definition: NotRequired[str]
    version: NotRequired[Json]
    steps: NotRequired[list[str]]
    origin: NotRequired[dict[str, str]]
    links: NotRequired[dict[str, dict[str, str]]]
    listens: NotRequired[list[str]]
    parts: NotRequired[list[Part]]
    names: NotRequired[dict[str, str]]


class ExecutionRepaired(TypedDict):
    """The repair with the number `request` is in force. `cancelled`: somebody has cancelled the execution meanwhile."""

    type: Literal["execution.repaired"]
    request: int
    cancelled: NotRequired[bool]


class ExecutionResumed(TypedDict):
    """Somebody has seen to what kept compensations from succeeding: those, and only those, are tried again.

    But the `waived` ones, as `compensate:pay`: what these steps have done stays, and the execution never ends as
    `compensated`.
    """

    type: Literal["execution.resumed"]
    by: str
    reason: NotRequired[str]
    waived: NotRequired[list[str]]


class ExecutionEnded(TypedDict):
    """`failures` names, for needs-attention, the compensations that could not succeed. `pivot` as in a pause,
    and for one that has failed `settable`."""

    type: Literal["execution.ended"]
    status: Status
    output: NotRequired[Json]
    error: NotRequired[ErrorData]
    failures: NotRequired[list[ErrorData]]
    pivot: NotRequired[bool]
    settable: NotRequired[list[Settable]]


class JournalRecovered(TypedDict):
    """Seals a torn last line: `bytes` bytes at `offset`, whose SHA-256 is `sha256`, are not a record."""

    type: Literal["journal.recovered"]
    offset: int
    bytes: int
    sha256: str

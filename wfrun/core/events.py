"""Facts: everything that can stand in a journal, and the only thing the interpreter learns from.

A record is one flat JSON object: the envelope (`seq`, `at`, `type`, `prev`) that the journal adds, and the fields of
the event below. `step` is the *instance* of a step: the step's id, with `@3` or `@3.1` behind it inside loops, and with
`compensate:` before it when it is undone. Instants are RFC 3339 in UTC with microseconds.
"""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypeAlias, TypedDict

from wfrun.core.values import Json

Status: TypeAlias = Literal["completed", "failed", "compensated", "cancelled", "needs-attention"]


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
    """The execution of which this one is a step."""

    execution: str
    step: str


class ExecutionStarted(TypedDict):
    """`links` says for the hash of a definition which definitions its names of other workflows stand for: they are kept
    as they were at the start. `listens` are the events that steps wait for.
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
    type: Literal["step.completed"]
    step: str
    attempt: int
    result: Json


class StepFailed(TypedDict):
    """`random` is drawn by the engine, in [0, 1): the jitter of the retry that may follow."""

    type: Literal["step.failed"]
    step: str
    attempt: int
    error: ErrorData
    random: float


class StepCancelled(TypedDict):
    """The call was stopped on purpose. Whether it had an effect is not known."""

    type: Literal["step.cancelled"]
    step: str
    attempt: int


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


class TimerStarted(TypedDict):
    type: Literal["timer.started"]
    timer: str
    step: str
    due: str
    reason: str


class TimerFired(TypedDict):
    type: Literal["timer.fired"]
    timer: str


class TaskCreated(TypedDict):
    type: Literal["task.created"]
    task: str
    step: str
    title: str
    description: str
    assignee: Assignee
    form: dict[str, Json]
    decisions: list[str]
    quorum: int
    excludeInitiator: bool
    data: Json
    due: str | None


class TaskDecided(TypedDict):
    """One person's word. With a quorum of N it takes N approvals of N people; one refusal settles it at once."""

    type: Literal["task.decided"]
    task: str
    decision: str
    by: str
    comment: str
    data: dict[str, Json]


class TaskExpired(TypedDict):
    """The due time passed undecided; judged under the append lock, even if nothing was running."""

    type: Literal["task.expired"]
    task: str


class TaskEscalated(TypedDict):
    """An expired task goes on, to others or to the same people. `level` counts from 1."""

    type: Literal["task.escalated"]
    task: str
    level: int
    assignee: Assignee
    due: str | None


class TaskWithdrawn(TypedDict):
    type: Literal["task.withdrawn"]
    task: str


class FailureRaised(TypedDict):
    """A `fail` step has ended what it stands in."""

    type: Literal["failure.raised"]
    step: str
    error: ErrorData


class EventData(TypedDict):
    """An event, in the words of CloudEvents: `type` is its name, `time` when it was made known."""

    id: str
    type: str
    source: str
    time: str
    data: Json


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
    """How the child ended, or its undoing. A detached child counts as completed once it has been created."""

    type: Literal["child.ended"]
    step: str
    child: str
    status: Status
    output: NotRequired[Json]
    error: NotRequired[ErrorData]


class EvaluationFailed(TypedDict):
    """An expression of a step, a task or the output has no value. `effect` is the id of what could not be done."""

    type: Literal["evaluation.failed"]
    effect: str
    step: str
    error: ErrorData


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
    """A failure that is not undone: everything is kept as it is until somebody repairs the execution."""

    type: Literal["execution.paused"]
    error: ErrorData


class CompensationRequested(TypedDict):
    """A completed or paused execution is to be undone."""

    type: Literal["compensation.requested"]
    by: str
    reason: str


# What somebody does about an execution that went wrong.
Repair: TypeAlias = Literal["resume", "skip", "set-output", "set-input", "rewind", "compensate", "replace"]


class RepairRequested(TypedDict):
    """What is to be repaired, by whom, and what follows: the facts with the numbers `dropped` no longer count, after
    the steps `undo` have been compensated in this order. `definition` is the hash of a workflow that replaces it."""

    type: Literal["repair.requested"]
    action: Repair
    by: str
    reason: str
    step: NotRequired[str]
    value: NotRequired[Json]
    dropped: list[int]
    undo: list[str]
    definition: NotRequired[str]


class ExecutionRepaired(TypedDict):
    """The repair with the number `request` is in force."""

    type: Literal["execution.repaired"]
    request: int


class ExecutionResumed(TypedDict):
    """Somebody has repaired what kept compensations from succeeding: those, and only those, are tried again."""

    type: Literal["execution.resumed"]
    by: str


class ExecutionEnded(TypedDict):
    """`failures` names, for needs-attention, the compensations that could not succeed."""

    type: Literal["execution.ended"]
    status: Status
    output: NotRequired[Json]
    error: NotRequired[ErrorData]
    failures: NotRequired[list[ErrorData]]


class JournalRecovered(TypedDict):
    """Seals a torn last line: `bytes` bytes at `offset`, whose SHA-256 is `sha256`, are not a record."""

    type: Literal["journal.recovered"]
    offset: int
    bytes: int
    sha256: str


Event: TypeAlias = (
    ExecutionStarted
    | DriverStarted
    | DriverStopped
    | StepStarted
    | StepCompleted
    | StepFailed
    | StepCancelled
    | DecisionMade
    | ForeachStarted
    | ValuesSet
    | FailureRaised
    | TimerStarted
    | TimerFired
    | TaskCreated
    | TaskDecided
    | TaskExpired
    | TaskEscalated
    | TaskWithdrawn
    | WaitStarted
    | WaitWithdrawn
    | EventReceived
    | EventMatched
    | EventEmitted
    | EventPublished
    | ChildStarted
    | ChildRecalled
    | ChildEnded
    | EvaluationFailed
    | CompensationStarted
    | CancelRequested
    | ExecutionPaused
    | RepairRequested
    | ExecutionRepaired
    | CompensationRequested
    | ExecutionEnded
    | ExecutionResumed
    | JournalRecovered
)

# A record of a journal: an event with its envelope. The fold refuses types that it does not know.
Record: TypeAlias = dict[str, Any]

"""The shapes that views answer with. They are JSON, and what `--json` prints: see schemas/cli-*.schema.json.

Instants are RFC 3339 in UTC, durations are whole milliseconds; a value that is not known yet is null, never left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NotRequired, TypeAlias, TypedDict, get_args

from wfrun.core.values import Json

if TYPE_CHECKING:
    from wfrun.core.events import Assignee, ErrorData, Parent, Settable

ExecutionStatus: TypeAlias = Literal[
    "running",
    "waiting",
    "interrupted",
    "paused",
    "completed",
    "failed",
    "compensated",
    "partly-compensated",
    "cancelled",
    "needs-attention",
]
EXECUTION_STATUSES: tuple[ExecutionStatus, ...] = get_args(ExecutionStatus)
StepStatus: TypeAlias = Literal[
    "pending",
    "running",
    "retrying",
    "waiting",
    "completed",
    "failed",
    "timed-out",
    "skipped",
    "cancelled",
    "compensating",
    "compensated",
]


class Progress(TypedDict):
    """Steps that need no more work, of all steps known. Of those `done`, `skipped` ones were decided against.

    `failed` ones are among the `done` only once the execution has completed: it has gone on without them.

    A step in a loop counts once for each of its iterations, as far as their number is known.
    """

    done: int
    skipped: int
    failed: int
    total: int


class Iterations(TypedDict):
    """A step in a loop, over all iterations. `total` is how often it can run; null in a loop that nobody can foresee.

    `counts` says how many stand how, without those that stand at 0. `shown` are a few: what is active, the last failed.
    """

    total: int | None
    counts: dict[StepStatus, int]
    shown: list[StepView]


class StepView(TypedDict):
    """`attempts` is the number of the last attempt; `error` is the last one, gone once the step completes.

    A step in a loop has one row, with `iterations`, for all its instances.
    """

    step: str
    status: StepStatus
    startedAt: str | None
    endedAt: str | None
    durationMs: int | None
    attempts: int
    error: ErrorData | None
    nextAttemptAt: str | None
    iterations: NotRequired[Iterations]


class Vote(TypedDict):
    decision: str
    by: str
    comment: str
    at: str


class TaskView(TypedDict):
    """A task that waits for a person. `escalated` is the level it has reached; `votes` counts towards `quorum`.

    `overdue`: its time is over, and nothing has run since that could let it expire or escalate. Records have no clock,
    so a fold says false; whoever shows a task says `with_overdue`. `stuck`: no decision can reach the quorum any more
    unless somebody who has decided says otherwise.
    """

    task: str
    execution: str
    workflow: str
    step: str
    title: str
    description: str
    assignee: Assignee
    createdAt: str
    due: str | None
    overdue: bool
    escalated: int
    quorum: int
    excludeInitiator: bool
    initiator: str
    decisions: list[str]
    form: dict[str, Json]
    data: Json
    votes: list[Vote]
    stuck: bool


class TimerView(TypedDict):
    """A time that is waited for, or, with the reason `timeout`, until which `step` has time: a step, a block, or `$`
    for the whole workflow. `overdue` as in a task: a fold says false."""

    timer: str
    step: str
    due: str
    reason: str
    overdue: bool


class EventView(TypedDict):
    """An event that has come, and that no wait has looked at yet. `awaited`: one that there is may take it."""

    event: str
    type: str
    at: str
    awaited: bool


class WaitView(TypedDict):
    """What is waited for besides people: `complete` of these `events`, or a time if there are none.

    `matched` are the names of those that have come and fit. `until` is the time, or the limit to a wait for events.
    `overdue` as in a task: a fold says false. `arrived`: an event with one of these names has come since it began, and
    whoever drives on sees whether it is the one.
    """

    step: str
    events: list[str]
    complete: int
    matched: list[str]
    since: str
    until: str | None
    overdue: bool
    arrived: bool


class ChildView(TypedDict):
    """A child execution. A fold knows the `status` of one that has ended, who can read its journal that of others.

    `tasks` are those that it waits for, and the executions that it runs itself: a fold says none.
    """

    step: str
    execution: str
    workflow: str
    detached: bool
    startedAt: str
    status: ExecutionStatus | None
    tasks: list[TaskView]


class UnknownView(TypedDict):
    """A call that was begun at `since`, whose runner died. A person is to say what became of it."""

    step: str
    attempt: int
    key: str
    since: str


class RepairView(TypedDict):
    """What somebody did about an execution that went wrong. `done` once it is in force.

    `overtaken`: somebody asked for another repair before it was, and it never will be.
    """

    seq: int
    at: str
    action: str
    step: str | None
    by: str
    reason: str
    done: bool
    overtaken: bool


class CancellationView(TypedDict):
    by: str
    reason: str
    at: str


class DecisionView(TypedDict):
    """What a condition, or a person, decided. `operands` are the values that a condition saw.

    `case` is the position of a case or handler, from 0.
    """

    step: str
    at: str
    of: str
    condition: str
    value: bool
    operands: dict[str, Json]
    case: NotRequired[int]


class DriverView(TypedDict):
    epoch: int
    host: str
    pid: int
    startedAt: str
    stoppedAt: str | None
    reason: str | None


class BriefView(TypedDict):
    """What remains of a status when many executions are looked at, with what is waited for and the error in full."""

    execution: str
    workflow: str
    version: Json
    status: ExecutionStatus
    startedAt: str
    endedAt: str | None
    progress: Progress
    tasks: list[TaskView]
    waits: list[WaitView]
    unknown: list[UnknownView]
    children: list[ChildView]
    parent: Parent | None
    listens: list[str]
    error: ErrorData | None
    initiator: str


class StatusView(BriefView):
    """One execution in full. `names` are what to call steps without a name that stand in one with a name.

    `canSet` says what a repair can give the step that it failed with, null if that is not known. `cancellation` is who
    asked to cancel it, if somebody did. `pivot`: it stands still behind its point of no return.
    """

    durationMs: int | None
    current: list[str]
    steps: list[StepView]
    compensations: list[StepView]
    timers: list[TimerView]
    arrived: list[EventView]
    names: dict[str, str]
    repairs: list[RepairView]
    decisions: list[DecisionView]
    cancelRequested: bool
    cancellation: CancellationView | None
    canSet: list[Settable] | None
    pivot: bool
    failures: list[ErrorData]
    output: Json
    origin: dict[str, str]
    driver: DriverView | None


class Summary(TypedDict):
    """One line of `list`. `error` is the error's type; `waitingFor` names the people and groups of the open tasks.

    `events`, `until` and `children` are what is waited for besides: names, the earliest time, executions. `unknown` are
    the steps with calls that a person is to say something about. `listens` are the events that any step may wait for,
    `parent` the execution that this one is a part of.
    """

    execution: str
    workflow: str
    version: Json
    status: ExecutionStatus
    startedAt: str
    endedAt: str | None
    progress: Progress
    error: str | None
    waitingFor: list[str]
    events: list[str]
    until: str | None
    unknown: list[str]
    children: list[str]
    listens: list[str]
    parent: str | None
    initiator: str


class Moment(TypedDict):
    """One line of the timeline: a record in words, and the error that it tells of, in full.

    `setAside`: a repair has taken it back. It happened, and counts no more.
    """

    seq: int
    at: str
    offsetMs: int
    type: str
    step: str | None
    text: str
    error: ErrorData | None
    setAside: bool


class OutlineNode(TypedDict):
    """A step of the plan, for drawing.

    `branch` says on which side of its parent it stands, in words that can stand at an arrow: `then` and `else` of a
    `conditional`, the condition of a case of a `switch` (and `else`), `catch` and a pattern, or `finally`, of a `try`.
    `needs` are the ids of the siblings that a branch of a `parallel` waits for, `compensation` the call that undoes it.
    """

    id: str
    name: str
    type: str
    label: str
    condition: NotRequired[str | None]
    compensation: NotRequired[str | None]
    needs: NotRequired[list[str]]
    branch: str | None
    children: list[OutlineNode]

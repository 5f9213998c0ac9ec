"""The shapes that views answer with. They are JSON, and what `--json` prints: see schemas/cli-*.schema.json.

Instants are RFC 3339 in UTC, durations are whole milliseconds; a value that is not known yet is null, never left out.
"""

from __future__ import annotations

from typing import Literal, NotRequired, TypeAlias, TypedDict

from wfrun.core.events import Assignee, ErrorData
from wfrun.core.values import Json

ExecutionStatus: TypeAlias = Literal[
    "running", "waiting", "interrupted", "completed", "failed", "compensated", "cancelled", "needs-attention"
]
StepStatus: TypeAlias = Literal[
    "pending",
    "running",
    "retrying",
    "waiting",
    "completed",
    "failed",
    "skipped",
    "cancelled",
    "compensating",
    "compensated",
]


class Progress(TypedDict):
    """Steps that need no more work, of all steps known. Of those `done`, `skipped` ones were decided against."""

    done: int
    skipped: int
    total: int


class StepView(TypedDict):
    """`attempts` is the number of the last attempt; `error` is the last one, gone once the step completes."""

    step: str
    status: StepStatus
    startedAt: str | None
    endedAt: str | None
    durationMs: int | None
    attempts: int
    error: ErrorData | None
    nextAttemptAt: str | None


class Vote(TypedDict):
    decision: str
    by: str
    comment: str
    at: str


class TaskView(TypedDict):
    """A task that waits for a person. `escalated` is the level it has reached; `votes` counts towards `quorum`.

    `overdue`: its time is over, and nothing has run since that could let it expire or escalate. Records have no clock,
    so a fold says false; whoever shows a task says `with_overdue`.
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


class TimerView(TypedDict):
    timer: str
    step: str
    due: str
    reason: str


class DecisionView(TypedDict):
    """What a condition, or a person, decided. `operands` are the values that a condition saw."""

    step: str
    at: str
    of: str
    condition: str
    value: bool
    operands: dict[str, Json]


class DriverView(TypedDict):
    epoch: int
    host: str
    pid: int
    startedAt: str
    stoppedAt: str | None
    reason: str | None


class BriefView(TypedDict):
    """What remains of a status when many executions are looked at, with the tasks and the error in full."""

    execution: str
    workflow: str
    version: Json
    status: ExecutionStatus
    startedAt: str
    endedAt: str | None
    progress: Progress
    tasks: list[TaskView]
    error: ErrorData | None


class StatusView(BriefView):
    """One execution in full."""

    durationMs: int | None
    current: list[str]
    steps: list[StepView]
    compensations: list[StepView]
    timers: list[TimerView]
    decisions: list[DecisionView]
    cancelRequested: bool
    failures: list[ErrorData]
    output: Json
    initiator: str
    origin: dict[str, str]
    driver: DriverView | None


class Summary(TypedDict):
    """One line of `list`. `error` is the error's type; `waitingFor` names the people and groups of the open tasks."""

    execution: str
    workflow: str
    version: Json
    status: ExecutionStatus
    startedAt: str
    endedAt: str | None
    progress: Progress
    error: str | None
    waitingFor: list[str]


class Moment(TypedDict):
    """One line of the timeline: a record in words, and the error that it tells of, in full."""

    seq: int
    at: str
    offsetMs: int
    type: str
    step: str | None
    text: str
    error: ErrorData | None


class OutlineNode(TypedDict):
    """A step of the plan, for drawing.

    `branch` says on which side of its conditional parent it stands, `compensation` which call undoes it.
    """

    id: str
    name: str
    type: str
    label: str
    condition: NotRequired[str | None]
    compensation: NotRequired[str | None]
    branch: Literal["then", "else"] | None
    children: list[OutlineNode]

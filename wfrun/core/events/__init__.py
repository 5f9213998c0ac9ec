"""Facts: everything that can stand in a journal, and the only thing the interpreter learns from.

A record is one flat JSON object: the envelope (`seq`, `at`, `type`, `prev`) that the journal adds, and the fields of
the event below. `step` is the *instance* of a step: the step's id, with `@3` or `@3.1` behind it inside loops, and with
`compensate:` before it when it is undone. Instants are RFC 3339 in UTC with microseconds.
"""

from typing import Any, TypeAlias

from wfrun.core.events.data import Assignee, ErrorData, EventData, Parent, Part, Settable, Status
from wfrun.core.events.executions import (
    CancelRequested,
    CompensationRequested,
    CompensationStarted,
    DriverStarted,
    DriverStopped,
    ExecutionEnded,
    ExecutionPaused,
    ExecutionRepaired,
    ExecutionResumed,
    ExecutionStarted,
    JournalRecovered,
    Reason,
    Repair,
    RepairRequested,
)
from wfrun.core.events.people import TaskCreated, TaskDecided, TaskEscalated, TaskExpired, TaskWithdrawn
from wfrun.core.events.steps import (
    DecisionMade,
    EvaluationFailed,
    FailureRaised,
    ForeachStarted,
    Matter,
    StepCancelled,
    StepCompleted,
    StepFailed,
    StepRetried,
    StepStarted,
    StepUnknown,
    ValuesSet,
)
from wfrun.core.events.waits import (
    ChildEnded,
    ChildRecalled,
    ChildStarted,
    EventEmitted,
    EventMatched,
    EventPublished,
    EventReceived,
    TimerFired,
    TimerStarted,
    WaitStarted,
    WaitWithdrawn,
)

Event: TypeAlias = (
    ExecutionStarted
    | DriverStarted
    | DriverStopped
    | StepStarted
    | StepCompleted
    | StepFailed
    | StepCancelled
    | StepUnknown
    | StepRetried
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

__all__ = [
    "Assignee",
    "CancelRequested",
    "ChildEnded",
    "ChildRecalled",
    "ChildStarted",
    "CompensationRequested",
    "CompensationStarted",
    "DecisionMade",
    "DriverStarted",
    "DriverStopped",
    "ErrorData",
    "EvaluationFailed",
    "Event",
    "EventData",
    "EventEmitted",
    "EventMatched",
    "EventPublished",
    "EventReceived",
    "ExecutionEnded",
    "ExecutionPaused",
    "ExecutionRepaired",
    "ExecutionResumed",
    "ExecutionStarted",
    "FailureRaised",
    "ForeachStarted",
    "JournalRecovered",
    "Matter",
    "Parent",
    "Part",
    "Reason",
    "Record",
    "Repair",
    "RepairRequested",
    "Settable",
    "Status",
    "StepCancelled",
    "StepCompleted",
    "StepFailed",
    "StepRetried",
    "StepStarted",
    "StepUnknown",
    "TaskCreated",
    "TaskDecided",
    "TaskEscalated",
    "TaskExpired",
    "TaskWithdrawn",
    "TimerFired",
    "TimerStarted",
    "ValuesSet",
    "WaitStarted",
    "WaitWithdrawn",
]

"""Facts about human tasks."""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict

from wfrun.core.events.data import Assignee
from wfrun.core.values import Json


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
    """One person's word. With a quorum of N it takes N approvals of N people; one refusal settles it at once.

    As long as it is not settled, a later word of the same person takes the place of the earlier one.
    """

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
    """An expired task goes on, to others or to the same people. `level` counts from 1.

    `quorum` and `excludeInitiator` hold for the others from here on, and only what is decided from here on counts.
    Without them nothing changes: the same people are asked, or it was written by an older version, which kept those of
    the first.
    """

    type: Literal["task.escalated"]
    task: str
    level: int
    assignee: Assignee
    quorum: NotRequired[int]
    excludeInitiator: NotRequired[bool]
    due: str | None


class TaskWithdrawn(TypedDict):
    type: Literal["task.withdrawn"]
    task: str

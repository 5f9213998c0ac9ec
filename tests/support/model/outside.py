"""What is around executions: services, people, operators, sources of events, and the time.

scripted.py has the outside of a scenario.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from tests.support.cases import INITIATOR

if TYPE_CHECKING:
    from tests.support.model.execution import Execution


class Call(NamedTuple):
    """One attempt at a call."""

    execution: str
    step: str
    attempt: int
    service: str
    action: str
    input: Any
    key: str


class Refused(Exception):
    """A service's answer that is an error."""

    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(error["type"])
        self.error = error


@dataclass
class Task:
    """A question to people, as it stands."""

    id: str
    title: str
    description: str
    assignee: dict[str, list[str]]
    decisions: list[str]
    quorum: int
    data: Any
    exclude_initiator: bool
    level: int = 0
    votes: list[dict[str, Any]] = field(default_factory=list)

    def ask_others(self, quorum: int, exclude_initiator: bool) -> None:
        """What was said before does not count."""
        self.quorum, self.exclude_initiator, self.votes = quorum, exclude_initiator, []

    def told(self) -> dict[str, Any]:
        """As people see it."""
        kept = ("id", "title", "description", "assignee", "decisions", "quorum", "data", "level")
        votes = [{key: vote[key] for key in ("by", "decision", "comment", "data")} for vote in self.votes]
        return {**{key: getattr(self, key) for key in kept}, "votes": votes}

    def refusal(self, vote: Mapping[str, Any]) -> str | None:
        """The code of the error with which a decision is refused, if it is."""
        if vote["decision"] not in (*self.decisions, "rejected"):
            return "task.decision"
        if self.exclude_initiator and vote["by"] == INITIATOR:
            return "task.initiator"
        alone = "users" in self.assignee and not {"groups", "names"} & self.assignee.keys()
        return "task.assignee" if alone and vote["by"] not in self.assignee["users"] else None


class Outside(Protocol):
    """What executions ask for. It is also the host of their expressions."""

    def call(self, call: Call, heartbeat: float | None) -> asyncio.Future[Any]:
        """The answer to come: a result, or Refused; as `timeout` after so many seconds without a sign of life."""
        ...

    async def vote(self, task: Task, until: float | None) -> Mapping[str, Any] | None:
        """The next decision on a task; None if there is none until then."""
        ...

    def publish(self, event: Any) -> None: ...

    def begin(self, workflow: str, id: str, input: Mapping[str, Any], instance: str) -> Execution: ...

    def notice(self, what: str, step: str) -> None:
        """A step has `begun`, or is `done`."""
        ...

    def now(self) -> datetime: ...

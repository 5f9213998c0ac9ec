"""What an execution has to do with others: the children it starts, and whoever waits for its events."""

from __future__ import annotations

from typing import TYPE_CHECKING, NotRequired, Protocol, TypedDict

if TYPE_CHECKING:
    from wfrun.core.events import ErrorData, EventData, Record, Status
    from wfrun.core.values import Json


class ChildEnd(TypedDict):
    """How a child execution ended. `pivot`, if it has passed its point of no return."""

    status: Status
    output: NotRequired[Json]
    error: NotRequired[ErrorData]
    pivot: NotRequired[bool]


class Others(Protocol):
    """The other executions of a state directory, as one of them reaches them. Each raises WfrunError."""

    def create(self, started: Record) -> None:
        """Make sure that the child of a child.started record exists. A detached one is driven from then on."""

    async def drive(self, child: str) -> ChildEnd | None:
        """Drive a child until it has ended; None if it was told to park and only waits, or is paused."""

    def is_idle(self, child: str) -> bool:
        """Whether a child that is driven here only waits for what others do, or for long."""

    def park(self, child: str) -> None:
        """Have a child that is driven here let go as soon as it only waits."""

    def has_changed(self, child: str) -> bool:
        """Whether anything was recorded for a child since it was let go here."""

    def rest(self) -> None:
        """This execution only waits now: whoever waits for it may want to know."""

    def cancel(self, child: str) -> None:
        """Ask a child to stop and be compensated."""

    def recall(self, child: str) -> None:
        """Ask a child that completed to be undone, or what could not be undone to be tried again."""

    async def publish(self, event: EventData) -> int:
        """Record an event for every execution that listens for it; how many these are."""

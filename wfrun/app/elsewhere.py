"""Executions that are driven elsewhere: processes that open such a home look at them and tell them something."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from wfrun.journal.clock import Clock, utc_now
from wfrun.journal.home import Home
from wfrun.journal.io import Files

if TYPE_CHECKING:
    from wfrun.core.events import EventData
    from wfrun.views.model import Summary, TaskView


class Catalogue(Protocol):
    """What is asked of many executions at once: as of an index, see views.index."""

    def summaries(
        self,
        *,
        status: str | None = None,
        workflow: str | None = None,
        limit: int | None = None,
        since: str | None = None,
        driven: Callable[[str], bool] | None = None,
        keep: Callable[[Summary], bool] | None = None,
    ) -> list[Summary]: ...

    def tasks(self, assignee: str | None = None) -> list[TaskView]: ...

    def ids(self, prefix: str, limit: int) -> list[str]: ...


class Workers(Protocol):
    """Whoever drives."""

    @property
    def catalogue(self) -> Catalogue: ...

    def start(self, first: Mapping[str, Any], definitions: Mapping[str, Any]) -> bool:
        """Begin an execution, durably, unless there is or was one with its id: whether it was begun."""

    def publish(self, event: EventData) -> list[str]:
        """The executions that have been given an event now: those that listen for such."""

    def deliver(self, execution: str, event: EventData) -> bool:
        """False if it has been given the event before, or has ended."""


class RemoteHome(Home):
    """Its journals are read and appended to like any others. Services are the workers' affair."""

    def __init__(self, place: str, files: Files, workers: Workers, clock: Clock = utc_now) -> None:
        super().__init__(place, files, clock)
        self.workers = workers

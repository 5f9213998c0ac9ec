"""A namespace of Temporal as a home: only imported where executions are there."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Mapping
from heapq import nlargest
from threading import Thread
from typing import TYPE_CHECKING, Any, TypeVar

from wfrun.app.elsewhere import Catalogue, RemoteHome
from wfrun.engines.temporal.client import Namespace, quoted
from wfrun.engines.temporal.connection import Settings, connect
from wfrun.engines.temporal.files import JournalFiles
from wfrun.views.status import brief_of
from wfrun.views.summary import summary_of
from wfrun.views.tasks import open_tasks

if TYPE_CHECKING:
    from wfrun.core.events import EventData, Record
    from wfrun.views.model import Summary, TaskView

T = TypeVar("T")

# Executions that are asked at the same time.
AT_ONCE = 50


def open_namespace() -> RemoteHome:
    """The namespace that the environment names. Raises JournalError if it cannot be reached."""
    ask = _Loop().ask
    namespace = ask(connect(Settings.of_environment()))
    return RemoteHome("/temporal", JournalFiles(namespace, ask), TemporalWorkers(namespace, ask))


class _Loop:
    """An event loop in a thread of its own, that others wait for."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        Thread(target=self._loop.run_forever, daemon=True).start()

    def ask(self, question: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(question, self._loop).result()


class TemporalWorkers:
    """See `elsewhere.Workers`."""

    def __init__(self, namespace: Namespace, ask: Callable[[Coroutine[Any, Any, Any]], Any]) -> None:
        self._namespace = namespace
        self._ask = ask

    @property
    def catalogue(self) -> Catalogue:
        return Visibility(self._namespace, self._ask)

    def start(self, first: Mapping[str, Any], definitions: Mapping[str, Any]) -> bool:
        return bool(self._ask(self._namespace.start(first, definitions)))

    def publish(self, event: EventData) -> list[str]:
        return list(self._ask(self._namespace.publish(event)))

    def deliver(self, execution: str, event: EventData) -> bool:
        return bool(self._ask(self._namespace.deliver(execution, event)))


class Visibility:
    """See `elsewhere.Catalogue`: visibility says which executions, and each of these says how it stands."""

    def __init__(self, namespace: Namespace, ask: Callable[[Coroutine[Any, Any, Any]], Any]) -> None:
        self._namespace = namespace
        self._ask = ask

    def summaries(
        self,
        *,
        status: str | None = None,
        workflow: str | None = None,
        limit: int | None = None,
        since: str | None = None,
        driven: Callable[[str], bool] | None = None,
        keep: Callable[[Summary], bool] | None = None,
    ) -> list[Summary]:
        """A worker drives what runs: nothing is ever interrupted."""
        wanted = {"WfrunStatus =": status, "WfrunWorkflow =": workflow, "StartTime >=": since}
        query = " AND ".join(f"{what} {quoted(value)}" for what, value in wanted.items() if value is not None)
        most = limit if keep is None else None
        found = (summary_of(brief_of(records, driven=True)) for records in self._journals(query, most))
        fit = [row for row in found if status in (None, row["status"]) and (keep is None or keep(row))]
        count = len(fit) if limit is None else limit
        return nlargest(count, fit, key=lambda row: row["startedAt"])

    def tasks(self, assignee: str | None = None) -> list[TaskView]:
        query = "WfrunAssignee IS NOT NULL" if assignee is None else f"WfrunAssignee = {quoted(assignee)}"
        found = self._journals(f"ExecutionStatus = 'Running' AND {query}", None)
        tasks = (task for records in found for task in open_tasks(records, assignee))
        return sorted(tasks, key=lambda task: (task["createdAt"], task["task"]))

    def ids(self, prefix: str, limit: int) -> list[str]:
        return sorted(self._ask(self._found(f"WorkflowId STARTS_WITH {quoted(prefix)}", limit)))

    def _journals(self, query: str, limit: int | None) -> Iterable[list[Record]]:
        journals: list[list[Record]] = self._ask(self._read(query, limit))
        return journals

    async def _read(self, query: str, limit: int | None) -> list[list[Record]]:
        turn = asyncio.Semaphore(AT_ONCE)

        async def read(execution: str) -> list[Record]:
            async with turn:
                return await self._namespace.records(execution)

        return await asyncio.gather(*map(read, await self._found(query, limit)))

    async def _found(self, query: str, limit: int | None) -> list[str]:
        """Each id once: an execution that was taken up again is another run of the same workflow."""
        there = "ExecutionStatus != 'ContinuedAsNew'"
        found: dict[str, None] = {}
        async for each in self._namespace.listed(f"{there} AND {query}" if query else there):
            found[each.id] = None
            if limit is not None and len(found) >= limit:
                break
        return list(found)

"""Executions on Temporal, from outside: starting them, reading their journals, telling them something."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from temporalio.client import (
    Client,
    RPCTimeoutOrCancelledError,
    WorkflowExecution,
    WorkflowFailureError,
    WorkflowHandle,
    WorkflowQueryFailedError,
    WorkflowUpdateFailedError,
)
from temporalio.common import TypedSearchAttributes, WorkflowIDReusePolicy
from temporalio.exceptions import ApplicationError, WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from wfrun import __version__
from wfrun.core.run import Run
from wfrun.engines.again import is_to_try_again, try_again
from wfrun.engines.temporal import APPEND, DEFINITIONS, RECORDS, WORKFLOW, driver_started
from wfrun.engines.temporal.attributes import attributes_of
from wfrun.engines.temporal.codec import CLAIM_FROM
from wfrun.engines.temporal.ends import end_of
from wfrun.engines.temporal.plans import Definitions
from wfrun.errors import ConflictError, JournalError, NotFoundError, WfrunError
from wfrun.journal.clock import utc_now

if TYPE_CHECKING:
    from wfrun.core.events import EventData, Record

# How long somebody is waited for who is to answer a question.
PATIENCE = timedelta(seconds=10)

# What an execution is told when what it did is to be undone, or what could not be undone is to be tried again.
_RECALLS = ("compensation.requested", "execution.resumed")


class Begun(NamedTuple):
    """An execution that goes on from `records`, with `events` that come next."""

    records: list[Record]
    events: list[Mapping[str, Any]]
    definitions: Mapping[str, Any]


class Namespace:
    """A namespace of Temporal, whose executions are done by the workers of a task queue."""

    def __init__(self, client: Client, task_queue: str) -> None:
        self.client = client
        self.task_queue = task_queue

    # ---- beginning

    async def start(self, first: Mapping[str, Any], definitions: Mapping[str, Any]) -> bool:
        """Begin an execution, unless there is or was one with its id: whether it was begun."""
        begun = Begun([], [first, driver_started(1, __version__)], definitions)
        try:
            await self._start(first, begun, WorkflowIDReusePolicy.REJECT_DUPLICATE)
        except WorkflowAlreadyStartedError:
            return False
        return True

    async def go_on(self, begun: Begun) -> None:
        """Take up an execution that had ended, with what somebody has said. ConflictError if it goes on already."""
        try:
            await self._start(begun.records[0], begun, WorkflowIDReusePolicy.ALLOW_DUPLICATE)
        except WorkflowAlreadyStartedError:
            raise _moved(begun.records[0]["execution"]) from None

    async def _start(self, first: Mapping[str, Any], begun: Begun, reuse: WorkflowIDReusePolicy) -> None:
        await self.client.start_workflow(
            WORKFLOW,
            begun._asdict(),
            id=first["execution"],
            task_queue=self.task_queue,
            id_reuse_policy=reuse,
            search_attributes=TypedSearchAttributes(attributes_of(first)),
        )

    # ---- reading

    async def records(self, execution: str, after: int = 0) -> list[Record]:
        """Its journal, without the chain. NotFoundError; JournalError if no worker is there to tell it."""
        found: list[Record] = []
        more = True
        while more:
            page = await self._query(execution, RECORDS, after + len(found))
            found += page["records"]
            more = page["more"]
        return found

    async def definitions(self, execution: str) -> dict[str, Any]:
        return dict(await self._query(execution, DEFINITIONS))

    async def _query(self, execution: str, query: str, *about: Any) -> Any:
        try:
            return await self._handle(execution).query(query, args=about, rpc_timeout=PATIENCE)
        except RPCError as error:
            raise _told(error, execution) from error
        except WorkflowQueryFailedError as error:
            raise JournalError("temporal.refused", f"execution {execution} cannot be read: {error}") from error

    async def end(self, execution: str) -> dict[str, Any]:
        """How it ends, once it has."""
        try:
            return dict(await self._handle(execution).result())
        except WorkflowFailureError as error:
            return end_of(error.cause)

    async def is_running(self, execution: str) -> bool:
        """NotFoundError."""
        try:
            found = await self._handle(execution).describe()
        except RPCError as error:
            raise _told(error, execution) from error
        return found.close_time is None

    def listed(self, query: str, limit: int | None = None) -> AsyncIterator[WorkflowExecution]:
        """What visibility finds on this task queue, newest first: nobody else's workers could tell of theirs."""
        asked = f"WorkflowType = '{WORKFLOW}' AND TaskQueue = {quoted(self.task_queue)}"
        if query:
            asked += f" AND {query}"
        return self.client.list_workflows(asked, limit=limit)

    async def carried_size(self, value: Any) -> int:
        """How many bytes a value takes in a history. Of what is small for sure it is not worth knowing."""
        if len(str(value)) < CLAIM_FROM:
            return 0
        (payload,) = await self.client.data_converter.encode([value])
        return payload.ByteSize()

    async def ids(self) -> list[str]:
        """Every execution that visibility knows, once."""
        return list(dict.fromkeys([found.id async for found in self.listed("")]))

    # ---- telling

    async def append(
        self, execution: str, after: int, records: list[Record], definitions: Mapping[str, Any] | None = None
    ) -> None:
        """Records that come next, with definitions that they bring; ConflictError `journal.moved` if others have come
        first. What had ended goes on."""
        brought = dict(definitions or {})
        if await self.is_running(execution):
            try:
                await self._update(execution, {"after": after, "records": records, "definitions": brought})
            except NotFoundError:  # it was there a moment ago, and has ended
                raise _moved(execution) from None
            return
        known = await self.records(execution)
        if len(known) != after:
            raise _moved(execution)
        await self.go_on(Begun(known, [*records], {**await self.definitions(execution), **brought}))

    async def publish(self, event: EventData) -> list[str]:
        """The executions that have been given the event now, of those that wait for such, or will."""
        listening = f"ExecutionStatus = 'Running' AND WfrunListens = {quoted(event['type'])}"
        return [found.id async for found in self.listed(listening) if await self.deliver(found.id, event)]

    async def deliver(self, execution: str, event: EventData) -> bool:
        """False if it has been given the event before, or has ended."""
        try:
            return bool((await self._update(execution, {"event": event}))["taken"])
        except (ConflictError, NotFoundError):
            return False

    async def recall(self, child: str, by: str, times: int) -> None:
        """Have a child that has ended go on, unless that was done so many times."""
        if await self.is_running(child):
            return
        records = await self.records(child)
        asked = sum(each["type"] in _RECALLS and each["by"] == by for each in records)
        status = next(each["status"] for each in reversed(records) if each["type"] == "execution.ended")
        fact: dict[str, Any] = {"type": "compensation.requested", "by": by, "reason": "its parent is undone"}
        if status == "needs-attention":
            fact = {"type": "execution.resumed", "by": by}
        if asked < times and status in ("completed", "needs-attention"):
            await self.go_on(Begun(records, [fact], await self.definitions(child)))

    async def try_again(self, child: str, by: str, begun: int) -> None:
        """Have a child that failed go on, if its parent has begun it so often and it is due: see engines.again."""
        if begun < 2 or await self.is_running(child):
            return
        records, carried = await self.records(child), await self.definitions(child)
        if is_to_try_again(records, by, begun):
            definitions = Definitions(carried)
            run = Run(definitions.plan(records[0]["definition"]), definitions.plan)
            for record in records:
                run.apply(record)
            await self.go_on(Begun(records, [dict(try_again(run, by, utc_now()))], carried))

    async def _update(self, execution: str, told: Mapping[str, Any]) -> dict[str, Any]:
        try:
            return dict(await self._handle(execution).execute_update(APPEND, told))
        except WorkflowUpdateFailedError as error:
            raise _refused(execution, error.cause) from error
        except RPCError as error:
            raise _told(error, execution) from error

    def _handle(self, execution: str) -> WorkflowHandle[Any, Any]:
        return self.client.get_workflow_handle(execution)


def _moved(execution: str) -> ConflictError:
    return ConflictError("journal.moved", f"execution {execution} has gone on meanwhile", hint="look again")


def _refused(execution: str, cause: BaseException) -> WfrunError:
    code, hint = "temporal.refused", ""
    if isinstance(cause, ApplicationError):
        code = cause.type or code
        hint = cause.details[0].get("hint", "") if cause.details else ""
    message = getattr(cause, "message", str(cause))
    return ConflictError(code, f"execution {execution}: {message}", hint=hint)


def _told(error: RPCError, execution: str) -> WfrunError:
    if error.status == RPCStatusCode.NOT_FOUND:
        return NotFoundError(
            "execution.unknown", f"there is no execution {execution!r}", hint="`wfrun list` shows them"
        )
    if error.status in _UNANSWERED or isinstance(error, RPCTimeoutOrCancelledError):
        message = f"execution {execution}: no worker has answered"
        return JournalError("temporal.no-worker", message, hint="start one: wfrun worker --engine temporal")
    return unreachable(error.message)


# FAILED_PRECONDITION: nobody has asked for work on this task queue for a while.
_UNANSWERED = (RPCStatusCode.DEADLINE_EXCEEDED, RPCStatusCode.CANCELLED, RPCStatusCode.FAILED_PRECONDITION)


def unreachable(why: str) -> JournalError:
    hint = "is it running, and are address, namespace, key and certificates right? see docs/scale.md"
    return JournalError("temporal.unreachable", f"Temporal cannot be asked: {why}", hint=hint)


def quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"

"""What an execution has others do: calls of services are activities, children are child workflows."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

from temporalio import exceptions, workflow
from temporalio.common import RetryPolicy, SearchAttributePair, TypedSearchAttributes, WorkflowIDReusePolicy
from temporalio.exceptions import (
    ActivityError,
    ApplicationError,
    CancelledError,
    ChildWorkflowError,
    WorkflowAlreadyStartedError,
)
from temporalio.workflow import ActivityCancellationType, ParentClosePolicy

from wfrun.core.effects import CallService, Publish, RecallChild, StartChild, Stop
from wfrun.core.fibers import stop_id
from wfrun.core.instants import format_instant
from wfrun.core.run import Run
from wfrun.engines.again import times_begun
from wfrun.engines.beginning import check_input, depth_below, first_event
from wfrun.engines.calls import cancelled, never_begun
from wfrun.engines.temporal import CALL, FOLLOW, PUBLISH, RECALL, TELL, WORKFLOW, driver_started
from wfrun.engines.temporal.attributes import attributes_of
from wfrun.engines.temporal.ends import end_of
from wfrun.engines.temporal.plans import Definitions
from wfrun.errors import WfrunError

if TYPE_CHECKING:
    from wfrun.core.events import Event, Record
    from wfrun.core.values import Json

# A worker that is gone is noticed after so long: calls give signs of life all the while.
SILENCE = timedelta(seconds=10)

# Calls are given their time by whoever makes them. Temporal wants a limit all the same.
AGES = timedelta(days=3650)

_ONCE = RetryPolicy(maximum_attempts=1)
_WORKER_GONE = "WorkerShutdown"


class Errands:
    """Each outcome is handed to `answer(effect id, event)`; a call that was lost with its worker to `lost`."""

    def __init__(
        self,
        run: Run,
        definitions: Definitions,
        answer: Callable[[str, Event], None],
        lost: Callable[[CallService], None],
    ) -> None:
        self._run = run
        self._definitions = definitions
        self._answer = answer
        self._lost = lost
        self._calls: dict[str, asyncio.Task[None]] = {}
        self._others: dict[str, asyncio.Task[None]] = {}
        self._begun: dict[str, asyncio.Event] = {}
        self._told: dict[str, Any] = {}
        self._seen = 0

    @property
    def is_calling(self) -> bool:
        """Whether anything is out whose answer only this run of the workflow would hear."""
        return bool(self._calls)

    @property
    def is_busy(self) -> bool:
        return bool(self._calls or self._others)

    # ---- calls

    def call(self, effect: CallService, started: Record, input: Json) -> None:
        self._begin(self._calls, effect.id, self._call(effect, self._order(effect, started, input)))

    def _order(self, effect: CallService, started: Record, input: Json) -> dict[str, Any]:
        """What the worker needs to know. No secret is in it: what refers to one is resolved where the call is made."""
        node, deadline = effect.node, self._run.deadline(effect)
        in_force = self._in_force
        return {
            "id": effect.id,
            "execution": in_force["execution"],
            "step": effect.step,
            "attempt": effect.attempt,
            "key": started["key"],
            "service": node.service,
            "action": node.action,
            "input": input,
            "timeout": node.timeout,
            "heartbeat": node.heartbeat,
            "deadline": format_instant(deadline) if deadline is not None else None,
            "entry": in_force["services"].get(node.service),
            "folder": str(in_force["origin"]["file"]).rpartition("/")[0],
        }

    async def _call(self, effect: CallService, order: dict[str, Any]) -> None:
        try:
            outcome: Event = await workflow.execute_activity(
                CALL,
                order,
                summary=effect.id,
                heartbeat_timeout=SILENCE,
                start_to_close_timeout=AGES,
                retry_policy=_ONCE,
                cancellation_type=ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
            )
        except ActivityError as error:
            del self._calls[effect.id]
            self._not_answered(effect, error.cause)
        else:
            del self._calls[effect.id]
            self._answer(effect.id, outcome)

    def _not_answered(self, effect: CallService, cause: BaseException | None) -> None:
        if stop_id(effect.id) in self._run.pending:
            self._answer(effect.id, cancelled(effect.step, effect.attempt))
        elif isinstance(cause, exceptions.TimeoutError | CancelledError) or _is_gone(cause):
            self._lost(effect)
        else:
            message = str(getattr(cause, "message", cause))
            self._answer(effect.id, _failed(effect, message))

    # ---- what is stopped

    def stop(self, stop: Stop) -> None:
        if stop.of == "call":
            self._stop_call(stop.target)
        elif stop.of == "child" and (recorded := self._run.recorded.get(stop.target)) and not recorded.get("detach"):
            asyncio.create_task(self._stop_child(stop.target, recorded))  # noqa: RUF006 - the workflow keeps its tasks

    def _stop_call(self, id: str) -> None:
        effect = self._run.pending.get(id)
        if id in self._calls:
            self._calls[id].cancel()
        elif isinstance(effect, CallService):
            outcome = cancelled if id in self._run.begun else never_begun
            self._answer(id, outcome(effect.step, effect.attempt))

    async def _stop_child(self, id: str, recorded: Record) -> None:
        """It is answered when the child has ended, or if it has before."""
        if id in self._begun:
            await self._begun[id].wait()
        asked = {"type": "cancel.requested", "by": self._in_force["execution"], "reason": "its parent was stopped"}
        try:
            await workflow.get_external_workflow_handle(recorded["child"]).signal(TELL, asked)
        except ApplicationError:
            return

    # ---- children

    def child(self, effect: StartChild | RecallChild, recorded: Record) -> None:
        errand = self._start if recorded["type"] == "child.started" else self._recall
        self._begun[effect.id] = asyncio.Event()
        self._begin(self._others, effect.id, self._until_ended(effect.id, recorded, errand))

    async def _until_ended(
        self, id: str, recorded: Record, errand: Callable[[str, Record], Coroutine[Any, Any, dict[str, Any]]]
    ) -> None:
        try:
            end = await errand(id, recorded)
        except WfrunError as error:
            end = {"status": "failed", "error": {"type": error.code, "message": error.message}}
        self._begun.pop(id).set()
        del self._others[id]
        ended = {"type": "child.ended", "step": recorded["step"], "child": recorded["child"], **end}
        self._answer(id, cast("Event", ended))

    async def _start(self, id: str, recorded: Record) -> dict[str, Any]:
        """A child that is there already, as after this workflow has begun anew, is followed from there on."""
        child, start = recorded["child"], self._beginning(recorded)
        try:
            handle: Any = await workflow.start_child_workflow(
                WORKFLOW,
                start,
                id=child,
                parent_close_policy=ParentClosePolicy.ABANDON,
                id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                search_attributes=TypedSearchAttributes(_pairs(start)),
            )
        except WorkflowAlreadyStartedError:
            self._begun[id].set()
            return {"status": "completed"} if recorded["detach"] else await self._follow(child)
        self._begun[id].set()
        if recorded["detach"]:
            return {"status": "completed"}
        try:
            return cast("dict[str, Any]", await handle)
        except ChildWorkflowError as error:
            return end_of(error.cause)

    def _beginning(self, recorded: Record) -> dict[str, Any]:
        parent, child = self._in_force, recorded["child"]
        definition = parent["links"][parent["definition"]][recorded["workflow"]]
        first: dict[str, Any] = dict(
            first_event(
                child,
                self._definitions.plan(definition),
                check_input(self._definitions.fields(definition), recorded["input"]),
                links=parent["links"],
                origin={**parent["origin"], "file": self._definitions.file(definition)},
                initiator=parent["initiator"],
                seed=f"{workflow.random().getrandbits(64):016x}",
            )
        )
        if not recorded["detach"]:
            step = {"execution": parent["execution"], "step": recorded["step"]}
            first["parent"] = {**step, "depth": depth_below(parent)}
        software = next(record["wfrun"] for record in self._run.records if record["type"] == "driver.started")
        driven = driver_started(1, software)
        return {"records": [], "events": [first, driven], "definitions": self._definitions.carried}

    async def _follow(self, child: str) -> dict[str, Any]:
        begun = times_begun(self._run.records, child)
        return await self._ask(FOLLOW, {"child": child, "by": self._in_force["execution"], "begun": begun})

    async def _recall(self, id: str, recorded: Record) -> dict[str, Any]:
        """Each time that it was decided, once: a worker that died may have asked, and the child have ended since."""
        child = recorded["child"]
        times = sum(each["type"] == "child.recalled" and each["child"] == child for each in self._run.records)
        return await self._ask(RECALL, {"child": child, "by": self._in_force["execution"], "times": times})

    async def _ask(self, activity: str, about: Any) -> dict[str, Any]:
        answer: dict[str, Any] = await workflow.execute_activity(
            activity, about, heartbeat_timeout=SILENCE, start_to_close_timeout=AGES
        )
        return answer

    # ---- events

    def publish(self, effect: Publish, recorded: Record) -> None:
        self._begin(self._others, effect.id, self._publish(effect, recorded))

    async def _publish(self, effect: Publish, recorded: Record) -> None:
        reached = await self._ask(PUBLISH, recorded["event"])
        del self._others[effect.id]
        self._answer(effect.id, {"type": "event.published", "step": effect.step, "reached": reached["reached"]})

    # ----

    def _begin(self, under_way: dict[str, asyncio.Task[None]], id: str, errand: Coroutine[Any, Any, None]) -> None:
        under_way[id] = asyncio.create_task(errand)

    @property
    def _in_force(self) -> Mapping[str, Any]:
        """What execution.started says, with what repairs that replaced the workflow have put in its place.

        `services` are those of the definition, and of earlier ones whose calls may have to be undone.
        """
        for record in self._run.records[self._seen :]:
            if "definition" in record and record["type"] in ("execution.started", "repair.requested"):
                keys = record.keys() if record["type"] == "execution.started" else REPLACED
                services = {**self._told.get("services", {}), **self._definitions.services(record["definition"])}
                self._told |= {key: record[key] for key in keys if key in record} | {"services": services}
        self._seen = len(self._run.records)
        return self._told


# What a repair that replaces the workflow says instead of execution.started.
REPLACED = ("definition", "version", "steps", "origin", "links", "listens")


def _pairs(start: dict[str, Any]) -> list[SearchAttributePair[Any]]:
    return attributes_of(start["events"][0])


def _is_gone(cause: BaseException | None) -> bool:
    return isinstance(cause, ApplicationError) and cause.type == _WORKER_GONE


def _failed(effect: CallService, message: str) -> Event:
    error = {"type": "adapter.defect", "message": message}
    failed = {"type": "step.failed", "step": effect.step, "attempt": effect.attempt, "error": error, "random": 0.5}
    return cast("Event", failed)

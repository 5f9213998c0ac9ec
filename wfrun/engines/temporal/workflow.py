"""The one workflow: an execution of any definition, folded from the history that Temporal keeps.

Records are made here as they are on a disk, with the workflow's time as theirs, so that they are the same in every
replay: the journal can be read at any time by a query. Others append to it by an update, which is refused before it
comes into the history if it does not fit what is there.

What this module asks of Temporal, and in which order, decides whether histories of earlier releases can be replayed:
tests/golden has some.
"""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import TYPE_CHECKING, Any, cast

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from wfrun.core.effects import CallService, Publish, RecallChild, StartChild, StartPause, StartTimer, Stop
from wfrun.core.instants import format_instant, parse_instant
from wfrun.core.interventions import is_told_to_stop
from wfrun.core.parking import is_long_wait
from wfrun.core.run import Run
from wfrun.engines.local.intents import Intent
from wfrun.engines.temporal import APPEND, DEFINITIONS, RECORDS, TELL, WORKFLOW, driver_started
from wfrun.engines.temporal.appending import Refusal, appended, refusal
from wfrun.engines.temporal.attributes import ASSIGNEE, STATUS
from wfrun.engines.temporal.errands import Errands
from wfrun.engines.temporal.plans import Definitions
from wfrun.engines.turns import Turns
from wfrun.views.tasks import assignee_names

if TYPE_CHECKING:
    from wfrun.core.events import Event, Record


# A page of the answer to a query, in characters: Temporal takes 2 MiB.
PAGE = 1_000_000


@workflow.defn(name=WORKFLOW, sandboxed=False)
class Execution:
    """One execution. `start` has `records`, if it goes on from there, `events` that come next, `definitions`."""

    @workflow.init
    def __init__(self, start: dict[str, Any]) -> None:
        self._definitions = Definitions(start["definitions"])
        self._first: dict[str, Any] = next(iter([*start["records"], *start["events"]]))
        self.run_ = Run(self._definitions.plan(self._first["definition"]), self._definitions.plan)
        self._awake = False
        self._cancelled = False
        self._told: tuple[str, frozenset[str]] = ("running", frozenset())
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._alarms: dict[str, tuple[datetime, asyncio.Task[None]]] = {}
        self._turns = Turns(self.run_, self._stamp, self.now)
        self._errands = Errands(self.run_, self._definitions, self._answer, self._lost)
        self._turns.fold_history(start["records"])
        for event in start["events"]:
            self._turns.learn(event)

    # ---- time, which a test may have pass as it likes

    def now(self) -> datetime:
        return workflow.now()

    async def until(self, due: datetime) -> None:
        """Temporal counts in milliseconds: what it takes for the instant may be a little before it."""
        while (left := (due - self.now()).total_seconds()) > 0:
            await workflow.sleep(max(left, 0.001))

    # ---- the loop

    @workflow.run
    async def run(self, start: dict[str, Any]) -> dict[str, Any]:
        while True:
            self._turn()
            if self.run_.ended is not None:
                break
            try:
                await workflow.wait_condition(lambda: self._awake)
            except asyncio.CancelledError:
                self._cancel()
            if workflow.info().is_continue_as_new_suggested():
                await self._begin_anew()
        for task in [*self._tasks.values(), *(task for _, task in self._alarms.values())]:
            task.cancel()
        await workflow.wait_condition(workflow.all_handlers_finished)
        return self._end()

    def _turn(self) -> None:
        self._awake = True
        while self._awake:
            self._awake = False
            for intent in self._turns.take():
                if self.run_.ended is None:
                    self._perform(intent)
            self._awake = self._turns.has_outcomes
        self._watch_tasks()
        self._forget_timers()
        self._tell()

    async def _begin_anew(self) -> None:
        """Go on with an empty history, from the records: as soon as no call is out whose answer would be lost."""
        while self._errands.is_calling:
            self._awake = False
            await workflow.wait_condition(lambda: self._awake)
            self._turns.take_outcomes()
        if self.run_.ended is None:
            await workflow.wait_condition(workflow.all_handlers_finished)
            carried = {"records": self.run_.records, "events": [], "definitions": self._definitions.carried}
            workflow.continue_as_new(carried)

    def _cancel(self) -> None:
        """Temporal itself was told to cancel the workflow."""
        if self.run_.ended is None:
            self._turns.learn({"type": "cancel.requested", "by": "temporal", "reason": ""})

    def _stamp(self, event: Event) -> Record:
        """What others have appended has its time already."""
        seq = len(self.run_.records) + 1
        return {"at": format_instant(self.now()), **event, "seq": seq}

    def _answer(self, effect: str, event: Event) -> None:
        self._turns.answer(effect, event)
        self._awake = True

    def _lost(self, effect: CallService) -> None:
        """The worker that made a call is gone. Another takes over, as another process would (C4)."""
        self._turns.learn(cast("Event", driver_started(self.run_.epoch + 1, self._software)))
        self._turns.begin_again(effect)
        self._awake = True

    @property
    def _software(self) -> str:
        """As of the history, not as of the worker: a replay must come to the same."""
        began = (record for record in self.run_.records if record["type"] == "driver.started")
        return str(next(began)["wfrun"])

    # ---- what the execution asks for

    def _perform(self, intent: Intent) -> None:
        effect = intent.effect
        if isinstance(effect, CallService):
            if intent.event is not None and intent.event["type"] == "step.started":
                self._errands.call(effect, cast("Record", intent.event), intent.input)
        elif isinstance(effect, Stop):
            self._errands.stop(effect)
        elif (recorded := self.run_.recorded.get(effect.id)) is not None:
            if isinstance(effect, StartTimer | StartPause):
                self._tasks[effect.id] = asyncio.create_task(self._time(effect.id, parse_instant(recorded["due"])))
            elif isinstance(effect, StartChild | RecallChild):
                self._errands.child(effect, recorded)
            elif isinstance(effect, Publish):
                self._errands.publish(effect, recorded)

    async def _time(self, timer: str, due: datetime) -> None:
        await self.until(due)
        self._answer(timer, {"type": "timer.fired", "timer": timer})

    async def _expire(self, task: str, due: datetime) -> None:
        await self.until(due)
        self._answer(task, {"type": "task.expired", "task": task})

    def _watch_tasks(self) -> None:
        """A timer for every open task that expires, and none for those that are closed."""
        for id, task in self.run_.tasks.items():
            due = task.due if task.closed is None else None
            if id in self._alarms and self._alarms[id][0] != due:
                self._alarms.pop(id)[1].cancel()
            if due is not None and id not in self._alarms:
                self._alarms[id] = due, asyncio.create_task(self._expire(id, due))

    def _forget_timers(self) -> None:
        for id in [id for id in self._tasks if id not in self.run_.pending]:
            self._tasks.pop(id).cancel()

    # ---- what others see

    def _tell(self) -> None:
        """Visibility is told when the execution comes to stand otherwise, or waits for others."""
        waiting = {name for task in self._open_tasks() for name in assignee_names(task.assignee)}
        told = (self._status(), frozenset(waiting))
        if told != self._told:
            self._told = told
            self.attributes(told[0], sorted(waiting))

    def attributes(self, status: str, assignees: list[str]) -> None:
        workflow.upsert_search_attributes([STATUS.value_set(status), ASSIGNEE.value_set(assignees)])

    def _open_tasks(self) -> list[Any]:
        if self.run_.ended is not None:
            return []
        return [task for task in self.run_.tasks.values() if task.closed is None]

    def _status(self) -> str:
        if self.run_.ended is not None:
            return str(self.run_.ended["status"])
        if self.run_.is_paused:
            return "paused"
        return "running" if self._errands.is_busy or any(map(self._leads_on, self._tasks)) else "waiting"

    def _leads_on(self, timer: str) -> bool:
        recorded = self.run_.recorded.get(timer)
        return recorded is not None and recorded["reason"] != "timeout" and not is_long_wait(recorded)

    def _end(self) -> dict[str, Any]:
        """A workflow completes if the execution has; any other end is a failure to Temporal, with the same details."""
        assert self.run_.ended is not None
        end: dict[str, Any] = {
            key: self.run_.ended[key] for key in ("status", "output", "error", "pivot") if key in self.run_.ended
        }
        if end["status"] == "completed":
            return end
        message = end.get("error", {}).get("message", "")
        raise ApplicationError(message, end, type=str(end["status"]), non_retryable=True)

    @workflow.query(name=RECORDS)
    def records(self, after: int) -> dict[str, Any]:
        """The records behind the one numbered `after`, as many as fit; `more` says whether that was all."""
        page: list[Record] = []
        size = 0
        for record in self.run_.records[after:]:
            size += len(str(record))
            if page and size > PAGE:
                return {"records": page, "more": True}
            page.append(record)
        return {"records": page, "more": False}

    @workflow.query(name=DEFINITIONS)
    def definitions(self) -> dict[str, Any]:
        return self._definitions.carried

    # ---- what others say

    @workflow.update(name=APPEND)
    def append(self, told: dict[str, Any]) -> dict[str, Any]:
        """Records that somebody else has judged to be next, behind the one numbered `after`; or, without that, an event
        that counts whatever has happened. Says whether they were taken: what is known already is not taken again."""
        events = appended(self.run_, told)
        self._definitions.add(told.get("definitions", {}))
        try:
            for event in events:
                self._turns.learn(event)
        except Exception as error:
            raise ApplicationError(str(error), type="journal.divergence", non_retryable=True) from error
        self._awake = True
        return {"taken": bool(events), "seq": len(self.run_.records)}

    @append.validator
    def _check(self, told: dict[str, Any]) -> None:
        problem: Refusal | None = refusal(self.run_, told)
        if problem is not None:
            raise ApplicationError(problem.message, problem._asdict(), type=problem.code, non_retryable=True)

    @workflow.signal(name=TELL)
    def tell(self, event: dict[str, Any]) -> None:
        """What a parent says to its child, which may have ended meanwhile."""
        if self.run_.ended is None and not is_told_to_stop(self.run_.records, event["by"]):
            self._turns.learn(cast("Event", event))
            self._awake = True

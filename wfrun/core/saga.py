"""The saga: the body of an execution, and then the undoing of it as often as there is a reason to.

    execute ── body: the steps, see interpreter
       └── take back ── what they have done, in reverse order of completion

A repair puts something else in the place of all this: what is to be undone first, or a mere wait for the next one.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from wfrun.core.effects import ApplyRepair, AwaitRepair, End, Hold, Output, StartCompensation
from wfrun.core.fibers import Cancelled, Failed, Fiber, Finished, Group, Outcome, Scheduler, Strand
from wfrun.core.interpreter import Interpreter
from wfrun.core.plan.nodes import settable, walk
from wfrun.core.repair_history import COMPENSATE
from wfrun.core.scope import Scope, Undo

if TYPE_CHECKING:
    from wfrun.core.events import ErrorData, Reason, Settable, Status


class Saga:
    """One whole execution. `steps` drives what it consists of, and knows what they have done."""

    def __init__(self, steps: Interpreter, scope: Scope) -> None:
        self.steps = steps
        self._scope = scope
        self._undone = False
        self._cancelled = False
        self._is_repairing = False
        self._main = Fiber(self._execute(), None)
        self._body: Group = Group(steps.scheduler)

    def start(self) -> None:
        self.steps.scheduler.ready(self._main)

    def cancel(self) -> None:
        """Stop the body of the execution. What it has done is then compensated, which cannot be cancelled.

        While a repair undoes something, that comes to its end first.
        """
        if self._cancelled:
            return
        if self._body.live:
            self._cancelled = True
            self._body.cancel()
        elif self._is_repairing:
            self._cancelled = True
            self._tell_repair()
        elif self.steps.scheduler.listens("paused") and not self.steps.has_passed_pivot:
            self._cancelled = True
            self.steps.scheduler.answer("paused", {})

    def _tell_repair(self) -> None:
        pending = self.steps.scheduler.pending
        if isinstance(repaired := pending.get("repaired"), ApplyRepair):
            pending["repaired"] = repaired._replace(cancelled=True)

    def cancel_at_end(self) -> None:
        """The cancellation came before a repair was in force that has left nothing to do but to end as completed."""
        if self.steps.scheduler.listens("end:completed"):
            self._cancelled = True
            self.steps.scheduler.answer("end:completed", Cancelled())

    def repair(self, request: int, undos: Iterable[Undo]) -> None:
        """Leave everything as it is, undo these one after the other, and then say that the repair is in force."""
        self._begin_anew(self._repair(request, list(undos)))
        self._cancelled, self._is_repairing = False, True

    def hold(self, error: ErrorData) -> None:
        """Leave everything as it is, and wait for somebody.

        Earlier versions came here although it had been cancelled meanwhile, and heard no cancellation any more.
        """
        self._begin_anew(self._held(error))

    def give_up(self) -> None:
        """Somebody has cancelled it: undo all that it has done."""
        self._begin_anew(self._take_all_back())
        self._cancelled = True

    def _begin_anew(self, strand: Strand) -> None:
        self._is_repairing = False
        self.steps.scheduler = Scheduler()
        self._body = Group(self.steps.scheduler)
        self._main = Fiber(strand, None)
        self.start()

    async def _repair(self, request: int, undos: list[Undo]) -> None:
        error = self.steps.failure.error if self.steps.failure is not None else None
        scope = Scope({})
        scope.done = dict(enumerate(reversed(undos)))
        while failures := await self.steps.undo(scope, list(scope.done), error):
            await self._end("needs-attention", error, failures)
            await self._seen_to(scope)
        await self.steps.perform(ApplyRepair("repaired", request, self._cancelled))

    async def _held(self, error: ErrorData) -> None:
        await self._pause(error)
        await self._take_all_back()

    async def _take_all_back(self) -> None:
        # What may have been done is undone, too, and first: it was not at its end.
        self._scope.done = dict(enumerate((self.steps.undos | self.steps.may_have_acted()).values()))
        self._undone = True
        await self._take_back(None)

    async def _execute(self) -> None:
        """The body, and then the undoing of it as often as there is a reason to."""
        error = await self._complete(await self._run_body())
        if error is None and not self._cancelled:
            await self.steps.perform(AwaitRepair("recall"))
            self._undone = True
        elif self.steps.has_passed_pivot or (self.steps.plan.pauses and not self._cancelled):
            await self._pause(error or _CANCELLED)
        await self._take_back(error)

    async def _pause(self, error: ErrorData) -> None:
        await self.steps.perform(Hold("pause", error, self.steps.has_passed_pivot, self._settable(error)))
        await self.steps.perform(AwaitRepair("paused"))

    async def _take_back(self, error: ErrorData | None) -> None:
        failures = await self._compensate(error)
        while failures:
            await self._seen_to(self._scope)
            failures = await self._undo_all(error)

    async def _seen_to(self, scope: Scope) -> None:
        """Somebody has seen to what could not be undone. Some of it may have to stay, and is not tried again."""
        record = await self.steps.perform(AwaitRepair("repair"))
        for order, entry in list(scope.done.items()):
            if COMPENSATE + entry.step in record.get("waived", ()):
                self.steps.let_stand(scope, order)
                if self.steps.is_no_more_as_it_was(entry):
                    self.steps.end_round(entry.step)

    async def _run_body(self) -> Outcome | None:
        self._body.spawn(self.steps.step(self.steps.plan.root, self._scope))
        return (await self._body.next()).outcome

    async def _complete(self, outcome: Outcome | None) -> ErrorData | None:
        """End the execution if it is completed; otherwise the error that it failed with, if it was not cancelled."""
        if isinstance(outcome, Failed):
            self.steps.failure = outcome
            return outcome.error
        if isinstance(outcome, Cancelled) or self._cancelled:
            return None
        output = outcome.output if isinstance(outcome, Finished) else self._output()
        end = End("end:completed", "output", "completed", None, (), output, self.steps.has_passed_pivot)
        try:
            record = await self.steps.perform(end)
        except Cancelled:
            return None
        if record["type"] != "evaluation.failed":
            return None
        self.steps.failure = Failed(record["error"])
        return self.steps.failure.error

    def _output(self) -> Output | None:
        template = self.steps.plan.output
        return None if template is None else Output(template, ("output",), self.steps.setting(self._scope))

    async def _compensate(self, error: ErrorData | None) -> list[ErrorData]:
        done = self._scope.done
        if done:
            self._undone = True
            steps = tuple(done[order].step for order in sorted(done, reverse=True))
            reason: Reason = "cancel" if self._cancelled else "request" if error is None else "failure"
            await self.steps.perform(StartCompensation("compensate", "", reason, steps, error))
        return await self._undo_all(error)

    async def _undo_all(self, error: ErrorData | None) -> list[ErrorData]:
        """Undo what there is to undo, and end the execution. What fails is left for a further try."""
        failures = await self.steps.undo(self._scope, list(self._scope.done), error)
        status: Status = "needs-attention" if failures else self._verdict()
        await self._end(status, error, failures)
        return failures

    async def _end(self, status: Status, error: ErrorData | None, failures: list[ErrorData]) -> None:
        can = self._settable(error) if error is not None and status == "failed" else None
        await self.steps.perform(End(f"end:{status}", "output", status, error, tuple(failures), None, settable=can))

    def _settable(self, error: ErrorData) -> tuple[Settable, ...]:
        """What can be given to the step that failed: who only reads the records does not know what kind it is."""
        id = error.get("step", "").partition("@")[0]
        return settable(next((step for step in walk(self.steps.plan.root) if step.id == id), None))

    def _verdict(self) -> Status:
        if self.steps.waived:
            return "partly-compensated"
        if self._cancelled:
            return "cancelled"
        return "compensated" if self._undone else "failed"


_CANCELLED: ErrorData = {"type": "cancelled", "message": "it was cancelled after its point of no return"}

"""Calls of services, with their retries; and the calls that undo."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, cast

from wfrun.core.effects import CallService, RecallChild, StartTimer
from wfrun.core.fibers import Cancelled, Failed
from wfrun.core.instants import parse_instant
from wfrun.core.plan.nodes import Call
from wfrun.core.repair_history import UNDONE
from wfrun.core.retry import choose, end_of, next_due
from wfrun.core.scope import Scope, Undo
from wfrun.core.values import Json

if TYPE_CHECKING:
    from wfrun.core.events import ErrorData, Record
    from wfrun.core.interpreter import Interpreter


async def call(run: Interpreter, step: Call, scope: Scope) -> None:
    instance = step.id + scope.iteration
    if step.compensation:
        run.calling[instance] = step, scope
    try:
        record = await _attempts(run, step, instance, scope)
    except (Failed, Cancelled):
        run.calling.pop(instance, None)
        if instance in run.in_doubt and step.compensation:
            run.remember(step, scope)
        raise
    run.settled(instance)
    if step.output is not None:
        scope.set(step.output, record["result"])
    if step.compensation:
        run.remember(step, scope, {"result": record["result"]})
    if step.pivot:
        run.pass_pivot(scope)


async def _attempts(run: Interpreter, step: Call, instance: str, scope: Scope) -> Record:
    """Attempts at a call, until one completes or no other is due. Raises Failed or Cancelled.

    They are numbered on where an earlier round ended, also one that a repair took back; retries are counted anew.
    """
    setting = run.setting(scope)
    if instance in run.attempted:
        run.begun.pop(instance, None)
    retried: dict[int, int] = {}
    while True:
        before = run.attempted.get(instance, run.amended.attempted.get(instance, 0))
        attempt = run.attempted[instance] = before + 1
        effect = CallService(f"{instance}#{attempt}", instance, attempt, step, setting)
        record = await run.perform(effect)
        if record["type"] == "step.completed":
            return record
        error = cast("ErrorData", {**record["error"], "step": instance, "attempt": attempt})
        due = _next_due(run, effect, record, error, retried)
        if due is None:
            raise Failed(error)
        await run.perform(StartTimer(f"{effect.id}!retry", instance, due, "retry"))


def _next_due(
    run: Interpreter, effect: CallService, record: Record, error: ErrorData, retried: dict[int, int]
) -> datetime | None:
    """When the next attempt is due. `retried` counts for each retrier how often it has decided."""
    chosen = choose(effect.node.retries, error)
    if chosen is None:
        return None
    before = retried.get(chosen, 0)
    retried[chosen] = before + 1
    deadline = end_of(effect.node.deadline, run.begun.get(effect.step))
    failed_at = parse_instant(record["at"])
    return next_due(effect.node.retries[chosen], error, before, failed_at, record["random"], deadline)


async def undo(run: Interpreter, entry: Undo, error: ErrorData | None) -> None:
    """Compensate one step: its calls in the order written, or the child execution that it was. Raises Failed.

    Those that completed when it could not be undone before are not called again.
    """
    scope = entry.memory.context(**entry.result, error=cast("Json", error))
    name = f"compensate:{entry.step}"
    this = (entry.step, run.amended.rounds.get(entry.step, 0))
    for number, call in list(enumerate(entry.calls, 1))[run.undone_in_part.get(this, 0) :]:
        await _attempts(run, call, name if number == 1 else f"{name}/{number}", scope)
        run.undone_in_part[this] = number
    if entry.child is not None and not entry.calls:
        record = await run.perform(RecallChild(f"{name}!child", name, entry.child))
        if record["status"] == "partly-compensated":
            # Somebody has said that the rest of it stays, which is so for the whole of it, too.
            run.waive(entry.step)
        elif record["status"] not in UNDONE:
            raise Failed(_not_undone(record, name))


def _not_undone(record: Record, step: str) -> ErrorData:
    message = f"execution {record['child']} could not be undone: {record['status']}"
    error: ErrorData = {"type": "workflow.not-undone", "message": message, "step": step}
    if "error" in record:
        error["cause"] = record["error"]
    return error

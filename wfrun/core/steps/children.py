"""Other workflows as steps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wfrun.core.effects import StartChild
from wfrun.core.fibers import Cancelled, Failed
from wfrun.core.plan.nodes import Child
from wfrun.core.scope import Scope

if TYPE_CHECKING:
    from wfrun.core.events import ErrorData, Record
    from wfrun.core.interpreter import Interpreter


async def child(run: Interpreter, step: Child, scope: Scope) -> None:
    """A child execution. Once it has completed it is undone with its parent, unless it was detached."""
    instance = step.id + scope.iteration
    start = StartChild(f"{instance}!child", instance, step, run.setting(scope))
    try:
        record = await run.ask(start)
    except Cancelled as stopped:
        if stopped.answer is not None:
            _remember_rest(run, step, scope, stopped.answer)
        raise
    _remember_rest(run, step, scope, record)
    if record["status"] != "completed":
        raise Failed(_failure(step, record, instance))
    if step.output is not None:
        scope.set(step.output, record.get("output"))
    if record.get("pivot") and not step.compensation:
        # It cannot be undone any more, and so neither can what it is a part of.
        run.pass_pivot(scope)
    if step.compensation or not step.detach:
        run.remember(step, scope, {"result": record.get("output")}, record["child"])


def _remember_rest(run: Interpreter, step: Child, scope: Scope, record: Record) -> None:
    """What it did and could not undo is tried again with the undoing of the rest, unless it is to stay."""
    if record["status"] == "needs-attention" and not step.detach:
        run.remember_unfinished(step, scope, record["child"])
    elif record["status"] == "partly-compensated":
        run.waived[step.id + scope.iteration] = -1  # no undoing of another execution takes it back


def _failure(step: Child, record: Record, instance: str) -> ErrorData:
    """The child's error as the parent's own, under its type, so that handlers and retries know it."""
    cause: ErrorData | None = record.get("error")
    type = cause["type"] if cause is not None else f"workflow.{record['status']}"
    message = f"workflow {step.workflow} {record['status']}"
    if cause is not None:
        # Of one that runs itself it is said once, however deep the error comes from.
        message = cause["message"] if cause["message"].startswith(f"{message}: ") else f"{message}: {cause['message']}"
    error: ErrorData = {"type": type, "message": message, "step": instance}
    return {**error, "cause": cause} if cause is not None else error

"""Steps that lead to other steps, one after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from wfrun.core.fibers import Cancelled, Failed, Outcome, outcome_of
from wfrun.core.plan.nodes import Conditional, Handler, Sequence, Switch, Try
from wfrun.core.retry import matches
from wfrun.core.scope import Scope
from wfrun.core.values import Json

if TYPE_CHECKING:
    from wfrun.core.events import ErrorData
    from wfrun.core.interpreter import Interpreter


async def sequence(run: Interpreter, block: Sequence, scope: Scope) -> None:
    for step in block.steps:
        await run.step(step, scope)


async def conditional(run: Interpreter, block: Conditional, scope: Scope) -> None:
    chosen = await run.decide(block.id, "branch", block.choice, (*block.path, "condition"), scope)
    branch = block.then if chosen else block.otherwise
    if branch is not None:
        await run.step(branch, scope)


async def switch(run: Interpreter, block: Switch, scope: Scope) -> None:
    for index, case in enumerate(block.cases):
        path = (*block.path, "cases", index, "condition")
        if await run.decide(block.id, "case", case.condition, path, scope, index):
            await run.step(case.body, scope)
            return
    if block.otherwise is None:
        message = "no case fits, and there is no `else`"
        raise Failed({"type": "switch.no-match", "message": message, "step": block.id + scope.iteration})
    await run.step(block.otherwise, scope)


async def attempt(run: Interpreter, block: Try, scope: Scope) -> None:
    """`try`: errors go to the first handler that fits. `finally` comes after all of it, however it ended.

    What has been told to stop is past handling, also if it then fails while it cleans up.
    """
    told = run.scheduler.told
    outcome = await outcome_of(run.step(block.body, scope))
    if isinstance(outcome, Failed) and run.scheduler.told == told:
        outcome = await outcome_of(_handle(run, block, scope, outcome))
    if block.last is not None:
        cleaning = run.scheduler.told > 0
        last = await outcome_of(run.step(block.last, scope))
        outcome = _after(outcome, last, cleaning=cleaning)
    if outcome is not None:
        raise outcome


def _after(first: Outcome | None, last: Outcome | None, *, cleaning: bool) -> Outcome | None:
    """What is left of how a block ended and how its `finally` did: a failure keeps what it covers as its cause."""
    if isinstance(last, Failed):
        last.cleaning |= cleaning
    if isinstance(first, Failed) and isinstance(last, Failed):
        return Failed(with_cause(last.error, first.error), first.steps | last.along, cleaning=last.cleaning)
    if isinstance(first, Failed) and isinstance(last, Cancelled):
        return Cancelled(first.steps | last.along)
    return last or first


async def _handle(run: Interpreter, block: Try, scope: Scope, failed: Failed) -> None:
    for index, handler in enumerate(block.handlers):
        if not matches(handler.patterns, failed.error["type"]):
            continue
        inside = scope.knowing({handler.name: cast("Json", failed.error)})
        if handler.condition is None or await _fits(run, block, index, handler, inside):
            await _recover(run, handler, inside, failed.error)
            return
    raise failed


async def _fits(run: Interpreter, block: Try, index: int, handler: Handler, scope: Scope) -> bool:
    assert handler.condition is not None
    return await run.decide(block.id, "handler", handler.condition, (*handler.path, "condition"), scope, index)


async def _recover(run: Interpreter, handler: Handler, scope: Scope, error: ErrorData) -> None:
    if handler.body is None:
        return
    try:
        await run.step(handler.body, scope)
    except Failed as again:
        raise Failed(with_cause(again.error, error), again.along, cleaning=again.cleaning) from None


def with_cause(error: ErrorData, cause: ErrorData) -> ErrorData:
    """The error, with `cause` as the first in its chain of causes."""
    if error is cause:
        return error
    inner = error.get("cause")
    return {**error, "cause": cause if inner is None else with_cause(inner, cause)}

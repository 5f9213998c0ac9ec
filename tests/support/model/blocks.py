"""Steps that lead to other steps, one after the other."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

from tests.support.model.ends import Error, Failed, Finished, caused
from tests.support.model.reading import Written, fits, listed, seconds
from tests.support.model.scope import Scope

if TYPE_CHECKING:
    from tests.support.model.execution import Execution


async def sequential(run: Execution, step: Written, id: str, scope: Scope, place: str) -> None:
    await run.steps(step["steps"], f"{place}.steps", scope)


async def conditional(run: Execution, step: Written, id: str, scope: Scope, place: str) -> None:
    chosen = "then" if run.decide(step["condition"], scope, id, "branch") else "else"
    if chosen in step:
        await run.steps(step[chosen], f"{place}.{chosen}", scope)


async def switch(run: Execution, step: Written, id: str, scope: Scope, place: str) -> None:
    for index, case in enumerate(step["cases"]):
        if run.decide(case["condition"], scope, id, f"case{index}"):
            await run.steps(case["steps"], f"{place}.cases[{index}].steps", scope)
            return
    if "else" not in step:
        raise Failed({"type": "switch.no-match", "message": "no case fits", "step": id + scope.round})
    await run.steps(step["else"], f"{place}.else", scope)


# ---- loops


async def loop(run: Execution, step: Written, id: str, scope: Scope, place: str) -> None:
    """An iteration begins with the keys of the one before. Only what `output` names outlives the last."""
    inside = scope.iteration(0, {})
    index = 0
    while step["type"] == "repeat" or run.decide(step["condition"], inside, id, "while"):
        if index == step["maxIterations"]:
            raise Failed({"type": "loop.limit", "message": "not enough", "step": id + scope.round})
        if index and "delay" in step:
            instance = id + inside.round
            await run.sleep(f"{instance}!delay", instance, seconds(step["delay"]))
        try:
            await run.steps(step["steps"], f"{place}.steps", inside)
        finally:
            scope.done += inside.done
            scope.taken |= inside.taken
        if step["type"] == "repeat" and run.decide(step["until"], inside, id, "until"):
            break
        index += 1
        inside = scope.iteration(index, {}, inside.own)
    _hand_on(run, step, id, scope, inside)


def _hand_on(run: Execution, step: Written, id: str, scope: Scope, last: Scope) -> None:
    output = step.get("output")
    if isinstance(output, str):
        scope.set(output, dict(last.own))
    elif output is not None:
        values = {name: run.eval(each, last, id + last.round) for name, each in output.items()}
        for name, value in values.items():
            scope.set(name, value)


# ---- errors


async def attempt(run: Execution, step: Written, id: str, scope: Scope, place: str) -> None:
    strand = run.steps(step["steps"], f"{place}.steps", scope)
    try:
        await handled(run, strand, step.get("catch", []), scope, id, f"{place}.catch")
    except (Failed, Finished, asyncio.CancelledError) as outcome:
        if "finally" in step:
            await _finally(run, step, scope, place, outcome)
        raise
    if "finally" in step:
        await run.steps(step["finally"], f"{place}.finally", scope)


async def _finally(run: Execution, step: Written, scope: Scope, place: str, outcome: BaseException) -> None:
    """What goes wrong at the end counts from then on, with what was wrong before as its cause."""
    task = asyncio.current_task()
    told = task is not None and task.cancelling() > 0
    try:
        await run.steps(step["finally"], f"{place}.finally", scope)
    except Failed as last:
        error = caused(last.error, outcome.error) if isinstance(outcome, Failed) else last.error
        raise Failed(error, cleaning=told or last.cleaning) from None


async def handled(
    run: Execution, strand: Coroutine[Any, Any, None], handlers: Any, scope: Scope, id: str, place: str
) -> None:
    """The first handler that fits an error settles it. What has been cancelled is past handling."""
    task = asyncio.current_task()
    assert task is not None
    cancelled = task.cancelling()
    try:
        await strand
    except Failed as failed:
        if task.cancelling() > cancelled:
            raise
        places = [f"{place}[{index}]" for index in range(len(handlers))] if isinstance(handlers, list) else [place]
        await _handle(run, failed, list(zip(listed(handlers), places, strict=True)), scope, id)


async def _handle(run: Execution, failed: Failed, handlers: list[tuple[Any, str]], scope: Scope, id: str) -> None:
    error = failed.error
    for index, (handler, place) in enumerate(handlers):
        if handler == "continue":
            return
        if not fits(handler.get("error", "*"), error["type"]):
            continue
        inside = scope.knowing(handler.get("as", "error"), error)
        if "condition" in handler and not run.decide(handler["condition"], inside, id, f"handler{index}"):
            continue
        try:
            await run.steps(handler["steps"], f"{place}.steps", inside)
        except Failed as again:
            raise Failed(caused(again.error, error), cleaning=again.cleaning) from None
        return
    raise failed


async def within(bound: float, strand: Coroutine[Any, Any, None], error: Error) -> None:
    """For so many seconds. What runs longer is stopped; its end is waited for, and then it has taken too long."""
    task = asyncio.ensure_future(strand)
    late = told = False
    try:
        late = not (await asyncio.wait({task}, timeout=bound))[0]
    except asyncio.CancelledError:
        told = True
    if late or told:
        task.cancel()
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError:
            told = True
            task.cancel()
    if task.cancelled():
        raise Failed(error) if late else asyncio.CancelledError()
    failed = task.exception()
    if late and isinstance(failed, Failed) and not failed.cleaning:
        raise Failed(error)
    task.result()

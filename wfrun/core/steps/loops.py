"""Loops with a guard: `while` and `repeat`."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from wfrun.core.effects import StartTimer
from wfrun.core.fibers import Failed
from wfrun.core.instants import parse_instant
from wfrun.core.plan.nodes import Loop
from wfrun.core.scope import Scope
from wfrun.core.values import Json

if TYPE_CHECKING:
    from wfrun.core.interpreter import Interpreter


async def loop(run: Interpreter, block: Loop, scope: Scope) -> None:
    """Each iteration sees the keys of the one before. Only what `output` names outlives the last."""
    inside = scope.iterate(0, {})
    for index in range(block.most + 1):
        if block.kind == "while" and not await _holds(run, block, inside):
            break
        if index == block.most:
            message = f"{block.most} iterations were not enough"
            raise Failed({"type": "loop.limit", "message": message, "step": block.id + scope.iteration})
        if index and block.delay:
            await _wait(run, block, inside)
        await _iterate(run, block, scope, inside)
        if block.kind == "until" and await _holds(run, block, inside):
            break
        inside = scope.iterate(index + 1, {}, inside.own_since(scope))
    await _hand_on(run, block, scope, inside)


async def _holds(run: Interpreter, block: Loop, scope: Scope) -> bool:
    key = "condition" if block.kind == "while" else "until"
    return await run.decide(block.id, block.kind, block.test, (*block.path, key), scope)


async def _wait(run: Interpreter, block: Loop, scope: Scope) -> None:
    instance = block.id + scope.iteration
    due = parse_instant(run.at) + timedelta(milliseconds=block.delay or 0)
    await run.perform(StartTimer(f"{instance}!delay", instance, due, "delay"))


async def _iterate(run: Interpreter, block: Loop, scope: Scope, inside: Scope) -> None:
    try:
        await run.step(block.body, inside)
    finally:
        scope.keep(inside)
        scope.taken |= inside.taken


async def _hand_on(run: Interpreter, block: Loop, scope: Scope, last: Scope) -> None:
    if block.collect is None:
        return
    values: dict[str, Json] = {block.collect.key: last.own_since(scope)} if block.collect.key is not None else {}
    if block.collect.values:
        values = await run.compute(block.id, block.collect.values, (*block.path, "output"), last)
    for name, value in values.items():
        scope.set(name, value)

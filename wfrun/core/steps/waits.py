"""Waiting for a time or for events, and publishing events.

An event is taken once on each path: two branches that wait for the same event both get it, whether it comes early or
late; a later step, or the next round of a loop, waits for the next one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from wfrun.core.effects import Listen, Match, Publish, StartPause
from wfrun.core.plan.nodes import Await, Emit, Pause, Step
from wfrun.core.scope import Scope
from wfrun.core.values import Json

if TYPE_CHECKING:
    from wfrun.core.events import ErrorData, EventData
    from wfrun.core.interpreter import Interpreter


async def pause(run: Interpreter, step: Pause, scope: Scope) -> None:
    instance = step.id + scope.iteration
    timer = f"{instance}!wait"
    await run.ask(StartPause(timer, instance, step, run.setting(scope)._replace(at=run.since(timer))))


async def emit(run: Interpreter, step: Emit, scope: Scope) -> None:
    instance = step.id + scope.iteration
    await run.ask(Publish(f"{instance}!emit", instance, step, run.setting(scope)))


async def await_events(run: Interpreter, step: Await, scope: Scope) -> None:
    instance = step.id + scope.iteration
    wait = Listen(f"{instance}!event", instance, step)
    try:
        found = await _listen(run, wait, scope)
    finally:
        run.scheduler.settle(wait.id)
    events = [found[position] for position in sorted(found)]
    result = cast("Json", events[0] if step.single else events)
    if step.output is not None:
        scope.set(step.output, result)
    if step.compensation:
        run.remember(step, scope, {"result": result})


async def _listen(run: Interpreter, wait: Listen, scope: Scope) -> dict[int, EventData]:
    """Look through the events that have come, then wait for more, until enough listeners have theirs."""
    found: dict[int, EventData] = {}
    seen = 0 if wait.node.early else len(run.inbox)
    while True:
        while seen < len(run.inbox):
            await _offer(run, wait, run.inbox[seen], scope, found)
            seen += 1
            if len(found) == wait.node.complete:
                return found
        await run.perform(wait)


async def _offer(run: Interpreter, wait: Listen, event: EventData, scope: Scope, found: dict[int, EventData]) -> None:
    """The first listener that the event is for takes it."""
    if scope.has_taken(event["id"]):
        return
    inside = scope.knowing({"event": cast("Json", event)})
    for position, listener in enumerate(wait.node.listeners):
        if position in found or listener.event != event["type"]:
            continue
        name = f"{wait.step}!event{position}/{event['id']}"
        match = Match(name, wait.id, wait.step, listener, position, event, run.setting(inside))
        if (await run.ask(match))["value"]:
            found[position] = event
            scope.taken.add(event["id"])
            return


def late(step: Step, scope: Scope) -> ErrorData:
    """What a step fails with whose time has run out."""
    message = f"not done within {(step.bound or 0) / 1000:g} s"
    return {"type": "timeout", "message": message, "step": step.id + scope.iteration}

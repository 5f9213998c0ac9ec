"""Computed keys, and explicit ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wfrun.core.effects import Output, Raise
from wfrun.core.fibers import Failed, Finished
from wfrun.core.plan.nodes import Fail, Finish, Set
from wfrun.core.scope import Scope

if TYPE_CHECKING:
    from wfrun.core.interpreter import Interpreter


async def set_values(run: Interpreter, step: Set, scope: Scope) -> None:
    for name, value in (await run.compute(step.id, step.values, (*step.path, "values"), scope)).items():
        scope.set(name, value)


async def fail(run: Interpreter, step: Fail, scope: Scope) -> None:
    instance = step.id + scope.iteration
    record = await run.ask(Raise(f"{instance}!fail", instance, step, run.setting(scope)))
    raise Failed(record["error"])


async def finish(run: Interpreter, step: Finish, scope: Scope) -> None:
    if step.output is None:
        raise Finished(None)
    # What a `finally` sets afterwards is no part of it.
    raise Finished(Output(step.output, (*step.path, "output"), run.setting(scope.remember().context())))

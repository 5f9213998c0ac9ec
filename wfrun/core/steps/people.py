"""Human tasks: a question, the decisions on it, and to whom it goes on when nobody decides in time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wfrun.core.effects import EscalateTask, OpenTask
from wfrun.core.fibers import Failed
from wfrun.core.human import Ballot
from wfrun.core.plan.nodes import HumanTask
from wfrun.core.scope import Scope

if TYPE_CHECKING:
    from wfrun.core.events import Record
    from wfrun.core.interpreter import Interpreter


async def human_task(run: Interpreter, step: HumanTask, scope: Scope) -> None:
    instance = step.id + scope.iteration
    task = OpenTask(f"{run.execution}/{instance}", instance, step, run.setting(scope))
    try:
        ballot = await _vote(run, task)
    finally:
        run.scheduler.settle(task.id)
    if ballot.rejected and not step.accept_rejection:
        raise Failed(ballot.rejection(instance))
    result = ballot.result()
    if step.output is not None:
        scope.set(step.output, result)
    if step.compensation:
        run.remember(step, scope, {"result": result})


async def _vote(run: Interpreter, task: OpenTask) -> Ballot:
    """Collect decisions until they settle the task, passing it on each time nobody decided in time.

    Others are asked anew: what was said before they were does not count, or a timeout could decide.
    """
    ballot = Ballot(task.node.audiences[0].quorum)
    level = 0
    record = await run.ask(task)
    while True:
        if record["type"] == "task.expired":
            level += 1
            escalated = await _escalate(run, task, level)
            if "quorum" in escalated:
                ballot = Ballot(escalated["quorum"])
        else:
            ballot.add(record)
            if ballot.settled:
                return ballot
        record = await run.scheduler.again(task)


async def _escalate(run: Interpreter, task: OpenTask, level: int) -> Record:
    step = task.node
    if level >= len(step.audiences) and not (step.stays_open and level == len(step.audiences)):
        raise Failed({"type": "task.timeout", "message": "nobody decided in time", "step": task.step})
    at = min(level, len(step.audiences) - 1)
    path = (*step.path, "escalation", at - 1) if at else step.path
    id, stays = f"{task.id}!{level}", level != at
    return await run.ask(EscalateTask(id, task.id, task.step, level, step.audiences[at], stays, path, task.setting))

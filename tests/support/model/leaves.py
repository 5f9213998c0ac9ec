"""Steps that act, ask, wait or end, and the undoing of what was done."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from tests.support.model.ends import Error, Failed, Finished
from tests.support.model.outside import Call, Refused, Task
from tests.support.model.reading import Retrier, Written, limit, listed, retriers, seconds
from tests.support.model.scope import Done, Scope, Seen
from wfrun.core.answers import is_ambiguous
from wfrun.core.expression import render, to_instant
from wfrun.errors import ExpressionError

if TYPE_CHECKING:
    from tests.support.model.execution import Execution

REJECTED = "rejected"


# ---- calls


async def call(run: Execution, step: Written, id: str, scope: Scope) -> None:
    """A call of which nobody knows whether it has had its effect is remembered, although it failed."""
    instance = id + scope.round
    try:
        result = await attempts(run, step, instance, scope.seen())
    except (Failed, asyncio.CancelledError):
        if instance in run.in_doubt:
            run.remember(step, id, scope)
        raise
    run.in_doubt.discard(instance)
    if "output" in step:
        scope.set(step["output"], result)
    run.remember(step, id, scope, result=result)
    if step.get("pivot"):
        run.pivot(scope)


async def attempts(run: Execution, step: Written, instance: str, seen: Seen) -> Any:
    """Attempts until one succeeds, or no retrier wants another. Each retrier counts its own."""
    policies = retriers(run.definition, step)
    counts = [0] * len(policies)
    begun: list[float] = []
    while True:
        number = run.attempted[instance] = run.attempted.get(instance, 0) + 1
        try:
            return await _attempt(run, step, instance, number, seen, begun)
        except Failed as failed:
            error = {**failed.error, "step": instance, "attempt": number}
        wait = _wait_before_next(policies, counts, error)
        end = begun[0] + seconds(step["deadline"]) if begun and "deadline" in step else None
        if wait is None or (end is not None and run.clock() + wait >= end):
            raise Failed(error)
        await run.sleep(f"{instance}#{number}!retry", instance, wait)


def _wait_before_next(policies: list[Retrier], counts: list[int], error: Error) -> float | None:
    for position, policy in enumerate(policies):
        if policy.takes(error):
            counts[position] += 1
            return policy.delay(counts[position] - 1, error) if counts[position] <= policy.retries else None
    return None


async def _attempt(run: Execution, step: Written, instance: str, number: int, seen: Seen, begun: list[float]) -> Any:
    """One attempt. It may last until its own time or that of all attempts is up, and then has failed."""
    try:
        value = run.value(step.get("input"), seen)
        key = run.value(step["idempotencyKey"], seen) if "idempotencyKey" in step else f"{run.id}/{instance}"
    except ExpressionError as error:
        raise Failed({"type": error.code, "message": error.message}) from None
    begun.append(run.clock())
    made = Call(run.id, instance, number, step["service"], step["action"], value, str(key))
    timeout = limit(step.get("timeout", run.definition.get("errorHandling", {}).get("timeout")))
    limits = [timeout] if timeout is not None else []
    limits += [begun[0] + seconds(step["deadline"]) - run.clock()] if "deadline" in step else []
    run.log.call(made)
    try:
        result = await _answer(run, made, min(limits, default=None), limit(step.get("heartbeat")))
    except asyncio.CancelledError:
        run.in_doubt.add(instance)
        run.log.withdrawn(instance)
        raise
    except Failed as failed:
        if is_ambiguous(failed.error):  # type: ignore[arg-type]
            run.in_doubt.add(instance)
        raise
    finally:
        run.log.returned(instance)
    run.log.done(instance)
    return result


async def _answer(run: Execution, made: Call, longest: float | None, heartbeat: float | None) -> Any:
    answer = run.outside.call(made, heartbeat)
    try:
        done, _ = await asyncio.wait({answer}, timeout=longest)
    finally:
        answer.cancel()
    if not done:
        raise Failed({"type": "timeout", "message": "no answer in time"})
    try:
        return answer.result()
    except Refused as refused:
        raise Failed(refused.error) from None


async def undo(run: Execution, done: Done, error: Error | None) -> None:
    """The calls that undo something, in the order written; or the child execution undoes itself. What has been done
    of it before is not done again."""
    seen = done.seen.knowing(error=error)
    name = f"compensate:{done.instance}"
    for number, written in list(enumerate(done.calls, 1))[done.made :]:
        await attempts(run, written, name if number == 1 else f"{name}/{number}", seen)
        done.made = number
    if done.child is not None and not done.calls:
        child = run.children[done.child]
        run.log.recalled(done.instance, child.id)
        await child.undo()
        if child.status not in ("compensated", "cancelled"):
            raise Failed({"type": "workflow.not-undone", "message": f"{child.id}: {child.status}", "step": name})


# ---- other workflows


async def workflow(run: Execution, step: Written, id: str, scope: Scope) -> None:
    instance = id + scope.round
    value = run.eval(step.get("input"), scope, instance)
    if value is not None and not isinstance(value, dict):
        raise Failed({"type": "expression.type", "message": "the input must be an object", "step": instance})
    child = run.begin_child(instance, step["workflow"], value or {})
    run.log.child_began(instance)
    output = None if step.get("detach") else await _completed(run, step, id, scope, child)
    if "output" in step:
        scope.set(step["output"], output)
    undone = "compensate" in step or id in run.compensations
    if child.pivoted and not undone and not step.get("detach"):
        run.pivot(scope)
    if undone or not step.get("detach"):
        run.remember(step, id, scope, child=child.instance, result=output)


async def _completed(run: Execution, step: Written, id: str, scope: Scope, child: Execution) -> Any:
    """Its output, once it has completed. Who is cancelled while waiting cancels it, and waits until it has ended. What
    it could not undo is tried again with the rest."""
    instance = id + scope.round
    try:
        await child.ended.wait()
        run.log.done(instance)
    except asyncio.CancelledError:
        child.cancel()
        try:
            await run.through(child.ended.wait())
        finally:
            if child.status == "cancelled":
                run.log.withdrawn(instance)
            if child.status == "needs-attention":
                run.remember_unfinished(id, scope, instance)
        raise
    if child.status == "needs-attention":
        run.remember_unfinished(id, scope, instance)
    if child.status == "completed":
        return child.output
    message = f"workflow {step['workflow']} {child.status}"
    if child.error is None:
        raise Failed({"type": f"workflow.{child.status}", "message": message, "step": instance})
    told = child.error["message"]
    message = told if told.startswith(f"{message}: ") else f"{message}: {told}"  # said once, not at every depth
    raise Failed({"type": child.error["type"], "message": message, "step": instance, "cause": child.error})


# ---- people


async def human_task(run: Execution, step: Written, id: str, scope: Scope) -> None:
    instance = id + scope.round
    task = run.eval_all(lambda seen: _task(run, step, id, instance, seen), scope, instance)
    run.log.opened(instance, task)
    try:
        result = await _decided(run, step, task, scope, instance)
    except asyncio.CancelledError:
        run.log.withdrawn(instance)
        raise
    finally:
        run.log.closed(instance)
    if result["decision"] == REJECTED and step.get("onReject", "fail") == "fail":
        comment = f": {result['comment']}" if result["comment"] else ""
        message = f"rejected by {result['by']}{comment}"
        raise Failed({"type": "task.rejected", "message": message, "details": result, "step": instance})
    if "output" in step:
        scope.set(step["output"], result)
    run.remember(step, id, scope, result=result)


def _task(run: Execution, step: Written, id: str, instance: str, seen: Seen) -> Task:
    title = run.value(step.get("title", id), seen)
    description = run.value(step.get("description"), seen)
    return Task(
        id=f"{run.id}/{instance}",
        title=title if isinstance(title, str) else str(title),
        description=description or "",
        assignee=_audience(run, step["assignee"], seen),
        decisions=list(step.get("decisions", ["approved", "rejected"])),
        data=run.value(step.get("input"), seen),
        **_rules(step["assignee"]),
    )


def _rules(assignee: Any) -> dict[str, Any]:
    """What holds for the decisions of those who are asked now."""
    more = assignee if isinstance(assignee, dict) else {}
    return {"quorum": more.get("quorum", 1), "exclude_initiator": more.get("excludeInitiator", False)}


def _audience(run: Execution, written: Any, seen: Seen) -> dict[str, list[str]]:
    kinds = written if isinstance(written, dict) else {"names": written}
    found = {kind: _people(run.value(kinds[kind], seen)) for kind in ("names", "users", "groups") if kind in kinds}
    if not any(found.values()):
        raise ExpressionError("expression.value", "the assignee comes to nobody")
    return {kind: people for kind, people in found.items() if people}


def _people(value: Any) -> list[str]:
    names = [name for each in listed(value) for name in (_people(each) if isinstance(each, list) else [each])]
    if not all(isinstance(name, str) for name in names):
        raise ExpressionError("expression.type", "an assignee must be text")
    if "" in names:
        raise ExpressionError("expression.value", "an assignee has no name")
    return names


async def _decided(run: Execution, step: Written, task: Task, scope: Scope, instance: str) -> dict[str, Any]:
    """The decision on which enough people agree. Each time that nobody decides in time it goes to the next audience."""
    asked = [step, *step.get("escalation", [])]
    level, since = 0, run.clock()
    stays = step.get("onTimeout") == "escalate" and len(asked) == 1
    while True:
        longest = limit(asked[level].get("timeout")) if level < len(asked) else None
        vote = await run.outside.vote(task, None if longest is None else since + longest)
        if vote is not None:
            others = [each for each in task.votes if each["by"] != vote["by"]]
            task.votes = [*others, {**vote, "at": run.now()}]
            run.log.done(instance)
            if vote["decision"] == REJECTED or _agreeing(task, vote) >= task.quorum:
                return _result(task)
            continue
        level, since = level + 1, run.clock()
        if level >= len(asked) and not (stays and level == 1):
            raise Failed({"type": "task.timeout", "message": "nobody decided in time", "step": instance})
        whom = asked[min(level, len(asked) - 1)]["assignee"]
        task.assignee = run.eval_all(partial(_audience, run, whom), scope, instance)
        task.level = level
        if level < len(asked):
            task.ask_others(**_rules(whom))


def _agreeing(task: Task, vote: Mapping[str, Any]) -> int:
    return len([each for each in task.votes if each["decision"] == vote["decision"]])


def _result(task: Task) -> dict[str, Any]:
    signed = [{key: vote[key] for key in ("decision", "by", "at", "comment")} for vote in task.votes]
    data = {name: value for vote in task.votes for name, value in vote["data"].items()}
    return {**signed[-1], "data": data, "votes": signed}


# ---- times and events


async def wait(run: Execution, step: Written, id: str, scope: Scope) -> None:
    instance = id + scope.round
    if "event" in step:
        await _wait_for_events(run, step, id, scope)
        return
    time = run.eval_all(lambda seen: _time(run, step, seen), scope, instance)
    await run.sleep(f"{instance}!wait", instance, time)
    run.log.done(instance)
    run.remember(step, id, scope)


def _time(run: Execution, step: Written, seen: Seen) -> float:
    if "for" in step:
        value = run.value(step["for"], seen)
        if not isinstance(value, str | int | float):
            raise ExpressionError("expression.type", "`for` must be a duration")
        return seconds(value)
    until: datetime = to_instant(run.value(step["until"], seen))
    return (until - run.outside.now()).total_seconds()


async def _wait_for_events(run: Execution, step: Written, id: str, scope: Scope) -> None:
    """Events that have come already are looked at first, unless they are to be ignored; then those that come."""
    instance = id + scope.round
    single = not isinstance(step["event"], list)
    wanted = [each if isinstance(each, dict) else {"event": each} for each in listed(step["event"])]
    wanted = [{"event": step["event"], "match": step.get("match")}] if single else wanted
    said = step.get("complete", "all")
    complete: int = {"all": len(wanted), "any": 1}.get(said) or said
    found: dict[int, Any] = {}
    seen = len(run.inbox) if step.get("early") == "ignore" else 0
    waited = False
    try:
        while len(found) < complete:
            if seen < len(run.inbox):
                _offer(run, run.inbox[seen], wanted, found, scope, instance)
                seen += 1
                continue
            if not waited:
                waited = True
                run.log.waits(instance)
            await run.news()
    except asyncio.CancelledError:
        if waited:
            run.log.withdrawn(instance)
        raise
    finally:
        run.log.closed(instance)
    events = [found[position] for position in sorted(found)]
    value = events[0] if single or step.get("complete") == "any" else events
    if "output" in step:
        scope.set(step["output"], value)
    run.remember(step, id, scope, result=value)


def _offer(run: Execution, event: Any, wanted: list[Any], found: dict[int, Any], scope: Scope, instance: str) -> None:
    """The first that still waits for such an event takes it, unless it was taken on this path before."""
    if event["id"] in scope.taken:
        return
    for position, listener in enumerate(wanted):
        if position in found or listener["event"] != event["type"]:
            continue
        match = listener.get("match")
        if match is None or run.test(match, scope.knowing("event", event), instance):
            found[position] = event
            scope.taken.add(event["id"])
            return


async def emit(run: Execution, step: Written, id: str, scope: Scope) -> None:
    instance = id + scope.round
    data = run.eval(step.get("data"), scope, instance)
    source = f"wfrun/{run.definition['name']}/{run.id}"
    event = {"id": f"{run.id}/{instance}", "type": step["event"], "source": source, "time": run.now(), "data": data}
    run.log.emitted(event)
    run.outside.publish(event)
    run.log.done(instance)
    run.remember(step, id, scope)


# ---- keys and ends


async def set_values(run: Execution, step: Written, id: str, scope: Scope) -> None:
    values = {name: run.eval(value, scope, id + scope.round) for name, value in step["values"].items()}
    for name, value in values.items():
        scope.set(name, value)
    run.remember(step, id, scope)


async def fail(run: Execution, step: Written, id: str, scope: Scope) -> None:
    instance = id + scope.round
    type = _text(run.eval(step.get("error", "failed"), scope, instance)) or "failed"
    error = {"type": type, "message": _text(run.eval(step.get("message"), scope, instance)) or type, "step": instance}
    details = run.eval(step.get("details"), scope, instance)
    raise Failed({**error, "details": details} if details is not None else error)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else "" if value is None else render(value)


async def end(run: Execution, step: Written, id: str, scope: Scope) -> None:
    seen = scope.seen()
    raise Finished((lambda: run.value(step["output"], seen)) if "output" in step else None)

"""Why an execution cannot be repaired in a certain way: reasons, each with what to do instead."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Set
from dataclasses import dataclass
from typing import TYPE_CHECKING

from wfrun.core.answers import effect_of
from wfrun.core.definition import Path
from wfrun.core.effects import BeginForeach, CallService, Compute, Decide, Effect, Match, OpenTask, StartChild
from wfrun.core.expression import MISSING, Missing
from wfrun.core.fibers import stop_id
from wfrun.core.plan.draft import nearest
from wfrun.core.plan.nodes import Call, Child, Plan, Step, has_columns, keys_of, settable, walk
from wfrun.core.plan.sides import shown_names
from wfrun.core.repair_history import COMPENSATE, UNDONE, effective, instance_of, stopped_unheard, undone_by
from wfrun.core.repair_trial import Change, Places, Trial, steps_pending, steps_stopped
from wfrun.core.run import Run
from wfrun.core.values import Json
from wfrun.errors import Place, Problem

if TYPE_CHECKING:
    from wfrun.core.events import Event, Record, Repair

_REWIND = "`rewind STEP` runs a step again, and what comes after it"


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants to do about an execution. `keep`: what is done is not undone before it runs again."""

    action: Repair
    step: str | None = None
    value: Json | Missing = MISSING
    keep: bool = False
    replacement: Plan | None = None


def refusals(run: Run, wish: Wish, places: Places, ran: Container[str], *, driven: bool) -> list[Problem]:
    """Why it makes no sense. `ran` are the instances of which there is something in the journal."""
    if run.repairing is not None and run.ended is None:
        message = f"the repair that {run.repairing['by']} asked for has not come to its end"
        return [Problem("repair.in-progress", message, hint="`resume` drives it on")]
    if driven and run.begun:
        out = _listed(sorted({id.rpartition("#")[0] for id in run.begun}))
        hint = "wait for the answer, or stop the process that drives it"
        return [Problem("repair.call-running", f"{out} is being called", hint=hint)]
    if wish.action in ("resume", "replace"):
        return list(_not_to_be_resumed(run, wish))
    return list(_about_step(run, wish, places, ran))


def _not_to_be_resumed(run: Run, wish: Wish) -> Iterator[Problem]:
    status = run.ended["status"] if run.ended is not None else ""
    if status == "completed":
        yield Problem("repair.completed", "it has completed", hint=_REWIND)
    elif status in UNDONE:
        yield Problem("repair.undone", f"it has ended as {status}, with its steps undone", hint=_REWIND)
    elif status == "needs-attention":
        yield _needs_attention(run)
    elif not status and wish.action == "resume" and not run.is_paused:
        yield Problem("repair.running", "it has neither failed nor been paused: there is nothing to repair")
    if wish.action == "replace" and wish.replacement is None:
        yield Problem("repair.replacement", "there is no workflow to go on with")


def _needs_attention(run: Run) -> Problem:
    left = _listed(map(undone_by, failed_compensations(run)))
    hint = "`resume` tries that again as it is; `skip compensate:STEP` is for what can only be undone by hand"
    return Problem("repair.needs-attention", f"{left} could not be undone", hint=hint)


def reasons_not_to_undo(run: Run) -> list[Problem]:
    """Why all of an execution cannot be undone by `compensation.requested`: only what completed, or waits, can be."""
    if run.interpreter.has_passed_pivot:
        return [passed_pivot()]
    if "recall" in run.pending or "paused" in run.pending:
        return []
    if run.ended is None:
        return [Problem("repair.running", "it has not ended", hint="`cancel` stops it and undoes what it did")]
    if run.ended["status"] == "needs-attention":
        return [_needs_attention(run)]
    if run.ended["status"] == "partly-compensated":
        return [Problem("repair.undone", "it has been undone, but for what somebody has said is to stay")]
    return [Problem("repair.undone", f"it has ended as {run.ended['status']}: there is nothing left to undo")]


def _about_step(run: Run, wish: Wish, places: Places, ran: Container[str]) -> Iterator[Problem]:
    step = wish.step or ""
    if wish.action == "skip" and step.startswith(COMPENSATE):
        yield from filter(None, [not_failed(run, step)] if run.is_paused else [_needs_attention(run)])
        return
    id, at, round = step.partition("@")
    if undone_by(step).partition("@")[0] in places.steps and step.startswith(COMPENSATE):
        yield _no_step_of_its_own(step, wish.action)
        return
    if id not in places.steps or (at and not round):
        yield Problem("repair.unknown-step", f"there is no step {step!r}", hint=nearest(id, places.steps))
        return
    numbers = round.split(".") if round else []
    if wish.action in ("skip", "set-output", "set-input") and len(numbers) < (depth := places.depths[id]):
        first = ".".join([*numbers, *["0"] * (depth - len(numbers))])
        hint = f"say which, as in {id}@{first} for the first time round"
        yield Problem("repair.iteration", f"{step!r} runs in a loop", hint=hint)
    elif step not in ran:
        yield _no_such_item(run, step, places) or Problem("repair.not-run", f"{step!r} has not run yet")
    yield from _about_value(wish, places)
    if wish.action == "compensate" and run.interpreter.has_passed_pivot:
        yield passed_pivot()


def _no_step_of_its_own(compensation: str, action: Repair) -> Problem:
    if action == "set-output":
        return not_asked(compensation)
    hint = f"name {undone_by(compensation)!r}; `skip {compensation}` lets stand what cannot be undone"
    return Problem("repair.unknown-step", f"{compensation!r} undoes a step, and is none", hint=hint)


def not_asked(step: str) -> Problem:
    hint = "`status` shows what it waits for"
    return Problem("repair.not-asked", f"nobody is asked what became of {step!r}", hint=hint)


def _no_such_item(run: Run, step: str, places: Places) -> Problem | None:
    """A `foreach` around it that has begun does not come to an iteration with that number."""
    id, _, round = step.partition("@")
    counts = {each["step"]: each["count"] for each in effective(run.records) if each["type"] == "foreach.started"}
    names = shown_names(run.plan.root)
    numbers = round.split(".")
    for depth, (loop, number) in enumerate(zip(places.loops(id), numbers, strict=False)):
        at = "@" + ".".join(numbers[:depth]) if depth else ""
        count = counts.get(loop + at)
        if count is not None and not (number.isdecimal() and int(number) < count):
            message = f"there is no {step!r}: {names.get(loop, loop) + at!r} goes through {_items(count)}"
            return Problem("repair.iteration", message)
    return None


def _items(count: int) -> str:
    match count:
        case 0:
            return "no items"
        case 1:
            return "1 item, number 0"
    return f"{count} items, 0 to {count - 1}"


def not_failed(run: Run, compensation: str) -> Problem | None:
    """Why what a step has done is not to be let stand: nobody has tried in vain to undo it."""
    failed = failed_compensations(run)
    if compensation in failed:
        return None
    others = f": {', '.join(failed)}" if failed else ""
    message = f"{compensation} has not failed" if failed else "no compensation of it has failed for good"
    return Problem("repair.not-failed", message, hint=f"only one that has can be skipped{others}")


def failed_compensations(run: Run) -> list[str]:
    """Those that an execution needs attention for, or is paused because of, in the order in which they were tried."""
    if run.is_paused and run.interpreter.failure is not None:
        failed = [step for step in sorted(run.interpreter.failure.steps) if step.startswith(COMPENSATE)]
    else:
        failures = run.ended.get("failures", ()) if run.ended is not None and "repair" in run.pending else ()
        failed = [failure["step"] for failure in failures]
    return list(dict.fromkeys(COMPENSATE + undone_by(each) for each in failed))


def _about_value(wish: Wish, places: Places) -> Iterator[Problem]:
    step = places.step(wish.step or "")
    if wish.action in ("set-output", "set-input") and wish.value is MISSING:
        yield Problem("repair.value", f"{wish.action} needs a value")
    gives = wish.action in ("skip", "set-output") and wish.value is not MISSING
    if gives and not ("output" in settable(step) if wish.action == "set-output" else keys_of(step)):
        message = f"{wish.step!r} has no `output`: nobody would see the value"
        hint = "`skip` it without a value" if wish.action == "skip" else "if it has failed, `skip` goes on without it"
        yield Problem("repair.output", message, hint=hint)
    elif gives and has_columns(step) and not (isinstance(wish.value, dict) and wish.value.keys() == {*keys_of(step)}):
        message = f"{wish.step!r} gives {_listed(keys_of(step))}: the value must be an object with just these keys"
        yield Problem("repair.output", message)
    if wish.action == "set-input":
        if "input" not in settable(step):
            yield Problem("repair.input", f"{wish.step!r} is not called with anything")
        elif isinstance(step, Child) and not isinstance(wish.value, dict):
            yield Problem("repair.input", "the input of a workflow must be an object")


def done_already(step: str) -> Problem:
    hint = "`set-output` says what else it has given, `rewind` undoes it and runs it again"
    return Problem("repair.step-completed", f"{step!r} has completed: there is nothing to skip", hint=hint)


def not_in_the_way(step: str, cancelled: Record) -> Problem:
    message = f"{step!r} has neither failed nor does it wait: {cancelled['by']} has cancelled the execution"
    return Problem("repair.cancelled", message, hint=f"`rewind {step}` takes that back, and runs it again")


def gone_on_without(step: str, race: str) -> Problem:
    message = f"{race!r} has completed without {step!r}: there is nothing to skip"
    return Problem("repair.step-over", message, hint=f"`rewind {race}` has all of its branches run again")


def stopped_at_once(run: Run, wish: Wish, places: Places, targets: Set[str]) -> Iterator[Problem]:
    """Of `targets` none would run again: a block around it that is content with some of its branches has had enough."""
    stopped, pending = steps_stopped(run), steps_pending(run)
    again = sorted(targets & stopped)
    if not again or targets & (pending - stopped):
        return
    for race in places.races(again[0]):
        if not any(places.holds(race, each) for each in pending - stopped):
            message = f"{race!r} has completed without {wish.step!r}, which would be stopped before it begins"
            yield Problem("repair.step-over", message, hint=f"`rewind {race}` has all of its branches run again")
            return


def passed_pivot() -> Problem:
    hint = "steps can be run again with --keep, without undoing what they did"
    return Problem("repair.pivot", "it has passed its point of no return: nothing is undone any more", hint=hint)


def running_children(run: Run, dropped: Container[int]) -> Iterator[Problem]:
    """A child execution cannot be left to itself."""
    for effect in run.pending.values():
        record = run.recorded.get(effect.id)
        if isinstance(effect, StartChild) and record is not None and record["seq"] in dropped:
            message = f"{effect.step!r} runs as execution {record['child']}"
            hint = "cancel that one, or wait for its end"
            if stop_id(effect.id) in run.pending:
                message += ", which has been told to stop"
                hint = f"`wfrun status {record['child']}` shows what it waits for"
            yield Problem("repair.child-running", message, hint=hint)


def nobody_knows(run: Run, after: Run, wish: Wish, undo: Container[str], dropped: Container[int]) -> Iterator[Problem]:
    """Calls whose runner died, that are never to be made a second time without somebody's word, and of which nobody
    would know any more `after` the repair that they had been made. What was stopped before anybody was asked about it
    would be made again once that is `dropped`.

    To name the step is a word about it. What is undone first is asked for under another key.
    """
    known = _still_known(after)
    for call in _lost(run):
        step = call.step
        undone = step in undo and not step.startswith(COMPENSATE)
        if not (undone or _names(wish, step) or call.id in known):
            yield _nobody_knows(step, asked=call.id in run.recorded)
    for record in unheard(run):
        step = record["step"]
        if record["seq"] in dropped and not (step in undo or _names(wish, step) or effect_of(record) in known):
            yield _nobody_knows(step, asked=False, stopped=True)


def unheard(run: Run) -> list[Record]:
    """What says that calls were stopped that are not to be made a second time without a word, before there was one. Of
    what was undone since there is no doubt any more.
    """
    steps = {step.id: step for step in walk(run.plan.root)}
    stopped = [each for each in stopped_unheard(effective(run.records)) if each["step"] in run.interpreter.in_doubt]
    return [each for each in stopped if _is_to_be_asked_about(steps.get(each["step"].partition("@")[0]))]


def _is_to_be_asked_about(step: Step | None) -> bool:
    return isinstance(step, Call) and step.on_crash != "retry"


def _names(wish: Wish, step: str) -> bool:
    return wish.step in (step, step.partition("@")[0])


def _lost(run: Run) -> Iterator[CallService]:
    for id in run.begun.keys() - run.again:
        effect = run.pending.get(id)
        if isinstance(effect, CallService) and (effect.node.on_crash != "retry" or id in run.recorded):
            yield effect


def _still_known(run: Run) -> set[str]:
    return {call.id for call in _lost(run)}


def _nobody_knows(step: str, *, asked: bool, stopped: bool = False) -> Problem:
    message = f"nobody knows what became of a call of {step!r}, which was begun and would be made again"
    said = f"`retry-now {step}`, `set-output {step} VALUE` or `fail {step}`"
    if not step.startswith(COMPENSATE):
        said = f"`retry-now {step}`, `set-output {step} VALUE`, `fail {step}` or `skip {step}`"
    hint = f"say it first: {said}" if asked else "`resume` does about it what its `onCrash` says"
    if stopped:
        hint = f"say it first: `rewind {step}` makes it again, `set-output {step} VALUE` or `skip {step}` do not"
    return Problem("repair.unknown-call", message, hint=hint)


# ---- another workflow for the same history


def misfits(trial: Trial, unfinished: Container[str], plan: Plan, places: Places) -> list[Problem]:
    """What keeps another workflow from going on with a history: all that is done must come out the same.

    After something that differs, what follows it does not count as a reason of its own.
    """
    changes = {change.record["seq"]: change for change in trial.changed}
    unasked = {record["seq"] for record in trial.unasked}
    reasons: dict[str, Problem] = {}
    for record in trial.dropped:
        instance = undone_by(instance_of(record) or "")
        if instance in unfinished or instance in reasons:
            continue
        if places.step(instance) is None:
            reasons[instance] = _gone(instance, plan)
        elif record["seq"] in changes:
            reasons[instance] = _differs(changes[record["seq"]], plan)
        elif not reasons and record["seq"] in unasked:
            reasons[instance] = _elsewhere(instance, trial, plan.document.place(_path_in(places, instance)))
    return list(reasons.values())


def _path_in(places: Places, instance: str) -> Path:
    step = places.step(instance)
    return step.path if step is not None else ()


def _gone(instance: str, plan: Plan) -> Problem:
    step = instance.partition("@")[0]
    hint = f"leave it in the file, or `rewind` to where {step!r} has not run"
    message = f"{step!r} has run, and the new file does not have it"
    return Problem("repair.step-gone", message, plan.document.place(("steps",), key=True), hint)


def _elsewhere(instance: str, trial: Trial, place: Place) -> Problem:
    first = _listed(sorted(steps_pending(trial.run) - {""}))
    instead = f"it comes after {first}, which has not run" if first else "the new file does not come to it"
    hint = "put new steps behind those that have run, or `rewind` before them"
    return Problem("repair.step-moved", f"{instance!r} has run; {instead}", place, hint)


def _differs(change: Change, plan: Plan) -> Problem:
    place = plan.document.place(_path_of(change.effect))
    message = _difference(change.record, change.fresh)
    return Problem("repair.step-differs", message, place, "leave what is done as it was, or `rewind` before it")


def _difference(record: Record, fresh: Event) -> str:
    step = repr(record["step"])
    if fresh["type"] in ("evaluation.failed", "step.failed") and fresh["type"] != record["type"]:
        return f"{step}: {fresh['error']['message']}"
    match fresh["type"]:
        case "decision.made":
            return f"{step}: it was {_word(record['value'])} then, and would be {_word(fresh['value'])} now"
        case "step.started" | "child.started":
            return f"{step} has run with another input than the new file has for it"
        case "task.created":
            return f"{step} has been decided, and the new file asks something else"
        case "foreach.started":
            return f"{step} went through {record['count']} items, and would go through {fresh['count']} now"
    return f"{step} came to something else than it would now"


def _word(value: Json) -> str:
    return "true" if value is True else "false" if value is False else str(value)


def _path_of(effect: Effect) -> Path:
    match effect:
        case Decide(path=path) | Compute(path=path):
            return path
        case BeginForeach(node=node):
            return (*node.path, "items")
        case Match(listener=listener):
            return listener.path
        case StartChild(node=node) | OpenTask(node=node):
            return node.path
    found: Path = getattr(getattr(effect, "node", None), "path", ())
    return found


def _listed(names: Iterable[str]) -> str:
    return ", ".join(repr(name) for name in names)

"""How the keys go through a plan: which are set at each place, whether surely so, and what is known of their values.

Every function takes the keys that may be set before a step, and adds those that may be set after it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from wfrun.core.definition import Path
from wfrun.core.plan.keys import Key, Keys, maybe, one_of
from wfrun.core.plan.nodes import (
    Child,
    Collect,
    Conditional,
    Fail,
    Foreach,
    Handler,
    Loop,
    Parallel,
    Step,
    Switch,
    Try,
    walk,
)
from wfrun.core.plan.nodes import Sequence as SequenceOfSteps
from wfrun.core.plan.review import Review
from wfrun.core.plan.shapes import ANY, NUMBER, Shape, a_list, an_object, of_error, part_of
from wfrun.core.plan.uses import compensate, known_to_undo, use
from wfrun.core.plan.writes import ends, ends_if_run, left_keys, takes_all
from wfrun.errors import Problem

_ITEMS_HINTS = {"string": "split(…, ',') makes a list of a text", "number": "range(…) counts"}


def follow(review: Review, step: Step, keys: Keys) -> None:
    if step.condition is None and not step.in_doubt:
        _follow(review, step, keys)
        return
    inside = keys.in_doubt() if step.in_doubt else keys.under_condition()
    if step.condition is not None:
        where = inside if step.in_doubt else keys
        review.condition(step.condition, (*step.path, "condition"), where, "this step never runs")
    _follow(review, step, inside)
    if step.in_doubt:
        keys.add(dict.fromkeys(inside.own, Key()))
    elif not ends_if_run(step):
        keys.add(maybe(inside.own, f"{step.id!r} is skipped when its condition is false"))


def _follow(review: Review, step: Step, keys: Keys) -> None:
    undoing = known_to_undo(step, keys) if step.compensation else {}
    match step:
        case SequenceOfSteps(steps=steps):
            _sequence(review, steps, keys)
        case Parallel():
            _parallel(review, step, keys)
        case Conditional():
            _conditional(review, step, keys)
        case Switch():
            _switch(review, step, keys)
        case Foreach():
            _foreach(review, step, keys)
        case Loop():
            _loop(review, step, keys)
        case Try():
            _try(review, step, keys)
        case _:
            use(review, step, keys)
    compensate(review, step, keys.inside(undoing))


def _sequence(review: Review, steps: Sequence[Step], keys: Keys) -> None:
    for position, step in enumerate(steps):
        follow(review, step, keys)
        if ends(step) and position + 1 < len(steps):
            message = f"nothing comes after {step.id!r}: this step never runs"
            review.advise("plan.unreachable", message, steps[position + 1].path)


def _ways(review: Review, steps: Sequence[Step | None], keys: Keys) -> dict[str, Key]:
    """The keys that are set after one of several ways is gone."""
    found: list[Mapping[str, Key]] = []
    in_doubt: dict[str, Key] = {}
    for step in steps:
        inside = keys.under_condition()
        if step is not None:
            follow(review, step, inside)
        if step is not None and review.plan.gaps.within(step.path):
            in_doubt |= dict.fromkeys(inside.own, Key())
        elif step is None or not ends(step):
            found.append(inside.own)
    return in_doubt | one_of(found)


# ---- branches at the same time


def _parallel(review: Review, block: Parallel, keys: Keys) -> None:
    """Branches see the keys of those that they need; what comes after sees those of all."""
    found: dict[int, dict[str, Key]] = {}
    seen: dict[int, dict[str, Key]] = {}
    for index in _in_order(block):
        needed = block.needs[index] if block.needs else ()
        seen[index] = {name: key for other in sorted(needed) for name, key in (seen[other] | found[other]).items()}
        inside = keys.inside(seen[index]).inside()
        follow(review, block.branches[index], inside)
        found[index] = inside.own
    if block.crew.complete == 1:
        keys.add(one_of([found[index] for index in range(len(block.branches))]))
        return
    sure = takes_all(block.crew, len(block.branches))
    for index, branch in enumerate(block.branches):
        keys.add(found[index] if sure else maybe(found[index], f"{branch.id!r} may be one that is done without"))


def _in_order(block: Parallel) -> list[int]:
    """The branches, each after those that it needs."""
    order: dict[int, None] = {}
    pending = list(reversed(range(len(block.branches))))
    while pending:
        index = pending[-1]
        before = [other for other in (block.needs[index] if block.needs else ()) if other not in order]
        if before:
            pending += before
        else:
            order[pending.pop()] = None
    return list(order)


def _foreach(review: Review, block: Foreach, keys: Keys) -> None:
    items = (*block.path, "items")
    review.template(block.items, items, keys)
    review.expect("array", "`items` must be a list", block.items, items, keys, _ITEMS_HINTS)
    item = Key(part_of(review.shape(block.items, items, keys), 0))
    names = {"item": item, "index": Key(NUMBER)} | ({block.name: item} if block.name is not None else {})
    inside = keys.inside(names).inside()
    follow(review, block.body, inside)
    results = _collected(review, block.collect, block.path, inside, inside.own)
    some = block.crew.complete is not None or not takes_all(block.crew, 1)
    keys.add({name: Key(a_list(ANY if some else key.shape)) for name, key in results.items()})


# ---- one of several ways


def _conditional(review: Review, block: Conditional, keys: Keys) -> None:
    path = (*block.path, "condition")
    review.condition(block.choice, path, keys, "`then` never runs", "`else` never runs" if block.otherwise else "")
    keys.add(_ways(review, (block.then, block.otherwise), keys))


def _switch(review: Review, block: Switch, keys: Keys) -> None:
    """Without `else`, one of the cases has fitted if anything comes after it."""
    for index, case in enumerate(block.cases):
        last = index + 1 == len(block.cases) and block.otherwise is None
        path = (*block.path, "cases", index, "condition")
        review.condition(case.condition, path, keys, "this case never runs", "" if last else "what follows never runs")
    bodies = [case.body for case in block.cases]
    keys.add(_ways(review, [*bodies, block.otherwise] if block.otherwise is not None else bodies, keys))


# ---- again and again


def _loop(review: Review, block: Loop, keys: Keys) -> None:
    """An iteration sees the keys of the one before it: the first has none of them, but those from before the loop."""
    index = {"index": Key(NUMBER)}
    mine = dict.fromkeys(name for name, _ in left_keys(block.body))
    first = {name: _in_first_round(keys.get(name)) for name in mine}
    if block.kind == "while":
        _ask_first(review, block, keys, index | first)
        inside = keys.under_condition(index | first)
    else:
        inside = keys.inside(index | first)
    follow(review, block.body, inside)
    if block.kind == "until":
        review.condition(block.test, (*block.path, "until"), inside, "", "it is no loop: one round is all there is")
    own = {name: inside.own[name] for name in mine}
    if block.kind == "while":
        own = {name: _unless_none(key, keys.get(name)) for name, key in own.items()}
    keys.add(_collected(review, block.collect, block.path, keys.inside(index | own), own))


def _in_first_round(before: Key | None) -> Key:
    return Key(missing="the first round has none before it") if before is None else Key(missing=before.missing)


def _unless_none(key: Key, before: Key | None) -> Key:
    """A key after a loop of which perhaps no round has run."""
    return key.unless("it may be that no round runs") if before is None or before.missing else key


def _ask_first(review: Review, block: Loop, keys: Keys, known: Mapping[str, Key]) -> None:
    """The condition of a `while`: what it asks for in any case has to be there before the first round."""
    path = (*block.path, "condition")
    inside = keys.inside(known)
    for reference in block.test.references:
        name = reference.segments[0] if reference.segments else "index"
        if name not in known or name == "index" or keys.get(str(name)) or reference.optional or reference.conditional:
            continue
        if review.known.gaps.may_set(str(name)) or inside.is_open():
            continue
        message = f"{reference.text} is not set when this is first asked"
        hint = f"set it before the loop, or say what then: default({reference.text}, …)"
        severity = "warning" if review.known.open_input else "error"
        review.tell(path, [Problem("plan.unknown-path", message, hint=hint, severity=severity)])
        inside.own[str(name)] = Key()
    review.condition(block.test, path, inside, "the loop never runs")


def _collected(
    review: Review, collect: Collect | None, path: Path, inside: Keys, own: Mapping[str, Key]
) -> dict[str, Key]:
    """What outlives a loop: for each key, what one iteration hands on."""
    if collect is None:
        return {}
    if collect.key is not None:
        return {collect.key: Key(_as_object(own))}
    at = (*path, "output")
    review.templates(collect.values, at, inside)
    return {name: Key(review.shape(template, (*at, name), inside)) for name, template in collect.values}


def _as_object(own: Mapping[str, Key]) -> Shape:
    fields = {name: key.shape for name, key in own.items()}
    return an_object(fields, {name: key.missing for name, key in own.items() if key.missing})


# ---- errors


def _try(review: Review, block: Try, keys: Keys) -> None:
    """What comes after sees what was set on the way that was gone: without an error, or through one of the handlers."""
    body = keys.inside()
    follow(review, block.body, body)
    partly = maybe(body.own, f"{block.body.id!r} may have failed before it was set")
    gaps = review.plan.gaps
    ways: list[Mapping[str, Key]] = []
    in_doubt: dict[str, Key] = {}
    of_services = not any(isinstance(step, Fail | Child) for step in walk(block.body))
    if gaps.within(block.body.path):
        in_doubt |= dict.fromkeys(body.own, Key())
    elif not ends(block.body):
        ways.append(body.own)
    for position, handler in enumerate(block.handlers):
        error = of_error(handler.patterns, of_services=of_services)
        found = _handler(review, handler, error, partly, keys)
        if gaps.within(handler.path):
            in_doubt |= dict.fromkeys(found, Key())
        elif handler.body is None or not ends(handler.body):
            ways.append(found)
        if handler.patterns == ("*",) and handler.condition is None and position + 1 < len(block.handlers):
            message = "the handler before this one takes every error"
            review.advise("plan.unreachable", message, block.handlers[position + 1].path)
    before = {name: key for way in (partly, *ways, in_doubt) for name, key in way.items()}
    keys.add(in_doubt | one_of(ways))
    if block.last is not None:
        last = keys.inside(maybe(before, "`finally` also runs after an error")).inside()
        follow(review, block.last, last)
        keys.add(last.own)


def _handler(
    review: Review, handler: Handler, error: Shape, partly: Mapping[str, Key], keys: Keys
) -> Mapping[str, Key]:
    """The keys that are set after a handler: its own, and what was set before the error."""
    known = keys.inside(partly).inside({handler.name: Key(error)})
    if handler.condition is not None:
        review.condition(handler.condition, (*handler.path, "condition"), known, "this handler never runs")
    inside = known.inside() if handler.condition is None else known.under_condition()
    if handler.body is not None:
        follow(review, handler.body, inside)
    after = keys.inside(partly)
    after.add(inside.own)
    return after.own

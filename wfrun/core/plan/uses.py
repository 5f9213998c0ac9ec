"""Steps that lead to no other steps: what they need to know, and what is known once they are done."""

from __future__ import annotations

from wfrun.core.definition import Path
from wfrun.core.plan.keys import Key, Keys
from wfrun.core.plan.nodes import Await, Call, Child, Emit, Fail, Finish, HumanTask, Pause, Set, Step
from wfrun.core.plan.review import Review
from wfrun.core.plan.shapes import ANY, EVENT, Shape, a_list, of_decision, of_reason_to_undo
from wfrun.core.values import ERROR_TYPE_HINT, is_error_type
from wfrun.errors import Problem

_NO_HINTS: dict[str, str] = {}


def use(review: Review, step: Step, keys: Keys) -> None:
    match step:
        case Call():
            check_call(review, step, keys)
            _set(step.output, ANY, keys)
        case HumanTask():
            _human_task(review, step, keys)
            _set(step.output, of_decision(step.form, may_be_rejected=step.accept_rejection), keys)
        case Await():
            _await(review, step, keys)
        case Pause():
            _pause(review, step, keys)
        case Set():
            _set_values(review, step, keys)
        case Emit(data=data):
            review.template(data, (*step.path, "data"), keys)
        case Child():
            _child(review, step, keys)
        case Fail():
            _fail(review, step, keys)
        case Finish(output=output) if output is not None:
            review.template(output, (*step.path, "output"), keys)


def known_to_undo(step: Step, before: Keys) -> dict[str, Key]:
    """What undoing a step knows in its own way: the error, and the step's result. What was known `before` the step is
    there in any case; but a call whose outcome nobody knows is undone too (C11), and so is a child that could not be
    undone itself: neither has given anything."""
    found = {"error": Key(of_reason_to_undo())}
    if isinstance(step, HumanTask | Await):
        found["result"] = Key()
    elif isinstance(step, Call | Child):
        result = found["result"] = Key(missing=_NO_RESULT[type(step)], instead="undo it by what it was given")
        earlier = before.get(step.output) if step.output is not None else None
        if step.output is not None and (earlier is None or earlier.missing):
            found[step.output] = result
    return found


_NO_RESULT: dict[type[Step], str] = {
    Call: "a call that was stopped or timed out is undone too, and has no result",
    Child: "a workflow that needs attention is undone too, and has no result",
}


def compensate(review: Review, step: Step, keys: Keys) -> None:
    """`keys` are those that what undoes the step knows."""
    for call in step.compensation:
        check_call(review, call, keys)


def check_call(review: Review, call: Call, keys: Keys) -> None:
    review.template(call.input, (*call.path, "input"), keys)
    if call.key is not None:
        review.template(call.key, (*call.path, "idempotencyKey"), keys)


def _set(output: str | None, shape: Shape, keys: Keys, missing: str = "") -> None:
    if output is not None:
        keys.add({output: Key(shape, missing)})


def _human_task(review: Review, task: HumanTask, keys: Keys) -> None:
    for template, key in ((task.title, "title"), (task.description, "description"), (task.data, "input")):
        review.template(template, (*task.path, key), keys)
    for index, audience in enumerate(task.audiences):
        path: Path = (*task.path, "escalation", index - 1) if index else task.path
        review.literals((*path, "assignee"), keys)
        for template in (audience.names, audience.users, audience.groups):
            review.references(template, (*path, "assignee"), keys)


def _await(review: Review, wait: Await, keys: Keys) -> None:
    inside = keys.inside({"event": Key(EVENT)})
    for listener in wait.listeners:
        if listener.match is not None:
            review.condition(listener.match, (*listener.path, "match"), inside, "no event is ever taken")
    missing = f"{wait.id!r} goes on when no event came in time" if wait.accept_timeout else ""
    _set(wait.output, EVENT if wait.single else a_list(EVENT), keys, missing)


def _pause(review: Review, pause: Pause, keys: Keys) -> None:
    path = (*pause.path, pause.kind)
    review.references(pause.time, path, keys)
    if pause.time.constant:
        return  # it has been read already
    if pause.kind == "until":
        review.expect("string", "`until` must be an instant", pause.time, path, keys, _NO_HINTS)
    elif not review.shape(pause.time, path, keys).may_be("number"):
        review.expect("string", "`for` must be a duration", pause.time, path, keys, _NO_HINTS)


def _set_values(review: Review, step: Set, keys: Keys) -> None:
    """All are computed before any is set."""
    path = (*step.path, "values")
    review.templates(step.values, path, keys)
    found = {name: Key(review.shape(template, (*path, name), keys)) for name, template in step.values}
    keys.add(found)


def _child(review: Review, child: Child, keys: Keys) -> None:
    path = (*child.path, "input")
    review.template(child.input, path, keys)
    if not review.shape(child.input, path, keys).may_be("null"):
        review.expect("object", "the input of a workflow must be an object", child.input, path, keys, _NO_HINTS)
    if child.detach and child.output is not None:
        message = "nobody waits for a detached workflow, so there is no output of it"
        review.advise("plan.detached", message, (*child.path, "output"))
    _set(child.output, ANY, keys)


def _fail(review: Review, step: Fail, keys: Keys) -> None:
    """The type of an error is a dotted name, which may look like a key."""
    path = (*step.path, "error")
    review.references(step.error, path, keys)
    written = review.written(path) if step.error.constant else None
    if isinstance(written, str) and not is_error_type(written):
        message = f"{written[:60]!r} is no type of an error"
        review.tell(path, [Problem("expression.value", message, hint=ERROR_TYPE_HINT)])
    review.template(step.message, (*step.path, "message"), keys)
    review.template(step.details, (*step.path, "details"), keys)

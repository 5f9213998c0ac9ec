"""Static checks of a plan: what will certainly go wrong is said before anything runs.

Followed through the steps in the order in which they run: which keys of the context are possibly set at each place.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from wfrun.core.definition import Path
from wfrun.core.expression import DictContext, Expression, Reference, Template
from wfrun.core.plan.nodes import Call, Conditional, HumanTask, Parallel, Plan, Sequence, Step, walk
from wfrun.errors import ExpressionError, Place, Problem

EXECUTION_KEYS = ("id", "workflow", "version", "startedAt", "attempt")


def check(plan: Plan) -> list[Problem]:
    """Problems of a compiled plan; those of severity `warning` are advice."""
    data: Mapping[str, Any] = plan.document.data  # type: ignore[assignment]
    declared = data.get("input")
    checker = _Checker(plan, _outputs(plan.root), declared is None)
    start = set(declared or ())
    checker.no_collisions(plan.root, set(start))
    checker.step(plan.root, start)
    if plan.output is not None:
        checker.template(plan.output, ("output",), start)
    return checker.problems


def check_services(plan: Plan, services: Mapping[str, frozenset[str] | None]) -> list[Problem]:
    """Calls of services or actions that do not exist. `services` names the known actions of each; None: not known."""
    problems: list[Problem] = []
    for call in _calls(plan.root):
        place = plan.document.place
        if call.service not in services:
            message = f"no service {call.service!r} is configured"
            hint = _nearest(call.service, services) or "configure it under `services:` or with --services"
            problems.append(Problem("plan.unknown-service", message, place((*call.path, "service")), hint))
            continue
        actions = services[call.service]
        if actions is not None and call.action not in actions:
            message = f"service {call.service!r} has no action {call.action!r}"
            hint = _nearest(call.action, actions) or f"it has {', '.join(sorted(actions)) or 'none'}"
            problems.append(Problem("plan.unknown-action", message, place((*call.path, "action")), hint))
    return problems


def _calls(root: Step) -> Iterable[Call]:
    for step in walk(root):
        if isinstance(step, Call):
            yield step
            if step.compensation is not None:
                yield step.compensation


def _outputs(root: Step) -> dict[str, str]:
    """Every key that some step sets, and the id of the first that does."""
    outputs: dict[str, str] = {}
    for step in walk(root):
        if isinstance(step, Call | HumanTask) and step.output is not None:
            outputs.setdefault(step.output, step.id)
    return outputs


def _nearest(name: str, known: Iterable[str]) -> str:
    near = get_close_matches(name, list(known), 1)
    return f"did you mean {near[0]!r}?" if near else ""


@dataclass
class _Checker:
    """`open_input`: nothing is declared, so any key that no step sets may be part of the input."""

    plan: Plan
    outputs: Mapping[str, str]
    open_input: bool
    problems: list[Problem] = field(default_factory=list)

    def step(self, step: Step, known: set[str]) -> None:
        """Check a step, given the keys that may be set before it, and add those that may be set after it."""
        if step.condition is not None:
            self.condition(step.condition, (*step.path, "condition"), known, "this step never runs")
        match step:
            case Call():
                self._call(step, known)
            case HumanTask():
                self._task(step, known)
            case Sequence(steps=steps):
                for inner in steps:
                    self.step(inner, known)
            case Parallel(branches=branches):
                self._apart(branches, known)
            case Conditional(then=then, otherwise=otherwise):
                self.condition(step.choice, (*step.path, "condition"), known, "`then` never runs", "`else` never runs")
                self._apart((then, otherwise) if otherwise else (then,), known)
        if isinstance(step, Call | HumanTask) and step.output is not None:
            known.add(step.output)

    def _apart(self, branches: tuple[Step, ...], known: set[str]) -> None:
        """Branches do not see each other's keys; what comes after sees those of all."""
        before = frozenset(known)
        for branch in branches:
            inside = set(before)
            self.step(branch, inside)
            known |= inside

    def _call(self, call: Call, known: set[str]) -> None:
        self.template(call.input, (*call.path, "input"), known)
        if call.key is not None:
            self.template(call.key, (*call.path, "idempotencyKey"), known)
        if call.compensation is not None:
            own = {call.output} if call.output is not None else set()
            self._call(call.compensation, known | own | {"result", "error"})

    def _task(self, task: HumanTask, known: set[str]) -> None:
        for template, key in ((task.title, "title"), (task.description, "description"), (task.data, "input")):
            self.template(template, (*task.path, key), known)
        for index, audience in enumerate(task.audiences):
            path: Path = (*task.path, "escalation", index - 1) if index else task.path
            for template in (audience.names, audience.users, audience.groups):
                self.template(template, (*path, "assignee"), known)

    def template(self, template: Template, path: Path, known: set[str]) -> None:
        for inside, reference in template.references:
            self._reference(reference, self.plan.document.place(path + inside), known)

    def condition(self, condition: Expression, path: Path, known: set[str], if_false: str, if_true: str = "") -> None:
        for reference in condition.references:
            self._reference(reference, self.plan.document.place(path), known)
        if not condition.constant:
            return
        place = self.plan.document.place(path)
        try:
            value = condition.evaluate(DictContext({}), _NoHost())
        except ExpressionError as error:
            self.problems.append(Problem(error.code, error.message, place, error.hint))
            return
        if not isinstance(value, bool):
            message = f"a condition must be true or false, and {condition.text!r} is neither"
            self.problems.append(Problem("expression.type", message, place, "compare it with something"))
        elif consequence := if_true if value else if_false:
            message = f"the condition is always {str(value).lower()}: {consequence}"
            self.problems.append(Problem("plan.unreachable", message, place, severity="warning"))

    def _reference(self, reference: Reference, place: Place, known: set[str]) -> None:
        if not reference.segments:
            return
        name = reference.segments[0]
        if name == "execution":
            self._execution_key(reference, place)
        elif not isinstance(name, str):
            self._unknown(f"{reference.text}: the context is an object, not a list", place, "name a key")
        elif name not in known and not reference.optional:
            self._unset(reference, name, place, known)

    def _unset(self, reference: Reference, name: str, place: Place, known: set[str]) -> None:
        if name in self.outputs:
            by = self.outputs[name]
            hint = f"only step {by!r} sets it, which is not done before this place; default(…, …) accepts that"
            self._unknown(f"{reference.text} is not set here", place, hint)
        elif not self.open_input:
            near = _nearest(name, known)
            hint = near.replace("'", "$.", 1).replace("'", "") if near else "neither the input nor a step sets it"
            self._unknown(f"{reference.text} is never set", place, hint)

    def _execution_key(self, reference: Reference, place: Place) -> None:
        key = reference.segments[1] if len(reference.segments) > 1 else "id"
        if key not in EXECUTION_KEYS and not reference.optional:
            hint = _nearest(str(key), EXECUTION_KEYS) or f"it has {', '.join(EXECUTION_KEYS)}"
            self._unknown(f"{reference.text}: an execution has no {key!r}", place, hint)

    def _unknown(self, message: str, place: Place, hint: str) -> None:
        self.problems.append(Problem("plan.unknown-path", message, place, hint))

    # ---- collisions

    def no_collisions(self, step: Step, taken: set[str]) -> None:
        """Two steps that can both run may not write the same key. Adds to `taken` the keys that `step` writes."""
        match step:
            case Call() | HumanTask():
                self._write(step, taken)
            case Sequence(steps=inner) | Parallel(branches=inner):
                for each in inner:
                    self.no_collisions(each, taken)
            case Conditional(then=then, otherwise=otherwise):
                before = set(taken)
                self.no_collisions(then, taken)
                if otherwise is not None:
                    self.no_collisions(otherwise, before)
                    taken |= before

    def _write(self, step: Call | HumanTask, taken: set[str]) -> None:
        if step.output is None:
            return
        if step.output in taken:
            place = self.plan.document.place((*step.path, "output"))
            other = self.outputs.get(step.output)
            what = f"step {other!r}" if other not in (None, step.id) else "the input"
            message = f"the key {step.output!r} is also set by {what}"
            self.problems.append(Problem("plan.duplicate-output", message, place, "give each its own key"))
        taken.add(step.output)


class _NoHost:
    """Constants need nothing from a host."""

    def now(self) -> Any:
        raise NotImplementedError

    def uuid(self) -> str:
        raise NotImplementedError

    def variable(self, kind: str, name: str) -> str:
        raise NotImplementedError

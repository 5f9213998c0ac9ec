"""Static checks of a plan: what will certainly go wrong is said before anything runs, and what may is advice.

Followed through the steps in the order in which they run: which keys of the context are set at each place, whether
surely so, and what is known of their values.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Any

from wfrun.core.definition import Path
from wfrun.core.expression import Expression, Template
from wfrun.core.plan.collisions import collisions
from wfrun.core.plan.conditions import check_condition
from wfrun.core.plan.keys import Key, Keys, either, of_input
from wfrun.core.plan.literals import forgotten_dollars
from wfrun.core.plan.nodes import Call, Conditional, HumanTask, Parallel, Plan, Sequence, Step, walk
from wfrun.core.plan.paths import NOBODY, Known, check_reference
from wfrun.core.plan.shapes import ANY, Shape, of_decision
from wfrun.core.plan.times import check_limits, check_time
from wfrun.core.values import Json
from wfrun.errors import Problem


def check(plan: Plan) -> list[Problem]:
    """Problems of a compiled plan; those of severity `warning` are advice."""
    data: Mapping[str, Any] = plan.document.data  # type: ignore[assignment]
    declared = data.get("input")
    keys = of_input(declared)
    checker = _Checker(plan, _known(plan, declared is None))
    checker.step(plan.root, keys)
    if plan.output is not None:
        checker.template(plan.output, ("output",), keys)
    twice = list(collisions(plan, plan.root, dict.fromkeys(declared or (), "the input")))
    limits = chain.from_iterable(check_limits(step, plan.document) for step in walk(plan.root))
    every = check_time(plan.document, ("errorHandling",), "timeout") if "errorHandling" in data else ()
    return [*_without_consequences(checker.problems, twice), *twice, *every, *limits]


def _known(plan: Plan, open_input: bool) -> Known:
    steps = {step.id: step.output for step in walk(plan.root) if isinstance(step, Call | HumanTask)}
    outputs: dict[str, str] = {}
    for id, output in steps.items():
        if output is not None:
            outputs.setdefault(output, id)
    return Known(outputs, steps, open_input)


def _without_consequences(found: list[Problem], twice: list[Problem]) -> Iterator[Problem]:
    """Where one key is set twice, another that nobody sets is most likely the same slip."""
    for problem in found:
        if not (twice and problem.code == "plan.unknown-path" and problem.hint == NOBODY):
            yield problem


class _Checker:
    def __init__(self, plan: Plan, known: Known) -> None:
        self.plan = plan
        self.known = known
        self.problems: list[Problem] = []

    def step(self, step: Step, keys: Keys) -> None:
        """Check a step, given the keys that may be set before it, and add those that may be set after it."""
        if step.condition is None:
            self._unconditional(step, keys)
            return
        self._condition(step.condition, (*step.path, "condition"), keys, "this step never runs")
        inside = keys.under_condition()
        self._unconditional(step, inside)
        skipped = f"{step.id!r} is skipped when its condition is false"
        keys.own.update({name: key.unless(skipped) for name, key in inside.own.items()})

    def _unconditional(self, step: Step, keys: Keys) -> None:
        match step:
            case Call():
                self._call(step, keys)
                self._set(step.output, ANY, keys)
            case HumanTask():
                self._task(step, keys)
                self._set(step.output, of_decision(step.form, may_be_rejected=step.accept_rejection), keys)
            case Sequence(steps=steps):
                for inner in steps:
                    self.step(inner, keys)
            case Parallel(branches=branches):
                self._parallel(branches, keys)
            case Conditional():
                self._conditional(step, keys)

    def _set(self, output: str | None, shape: Shape, keys: Keys) -> None:
        if output is not None:
            keys.own[output] = Key(shape)

    def _parallel(self, branches: tuple[Step, ...], keys: Keys) -> None:
        """Branches do not see each other's keys; what comes after sees those of all."""
        after: dict[str, Key] = {}
        for branch in branches:
            inside = keys.inside()
            self.step(branch, inside)
            after.update(inside.own)
        keys.own.update(after)

    def _conditional(self, step: Conditional, keys: Keys) -> None:
        path = (*step.path, "condition")
        self._condition(step.choice, path, keys, "`then` never runs", "`else` never runs" if step.otherwise else "")
        then, otherwise = keys.under_condition(), keys.under_condition()
        self.step(step.then, then)
        if step.otherwise is not None:
            self.step(step.otherwise, otherwise)
        keys.own.update(either(then, otherwise))

    def _call(self, call: Call, keys: Keys) -> None:
        self.template(call.input, (*call.path, "input"), keys)
        if call.key is not None:
            self.template(call.key, (*call.path, "idempotencyKey"), keys)
        if call.compensation is not None:
            inside = keys.inside()
            inside.own.update(dict.fromkeys(("result", "error"), Key()))
            self._set(call.output, ANY, inside)
            self._call(call.compensation, inside)

    def _task(self, task: HumanTask, keys: Keys) -> None:
        for template, key in ((task.title, "title"), (task.description, "description"), (task.data, "input")):
            self.template(template, (*task.path, key), keys)
        for index, audience in enumerate(task.audiences):
            path: Path = (*task.path, "escalation", index - 1) if index else task.path
            self._literals((*path, "assignee"), keys)
            for template in (audience.names, audience.users, audience.groups):
                self._references(template, (*path, "assignee"), keys)

    def template(self, template: Template, path: Path, keys: Keys) -> None:
        self._references(template, path, keys)
        self._literals(path, keys)

    def _references(self, template: Template, path: Path, keys: Keys) -> None:
        for inside, reference in template.references:
            self._tell(path + inside, check_reference(reference, keys, self.known))

    def _literals(self, path: Path, keys: Keys) -> None:
        for inside, problem in forgotten_dollars(_written(self.plan.document.data, path), keys):
            self._tell(path + inside, [problem])

    def _condition(self, condition: Expression, path: Path, keys: Keys, if_false: str, if_true: str = "") -> None:
        for reference in condition.references:
            self._tell(path, check_reference(reference, keys, self.known))
        self._tell(path, check_condition(condition, keys, if_false, if_true))

    def _tell(self, path: Path, problems: Iterable[Problem]) -> None:
        """Places are looked up for what is wrong alone: there are many, and hardly ever a problem."""
        self.problems.extend(problem._replace(place=self.plan.document.place(path)) for problem in problems)


def _written(data: Json, path: Path) -> Json:
    """The value at a path; null where the file leaves it out."""
    value: Any = data
    for part in path:
        value = value.get(part) if isinstance(value, dict) else value[part]
    return value  # type: ignore[no-any-return]

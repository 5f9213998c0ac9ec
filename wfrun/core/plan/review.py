"""Expressions and templates of a plan held against what is known where they stand; and what is said about them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from wfrun.core.definition import Path
from wfrun.core.expression import Expression, Template
from wfrun.core.plan.conditions import check_comparisons, check_condition
from wfrun.core.plan.inferred import shape_of_template
from wfrun.core.plan.keys import Keys
from wfrun.core.plan.literals import forgotten_dollars
from wfrun.core.plan.nodes import Plan
from wfrun.core.plan.paths import Known, check_reference
from wfrun.core.plan.shapes import Shape, a_kind
from wfrun.core.values import Json
from wfrun.errors import Problem


class Review:
    def __init__(self, plan: Plan, known: Known) -> None:
        self.plan = plan
        self.known = known
        self.problems: list[Problem] = []

    def template(self, template: Template, path: Path, keys: Keys) -> None:
        self.references(template, path, keys)
        self.literals(path, keys)

    def templates(self, values: Iterable[tuple[str, Template]], path: Path, keys: Keys) -> None:
        """Named values. That one of them is a word which is a key, too, is no mistake."""
        for name, template in values:
            self.references(template, (*path, name), keys)
        self.literals(path, keys)

    def references(self, template: Template, path: Path, keys: Keys) -> None:
        for inside, reference in template.references:
            self.tell(path + inside, check_reference(reference, keys, self.known))
        for inside, expression in template.expressions:
            self.tell(path + inside, check_comparisons(expression, keys))

    def literals(self, path: Path, keys: Keys) -> None:
        for inside, problem in forgotten_dollars(self.written(path), keys):
            self.tell(path + inside, [problem])

    def condition(self, condition: Expression, path: Path, keys: Keys, if_false: str, if_true: str = "") -> None:
        for reference in condition.references:
            self.tell(path, check_reference(reference, keys, self.known))
        self.tell(path, check_condition(condition, keys, if_false, if_true))

    def shape(self, template: Template, path: Path, keys: Keys) -> Shape:
        return shape_of_template(template, self.written(path), keys)

    def expect(
        self, kind: str, what: str, template: Template, path: Path, keys: Keys, hints: Mapping[str, str]
    ) -> None:
        """An error where a template certainly gives another kind of value; `hints` are by the kind that it gives."""
        shape = self.shape(template, path, keys)
        if not shape.may_be(kind):
            written = self.written(path)
            given = f"{written} is {a_kind(shape)}" if isinstance(written, str) else f"this is {a_kind(shape)}"
            hint = hints.get(next(iter(shape.kinds)), "")
            self.tell(path, [Problem("expression.type", f"{what}, and {given}", hint=hint)])

    def advise(self, code: str, message: str, path: Path) -> None:
        self.tell(path, [Problem(code, message, severity="warning")])

    def tell(self, path: Path, problems: Iterable[Problem]) -> None:
        """Places are looked up for what is wrong alone: there are many, and hardly ever a problem."""
        self.problems.extend(problem._replace(place=self.plan.document.place(path)) for problem in problems)

    def written(self, path: Path) -> Json:
        """The value at a path; null where the file leaves it out."""
        value: Any = self.plan.document.data
        for part in path:
            value = value.get(part) if isinstance(value, dict) else value[part]
        return value  # type: ignore[no-any-return]

"""Where an effect is evaluated, and what its expressions may ask for besides data."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple

from wfrun.core.definition import Path
from wfrun.core.expression import Template, render
from wfrun.core.instants import parse_instant
from wfrun.core.plan.nodes import Plan
from wfrun.core.repair_history import Amendments
from wfrun.core.scope import Scope
from wfrun.core.values import Json
from wfrun.errors import ExpressionError

if TYPE_CHECKING:
    from wfrun.core.events import ErrorData, EvaluationFailed


@dataclass(slots=True, eq=False, repr=False)
class RecordedHost:
    """`now()` and `uuid()`, answered from what is recorded, so that a replay repeats them.

    Now is the instant of the event that led here. A uuid is derived from the execution's recorded seed, the effect
    and a count, in the free form of RFC 9562 (version 8).
    """

    at: str
    seed: str
    effect: str
    count: int = 0

    def now(self) -> datetime:
        return parse_instant(self.at)

    def uuid(self) -> str:
        self.count += 1
        name = sha256(f"{self.seed}/{self.effect}/{self.count}".encode()).hexdigest()
        variant = "89ab"[int(name[16], 16) % 4]
        return f"{name[:8]}-{name[8:12]}-8{name[13:16]}-{variant}{name[17:20]}-{name[20:32]}"

    def variable(self, kind: str, name: str) -> str:
        raise ExpressionError("expression.undefined", f"{kind}.{name} cannot be used in a step")


class Setting(NamedTuple):
    """Where an effect is evaluated: the execution, its plan, what can be seen, the recorded time, and repairs."""

    execution: str
    plan: Plan
    scope: Scope
    at: str
    seed: str
    amended: Amendments

    def host(self, effect: str) -> RecordedHost:
        return RecordedHost(self.at, self.seed, effect)

    def resolve(self, template: Template, effect: str, path: Path) -> Json:
        """The value of the template at `path`. Raises ExpressionError, with its place in the file."""
        try:
            return template.resolve(self.scope, self.host(effect))
        except ExpressionError as error:
            error.place = self.plan.locate(path, error)
            raise

    def text(self, template: Template, effect: str, path: Path) -> str:
        """The value as text: nothing for null, JSON for what is no text, as in a template with more in it."""
        value = self.resolve(template, effect, path)
        return "" if value is None else render(value)

    def input(self, step: str, template: Template, effect: str, path: Path) -> Json:
        """What a step is called with: what somebody has given it, else the value of its template."""
        if step in self.amended.inputs:
            return self.amended.inputs[step]
        return self.resolve(template, effect, path)


def expression_error(error: ExpressionError, step: str) -> ErrorData:
    hint = f" ({error.hint})" if error.hint else ""
    return {"type": error.code, "message": f"{error.place}: {error.message}{hint}", "step": step}


def evaluation_failed(effect: str, step: str, error: ExpressionError) -> EvaluationFailed:
    return {"type": "evaluation.failed", "effect": effect, "step": step, "error": expression_error(error, step)}

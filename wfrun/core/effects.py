"""Intents: what the interpreter wants done. The engine records an intent, syncs it, and performs it.

`intent()` is the fact that records the intent; a call has `prepare()`, which also gives what is to be sent. It is
evaluated when the effect is about to be attempted and never during a replay, which finds the fact in the journal. An
expression without a value is a fact, too.
The id comes from the place in the plan, the iteration and the attempt: never from the order in which things happened.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Literal, NamedTuple, TypeAlias

from wfrun.core.definition import Path
from wfrun.core.events import (
    Assignee,
    CompensationStarted,
    DecisionMade,
    ErrorData,
    EvaluationFailed,
    ExecutionEnded,
    Status,
    StepFailed,
    StepStarted,
    TaskCreated,
    TaskEscalated,
    TaskWithdrawn,
    TimerStarted,
)
from wfrun.core.expression import Expression, Template
from wfrun.core.instants import format_instant, parse_instant
from wfrun.core.plan.nodes import Audience, Call, HumanTask, Plan
from wfrun.core.scope import Scope
from wfrun.core.values import Json, canonical
from wfrun.errors import ExpressionError

# A step's input stands in its record when it is at most this many characters long; its hash always does.
MAX_INLINE_INPUT = 1_024


@dataclass(slots=True)
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
    """Where an effect is evaluated: the execution, its plan, what can be seen, and the recorded time."""

    execution: str
    plan: Plan
    scope: Scope
    at: str
    seed: str

    def host(self, effect: str) -> RecordedHost:
        return RecordedHost(self.at, self.seed, effect)

    def resolve(self, template: Template, effect: str, path: Path) -> Json:
        """The value of the template at `path`. Raises ExpressionError, with its place in the file."""
        try:
            return template.resolve(self.scope, self.host(effect))
        except ExpressionError as error:
            error.place = self.plan.locate(path, error)
            raise


def expression_error(error: ExpressionError, step: str) -> ErrorData:
    hint = f" ({error.hint})" if error.hint else ""
    return {"type": error.code, "message": f"{error.place}: {error.message}{hint}", "step": step}


class CallService(NamedTuple):
    """One attempt at a step. Answered by step.completed, step.failed or step.cancelled.

    The setting is that of the first attempt, and nothing is evaluated under the attempt's own name: key and input, with
    `now()` and `uuid()` in them, are the same for all attempts (C5).
    """

    id: str
    step: str
    attempt: int
    node: Call
    setting: Setting

    def prepare(self) -> tuple[StepStarted | StepFailed, Json]:
        """step.started, still without epoch, and the input; or step.failed if the input has no value."""
        node = self.node
        try:
            value = self.setting.resolve(node.input, self.step, (*node.path, "input"))
            key = self._key()
        except ExpressionError as error:
            data = expression_error(error, self.step)
            failed: StepFailed = {
                "type": "step.failed",
                "step": self.step,
                "attempt": self.attempt,
                "error": data,
                "random": 0.0,
            }
            return failed, None
        return self._started(key, value), value

    def _started(self, key: str, value: Json) -> StepStarted:
        text = canonical(value)
        started: StepStarted = {
            "type": "step.started",
            "step": self.step,
            "attempt": self.attempt,
            "service": self.node.service,
            "action": self.node.action,
            "key": key,
            "inputHash": sha256(text.encode()).hexdigest(),
            "epoch": 0,
        }
        if len(text) <= MAX_INLINE_INPUT:
            started["input"] = value
        return started

    def _key(self) -> str:
        if self.node.key is None:
            return f"{self.setting.execution}/{self.step}"
        return str(self.setting.resolve(self.node.key, f"{self.step}!key", (*self.node.path, "idempotencyKey")))


class Decide(NamedTuple):
    """A condition. Answered at once, by what it comes to."""

    id: str
    step: str
    of: Literal["step", "branch"]
    condition: Expression
    path: Path
    setting: Setting

    def intent(self) -> DecisionMade | EvaluationFailed:
        try:
            value = self.condition.test(self.setting.scope, self.setting.host(self.id))
        except ExpressionError as error:
            error.place = self.setting.plan.document.place(self.path)
            return evaluation_failed(self.id, self.step, error)
        return {
            "type": "decision.made",
            "step": self.step,
            "of": self.of,
            "condition": self.condition.text,
            "value": value,
            "operands": self.condition.operands(self.setting.scope),
        }


def evaluation_failed(effect: str, step: str, error: ExpressionError) -> EvaluationFailed:
    return {"type": "evaluation.failed", "effect": effect, "step": step, "error": expression_error(error, step)}


class StartTimer(NamedTuple):
    """A wait until `due`. Answered by timer.fired, never early."""

    id: str
    step: str
    due: datetime
    reason: str

    def intent(self) -> TimerStarted:
        due = format_instant(self.due)
        return {"type": "timer.started", "timer": self.id, "step": self.step, "due": due, "reason": self.reason}


class OpenTask(NamedTuple):
    """A question to people. Answered by task.decided (perhaps several), task.expired or task.withdrawn."""

    id: str
    step: str
    node: HumanTask
    setting: Setting

    def intent(self) -> TaskCreated | EvaluationFailed:
        """task.created with `due` still empty: the engine, which has the clock, adds it from the audience's timeout."""
        node = self.node
        try:
            return {
                "type": "task.created",
                "task": self.id,
                "step": self.step,
                "title": _text(self._resolve(node.title, "title")),
                "description": _text(self._resolve(node.description, "description")),
                "assignee": resolve_audience(node.audiences[0], self.setting, self.id, node.path),
                "form": node.form,
                "decisions": list(node.decisions),
                "quorum": node.quorum,
                "excludeInitiator": node.exclude_initiator,
                "data": self._resolve(node.data, "input"),
                "due": None,
            }
        except ExpressionError as error:
            return evaluation_failed(self.id, self.step, error)

    def _resolve(self, template: Template, key: str) -> Json:
        return self.setting.resolve(template, self.id, (*self.node.path, key))

    @property
    def timeout(self) -> int | None:
        return self.node.audiences[0].timeout


def _text(value: Json) -> str:
    return value if isinstance(value, str) else "" if value is None else str(value)


def resolve_audience(audience: Audience, setting: Setting, effect: str, path: Path) -> Assignee:
    """The people of an audience. Raises ExpressionError; a template may come to one name or to a list of them."""
    path = (*path, "assignee")
    found: Assignee = {}
    if names := _people(setting.resolve(audience.names, effect, path)):
        found["names"] = names
    if users := _people(setting.resolve(audience.users, effect, (*path, "users"))):
        found["users"] = users
    if groups := _people(setting.resolve(audience.groups, effect, (*path, "groups"))):
        found["groups"] = groups
    if not found:
        place = setting.plan.document.place(path)
        raise ExpressionError("expression.value", "the assignee comes to nobody", place=place)
    return found


def _people(value: Json) -> list[str]:
    names: list[str] = []
    for item in value if isinstance(value, list) else [value]:
        names.extend(_people(item) if isinstance(item, list) else [str(item)])
    return names


class EscalateTask(NamedTuple):
    """An undecided task goes on to its next audience, or stays open for the last one. Answered at once."""

    id: str
    task: str
    step: str
    level: int
    audience: Audience
    timeout: int | None
    path: Path
    setting: Setting

    def intent(self) -> TaskEscalated | EvaluationFailed:
        try:
            assignee = resolve_audience(self.audience, self.setting, self.id, self.path)
        except ExpressionError as error:
            return evaluation_failed(self.id, self.step, error)
        return {"type": "task.escalated", "task": self.task, "level": self.level, "assignee": assignee, "due": None}


class StartCompensation(NamedTuple):
    """The point from which an execution is undone. Answered at once."""

    id: str
    step: str
    steps: tuple[str, ...]
    error: ErrorData | None

    def intent(self) -> CompensationStarted:
        steps = list(self.steps)
        if self.error is None:
            return {"type": "compensation.started", "reason": "cancel", "steps": steps}
        return {"type": "compensation.started", "reason": "failure", "steps": steps, "error": self.error}


class End(NamedTuple):
    """The end of the execution. Answered at once, by execution.ended or, if the output has no value, by its failure."""

    id: str
    step: str
    status: Status
    error: ErrorData | None
    failures: tuple[ErrorData, ...]
    setting: Setting

    def intent(self) -> ExecutionEnded | EvaluationFailed:
        ended: ExecutionEnded = {"type": "execution.ended", "status": self.status}
        if self.error is not None:
            ended["error"] = self.error
        if self.failures:
            ended["failures"] = list(self.failures)
        if self.status != "completed":
            return ended
        template = self.setting.plan.output
        if template is None:
            return ended
        try:
            ended["output"] = self.setting.resolve(template, self.id, ("output",))
        except ExpressionError as error:
            return evaluation_failed(self.id, self.step, error)
        return ended


class Stop(NamedTuple):
    """Stop the call or withdraw the task with the id `target`. A call is answered once it has really stopped."""

    id: str
    target: str
    task: bool

    def intent(self) -> TaskWithdrawn | None:
        return {"type": "task.withdrawn", "task": self.target} if self.task else None


class AwaitRepair(NamedTuple):
    """An execution that needs attention waits for it. Answered by execution.resumed; there is nothing to perform."""

    id: str

    def intent(self) -> None:
        return None


Effect: TypeAlias = (
    CallService | Decide | StartTimer | OpenTask | EscalateTask | StartCompensation | End | AwaitRepair | Stop
)

"""Calls of services: one attempt each."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple

from wfrun.core.effects.setting import Setting, expression_error
from wfrun.core.plan.nodes import Call
from wfrun.core.values import Json, canonical
from wfrun.errors import ExpressionError

if TYPE_CHECKING:
    from wfrun.core.events import StepFailed, StepStarted

# A step's input stands in its record when it is at most this many characters long; its hash always does.
MAX_INLINE_INPUT = 1_024


class CallService(NamedTuple):
    """One attempt at a step. Answered by step.completed, step.failed or step.cancelled.

    The setting is that of the first attempt, and nothing is evaluated under the attempt's own name: key and input, with
    `now()` and `uuid()` in them, are the same for all attempts (C5). A step that runs again after it was undone, or
    with another input or action, has another key (`…~2`): under the old one a service would answer with what was
    undone, or with what it was asked for before.
    """

    id: str
    step: str
    attempt: int
    node: Call
    setting: Setting

    def prepare(self) -> tuple[StepStarted | StepFailed, Json]:
        """step.started, still without epoch, and the input; or step.failed if the input has no value."""
        try:
            service, action = self.node.service, self.node.action
            round, value = self.setting.amended.request(self.step, self._input, service, action)
            key = self._key(round)
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

    def _input(self, round: str) -> Json:
        return self.setting.input(self.step, self.node.input, self.step + round, (*self.node.path, "input"))

    def _key(self, round: str) -> str:
        if self.node.key is None:
            return f"{self.setting.execution}/{self.step}{round}"
        name = f"{self.step}{round}!key"
        return f"{self.setting.resolve(self.node.key, name, (*self.node.path, 'idempotencyKey'))}{round}"

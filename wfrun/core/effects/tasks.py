"""Questions to people."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from wfrun.core.definition import Path
from wfrun.core.effects.setting import Setting, evaluation_failed
from wfrun.core.expression import Template
from wfrun.core.expression.kinds import a_kind, is_number
from wfrun.core.plan.nodes import Audience, HumanTask
from wfrun.core.values import Json
from wfrun.errors import ExpressionError

if TYPE_CHECKING:
    from wfrun.core.events import Assignee, EvaluationFailed, TaskCreated, TaskEscalated


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
                "title": self._text(node.title, "title"),
                "description": self._text(node.description, "description"),
                "assignee": resolve_audience(node.audiences[0], self.setting, self.id, node.path),
                "form": node.form,
                "decisions": list(node.decisions),
                "quorum": node.audiences[0].quorum,
                "excludeInitiator": node.audiences[0].exclude_initiator,
                "data": self._resolve(node.data, "input"),
                "due": None,
            }
        except ExpressionError as error:
            return evaluation_failed(self.id, self.step, error)

    def _resolve(self, template: Template, key: str) -> Json:
        return self.setting.resolve(template, self.id, (*self.node.path, key))

    def _text(self, template: Template, key: str) -> str:
        return self.setting.text(template, self.id, (*self.node.path, key))

    def worded_before(self) -> dict[str, str]:
        """What earlier versions recorded of it, which showed what is no text as Python does."""
        node = self.node
        return {
            "title": str(self._resolve(node.title, "title")),
            "description": str(self._resolve(node.description, "description")),
        }

    @property
    def timeout(self) -> int | None:
        return self.node.audiences[0].timeout


def resolve_audience(audience: Audience, setting: Setting, effect: str, path: Path) -> Assignee:
    """The people of an audience. Raises ExpressionError; a template may come to one name or to a list of them."""
    path = (*path, "assignee")
    found: Assignee = {}
    if names := _people(audience.names, setting, effect, path):
        found["names"] = names
    if users := _people(audience.users, setting, effect, (*path, "users")):
        found["users"] = users
    if groups := _people(audience.groups, setting, effect, (*path, "groups")):
        found["groups"] = groups
    if not found:
        place = setting.plan.document.place(path)
        raise ExpressionError("expression.value", "the assignee comes to nobody", place=place)
    return found


def _people(template: Template, setting: Setting, effect: str, path: Path) -> list[str]:
    value = setting.resolve(template, effect, path)
    try:
        return list(_names(value))
    except ExpressionError as error:
        error.place = setting.plan.document.place(path)
        raise


def _names(value: Json) -> Iterator[str]:
    """Nothing but text names somebody: what data lacks (null) would become somebody who is called so."""
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, list):
            yield from _names(item)
        elif not isinstance(item, str):
            hint = "string(…) makes text of a number" if is_number(item) else ""
            raise ExpressionError("expression.type", f"an assignee must be text, not {a_kind(item)}", hint=hint)
        elif not item:
            raise ExpressionError("expression.value", "an assignee has no name: the text is empty")
        else:
            yield item


class EscalateTask(NamedTuple):
    """An undecided task goes on to its next audience, or, with `stays`, stays open for the last. Answered at once."""

    id: str
    task: str
    step: str
    level: int
    audience: Audience
    stays: bool
    path: Path
    setting: Setting

    def intent(self) -> TaskEscalated | EvaluationFailed:
        try:
            assignee = resolve_audience(self.audience, self.setting, self.id, self.path)
        except ExpressionError as error:
            return evaluation_failed(self.id, self.step, error)
        told: TaskEscalated = {
            "type": "task.escalated",
            "task": self.task,
            "level": self.level,
            "assignee": assignee,
            "due": None,
        }
        if not self.stays:
            told["quorum"], told["excludeInitiator"] = self.audience.quorum, self.audience.exclude_initiator
        return told

    @property
    def timeout(self) -> int | None:
        return None if self.stays else self.audience.timeout

"""All rules over one plan, without what its author wants to be spared."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

from wfrun.core.plan.lint.advice import Advice, ignores
from wfrun.core.plan.lint.compensations import not_undone
from wfrun.core.plan.lint.deadlines import without_deadline
from wfrun.core.plan.lint.handlers import never_reached
from wfrun.core.plan.lint.outputs import never_read
from wfrun.core.plan.lint.secrets import plain_secrets
from wfrun.core.plan.nodes import Plan
from wfrun.errors import Problem, in_order

_Rule: TypeAlias = Callable[[Plan], Iterator[Advice]]

_RULES: Sequence[_Rule] = (
    not_undone,
    without_deadline,
    never_reached,
    never_read,
    lambda plan: plain_secrets(plan.document),
)


def lint(plan: Plan) -> list[Problem]:
    """The advice for a plan that `examine_plan` has compiled, in the order of its places.

    `metadata: { ignore: [lint.no-deadline] }` on a step keeps that advice away from it and from the steps inside, and
    on the workflow from all of them.
    """
    found = (advice for rule in _RULES for advice in rule(plan))
    wanted = (each for each in found if not ignores(plan.document, each.path, each.code))
    return in_order(each.problem(plan.document) for each in wanted)

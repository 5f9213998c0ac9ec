"""Advice beyond what the checks say: what will run, but was hardly meant so.

Each rule is one function of a plan in a module of its own, and has an entry in `rules`, which docs/lint.md follows.
A rule that cannot be sure says nothing: advice that is wrong teaches people to overlook advice.
"""

from wfrun.core.plan.lint.lint import lint
from wfrun.core.plan.lint.rules import RULES, Rule
from wfrun.core.plan.lint.secrets import secrets

__all__ = ["RULES", "Rule", "lint", "secrets"]

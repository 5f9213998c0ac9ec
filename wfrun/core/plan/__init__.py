"""The plan: a definition compiled, with stable ids and static checks."""

from wfrun.core.plan.check import check_services
from wfrun.core.plan.compile import compile_plan
from wfrun.core.plan.nodes import Plan

__all__ = ["Plan", "check_services", "compile_plan"]

"""The plan: a definition compiled, with stable ids and static checks."""

from wfrun.core.plan.check import check_services
from wfrun.core.plan.compile import build_plan, compile_plan
from wfrun.core.plan.nodes import Plan

__all__ = ["Plan", "build_plan", "check_services", "compile_plan"]

"""The plan: a definition compiled, with stable ids and static checks."""

from wfrun.core.plan.calls import called, check_heartbeats, check_services
from wfrun.core.plan.compile import build_plan, compile_plan, examine_plan
from wfrun.core.plan.nodes import Plan

__all__ = ["Plan", "build_plan", "called", "check_heartbeats", "check_services", "compile_plan", "examine_plan"]

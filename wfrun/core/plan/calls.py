"""Which services and actions a plan calls, and whether there are any such."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from wfrun.core.plan.draft import nearest
from wfrun.core.plan.nodes import Call, Plan, walk
from wfrun.errors import Problem


def called(plan: Plan) -> dict[str, frozenset[str]]:
    """Service → the actions of it that are called, by steps and compensations."""
    found: dict[str, set[str]] = {}
    for call in _calls(plan):
        if call.service:
            found.setdefault(call.service, set()).add(call.action)
    return {service: frozenset(actions) for service, actions in found.items()}


def check_services(plan: Plan, services: Mapping[str, frozenset[str] | None]) -> list[Problem]:
    """Calls of services or actions that do not exist. `services` names the known actions of each; None: not known."""
    problems: list[Problem] = []
    for call in _calls(plan):
        place = plan.document.place
        if not call.service:
            continue  # what is written there has been refused
        if call.service not in services:
            message = f"no service {call.service!r} is configured"
            hint = nearest(call.service, services) or "configure it under `services:` or with --services"
            problems.append(Problem("plan.unknown-service", message, place((*call.path, "service")), hint))
            continue
        actions = services[call.service]
        if actions is not None and call.action and call.action not in actions:
            message = f"service {call.service!r} has no action {call.action!r}"
            hint = nearest(call.action, actions) or f"it has {', '.join(sorted(actions)) or 'none'}"
            problems.append(Problem("plan.unknown-action", message, place((*call.path, "action")), hint))
    return problems


def check_heartbeats(plan: Plan, silent: Collection[str]) -> Iterator[Problem]:
    """Calls of `silent` services, of which no sign of life will ever come, that wait for one."""
    for call in _calls(plan) if silent else ():
        if call.heartbeat is not None and call.service in silent:
            message = (
                f"service {call.service!r} gives no sign of life before its answer, so no attempt could last longer"
            )
            place = plan.document.place((*call.path, "heartbeat"))
            yield Problem("plan.heartbeat", message, place, "write `timeout` instead")


def _calls(plan: Plan) -> Iterator[Call]:
    for step in walk(plan.root):
        if isinstance(step, Call):
            yield step
        yield from step.compensation

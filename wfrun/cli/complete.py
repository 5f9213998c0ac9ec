"""What a shell offers for ids. Completion never fails aloud: a broken state directory offers nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from wfrun.errors import WfrunError

OFFERED = 50


def executions(incomplete: str) -> list[tuple[str, str]]:
    from wfrun.app import reading

    try:
        found = reading.executions(reading.open_home(None), status=None, workflow=None, limit=OFFERED, since=None)
    except WfrunError:
        return []
    return [
        (row["execution"], f"{row['workflow']} {row['status']}")
        for row in found
        if row["execution"].startswith(incomplete)
    ]


def tasks(incomplete: str) -> list[tuple[str, str]]:
    from wfrun.app import reading

    try:
        found = reading.tasks(reading.open_home(None), None)
    except WfrunError:
        return []
    return [(task["task"], task["title"]) for task in found if task["task"].startswith(incomplete)][:OFFERED]


def steps(ctx: Any, incomplete: str) -> list[tuple[str, str]]:
    """Those of the execution that has been typed before."""
    from wfrun.app import reading

    try:
        view = reading.status(reading.open_home(None), ctx.params.get("execution") or "")
    except WfrunError:
        return []
    shown = [row for step in view["steps"] for row in (step.get("iterations", {}).get("shown") or [step])]
    return [(row["step"], str(row["status"])) for row in shown if row["step"].startswith(incomplete)][:OFFERED]


COMPLETERS: dict[str, Callable[..., list[tuple[str, str]]]] = {
    "executions": executions,
    "tasks": tasks,
    "steps": steps,
}

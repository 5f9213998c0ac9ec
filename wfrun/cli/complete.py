"""What a shell offers for ids. Completion never fails aloud: a broken state directory offers nothing."""

from __future__ import annotations

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


COMPLETERS = {"executions": executions, "tasks": tasks}

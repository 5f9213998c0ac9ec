from typing import Annotated

from wfrun.cli.declare import AsJson, Home, Opt
from wfrun.errors import UsageError

EXAMPLE = "wfrun list --status failed --since 2d"


def command(
    status: Annotated[str | None, Opt(("--status",), "Only those with this status.", "STATUS")] = None,
    workflow: Annotated[str | None, Opt(("--workflow",), "Only those of this workflow.", "NAME")] = None,
    since: Annotated[str | None, Opt(("--since",), "Started since: an age (2h, 7d) or an instant.", "TIME")] = None,
    where: Annotated[
        str | None, Opt(("--where",), "Only those that a condition fits: 'error == timeout'.", "CONDITION")
    ] = None,
    limit: Annotated[int, Opt(("--limit", "-n"), "At most so many.", "N")] = 20,
    home: Home = None,
    as_json: AsJson = False,
) -> int:
    """List executions, newest first."""
    from wfrun.app import reading
    from wfrun.cli.invoke import print_json
    from wfrun.cli.render.lists import execution_table

    _check_status(status)
    if limit < 0:
        raise UsageError("usage.limit", f"{limit} is not a number of executions")
    found = reading.executions(
        reading.open_home(home), status=status, workflow=workflow, limit=limit, since=_instant(since), where=where
    )
    if as_json:
        print_json({"executions": found})
    else:
        print("\n".join(execution_table(found)) if found else "No executions.")
    return 0


def _check_status(status: str | None) -> None:
    from wfrun.views.model import EXECUTION_STATUSES

    if status is not None and status not in EXECUTION_STATUSES:
        known = ", ".join(EXECUTION_STATUSES)
        raise UsageError("usage.status", f"`{status}` is not a status", hint=f"one of {known}")


def _instant(since: str | None) -> str | None:
    if since is None:
        return None
    from datetime import UTC, datetime

    from wfrun.views.instants import since_instant

    return since_instant(since, datetime.now(UTC))

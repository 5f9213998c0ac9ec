from typing import Annotated

from wfrun.cli.declare import AsJson, Home, Opt
from wfrun.errors import UsageError

EXAMPLE = "wfrun gc --older-than 30d --dry-run"


def command(
    older_than: Annotated[str, Opt(("--older-than",), "Only what ended longer ago: 12h, 30d.", "AGE")] = "30d",
    status: Annotated[
        str, Opt(("--status",), "Only these, with commas between them.", "STATUS,...")
    ] = "completed,compensated,cancelled",
    dry_run: Annotated[bool, Opt(("--dry-run",), "Only say what would be removed.")] = False,
    home: Home = None,
    as_json: AsJson = False,
) -> int:
    """Remove executions that ended long ago, with their children and what nobody else names. Their heads are kept."""
    from datetime import UTC, datetime

    from wfrun.app import collecting, reading
    from wfrun.cli.invoke import print_json
    from wfrun.cli.render.audit import collected_lines
    from wfrun.core.instants import parse_instant
    from wfrun.views.instants import since_instant

    statuses = [name.strip() for name in status.split(",")]
    known = (*collecting.OVER, *collecting.ON_REQUEST)
    for name in statuses:
        if name not in known:
            hint = f"of {', '.join(known)}; what runs or waits is never removed, `wfrun cancel` ends it"
            raise UsageError("usage.status", f"`{name}` cannot be removed", hint=hint)
    before = parse_instant(since_instant(older_than, datetime.now(UTC)))
    found = collecting.collect(reading.open_home(home), before, statuses, dry_run=dry_run)
    if as_json:
        print_json(found)
    else:
        print("\n".join(collected_lines(found)))
    return 0

from typing import Annotated

from wfrun.cli.commands.repairs import By, DryRun, Reason
from wfrun.cli.declare import Arg, AsJson, Home, Opt, Quiet, Services

EXAMPLE = "wfrun resume k7m2"

Chosen = Annotated[
    str | None, Arg("Execution id, or a unique beginning of one; none with --where.", "EXECUTION", "executions")
]


def command(
    execution: Chosen = None,
    file: Annotated[str | None, Opt(("--with",), "Go on with this workflow instead: a corrected one.", "FILE")] = None,
    where: Annotated[
        str | None,
        Opt(("--where",), "All that a condition fits: 'status == failed and error == timeout'.", "CONDITION"),
    ] = None,
    limit: Annotated[int | None, Opt(("--limit", "-n"), "With --where: at most so many, newest first.", "N")] = None,
    dry_run: DryRun = False,
    wait: Annotated[bool, Opt(("--wait",), "Stay until the end, even while people or events are waited for.")] = False,
    by: By = None,
    reason: Reason = "",
    services: Services = None,
    home: Home = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> int:
    """Drive an execution on from where it stopped. What failed is tried again, what has completed does not run again.

    One that needs attention has the compensations that failed tried again, and only those. With --where, many at once:
    a line for each, and the exit code of the worst outcome.
    """
    from wfrun.cli.commands.repairs import Manner
    from wfrun.cli.commands.resuming import check_usage, resume_many, resume_one

    check_usage(execution, file, where, limit, wait)
    manner = Manner(home, services, by, reason, dry_run, as_json, quiet)
    return resume_many(str(where), limit, manner) if execution is None else resume_one(execution, file, wait, manner)

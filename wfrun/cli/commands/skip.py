from typing import Annotated

from wfrun.cli.commands.repairs import By, DryRun, Reason, Step
from wfrun.cli.declare import AsJson, Execution, Home, Opt, Quiet, Services

EXAMPLE = "wfrun skip k7m2 update-crm --reason 'entered by hand'"


def command(
    execution: Execution,
    step: Step,
    output: Annotated[
        str | None, Opt(("--output",), "What it gives: JSON, @FILE with JSON, or text (else nothing).", "VALUE")
    ] = None,
    dry_run: DryRun = False,
    by: By = None,
    reason: Reason = "",
    services: Services = None,
    home: Home = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> int:
    """Go on without a step that failed, or that waits. It counts as done, and there is nothing of it to undo."""
    from wfrun.app.repairing import Ask
    from wfrun.cli.commands.repairs import Manner, give, repair, value_of
    from wfrun.core.expression import MISSING

    ask = Ask("skip", step, MISSING if output is None else value_of(output))
    manner = Manner(home, services, by, reason, dry_run, as_json, quiet)
    return repair(execution, ask, manner) if output is None else give(execution, ask, manner)

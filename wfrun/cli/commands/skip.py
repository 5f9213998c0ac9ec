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
    """Go on without a step that failed, or that waits. It counts as done, and there is nothing of it to undo.

    With `compensate:STEP`, a compensation that can never succeed: what the step has done stays.
    """
    from wfrun.app import reading, repairing
    from wfrun.cli.commands.repairs import Manner, carry_out, give, repair, value_of
    from wfrun.errors import UsageError

    manner = Manner(home, services, by, reason, dry_run, as_json, quiet)
    if not step.startswith("compensate:"):
        if output is None:
            return repair(execution, repairing.Ask("skip", step), manner)
        return give(execution, repairing.Ask("skip", step, value_of(output)), manner)
    if output is not None:
        raise UsageError("usage.skip", "a compensation gives nothing: --output is for other steps")
    prepared = repairing.prepare_waiver(reading.open_home(home), execution, step)
    return carry_out(prepared, manner, aim="partly-compensated")

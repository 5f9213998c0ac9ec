from typing import Annotated

from wfrun.cli.commands.repairs import By, DryRun, Reason
from wfrun.cli.declare import AsJson, Execution, Home, Opt, Quiet, Services

EXAMPLE = "wfrun compensate k7m2 --reason 'returned by the customer'"


def command(
    execution: Execution,
    to: Annotated[
        str | None, Opt(("--to",), "Undo only what came after this step, and pause there.", "STEP", "steps")
    ] = None,
    dry_run: DryRun = False,
    by: By = None,
    reason: Reason = "",
    services: Services = None,
    home: Home = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> int:
    """Undo what an execution has done, last thing first. Exits 0 once it is undone, or paused behind the step."""
    from wfrun.app import reading, repairing
    from wfrun.cli.commands.repairs import Manner, carry_out

    opened = reading.open_home(home)
    if to is None:
        prepared, aim = repairing.prepare_compensation(opened, execution), "compensated"
    else:
        ask = repairing.Ask("compensate", to)
        prepared, aim = repairing.prepare(opened, execution, ask, services), "paused"
    return carry_out(prepared, Manner(home, services, by, reason, dry_run, as_json, quiet), aim=aim)

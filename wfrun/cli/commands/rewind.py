from typing import Annotated

from wfrun.cli.commands.repairs import By, DryRun, Reason, Step
from wfrun.cli.declare import AsJson, Execution, Home, Opt, Quiet, Services

EXAMPLE = "wfrun rewind k7m2 reserve-inventory --dry-run"


def command(
    execution: Execution,
    step: Step,
    keep: Annotated[bool, Opt(("--keep",), "Undo nothing: what was done stays, and is done once more.")] = False,
    dry_run: DryRun = False,
    by: By = None,
    reason: Reason = "",
    services: Services = None,
    home: Home = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> int:
    """Go back to a step: undo it and what came after it, last thing first, and run it again and what follows."""
    from wfrun.app.repairing import Ask
    from wfrun.cli.commands.repairs import Manner, repair

    ask = Ask("rewind", step, keep=keep)
    return repair(execution, ask, Manner(home, services, by, reason, dry_run, as_json, quiet))

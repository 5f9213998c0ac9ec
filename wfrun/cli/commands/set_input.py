from typing import Annotated

from wfrun.cli.commands.repairs import By, DryRun, Reason, Step
from wfrun.cli.declare import Arg, AsJson, Execution, Home, Quiet, Services

EXAMPLE = "wfrun set-input k7m2 create-shipment @address.json --reason 'the street was wrong'"


def command(
    execution: Execution,
    step: Step,
    value: Annotated[str, Arg("What to call the step with: JSON, @FILE with JSON, or text.", "VALUE")],
    dry_run: DryRun = False,
    by: By = None,
    reason: Reason = "",
    services: Services = None,
    home: Home = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> int:
    """Run a step again with this input, and what comes after it. What is done is undone first, last thing first."""
    from wfrun.app.repairing import Ask
    from wfrun.cli.commands.repairs import Manner, repair, value_of

    ask = Ask("set-input", step, value_of(value))
    return repair(execution, ask, Manner(home, services, by, reason, dry_run, as_json, quiet))

from typing import Annotated

from wfrun.cli.commands.repairs import By, DryRun, Reason, Step
from wfrun.cli.declare import Arg, AsJson, Execution, Home, Quiet, Services

EXAMPLE = "wfrun set-output k7m2 process-payment '{\"chargeId\": \"ch-77\"}' --reason 'charged by phone'"


def command(
    execution: Execution,
    step: Step,
    value: Annotated[str, Arg("What the step has given: JSON, @FILE with JSON, or text.", "VALUE")],
    dry_run: DryRun = False,
    by: By = None,
    reason: Reason = "",
    services: Services = None,
    home: Home = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> int:
    """Say that a step has been done, and what it has given. What it has done is undone with the rest, if that fails.

    What has seen another output of it runs again.
    """
    from wfrun.app.repairing import Ask
    from wfrun.cli.commands.repairs import Manner, give, value_of

    ask = Ask("set-output", step, value_of(value))
    return give(execution, ask, Manner(home, services, by, reason, dry_run, as_json, quiet))

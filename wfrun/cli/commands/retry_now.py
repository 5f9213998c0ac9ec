from typing import Annotated

from wfrun.cli.commands.repairs import By, Reason
from wfrun.cli.declare import Arg, AsJson, Execution, Home, Quiet, Services

EXAMPLE = "wfrun retry-now k7m2"


def command(
    execution: Execution,
    step: Annotated[
        str | None, Arg("Step that waits for a time (else all that wait for a further attempt).", "STEP", "steps")
    ] = None,
    by: By = None,
    reason: Reason = "",
    services: Services = None,
    home: Home = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> int:
    """Do not wait any longer: make the next attempt at once, call again what was lost, or end the wait of a step."""
    from wfrun.app import answering, reading
    from wfrun.cli.commands.answers import answer
    from wfrun.cli.values import current_user

    place, who = reading.open_home(home), by or current_user()
    return answer(
        lambda way: answering.retry_now(place, execution, step, by=who, reason=reason, way=way),
        services,
        command="retry-now",
        as_json=as_json,
        quiet=quiet,
    )

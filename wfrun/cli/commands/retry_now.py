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
    """Do not wait any longer: make the next attempt at once, or end the wait of a step for a time."""
    from wfrun.app import reading, repairing
    from wfrun.app.onward import Way
    from wfrun.cli.outcome import finish
    from wfrun.cli.render.progress import progress_for
    from wfrun.cli.streams import reserve
    from wfrun.cli.values import current_user

    reserve()
    with progress_for(silent=as_json or quiet) as progress:
        outcome = repairing.retry_now(
            reading.open_home(home),
            execution,
            step,
            by=by or current_user(),
            reason=reason,
            way=Way(services, observer=progress.observe),
        )
    return finish(outcome.view, note=outcome.note, as_json=as_json, quiet=quiet)

from typing import Annotated

from wfrun.cli.declare import AsJson, Execution, Home, Opt, Quiet, Services

EXAMPLE = "wfrun resume k7m2"


def command(
    execution: Execution,
    services: Services = None,
    wait: Annotated[bool, Opt(("--wait",), "Stay until the end, even while people are waited for.")] = False,
    home: Home = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> int:
    """Drive an interrupted execution on from where it stopped. What has completed does not run again.

    One that needs attention has the compensations that failed tried again, and only those.
    """
    from wfrun.app import driving, reading
    from wfrun.app.onward import Way
    from wfrun.cli.outcome import finish
    from wfrun.cli.render.progress import progress_for
    from wfrun.cli.streams import reserve
    from wfrun.cli.values import current_user

    reserve()
    with progress_for(silent=as_json or quiet) as progress:
        outcome = driving.resume(
            reading.open_home(home),
            execution,
            by=current_user(),
            way=Way(services, wait, progress.observe),
        )
    return finish(outcome.view, note=outcome.note, as_json=as_json, quiet=quiet)

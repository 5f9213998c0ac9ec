from typing import Annotated

from wfrun.cli.declare import AsJson, Execution, Home, Opt, Quiet, Services

EXAMPLE = "wfrun cancel k7m2 --reason 'ordered twice'"


def command(
    execution: Execution,
    reason: Annotated[str, Opt(("--reason",), "Why; it is kept in the journal.", "TEXT")] = "",
    by: Annotated[str | None, Opt(("--as",), "Who cancels (else the login name).", "NAME")] = None,
    services: Services = None,
    home: Home = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> int:
    """Stop an execution and undo what it has done. Exits 0 once it is cancelled."""
    from wfrun.app import driving, reading
    from wfrun.app.onward import Way
    from wfrun.cli.outcome import finish
    from wfrun.cli.render.progress import progress_for
    from wfrun.cli.streams import reserve
    from wfrun.cli.values import current_user

    reserve()
    with progress_for(silent=as_json or quiet) as progress:
        outcome = driving.cancel(
            reading.open_home(home),
            execution,
            by=by or current_user(),
            reason=reason,
            way=Way(services, observer=progress.observe),
        )
    code = finish(outcome.view, note=outcome.note, as_json=as_json, quiet=quiet)
    return 0 if outcome.status == "cancelled" else code

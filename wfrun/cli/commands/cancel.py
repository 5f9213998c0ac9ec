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
    from wfrun.cli.commands.answers import answer
    from wfrun.cli.values import current_user

    place, who = reading.open_home(home), by or current_user()
    return answer(
        lambda way: driving.cancel(place, execution, by=who, reason=reason, way=way),
        services,
        command="cancel",
        as_json=as_json,
        quiet=quiet,
        aim="cancelled",
    )

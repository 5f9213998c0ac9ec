from wfrun.cli.declare import AsJson, Execution, Home

EXAMPLE = "wfrun status k7m2"


def command(execution: Execution, home: Home = None, as_json: AsJson = False) -> int:
    """Show how far an execution is: steps, attempts, errors, who is waited for."""
    from wfrun.app import reading
    from wfrun.cli.invoke import print_json
    from wfrun.cli.render.status import status_lines

    view = reading.status(reading.open_home(home), execution)
    if as_json:
        print_json(view)
    else:
        print("\n".join(status_lines(view)))
    return 0

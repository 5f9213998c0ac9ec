from typing import Annotated

from wfrun.cli.declare import AsJson, Execution, Home, Opt

EXAMPLE = "wfrun log k7m2 --follow"


def command(
    execution: Execution,
    raw: Annotated[bool, Opt(("--raw",), "The journal's own lines.")] = False,
    follow: Annotated[bool, Opt(("--follow", "-f"), "Go on with what happens from now on, until the end.")] = False,
    home: Home = None,
    as_json: AsJson = False,
) -> int:
    """Show what happened, record by record."""
    from wfrun.app import reading
    from wfrun.cli.invoke import print_json_line
    from wfrun.cli.render.lists import moment_line
    from wfrun.views.timeline import timeline

    opened = reading.open_home(home)
    records = reading.follow(opened, execution) if follow else reading.records(opened, execution)
    if raw:
        for record in records:
            print(reading.line_of(record), flush=follow)
        return 0
    for moment in timeline(records):
        if as_json:
            print_json_line(moment)
        else:
            print(moment_line(moment), flush=follow)
    return 0

from typing import Annotated

from wfrun.cli.declare import AsJson, Home, Opt

EXAMPLE = "wfrun tasks --assignee loan-managers"


def command(
    assignee: Annotated[str | None, Opt(("--assignee",), "Only those for this person or group.", "NAME")] = None,
    home: Home = None,
    as_json: AsJson = False,
) -> int:
    """List the tasks that wait for people."""
    from wfrun.app import reading
    from wfrun.cli.invoke import print_json
    from wfrun.cli.render.tasks import task_table, unknown_table

    place = reading.open_home(home)
    found = reading.tasks(place, assignee)
    unknown = reading.unknown(place) if assignee is None else []
    if as_json:
        print_json({"tasks": found, "unknown": unknown})
    else:
        print("\n".join([*(task_table(found) if found else ["No open tasks."]), *unknown_table(unknown)]))
    return 0

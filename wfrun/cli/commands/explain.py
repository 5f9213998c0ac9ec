from typing import Annotated

from wfrun.cli.declare import Arg, AsJson, Execution, Home

EXAMPLE = "wfrun explain k7m2 process-payment"


def command(
    execution: Execution,
    step: Annotated[str | None, Arg("A step, or one iteration of it: ship@3.", "STEP")] = None,
    home: Home = None,
    as_json: AsJson = False,
) -> int:
    """Say why an execution stands as it does, or a step ran, was skipped, waits, was retried, failed or was undone."""
    from wfrun.app import explaining, reading
    from wfrun.cli.invoke import print_json
    from wfrun.cli.render.explain import explanation_lines

    found = explaining.explain(reading.open_home(home), execution, step)
    if as_json:
        print_json(found)
    else:
        print("\n".join(explanation_lines(found)))
    return 0

from typing import Annotated

from wfrun.cli.declare import Arg, AsJson, Home, Opt, Quiet, Services

EXAMPLE = "wfrun run order.yaml --input order.json --set priority=high"


def command(
    workflow: Annotated[str, Arg("Workflow file.", "WORKFLOW")],
    input: Annotated[
        str | None, Opt(("--input", "-i"), "Input: a JSON file, - for standard input, or JSON.", "INPUT")
    ] = None,
    sets: Annotated[
        tuple[str, ...], Opt(("--set",), "Set one input value, over --input; a.b=1 nests.", "KEY=VALUE")
    ] = (),
    id: Annotated[
        str | None, Opt(("--id",), "Execution id; the same id and input again is the same execution.", "ID")
    ] = None,
    services: Services = None,
    wait: Annotated[bool, Opt(("--wait",), "Stay until the end, even while people or events are waited for.")] = False,
    home: Home = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> int:
    """Start a workflow and drive it to its end. Stops, with exit code 4, where a person has to decide."""
    from wfrun.app import driving, reading
    from wfrun.app.onward import Way
    from wfrun.cli.outcome import finish
    from wfrun.cli.render.progress import progress_for
    from wfrun.cli.streams import reserve
    from wfrun.cli.values import current_user, read_or_refuse

    value = read_or_refuse(input, sets)
    reserve()
    with progress_for(silent=as_json or quiet) as progress:
        outcome = driving.run(
            reading.open_home(home),
            workflow=workflow,
            input=value,
            execution=id,
            initiator=current_user(),
            way=Way(services, wait, progress.observe),
        )
    return finish(outcome.view, note=outcome.note, as_json=as_json, quiet=quiet)

from typing import Annotated

from wfrun.cli.declare import Arg, AsJson, Home, Opt, Services

EXAMPLE = "wfrun emit payment.received --data order=7 --data amount=12.5 --id stripe-4711"


def command(
    event: Annotated[str, Arg("The event's name, as `wait` steps have it.", "EVENT")],
    data: Annotated[tuple[str, ...], Opt(("--data",), "A value of the event's data; a.b=1 nests.", "KEY=VALUE")] = (),
    data_file: Annotated[
        str | None, Opt(("--data-file",), "The event's data: a JSON file, - for standard input, or JSON.", "FILE")
    ] = None,
    id: Annotated[
        str | None, Opt(("--id",), "The event's id: emitted again, it counts once (else a new one).", "ID")
    ] = None,
    to: Annotated[
        str | None,
        Opt(("--to",), "Only for this execution (else for all that wait for it).", "EXECUTION", "executions"),
    ] = None,
    by: Annotated[str | None, Opt(("--as",), "Who emits it, kept as its source (else the login name).", "NAME")] = None,
    no_resume: Annotated[bool, Opt(("--no-resume",), "Only record the event; drive nothing.")] = False,
    services: Services = None,
    home: Home = None,
    as_json: AsJson = False,
    quiet: Annotated[bool, Opt(("--quiet", "-q"), "Print only the ids of the executions.")] = False,
) -> int:
    """Make an event known to the executions that wait for it, or will, and drive them on.

    It is kept for a step that comes to wait for it later. Exits 0 even if no execution listens for such events.
    """
    from wfrun.app import driving, reading
    from wfrun.app.onward import Way
    from wfrun.cli.invoke import print_json
    from wfrun.cli.outcome import tell_loss
    from wfrun.cli.render.emitted import emitted_lines
    from wfrun.cli.render.progress import progress_for
    from wfrun.cli.streams import ours, reserve
    from wfrun.cli.values import DATA, current_user, read_input

    value = read_input(data_file, data, DATA)
    reserve()
    with progress_for(silent=as_json or quiet) as progress:
        emitted = driving.emit(
            reading.open_home(home),
            event,
            data=value,
            id=id,
            to=to,
            source=by or current_user(),
            resume=not no_resume,
            way=Way(services, observer=progress.observe),
        )
    if as_json:
        print_json({"event": emitted.event, "reached": emitted.reached})
    else:
        lines = emitted.reached if quiet else emitted_lines(emitted.event, emitted.reached)
        print("\n".join(lines), file=ours(), end="\n" if lines else "")
    tell_loss()
    return 0

import sys
from typing import Annotated

from wfrun.cli.declare import Arg, AsJson, Home, Opt, Services
from wfrun.errors import InvalidError, JournalError, UsageError

EXAMPLE = "wfrun batch order.yaml --inputs orders.jsonl --concurrency 50"

# A batch ends with the code of its worst outcome. Worst is what needs a person most.
WORST_FIRST = (
    "stopped",
    "needs-attention",
    "paused",
    "interrupted",
    "refused",
    "failed",
    "partly-compensated",
    "compensated",
    "cancelled",
    "waiting",
    "running",
    "completed",
)


def command(
    workflow: Annotated[str, Arg("Workflow file.", "WORKFLOW")],
    inputs: Annotated[str, Opt(("--inputs",), "One JSON input on each line; - for standard input.", "FILE")],
    concurrency: Annotated[int, Opt(("--concurrency", "-c"), "Executions at a time.", "N")] = 50,
    id: Annotated[
        str | None,
        Opt(("--id",), "What to make ids of, such as '$.order.id'; run again, the batch goes on.", "TEMPLATE"),
    ] = None,
    services: Services = None,
    home: Home = None,
    as_json: AsJson = False,
    quiet: Annotated[bool, Opt(("--quiet", "-q"), "Print only the totals.")] = False,
) -> int:
    """Run a workflow once for each input. Exits 0 if all completed, else with the code of the worst outcome."""
    from wfrun.app import batching, reading
    from wfrun.cli.render.batch import BatchReport
    from wfrun.cli.streams import reserve
    from wfrun.cli.values import current_user, read_lines

    at_once = _checked_concurrency(concurrency)
    reserve()
    with BatchReport(inputs, as_json=as_json, quiet=quiet) as report:
        complete = batching.batch(
            reading.open_home(home),
            workflow=workflow,
            inputs=read_lines(inputs),
            concurrency=at_once,
            services=services,
            initiator=current_user(),
            id=id,
            finished=report.finished,
        )
    report.totals()
    if not complete:
        hint = "free space or repair the disk; with --id, a batch that is run again goes on where it stopped"
        _warn("batch.stopped", "nothing more was begun once the state directory had failed", hint)
    return exit_code(report.counts)


def _checked_concurrency(wanted: int) -> int:
    """As many at a time as wanted, or as the files that may be open suffice for, which is told."""
    from wfrun.app.descriptors import affordable

    if wanted < 1:
        raise UsageError("usage.concurrency", f"{wanted} executions at a time are none", hint="give 1 or more")
    possible = affordable(wanted)
    if possible < wanted:
        message = f"{possible} at a time, not {wanted}: this process may not have enough files open for more"
        _warn("batch.concurrency", message, "`ulimit -n` shows how many, and sets it")
    return possible


def _warn(code: str, message: str, hint: str) -> None:
    from wfrun.cli.invoke import problem_text
    from wfrun.errors import Problem

    print(problem_text(Problem(code, message, hint=hint, severity="warning")), file=sys.stderr)


def exit_code(counts: dict[str, int], refused: int = InvalidError.exit_code) -> int:
    """`refused` counts what was not accepted, `stopped` what wfrun had to let go; all else is a status."""
    from wfrun.cli.invoke import EXIT_CODES

    codes = {**EXIT_CODES, "refused": refused, "stopped": JournalError.exit_code}
    return next((codes[outcome] for outcome in WORST_FIRST if counts.get(outcome)), 0)

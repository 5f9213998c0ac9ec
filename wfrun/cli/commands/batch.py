from __future__ import annotations

from typing import Annotated

from wfrun.cli.declare import Arg, AsJson, Home, Opt, Services
from wfrun.errors import InvalidError, UsageError

EXAMPLE = "wfrun batch order.yaml --inputs orders.jsonl --concurrency 50"

# A batch ends with the code of its worst outcome. Worst is what needs a person most.
WORST_FIRST = (
    "needs-attention",
    "interrupted",
    "refused",
    "failed",
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
    from wfrun.cli.values import current_user, read_lines

    if concurrency < 1:
        raise UsageError("usage.concurrency", f"{concurrency} executions at a time are none", hint="give 1 or more")
    with BatchReport(inputs, as_json=as_json, quiet=quiet) as report:
        batching.batch(
            reading.open_home(home),
            workflow=workflow,
            inputs=read_lines(inputs),
            concurrency=concurrency,
            services=services,
            initiator=current_user(),
            id=id,
            finished=report.finished,
        )
    report.totals()
    return exit_code(report.counts)


def exit_code(counts: dict[str, int]) -> int:
    """`refused` counts inputs that were not accepted; everything else is a status."""
    from wfrun.cli.invoke import EXIT_CODES

    codes = {**EXIT_CODES, "refused": InvalidError.exit_code}
    return next((codes[outcome] for outcome in WORST_FIRST if counts.get(outcome)), 0)

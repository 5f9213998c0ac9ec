from typing import Annotated

from wfrun.cli.declare import Opt, Services
from wfrun.errors import UsageError

EXAMPLE = "wfrun worker --engine temporal --address localhost:7233 --services services.yaml"


def command(
    services: Services = None,
    calls: Annotated[int, Opt(("--calls",), "Calls at a time.", "N")] = 100,
    cached: Annotated[int, Opt(("--cached",), "Executions kept in memory.", "N")] = 1000,
    drain: Annotated[int, Opt(("--drain",), "Seconds that calls have to end when it is told to stop.", "N")] = 30,
) -> int:
    """Work on executions of an engine that has workers, until it is told to stop. Start as many as are needed."""
    import os

    from wfrun.cli.engine import OPTIONS

    if os.environ.get(OPTIONS["--engine"], "local") == "local":
        hint = "executions of the local engine are driven by `wfrun run`, `resume` and the like"
        raise UsageError("usage.engine", "the local engine has no workers; say --engine temporal", hint=hint)
    for name, number in (("--calls", calls), ("--cached", cached)):
        if number < 1:
            raise UsageError("usage.concurrency", f"{name} must be 1 or more")
    from wfrun.app.working import work

    return work(services, calls=calls, cached=cached, drain=max(0, drain))

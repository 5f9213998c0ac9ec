from wfrun.cli.commands.checked import Format, Workflows
from wfrun.cli.declare import AsJson, Services

EXAMPLE = "wfrun validate order.yaml"


def command(workflow: Workflows, services: Services = None, format: Format = "text", as_json: AsJson = False) -> int:
    """Check workflows without running them. Every problem is shown with its line and what to do; exits 3 on errors."""
    from functools import partial

    from wfrun.app import authoring
    from wfrun.cli.commands.checked import check

    examine = partial(authoring.validate, services=services)
    return check(workflow, examine, lambda problem: problem.severity == "error", format, as_json)

from typing import Annotated

from wfrun.cli.commands.checked import Format, Workflows
from wfrun.cli.declare import AsJson, Opt, Services

EXAMPLE = "wfrun lint workflows/*/*.yaml --format github"


def command(
    workflow: Workflows,
    services: Services = None,
    strict: Annotated[bool, Opt(("--strict",), "Advice counts as much as errors do: exit 3.")] = False,
    format: Format = "text",
    as_json: AsJson = False,
) -> int:
    """Check workflows as `validate` does, and give advice besides. Advice alone exits 0; `--strict` makes it count."""
    from functools import partial

    from wfrun.app import authoring
    from wfrun.cli.commands.checked import check
    from wfrun.errors import Problem

    def refuses(problem: Problem) -> bool:
        return problem.severity == "error" or (strict and authoring.counts_as_advice(problem))

    return check(workflow, partial(authoring.lint, services=services), refuses, format, as_json)

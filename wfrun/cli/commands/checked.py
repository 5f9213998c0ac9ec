"""What `validate` and `lint` share: several files, and the formats in which to tell what is wrong with them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Annotated

from wfrun.cli.declare import Arg, Opt
from wfrun.errors import InvalidError, UsageError

if TYPE_CHECKING:
    from wfrun.errors import Problem

FORMATS = ("text", "json", "github", "sarif")

Workflows = Annotated[tuple[str, ...], Arg("Workflow files.", "WORKFLOW...")]
Format = Annotated[str, Opt(("--format",), "How to tell it: text, json, github (annotations) or sarif.", "FORMAT")]


def check(
    workflows: tuple[str, ...],
    examine: Callable[[str], list[Problem]],
    refuses: Callable[[Problem], bool],
    format: str,
    as_json: bool,
) -> int:
    """Examine each file and tell what was found. `refuses` says for which problems a workflow is not valid."""
    if format not in FORMATS:
        raise UsageError("usage.format", f"there is no format {format!r}", hint=f"it is one of {', '.join(FORMATS)}")
    found = {workflow: examine(workflow) for workflow in workflows}
    _print(found, refuses, "json" if as_json else format)
    return (
        InvalidError.exit_code if any(map(refuses, (each for problems in found.values() for each in problems))) else 0
    )


def _print(found: Mapping[str, list[Problem]], refuses: Callable[[Problem], bool], format: str) -> None:
    from wfrun.cli.invoke import print_json
    from wfrun.cli.render import problems, sarif

    if format == "json":
        print_json(problems.as_data(found, refuses))
    elif format == "sarif":
        print_json(sarif.log(found))
    else:
        lines = problems.annotation_lines(found) if format == "github" else problems.lines(found, refuses)
        for line in lines:
            print(line)

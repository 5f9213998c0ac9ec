"""What the audit commands share: which executions, and where they lie."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

from wfrun.cli.declare import Arg, Opt
from wfrun.errors import JournalError, UsageError

if TYPE_CHECKING:
    from wfrun.app.evidence import Evidence

Subjects = Annotated[
    tuple[str, ...],
    Arg("Executions, or journals, folders and bundles by their paths.", "EXECUTION|PATH...", "executions"),
]
Everything = Annotated[bool, Opt(("--all",), "Everything in the state directory.")]
DAMAGED = JournalError.exit_code


def evidence(home: str | None, subjects: Sequence[str], everything: bool) -> "list[Evidence]":
    from wfrun.app import reading
    from wfrun.app.evidence import evidence_of

    if bool(subjects) == everything:
        message = "name executions, or say --all" if not subjects else "with --all nothing is to be named"
        raise UsageError("usage.audit", message)
    return evidence_of(reading.open_home(home), subjects, everything=everything)

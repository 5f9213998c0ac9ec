"""What `approve` and `reject` share: the options of a decision, and making it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from wfrun.cli.declare import Opt
from wfrun.errors import UsageError

if TYPE_CHECKING:
    from wfrun.core.values import Json

Decision = Annotated[str, Opt(("--decision",), "Another of the decisions that the task offers.", "WORD")]
Data = Annotated[tuple[str, ...], Opt(("--data",), "A value of the task's form; a.b=1 nests.", "KEY=VALUE")]
DataFile = Annotated[
    str | None, Opt(("--data-file",), "The form's values: a JSON file, or - for standard input.", "FILE")
]
Comment = Annotated[str, Opt(("--comment",), "Why; it is kept with the decision.", "TEXT")]
As = Annotated[str | None, Opt(("--as",), "Who decides (else the login name).", "NAME")]
NoResume = Annotated[bool, Opt(("--no-resume",), "Only record the decision; drive nothing.")]


def decide(
    task: str,
    decision: str,
    data: tuple[str, ...],
    data_file: str | None,
    comment: str,
    by: str | None,
    no_resume: bool,
    services: str | None,
    home: str | None,
    as_json: bool,
    quiet: bool,
) -> int:
    from wfrun.app import driving, reading
    from wfrun.app.onward import Way
    from wfrun.cli.outcome import finish
    from wfrun.cli.render.progress import progress_for
    from wfrun.cli.streams import reserve
    from wfrun.cli.values import current_user

    values = _form_values(data, data_file)
    reserve()
    with progress_for(silent=as_json or quiet) as progress:
        outcome = driving.decide(
            reading.open_home(home),
            task,
            decision=decision,
            by=by or current_user(),
            comment=comment,
            data=values,
            resume=not no_resume,
            way=Way(services, observer=progress.observe),
        )
    code = finish(outcome.view, note=outcome.note, as_json=as_json, quiet=quiet)
    return 0 if no_resume else code


def _form_values(pairs: tuple[str, ...], file: str | None) -> dict[str, Json]:
    from wfrun.cli.values import DATA, read_input

    values = read_input(file, pairs, DATA)
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise UsageError("usage.data", "a form's values are an object, not a list or a scalar")
    return values

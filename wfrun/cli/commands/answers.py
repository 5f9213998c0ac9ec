"""What the commands share by which a person says something about an execution: they then show what came of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from wfrun.errors import ConflictError

if TYPE_CHECKING:
    from wfrun.app.onward import Outcome, Way
    from wfrun.core.events import Event


def answer(
    record: Callable[[Way], Outcome],
    services: str | None,
    *,
    command: str,
    as_json: bool,
    quiet: bool,
    aim: str = "completed",
) -> int:
    """Record it, say so, drive the execution on, and show where it stands. 0 if that is where it was aimed at; 2 if it
    has completed although it was not to."""
    from wfrun.app.onward import Way
    from wfrun.cli.outcome import finish
    from wfrun.cli.render.progress import progress_for
    from wfrun.cli.render.repairs import answer_line
    from wfrun.cli.streams import ours, reserve

    def tell(execution: str, facts: Sequence[Event]) -> None:
        if not (as_json or quiet):
            print(answer_line(command, execution, facts), file=ours(), flush=True)

    reserve()
    with progress_for(silent=as_json or quiet) as progress:
        outcome = record(Way(services, observer=progress.observe, told=tell))
    code = finish(outcome.view, note=outcome.note, as_json=as_json, quiet=quiet)
    if outcome.status == "completed" != aim:
        return ConflictError.exit_code
    return 0 if outcome.status == aim else code

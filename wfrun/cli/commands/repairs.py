"""What the commands that repair an execution share: their options, and that they say first what they will do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, NamedTuple, cast

from wfrun.cli.declare import Arg, Opt
from wfrun.errors import UsageError

if TYPE_CHECKING:
    from wfrun.app.repairing import Ask, Prepared, Preview
    from wfrun.core.values import Json

Step = Annotated[str, Arg("Step, as `wfrun status` shows it; in a loop with its iteration: ship@3.", "STEP", "steps")]
By = Annotated[str | None, Opt(("--as",), "Who does it (else the login name).", "NAME")]
Reason = Annotated[str, Opt(("--reason",), "Why; it is kept in the journal.", "TEXT")]
DryRun = Annotated[bool, Opt(("--dry-run",), "Only say what would be set aside, undone and run again.")]


def value_of(text: str) -> Json:
    """JSON, `@FILE` with JSON in it (`@-`: standard input), or any other text as itself."""
    from wfrun.cli.values import parse_value, read_input

    if not text.startswith("@"):
        return parse_value(text)
    if text == "@":
        raise UsageError("usage.value", "`@` names no file", hint="write @FILE, or @- for standard input")
    return read_input(text[1:], ())


class Manner(NamedTuple):
    """How a repair is made: the options that all these commands have."""

    home: str | None
    services: str | None
    by: str | None
    reason: str
    dry_run: bool
    as_json: bool
    quiet: bool


def repair(execution: str, ask: Ask, manner: Manner) -> int:
    """One repair from what was typed to its exit code."""
    from wfrun.app import reading, repairing

    return carry_out(repairing.prepare(reading.open_home(manner.home), execution, ask, manner.services), manner)


def give(execution: str, ask: Ask, manner: Manner) -> int:
    """The same with a value for a step. Of a call that was lost with its runner it says that it happened, and what it
    gave: then there is nothing to repair."""
    from wfrun.app import answering, reading
    from wfrun.cli.commands.answers import answer
    from wfrun.cli.values import current_user

    home, step = reading.open_home(manner.home), ask.step or ""
    if not answering.is_asked(home, execution, step):
        return repair(execution, ask, manner)
    if manner.dry_run:
        return show(answering.foresee(home, execution, ask), as_json=manner.as_json)
    result, who = cast("Json", ask.value), manner.by or current_user()
    return answer(
        lambda way: answering.it_happened(home, execution, step, result, by=who, reason=manner.reason, way=way),
        manner.services,
        command=ask.action,
        as_json=manner.as_json,
        quiet=manner.quiet,
    )


def carry_out(prepared: Prepared, manner: Manner, *, wait: bool = False, aim: str = "completed") -> int:
    """Say what will be done, and do it unless that was all. 0 if the execution comes to stand as it was aimed at."""
    from wfrun.app.onward import Way
    from wfrun.cli.outcome import finish
    from wfrun.cli.render.progress import progress_for
    from wfrun.cli.render.repairs import preview_line
    from wfrun.cli.streams import ours, reserve
    from wfrun.cli.values import current_user

    if manner.dry_run:
        prepared.close()
        return show(prepared.preview, as_json=manner.as_json)
    reserve()
    silent = manner.as_json or manner.quiet
    if not silent:
        print(preview_line(prepared.preview), file=ours(), flush=True)
    with progress_for(silent=silent) as progress:
        way = Way(manner.services, wait, progress.observe)
        outcome = prepared.carry_out(manner.by or current_user(), manner.reason, way)
    code = finish(outcome.view, note=outcome.note, as_json=manner.as_json, quiet=manner.quiet)
    return 0 if outcome.status == aim else code


def show(preview: Preview, *, as_json: bool) -> int:
    from wfrun.cli.invoke import print_json
    from wfrun.cli.render.repairs import preview_lines

    if as_json:
        print_json(preview)
    else:
        print("\n".join(preview_lines(preview)))
    return 0

"""What `resume` does: with one execution, and with many."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wfrun.cli.commands.repairs import Manner
from wfrun.errors import UsageError

if TYPE_CHECKING:
    from wfrun.journal.home import Home
    from wfrun.journal.journal import Journal
    from wfrun.views.model import Summary

AT_ONCE = 50


def check_usage(execution: str | None, file: str | None, where: str | None, limit: int | None, wait: bool) -> None:
    """Raises UsageError for options that make no sense together."""
    if (execution is None) == (where is None):
        hint = "wfrun resume k7m2, or wfrun resume --where 'status == failed'"
        raise UsageError("usage.resume", "name one execution, or choose several with --where", hint=hint)
    if where is not None and (file is not None or wait):
        option = "--wait" if wait else "--with"
        raise UsageError("usage.resume", f"{option} is for one execution, not for --where")
    if where is None and limit is not None:
        raise UsageError("usage.resume", "--limit goes with --where")
    if limit is not None and limit < 0:
        raise UsageError("usage.limit", f"{limit} is not a number of executions")


def resume_one(execution: str, file: str | None, wait: bool, manner: Manner) -> int:
    from wfrun.app import reading, repairing
    from wfrun.cli.commands.repairs import carry_out

    home = reading.open_home(manner.home)
    if file is not None:
        ask = repairing.Ask("replace", file=file)
        return carry_out(repairing.prepare(home, execution, ask, manner.services), manner, wait=wait)
    found = repairing.take_up(home, execution, manner.services)
    if isinstance(found, repairing.Prepared):
        return carry_out(found, manner, wait=wait)
    return _look(home, found, manner) if manner.dry_run else _drive(home, found, wait, manner)


def _look(home: Home, journal: Journal, manner: Manner) -> int:
    """There is nothing to set aside or run again. Of what has ended for good it says what `resume` itself does."""
    from wfrun.app import repairing
    from wfrun.app.onward import is_over
    from wfrun.cli.commands.repairs import show
    from wfrun.cli.outcome import finish

    if (over := is_over(home, journal)) is not None:
        return finish(over.view, note=over.note, as_json=manner.as_json, quiet=manner.quiet)
    return show(repairing.prospect(home, journal.records), as_json=manner.as_json)


def _drive(home: Home, journal: Journal, wait: bool, manner: Manner) -> int:
    from wfrun.app.onward import Way, go_on, seen_to
    from wfrun.cli.outcome import finish
    from wfrun.cli.render.progress import progress_for
    from wfrun.cli.streams import reserve
    from wfrun.cli.values import current_user

    reserve()
    with progress_for(silent=manner.as_json or manner.quiet) as progress:
        way = Way(manner.services, wait, progress.observe)
        seen = seen_to(manner.by or current_user(), manner.reason)
        outcome = go_on(home, journal, way, seen)
    return finish(outcome.view, note=outcome.note, as_json=manner.as_json, quiet=manner.quiet)


def resume_many(where: str, limit: int | None, manner: Manner) -> int:
    from wfrun.app import reading, sweeping
    from wfrun.app.descriptors import affordable
    from wfrun.app.onward import Way
    from wfrun.cli.commands.batch import exit_code
    from wfrun.cli.engine import check_engine
    from wfrun.cli.render.batch import ResumeReport
    from wfrun.cli.streams import reserve
    from wfrun.cli.values import current_user
    from wfrun.views.filtering import parse_filter

    check_engine("resume --where")
    home = reading.open_home(manner.home)
    found = sweeping.chosen(home, parse_filter(where, home.clock()), limit)
    if manner.dry_run:
        return _list(found, as_json=manner.as_json)
    reserve()
    with ResumeReport(len(found), as_json=manner.as_json, quiet=manner.quiet) as report:
        sweeping.resume_all(
            home,
            [row["execution"] for row in found],
            by=manner.by or current_user(),
            reason=manner.reason,
            way=Way(manner.services),
            concurrency=affordable(AT_ONCE),
            finished=report.finished,
        )
    report.totals()
    return exit_code(report.counts, refused=UsageError.exit_code)


def _list(found: list[Summary], *, as_json: bool) -> int:
    from wfrun.cli.invoke import print_json
    from wfrun.cli.render.lists import execution_table

    if as_json:
        print_json({"executions": found})
    else:
        print("\n".join(execution_table(found)) if found else "No executions.")
    return 0

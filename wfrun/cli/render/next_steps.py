"""What can be typed next about an execution, with its own id."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wfrun.cli.text import Cell, columns
from wfrun.views.steps import COMPENSATE

if TYPE_CHECKING:
    from wfrun.views.model import ChildView, StatusView, StepView


def next_steps(view: StatusView) -> list[str]:
    execution = view["execution"]
    if view["status"] == "interrupted":
        return [f"Nothing drives it now. To go on:  wfrun resume {execution}", *_held_up(view)]
    if view["status"] == "paused":
        return ["Nothing goes on, and nothing is undone, until somebody says how:", *repair_commands(view)]
    if view["status"] == "needs-attention":
        return _not_undone(view)
    log = f"What happened, in detail:  wfrun log {execution}"
    if view["status"] == "failed" and view["parent"] is not None:
        parent = view["parent"]["execution"]
        return [log, f"It is a part of {parent}; what can be done about both:  wfrun status {parent}", *_anew(view)]
    if view["status"] == "failed":
        return [log, "It can go on:", *repair_commands(view)]
    if view["status"] in ("compensated", "partly-compensated"):
        return [log]
    return [*_held_up(view), *_stopped(view)]


def _not_undone(view: StatusView) -> list[str]:
    """A compensation that could not be computed will not be the next time either."""
    execution = view["execution"]
    failed = _failed_undoing(view)
    lines = [f"A compensation did not succeed; look at what was left:  wfrun log {execution}"]
    if not failed or not all(_is_hopeless(row) for row in failed):
        lines.append(f"To try again what could not be undone:  wfrun resume {execution}")
    waivers = [_waiver(execution, row) for row in failed]
    return lines + waivers


def _failed_undoing(view: StatusView) -> list[StepView]:
    """What can be let stand, each by its own name: of a loop's, those that are shown."""
    rows = (row.get("iterations", {}).get("shown") or [row] for row in view["compensations"])
    return [row for shown in rows for row in shown if row["status"] == "failed"]


def _is_hopeless(row: StepView) -> bool:
    return row["error"] is not None and row["error"]["type"].startswith("expression.")


def _anew(view: StatusView) -> list[str]:
    """A parent that has gone on without it can come back to it."""
    from shlex import quote

    parent = view["parent"]
    assert parent is not None
    again = f"wfrun rewind {parent['execution']} {quote(parent['step'])}"
    return [f"To have it tried again, whatever has become of that:  {again}"]


def _held_up(view: StatusView) -> list[str]:
    """Times that nobody needs to wait for."""
    from shlex import quote  # steps without a name are called steps[1]

    execution = view["execution"]
    lines = []
    pending = [timer for timer in view["timers"] if not timer["overdue"]]
    if any(timer["reason"] == "retry" for timer in pending):
        lines.append(f"To make the next attempt now:  wfrun retry-now {execution}")
    held = next((timer["step"] for timer in pending if timer["reason"] in ("wait", "delay")), None)
    if held is not None:
        lines.append(f"To wait no longer:  wfrun retry-now {execution} {quote(held)}")
    return lines


def _stopped(view: StatusView) -> list[str]:
    stopped = (each["execution"] for each in view["children"] if _stands_still(each))
    return [f"What it stands still for:  wfrun status {child}" for child in stopped]


def _stands_still(child: ChildView) -> bool:
    """Whom it waits for has been said; for anything else its own status has to be looked at."""
    asks_nobody = child["status"] == "waiting" and not child["tasks"] and not child["detached"]
    return asks_nobody or child["status"] in ("paused", "interrupted")


def _waiver(execution: str, row: StepView) -> str:
    from shlex import quote

    when = "It never can be, so undo it by hand, and then" if _is_hopeless(row) else "If it never can be"
    return f"{when}:  wfrun skip {execution} {quote(COMPENSATE + row['step'])} --reason WHY"


def repair_commands(view: StatusView) -> list[str]:
    """What can be typed about an execution that failed or is paused, with what it does."""
    from shlex import quote

    execution = view["execution"]
    failed = view["error"].get("step", "") if view["error"] else ""
    held = view["error"] is not None and view["error"]["type"] == "execution.held"
    rows = [(f"resume {execution}", "go on from there" if held else "try again what failed")]
    rows += [(f"resume {execution} --with FILE", "go on with a corrected workflow")]
    if failed.startswith(COMPENSATE):
        rows += [(f"skip {execution} {quote(failed)}", "let stand what could not be undone")]
    elif failed and not _is_of_the_whole(view, failed):
        rows += [(f"skip {execution} {quote(failed)}", "go on without it")]
        can = view["canSet"] or ()
        if "input" in can:
            rows += [(f"set-input {execution} {quote(failed)} JSON", "run it with another input")]
        if "output" in can:
            rows += [(f"set-output {execution} {quote(failed)} JSON", "it was done by hand; this is its output")]
    done = [row["step"] for row in view["steps"] if row["status"] == "completed"]
    if done and view["pivot"]:
        rows += [(f"rewind {execution} {quote(done[-1])} --keep", "run again from a step on, undoing nothing")]
    elif done:
        rows += [(f"rewind {execution} {quote(done[-1])}", "undo back to a step, and run again from there")]
    if view["status"] == "paused" and not view["pivot"]:
        rows += [(f"compensate {execution}", "undo all that it has done")]
    return columns([[f"wfrun {command}", Cell(about, "dim")] for command, about in rows], indent="  ")


def _is_of_the_whole(view: StatusView, failed: str) -> bool:
    """Whether it was the workflow's own output that could not be computed, which is no step."""
    return failed == "output" and all(row["step"] != failed for row in view["steps"])

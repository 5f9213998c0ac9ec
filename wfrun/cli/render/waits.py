"""What is waited for besides people, what runs as an execution of its own, and who repaired what."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from wfrun.cli.text import Cell, columns, paint, safe
from wfrun.views.instants import clock
from wfrun.views.steps import step_words

if TYPE_CHECKING:
    from wfrun.views.model import ChildView, RepairView, StatusView, UnknownView, WaitView


SHOWN = 5


def wait_lines(view: StatusView) -> list[str]:
    lines = _few([_wait(wait) for wait in view["waits"]])
    if any(wait["overdue"] for wait in view["waits"]):
        lines.append(f"What is overdue goes on with:  wfrun resume {view['execution']}")
    return lines


def _wait(wait: WaitView) -> str:
    word = paint("red", "Overdue") if wait["overdue"] else paint("magenta", "Waiting")
    until = f"until {clock(wait['until'])}" if wait["until"] else ""
    if not wait["events"]:
        return f"{word}  {safe(wait['step'])}: {until}"
    what = f"for event {' or '.join(map(safe, wait['events']))} since {clock(wait['since'])}"
    return f"{word}  {safe(wait['step'])}: {', '.join(part for part in (what, until) if part)}"


def unknown_lines(execution: str, call: UnknownView) -> list[str]:
    """A call that was lost with its runner, and what can be said of it."""
    from shlex import quote

    about = f"{safe(step_words(call['step']))}: begun at {clock(call['since'])} with key {safe(call['key'])}"
    attempt = f", attempt {call['attempt']}" if call["attempt"] > 1 else ""
    step = safe(quote(call["step"]))
    rows = [(f"retry-now {execution} {step}", "it did not happen: call it, with the same key")]
    rows += [(f"set-output {execution} {step} JSON", "it did happen, and gave this")]
    rows += [(f"fail {execution} {step}", "nobody knows: it fails, and is undone")]
    commands = columns([[f"wfrun {command}", Cell(words, "dim")] for command, words in rows], indent="  ")
    return [f"{paint('red', 'Unknown')}  {about}{attempt}; its runner ended before the answer", *commands]


def child_lines(children: Sequence[ChildView]) -> list[str]:
    """Those with something to look at come first."""
    return _few([_child(child) for child in sorted(children, key=lambda child: child["status"] == "completed")])


def _child(child: ChildView) -> str:
    word = paint("blue", "Detached" if child["detached"] else "Runs" if not _has_ended(child) else "Ran")
    name, about = safe(child["execution"]), safe(child["workflow"])
    return f"{word}  {safe(child['step'])}: execution {name} ({about}): {child['status'] or 'not known'}"


def _has_ended(child: ChildView) -> bool:
    return child["status"] in ("completed", "failed", "compensated", "cancelled", "needs-attention")


def repair_lines(repairs: Iterable[RepairView]) -> list[str]:
    return [_repair(repair) for repair in repairs]


def _repair(repair: RepairView) -> str:
    word = paint("yellow", "Repaired" if repair["done"] else "Repairing")
    back = "back to " if repair["action"] == "compensate" else ""
    step = f" {back}{safe(repair['step'])}" if repair["step"] else ""
    reason = f": {safe(repair['reason'])}" if repair["reason"] else ""
    return f"{word}  {safe(repair['action'])}{step}, by {safe(repair['by'])} at {clock(repair['at'])}{reason}"


def _few(lines: list[str]) -> list[str]:
    more = len(lines) - SHOWN
    return [*lines[:SHOWN], f"… and {more:,} more"] if more > 0 else lines

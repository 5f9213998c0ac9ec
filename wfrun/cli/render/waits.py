"""What is waited for besides people, what runs as an execution of its own, and who repaired what."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from wfrun.cli.text import Cell, columns, paint, safe
from wfrun.views.instants import clock
from wfrun.views.naming import called
from wfrun.views.steps import COMPENSATE, step_words

if TYPE_CHECKING:
    from wfrun.views.model import ChildView, EventView, RepairView, StatusView, TimerView, UnknownView, WaitView


SHOWN = 5


def wait_lines(view: StatusView) -> list[str]:
    """What is waited for besides people, and what has come and only wants somebody to go on."""
    pauses = {timer["step"] for timer in view["timers"] if timer["reason"] == "delay"}
    lines = _few([_wait(wait, called(wait["step"], view["names"]), wait["step"] in pauses) for wait in view["waits"]])
    if view["endedAt"] is None:
        lines += _few([_arrived(event) for event in view["arrived"]])
    if any(wait["overdue"] for wait in view["waits"]):
        lines.append(f"What is overdue goes on with:  wfrun resume {view['execution']}")
    if any(wait["arrived"] for wait in view["waits"]):
        lines.append(f"What has come is taken, if it is the one, with:  wfrun resume {view['execution']}")
    return lines


def _wait(wait: WaitView, name: str, between_rounds: bool) -> str:
    word = paint("red", "Overdue") if wait["overdue"] else paint("magenta", "Waiting")
    until = f"until {clock(wait['until'])}" if wait["until"] else ""
    if not wait["events"]:
        return f"{word}  {safe(name)}: {until}{', for its next round' if between_rounds else ''}"
    parts = [f"for {_events(wait)} since {clock(wait['since'])}", until, _matched(wait)]
    return f"{word}  {safe(name)}: {', '.join(part for part in parts if part)}"


def _events(wait: WaitView) -> str:
    """One name may stand for several events."""
    if wait["complete"] == 1:
        return f"event {' or '.join(map(safe, wait['events']))}"
    return f"{wait['complete']} events ({', '.join(map(safe, wait['events']))})"


def _matched(wait: WaitView) -> str:
    came = wait["matched"]
    return (
        f"{len(came)} of which {'has' if len(came) == 1 else 'have'} come: {', '.join(map(safe, came))}" if came else ""
    )


def _arrived(event: EventView) -> str:
    kept = "" if event["awaited"] else ", and is kept for a wait to come"
    word = paint("cyan", "Arrived")
    return f"{word}  event {safe(event['type'])} ({safe(event['event'])}) at {clock(event['at'])}{kept}"


def deadline_lines(view: StatusView) -> list[str]:
    """Until when what is under way has time, as far as a wait does not say so itself."""
    said = {wait["step"] for wait in view["waits"]}
    return _few(
        [
            _deadline(timer, view)
            for timer in view["timers"]
            if timer["reason"] == "timeout" and timer["step"] not in said
        ]
    )


def _deadline(timer: TimerView, view: StatusView) -> str:
    about = f"{safe(called(timer['step'], view['names']))}: "
    if timer["overdue"]:
        late = f"{paint('red', 'Overdue')}  {about}since {clock(timer['due'])}"
        return f"{late}; it times out with:  wfrun resume {view['execution']}"
    return f"{paint('yellow', 'Deadline')}  {about}{clock(timer['due'])}"


def unknown_lines(execution: str, call: UnknownView) -> list[str]:
    """A call that was lost with its runner, and what can be said of it."""
    from shlex import quote

    about = f"{safe(step_words(call['step']))}: begun at {clock(call['since'])} with key {safe(call['key'])}"
    attempt = f", attempt {call['attempt']}" if call["attempt"] > 1 else ""
    step = safe(quote(call["step"]))
    rows = [(f"retry-now {execution} {step}", "it did not happen: call it, with the same key")]
    if call["step"].startswith(COMPENSATE):
        rows += [(f"set-output {execution} {step} null", "it did happen")]
        rows += [(f"fail {execution} {step}", "nobody knows: it counts as not undone, and needs somebody")]
    else:
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
    return child["status"] not in (None, "running", "waiting", "interrupted", "paused")


def cancel_lines(view: StatusView) -> list[str]:
    cancellation = view["cancellation"]
    if cancellation is None:
        return []
    reason = f": {safe(cancellation['reason'])}" if cancellation["reason"] else ""
    word = paint("yellow", "Cancelled" if view["endedAt"] else "Cancelling")
    return [f"{word}  {clock(cancellation['at'])} by {safe(cancellation['by'])}{reason}"]


def repair_lines(repairs: Iterable[RepairView]) -> list[str]:
    return [_repair(repair) for repair in repairs]


def _repair(repair: RepairView) -> str:
    from wfrun.views.words import repair_words

    word = paint("yellow", "Repaired" if repair["done"] else "Overtaken" if repair["overtaken"] else "Repairing")
    step = f" {safe(repair['step'])}" if repair["step"] else ""
    reason = f": {safe(repair['reason'])}" if repair["reason"] else ""
    did = repair_words(repair["action"])
    return f"{word}  {clock(repair['at'])} {safe(repair['by'])} {did}{step}{reason}"


def _few(lines: list[str]) -> list[str]:
    more = len(lines) - SHOWN
    return [*lines[:SHOWN], f"… and {more:,} more"] if more > 0 else lines

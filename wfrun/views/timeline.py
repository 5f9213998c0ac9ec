"""The journal for people: each record in words, with the time since the execution began."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from wfrun.core.instants import elapsed_ms
from wfrun.core.values import canonical
from wfrun.views.steps import step_words
from wfrun.views.tasks import assignee_names

if TYPE_CHECKING:
    from wfrun.core.events import Assignee, ErrorData, Record
    from wfrun.views.model import Moment


SHOWN_CHARACTERS = 120


class Timeline:
    """Turns records into moments, in order; it remembers when the execution began."""

    def __init__(self) -> None:
        self._began: str | None = None

    def moment(self, record: Record) -> Moment:
        self._began = self._began or record["at"]
        return {
            "seq": record["seq"],
            "at": record["at"],
            "offsetMs": elapsed_ms(self._began, record["at"]),
            "type": record["type"],
            "step": record.get("step") or _task_step(record),
            "text": describe(record),
            "error": record.get("error"),
        }


def timeline(records: Iterable[Record]) -> Iterator[Moment]:
    line = Timeline()
    return (line.moment(record) for record in records)


def describe(record: Record) -> str:
    """What happened, in words. A type without words of its own is named: the timeline hides nothing."""
    words = _WORDS.get(record["type"])
    return words(record) if words else str(record["type"])


def _task_step(record: Record) -> str | None:
    task = record.get("task")
    return task.partition("/")[2] or task if isinstance(task, str) else None


def _short(value: object) -> str:
    text = value if isinstance(value, str) else canonical(value)
    return text if len(text) <= SHOWN_CHARACTERS else text[: SHOWN_CHARACTERS - 1] + "…"


def _error(error: ErrorData) -> str:
    return f"{error['type']}: {_short(error['message'])}"


def _error_with_details(error: ErrorData) -> str:
    details = f" {_short(error['details'])}" if error.get("details") else ""
    return _error(error) + details


def _subject(record: Record) -> str:
    return step_words(record["step"])


def _attempt(record: Record) -> str:
    return f" (attempt {record['attempt']})" if record["attempt"] > 1 else ""


def _people(assignee: Assignee) -> str:
    return ", ".join(assignee_names(assignee)) or "nobody"


def _until(record: Record) -> str:
    return f", until {record['due']}" if record["due"] else ""


def _started(record: Record) -> str:
    return f"{record['workflow']} (version {record['version']}) started by {record['initiator']}"


def _driver_started(record: Record) -> str:
    return f"driven by process {record['pid']} on {record['host']} (epoch {record['epoch']})"


def _driver_stopped(record: Record) -> str:
    return f"driver stopped: {record['reason']}"


def _step_started(record: Record) -> str:
    return f"{_subject(record)} → {record['service']}.{record['action']}{_attempt(record)}"


def _step_completed(record: Record) -> str:
    return f"{_subject(record)} completed: {_short(record['result'])}"


def _step_failed(record: Record) -> str:
    return f"{_subject(record)} failed{_attempt(record)}: {_error_with_details(record['error'])}"


def _step_cancelled(record: Record) -> str:
    return f"{_subject(record)} was stopped; whether it had an effect is not known"


def _decision(record: Record) -> str:
    saw = f" with {_short(record['operands'])}" if record["operands"] else ""
    if record["of"] == "branch":
        choice = "then" if record["value"] else "else"
        return f"{record['condition']} is {str(record['value']).lower()}{saw}: takes the `{choice}` branch"
    outcome = "runs" if record["value"] else "is skipped"
    return f"{record['step']} {outcome}: {record['condition']} is {str(record['value']).lower()}{saw}"


def _timer_started(record: Record) -> str:
    what = "tries again" if record["reason"] == "retry" else f"waits ({record['reason']})"
    return f"{_subject(record)} {what} at {record['due']}"


def _timer_fired(record: Record) -> str:
    """A timer is named after what it holds back: the attempt of a step, `pay#1`, and the reason, `!retry`."""
    effect, _, reason = record["timer"].partition("!")
    what = "is tried again" if reason == "retry" else "has waited long enough"
    return f"{step_words(effect.rpartition('#')[0] or effect)} {what}"


def _task_created(record: Record) -> str:
    return f"{_short(record['title']) or record['step']}: waits for {_people(record['assignee'])}{_until(record)}"


def _task_decided(record: Record) -> str:
    comment = f": {_short(record['comment'])}" if record["comment"] else ""
    return f"{_task_step(record)} {record['decision']} by {record['by']}{comment}"


def _task_expired(record: Record) -> str:
    return f"{_task_step(record)} expired: nobody decided in time"


def _task_escalated(record: Record) -> str:
    return f"{_task_step(record)} escalated (level {record['level']}) to {_people(record['assignee'])}{_until(record)}"


def _task_withdrawn(record: Record) -> str:
    return f"{_task_step(record)} is no longer asked for"


def _evaluation_failed(record: Record) -> str:
    return f"{_subject(record) or 'the workflow'} could not be computed: {_error(record['error'])}"


def _compensation_started(record: Record) -> str:
    why = "cancelled" if record["reason"] == "cancel" else "failed"
    return f"{why}; undoing {', '.join(record['steps']) or 'nothing'}"


def _cancel_requested(record: Record) -> str:
    reason = f": {_short(record['reason'])}" if record["reason"] else ""
    return f"{record['by']} asked to cancel{reason}"


def _resumed(record: Record) -> str:
    return f"{record['by']} has what could not be undone tried again"


def _ended(record: Record) -> str:
    error = f": {_error(record['error'])}" if record.get("error") else ""
    return f"ended {record['status']}{error}"


def _recovered(record: Record) -> str:
    return f"an unfinished line of {record['bytes']} bytes was set aside after a crash"


_WORDS: dict[str, Callable[[Record], str]] = {
    "execution.started": _started,
    "execution.ended": _ended,
    "execution.resumed": _resumed,
    "driver.started": _driver_started,
    "driver.stopped": _driver_stopped,
    "step.started": _step_started,
    "step.completed": _step_completed,
    "step.failed": _step_failed,
    "step.cancelled": _step_cancelled,
    "decision.made": _decision,
    "timer.started": _timer_started,
    "timer.fired": _timer_fired,
    "task.created": _task_created,
    "task.decided": _task_decided,
    "task.expired": _task_expired,
    "task.escalated": _task_escalated,
    "task.withdrawn": _task_withdrawn,
    "evaluation.failed": _evaluation_failed,
    "compensation.started": _compensation_started,
    "cancel.requested": _cancel_requested,
    "journal.recovered": _recovered,
}

"""Records in words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from wfrun.core.values import canonical
from wfrun.views.iterations import split_instance
from wfrun.views.steps import step_words
from wfrun.views.tasks import assignee_names, step_of

if TYPE_CHECKING:
    from wfrun.core.events import Assignee, ErrorData, Record


SHOWN_CHARACTERS = 120
SHOWN_NAMES = 20


def describe(record: Record) -> str:
    """What happened, in words. A type without words of its own is named: the timeline hides nothing."""
    words = _WORDS.get(record["type"])
    return words(record) if words else str(record["type"])


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


def _asking(record: Record) -> str:
    return step_of(record["task"])


def _attempt(record: Record) -> str:
    return f" (attempt {record['attempt']})" if record["attempt"] > 1 else ""


def _people(assignee: Assignee) -> str:
    return ", ".join(assignee_names(assignee)) or "nobody"


def _until(record: Record) -> str:
    return f", until {record['due']}" if record["due"] else ""


def _started(record: Record) -> str:
    parent = record.get("parent")
    part = f", as {parent['step']} of execution {parent['execution']}" if parent else ""
    return f"{record['workflow']} (version {record['version']}) started by {record['initiator']}{part}"


def _driver_started(record: Record) -> str:
    return f"driven by process {record['pid']} on {record['host']} (epoch {record['epoch']})"


def _driver_stopped(record: Record) -> str:
    return f"driver stopped: {record['reason']}"


def _step_started(record: Record) -> str:
    return f"{_subject(record)} → {record['service']}.{record['action']}{_attempt(record)}"


def _step_completed(record: Record) -> str:
    return f"{_subject(record)} completed: {_short(record['result'])}{_said_by(record)}"


def _step_failed(record: Record) -> str:
    return f"{_subject(record)} failed{_attempt(record)}: {_error_with_details(record['error'])}{_said_by(record)}"


def _step_cancelled(record: Record) -> str:
    known = "whether it had an effect is not known" if record.get("begun", True) else "it had not been called"
    return f"{_subject(record)} was given up; {known}"


def _step_unknown(record: Record) -> str:
    return f"{_subject(record)}{_attempt(record)}: what became of the call is not known, and somebody is to say"


def _step_retried(record: Record) -> str:
    return f"{_subject(record)} is to be called again, says {record['by']}{_because(record)}"


def _said_by(record: Record) -> str:
    return f", says {record['by']}{_because(record)}" if "by" in record else ""


def _decision(record: Record) -> str:
    return f"{outcome(record)}: {came_to(record)}{_saw(record)}"


def _saw(record: Record) -> str:
    return f" with {_short(record['operands'])}" if record["operands"] else ""


def came_to(decision: Record) -> str:
    """`$.total > 5 is true`."""
    return f"{decision['condition']} is {'true' if decision['value'] else 'false'}"


def outcome(decision: Record) -> str:
    """`sizes takes cases[0]`: who does what. Cases and handlers have the numbers that they have in the file."""
    if decision["of"] == "handler":
        which = handler_name(decision["step"], decision["case"])
        return f"{which} {'takes' if decision['value'] else 'does not take'} the error"
    return f"{decision['step']} {_OUTCOMES[decision['of']](decision)}"


def handler_name(instance: str, number: int) -> str:
    """`charge.catch[0]`, or `pay.onError[0]`: what surrounds a step with `onError` is called so itself."""
    block, iteration = split_instance(instance)
    place = block if block.endswith(".onError") else f"{block}.catch"
    return f"{place}[{number}]" + (f"@{iteration}" if iteration else "")


_OUTCOMES: dict[str, Callable[[Record], str]] = {
    "step": lambda record: "runs" if record["value"] else "is skipped",
    "branch": lambda record: f"takes `{'then' if record['value'] else 'else'}`",
    "case": lambda record: f"{'takes' if record['value'] else 'passes by'} cases[{record['case']}]",
    "while": lambda record: "goes round" if record["value"] else "is done",
    "until": lambda record: "is done" if record["value"] else "goes round again",
}


def _foreach_started(record: Record) -> str:
    return f"{record['step']} goes through {count_words(record['count'], 'item')}"


def count_words(count: int, thing: str) -> str:
    """`1 item`, `100,000 items`."""
    return f"{count:,} {thing}" if count == 1 else f"{count:,} {thing}s"


def _values_set(record: Record) -> str:
    return f"{record['step']} sets {_short(record['values'])}"


def _failure_raised(record: Record) -> str:
    return f"{record['step']} fails with {_error_with_details(record['error'])}"


def _timer_started(record: Record) -> str:
    words = _TIMERS.get(record["reason"], f"waits ({record['reason']}) until")
    return f"{_subject(record)} {words} {record['due']}"


_TIMERS = {
    "retry": "tries again at",
    "wait": "waits until",
    "delay": "goes round again at",
    "timeout": "has time until",
}


def _timer_fired(record: Record) -> str:
    """A timer is named after what it holds back: the attempt of a step, `pay#1`, and the reason, `!retry`."""
    effect, _, reason = record["timer"].rpartition("!")
    why = f": {_short(record['reason'])}" if record.get("reason") else ""
    early = f", as {record['by']} did not want to wait{why}" if "by" in record else ""
    return f"{step_words(effect.rpartition('#')[0] or effect)} {_FIRED.get(reason, _FIRED['wait'])}{early}"


_FIRED = {
    "retry": "is tried again",
    "wait": "has waited long enough",
    "delay": "goes round again",
    "timeout": "has timed out",
}


def _wait_started(record: Record) -> str:
    events: list[str] = record["events"]
    complete = record.get("complete", len(events))
    which = f"{complete} of the events" if complete < len(events) else "event" if len(events) == 1 else "events"
    return f"{record['step']} waits for {which} {', '.join(events)}"


def _wait_withdrawn(record: Record) -> str:
    return f"{_subject(record)} waits no more"


def _event_received(record: Record) -> str:
    event = record["event"]
    return f"event {event['type']} came from {event['source']}: {_short(event['data'])} ({event['id']})"


def _event_matched(record: Record) -> str:
    told = "" if record["value"] else "not "
    return f"event {record['event']} is {told}what {record['step']} waits for{_saw(record)}"


def _event_emitted(record: Record) -> str:
    return f"{record['step']} emits {record['event']['type']}: {_short(record['event']['data'])}"


def _event_published(record: Record) -> str:
    return f"{record['step']} has reached {count_words(record['reached'], 'execution')}"


def _child_started(record: Record) -> str:
    apart = ", and goes on without it" if record["detach"] else ""
    return f"{record['step']} runs {record['workflow']} as execution {record['child']}{apart}"


def _child_recalled(record: Record) -> str:
    return f"{_subject(record)}: execution {record['child']} is to be undone"


def _child_ended(record: Record) -> str:
    error = f": {_error(record['error'])}" if record.get("error") else ""
    return f"{_subject(record)}: execution {record['child']} {record['status']}{error}"


def _task_created(record: Record) -> str:
    return f"{_short(record['title']) or record['step']}: waits for {_people(record['assignee'])}{_until(record)}"


def _task_decided(record: Record) -> str:
    comment = f": {_short(record['comment'])}" if record["comment"] else ""
    return f"{_asking(record)} {record['decision']} by {record['by']}{comment}"


def _task_expired(record: Record) -> str:
    return f"{_asking(record)} has timed out: nobody decided in time"


def _task_escalated(record: Record) -> str:
    return f"{_asking(record)} escalated (level {record['level']}) to {_people(record['assignee'])}{_until(record)}"


def _task_withdrawn(record: Record) -> str:
    return f"{_asking(record)} is no longer asked for"


def _evaluation_failed(record: Record) -> str:
    return f"{_subject(record) or 'the workflow'} could not be computed: {_error(record['error'])}"


def _compensation_started(record: Record) -> str:
    why = {"cancel": "cancelled; ", "failure": "failed; "}.get(record["reason"], "")
    return f"{why}undoing {_listed(record['steps']) or 'nothing'}"


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - SHOWN_NAMES:,} more" if len(names) > SHOWN_NAMES else ""
    return ", ".join(names[:SHOWN_NAMES]) + more


def _paused(record: Record) -> str:
    return f"paused, for somebody to see to it: {_error(record['error'])}"


def _because(record: Record) -> str:
    return f": {_short(record['reason'])}" if record["reason"] else ""


def _repair_requested(record: Record) -> str:
    words = repair_words(record["action"])
    step = f" {record['step']}" if "step" in record else ""
    aside = f"; sets aside {count_words(len(record['dropped']), 'record')}" if record["dropped"] else ""
    undo = f"; undoes {_listed(record['undo'])} first" if record["undo"] else ""
    return f"{record['by']} {words}{step}{_because(record)}{undo}{aside}"


def repair_words(action: str) -> str:
    """What somebody does who repairs an execution in this way, up to the step that it is about."""
    return _REPAIRS.get(action, action)


_REPAIRS = {
    "resume": "has it go on",
    "skip": "has it go on without",
    "set-output": "gives the output of",
    "set-input": "gives another input to",
    "rewind": "takes it back to",
    "compensate": "has it undone back to",
    "fail": "has the lost call fail of",
    "retry-now": "calls again",
    "replace": "has it go on with another definition",
}


def _repaired(record: Record) -> str:
    return f"repaired as record {record['request']} asks"


def _compensation_requested(record: Record) -> str:
    return f"{record['by']} asked to undo it{_because(record)}"


def _cancel_requested(record: Record) -> str:
    return f"{record['by']} asked to cancel{_because(record)}"


def _resumed(record: Record) -> str:
    if waived := record.get("waived"):
        return f"{record['by']} has what needs {_listed(waived)} stay as it is{_because(record)}"
    return f"{record['by']} has what could not be undone tried again{_because({'reason': '', **record})}"


def _ended(record: Record) -> str:
    error = f": {_error(record['error'])}" if record.get("error") else ""
    return f"ended {record['status']}{error}"


def _recovered(record: Record) -> str:
    return f"an unfinished line of {record['bytes']} bytes was set aside after a crash"


_WORDS: dict[str, Callable[[Record], str]] = {
    "execution.started": _started,
    "execution.ended": _ended,
    "execution.resumed": _resumed,
    "execution.paused": _paused,
    "execution.repaired": _repaired,
    "repair.requested": _repair_requested,
    "compensation.requested": _compensation_requested,
    "driver.started": _driver_started,
    "driver.stopped": _driver_stopped,
    "step.started": _step_started,
    "step.completed": _step_completed,
    "step.failed": _step_failed,
    "step.cancelled": _step_cancelled,
    "step.unknown": _step_unknown,
    "step.retried": _step_retried,
    "decision.made": _decision,
    "foreach.started": _foreach_started,
    "values.set": _values_set,
    "failure.raised": _failure_raised,
    "timer.started": _timer_started,
    "timer.fired": _timer_fired,
    "task.created": _task_created,
    "task.decided": _task_decided,
    "task.expired": _task_expired,
    "task.escalated": _task_escalated,
    "task.withdrawn": _task_withdrawn,
    "wait.started": _wait_started,
    "wait.withdrawn": _wait_withdrawn,
    "event.received": _event_received,
    "event.matched": _event_matched,
    "event.emitted": _event_emitted,
    "event.published": _event_published,
    "child.started": _child_started,
    "child.recalled": _child_recalled,
    "child.ended": _child_ended,
    "evaluation.failed": _evaluation_failed,
    "compensation.started": _compensation_started,
    "cancel.requested": _cancel_requested,
    "journal.recovered": _recovered,
}

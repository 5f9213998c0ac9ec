"""Why an execution stands as it does, and why a step ran, was passed by, waits, was tried again, failed or was undone.

The answer is a list of reasons, each with the facts it rests on: nothing is evaluated again. The plan says what stands
around a step and by which policy calls are repeated; without one, the journal's own words are all there is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, TypedDict

from wfrun.core.values import Json
from wfrun.errors import NotFoundError
from wfrun.views.explain.amends import in_time, repairs_of
from wfrun.views.explain.attempts import last_attempt
from wfrun.views.explain.blocks import block_status, is_block, what_is_inside
from wfrun.views.explain.facts import StepFacts
from wfrun.views.explain.reasons import Reason, What, reason
from wfrun.views.explain.step import reasons_of_step, refused
from wfrun.views.instants import clock
from wfrun.views.iterations import split_instance
from wfrun.views.repairs import counting
from wfrun.views.steps import COMPENSATE, step_words
from wfrun.views.tasks import assignee_names

if TYPE_CHECKING:
    from wfrun.core.events import ErrorData, Record
    from wfrun.core.plan.nodes import Plan
    from wfrun.views.model import ExecutionStatus, StatusView, TaskView, UnknownView, WaitView

SHOWN = 5


class Explanation(TypedDict):
    """`step` is the step that was asked about, null for the execution as a whole; `stepStatus` how it stands."""

    execution: str
    workflow: str
    version: Json
    status: ExecutionStatus
    step: str | None
    stepStatus: str | None
    reasons: list[Reason]


def explain(records: Sequence[Record], view: StatusView, plan: Plan | None) -> Explanation:
    """Why the execution stands as its status says."""
    reasons = list(_story(counting(records), view, plan))
    return _explanation(view, None, None, [*repairs_of(records, None), *reasons])


def explain_step(records: Sequence[Record], view: StatusView, plan: Plan | None, step: str) -> Explanation:
    """Why a step, or one instance of it (`ship@3`), is what it is. Raises NotFoundError for one that does not exist."""
    facts = StepFacts(counting(records), view, plan)
    step = facts.id_of(step.removeprefix(COMPENSATE))
    if not facts.knows(step):
        raise _unknown(step, facts)
    reasons, status = list(reasons_of_step(facts, step)), facts.status_of(step)
    if is_block(facts, step):
        status = block_status(facts, step, reasons)
        reasons += what_is_inside(facts, step) if status != "skipped" else []
    found = in_time(reasons, list(repairs_of(records, step))) or [_nothing(facts, step)]
    return _explanation(view, step, status, found)


def _explanation(view: StatusView, step: str | None, status: str | None, reasons: list[Reason]) -> Explanation:
    return {
        "execution": view["execution"],
        "workflow": view["workflow"],
        "version": view["version"],
        "status": view["status"],
        "step": step,
        "stepStatus": status,
        "reasons": reasons,
    }


def _unknown(step: str, facts: StepFacts) -> NotFoundError:
    from difflib import get_close_matches

    near = get_close_matches(step, facts.known(), 1)
    hint = f"did you mean {near[0]}?" if near else "`wfrun status` shows the steps"
    return NotFoundError("step.unknown", f"the execution has no step {step!r}", hint=hint)


def _nothing(facts: StepFacts, step: str) -> Reason:
    """Nothing is recorded of it, and nothing that was decided passed it by."""
    view = facts.view
    if view["endedAt"] is None:
        return reason(step, "pending", "it has not come to it yet", None)
    return reason(step, "not-reached", f"the execution ended before it: {_end(facts, view)}", view["endedAt"])


def _end(facts: StepFacts, view: StatusView) -> str:
    error = view["error"]
    return f"{view['status']}, {_error_words(facts, error)}" if error else view["status"]


def _error_words(facts: StepFacts, error: ErrorData) -> str:
    where = f"{step_words(facts.called(error['step']))} failed: " if error.get("step") else ""
    return f"{where}{error['type']}: {error['message']}"


# ---- the execution as a whole: what it waits for, what is tried again, what failed, what was undone


def _story(records: Sequence[Record], view: StatusView, plan: Plan | None) -> Iterator[Reason]:
    facts = StepFacts(records, view, plan)
    yield from _failed(facts, view)
    yield from _undone(records, view)
    for task in view["tasks"]:
        yield _task(task)
    for call in view["unknown"]:
        yield _lost(call)
    for wait in view["waits"]:
        yield _wait(wait)
        yield from refused(facts, wait["step"])
    yield from _deadlines(facts, view)
    yield from _children(view)
    yield from _under_way(facts, view)
    yield from _passed_by(view)
    if view["status"] == "interrupted":
        hint = f"nobody drives it: `wfrun resume {view['execution']}`"
        yield reason(None, "interrupted", hint, _stopped_at(view))
    elif view["status"] == "completed":
        yield reason(None, "completed", "every step that was to run has run", view["endedAt"])


def _stopped_at(view: StatusView) -> str | None:
    return view["driver"]["stoppedAt"] if view["driver"] else None


def _failed(facts: StepFacts, view: StatusView) -> Iterator[Reason]:
    error = view["error"]
    if error is not None:
        what: What = "paused" if view["status"] == "paused" else "failed"
        yield reason(error.get("step"), what, _error_words(facts, error), view["endedAt"], {"error": error})
        cause = error.get("cause")
        if cause is not None:
            yield reason(
                cause.get("step"), "cause", f"before that, {_error_words(facts, cause)}", None, {"error": cause}
            )
    for failure in view["failures"]:
        yield reason(
            failure.get("step"), "not-undone", _error_words(facts, failure), view["endedAt"], {"error": failure}
        )


def _undone(records: Sequence[Record], view: StatusView) -> Iterator[Reason]:
    for record in records:
        if record["type"] == "compensation.started":
            steps = [step.removeprefix(COMPENSATE) for step in record["steps"]]
            why = f"{_UNDOING[record['reason']]}: {_listed(steps) or 'there was nothing to undo'}"
            yield reason(None, "undone", why, record["at"], {"steps": list(steps)})
        elif record["type"] == "cancel.requested":
            because = f": {record['reason']}" if record["reason"] else ""
            yield reason(None, "cancelled", f"{record['by']} asked to cancel it{because}", record["at"])


_UNDOING = {
    "failure": "as it failed, what was done is undone, last first",
    "cancel": "as it was cancelled, what was done is undone, last first",
    "request": "as somebody asked for it, what was done is undone, last first",
}


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:SHOWN]) + (f" and {len(names) - SHOWN:,} more" if len(names) > SHOWN else "")


def _task(task: TaskView) -> Reason:
    people = " or ".join(assignee_names(task["assignee"])) or "anybody"
    due = f", until {clock(task['due'])}" if task["due"] else ", without a deadline"
    late = "; that time is over, and takes effect with `wfrun resume`" if task["overdue"] else ""
    why = f"{people} has not decided {task['title']!r}{due}{late}"
    return reason(task["step"], "waits", why, task["createdAt"], {"assignee": task["assignee"]})


def _lost(call: UnknownView) -> Reason:
    begun = f"what became of the call, begun at {clock(call['since'])}, is not known"
    why = f"{begun}: `retry-now`, `set-output` or `fail` says it"
    return reason(call["step"], "unknown", why, call["since"], {"attempt": call["attempt"], "key": call["key"]})


def _wait(wait: WaitView) -> Reason:
    until = f"until {clock(wait['until'])}" if wait["until"] else "without a limit"
    what = f"for the event {' or '.join(wait['events'])}, {until}" if wait["events"] else until
    late = "; that time is over, and takes effect with `wfrun resume`" if wait["overdue"] else ""
    return reason(wait["step"], "waits", f"{what}{late}", wait["since"], {"events": list(wait["events"])})


def _deadlines(facts: StepFacts, view: StatusView) -> Iterator[Reason]:
    said = {wait["step"] for wait in view["waits"]}
    for timer in view["timers"]:
        if timer["reason"] == "timeout" and timer["step"] not in said:
            late = "; that time is over, and takes effect with `wfrun resume`" if timer["overdue"] else ""
            why = f"{facts.called(timer['step'])} has time until {clock(timer['due'])}{late}"
            yield reason(timer["step"], "waits", why, None, {"due": timer["due"]})


def _children(view: StatusView) -> Iterator[Reason]:
    for child in view["children"]:
        if child["status"] not in ("completed", "compensated") and not child["detached"] and view["endedAt"] is None:
            stands = child["status"] or "not known"
            why = f"execution {child['execution']} ({child['workflow']}) is {stands}"
            yield reason(child["step"], "runs", why, child["startedAt"])
            for task in child["tasks"][:SHOWN]:
                yield _task(task) | {"step": child["step"]}


def _under_way(facts: StepFacts, view: StatusView) -> Iterator[Reason]:
    for step in view["current"]:
        if facts.status_of(step) in ("running", "retrying") and not step.startswith(COMPENSATE):
            yield from last_attempt(facts, step)


def _passed_by(view: StatusView) -> Iterator[Reason]:
    """Of a workflow that has come to its end, what was decided against outside of loops."""
    if view["status"] != "completed":
        return
    for decision in view["decisions"]:
        if decision["of"] == "step" and not decision["value"] and not split_instance(decision["step"])[1]:
            why = f"its condition {decision['condition']} was false"
            yield reason(decision["step"], "skipped", why, decision["at"], decision["operands"])

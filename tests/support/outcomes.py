"""What executions came to, read from their journals, in words that every engine has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import inf
from typing import Any, NamedTuple

from wfrun.core.answers import is_ambiguous
from wfrun.core.events import ErrorData, Record
from wfrun.core.human import REJECTED
from wfrun.core.instants import elapsed_ms
from wfrun.core.values import canonical

_UNDO = "compensate:"


class Made(NamedTuple):
    """One attempt at a call, or the undoing of a child execution. `step` is without `compensate:`."""

    step: str
    attempt: int
    input: Any
    key: str


@dataclass
class Outcome:
    """What an execution came to, in words that every engine has. Steps are step instances.

    `expected` and `arrived` are for each wait how many events it is for and has, `at_once` is how many calls ran at the
    same time. `again` are steps of which an attempt was begun twice, for a process died; `effective` those that may
    have had their effect whether or not one did.
    """

    status: str
    output: Any
    error: ErrorData | None
    failures: list[ErrorData]
    calls: list[Made] = field(default_factory=list)
    undone: list[Made] = field(default_factory=list)
    stopped: set[str] = field(default_factory=set)
    open: set[str] = field(default_factory=set)
    expected: dict[str, int] = field(default_factory=dict)
    arrived: dict[str, int] = field(default_factory=dict)
    decisions: dict[str, bool] = field(default_factory=dict)
    tasks: dict[str, dict[str, Any]] = field(default_factory=dict)
    timers: dict[str, int] = field(default_factory=dict)
    emitted: list[dict[str, Any]] = field(default_factory=list)
    children: dict[str, Outcome] = field(default_factory=dict)
    running: set[str] = field(default_factory=set)
    effective: set[str] = field(default_factory=set)
    again: set[str] = field(default_factory=set)
    at_once: int = 0

    def timeless(self) -> Any:
        """What may not depend on which of several things happens first: for each step, what was asked of it."""
        children = {step: child.timeless() for step, child in self.children.items()}
        calls = sorted((made.step, made.attempt, canonical(made.input), made.key) for made in self.calls)
        undone = sorted((made.step, made.attempt, canonical(made.input), made.key) for made in self.undone)
        return self.status, self.output, self.error, calls, undone, self.decisions, self.open, children


def wordless(timeless: Any) -> Any:
    """Without the messages of errors, which name files."""
    status, output, error, *rest, children = timeless
    known = None if error is None else (error["type"], error.get("step"), error.get("attempt"))
    return status, output, known, rest, {step: wordless(child) for step, child in children.items()}


def without_doubt(outcome: Outcome) -> Outcome:
    """As if no process had died. What began twice and failed may have had its effect: it is undone, for safety (C11).

    That makes of a failure one after which something was undone, or could not be.
    """
    doubted = outcome.again - outcome.effective
    undone = [made for made in outcome.undone if made.step not in doubted]
    tried = {
        *(made.step for made in outcome.undone),
        *(failure["step"].removeprefix(_UNDO) for failure in outcome.failures),
    }
    only_that = tried and tried <= doubted
    return replace(
        outcome,
        status="failed" if only_that and outcome.status in ("compensated", "needs-attention") else outcome.status,
        undone=undone,
        children={step: without_doubt(child) for step, child in outcome.children.items()},
    )


def outcome_of(journals: Mapping[str, list[Record]], execution: str) -> Outcome:
    """What the journals of an execution and its children say. `journals` are by execution id."""
    records = journals[execution]
    outcome = Outcome(_status(records), None, None, [])
    for record in records:
        _READERS.get(record["type"], _skip)(outcome, record)
        if record["type"] == "child.started" and record["child"] in journals:
            outcome.children[record["step"]] = outcome_of(journals, record["child"])
    return outcome


def _status(records: list[Record]) -> str:
    status = "waiting"
    for record in records:
        match record["type"]:
            case "execution.ended":
                status = record["status"]
            case "execution.paused":
                status = "paused"
            case "compensation.requested" | "execution.resumed":
                status = "waiting"
    return status


def _skip(outcome: Outcome, record: Record) -> None:
    pass


def _started(outcome: Outcome, record: Record) -> None:
    made = Made(record["step"].removeprefix(_UNDO), record["attempt"], record.get("input"), record["key"])
    known = outcome.undone if record["step"].startswith(_UNDO) else outcome.calls
    if any((made.step, made.attempt) == (other.step, other.attempt) for other in known):
        outcome.again.add(record["step"])
    else:
        known.append(made)
    outcome.running.add(record["step"])
    outcome.at_once = max(outcome.at_once, len(outcome.running))


def _completed(outcome: Outcome, record: Record) -> None:
    outcome.effective.add(record["step"])
    outcome.running.discard(record["step"])


def _failed(outcome: Outcome, record: Record) -> None:
    if is_ambiguous(record["error"]):
        outcome.effective.add(record["step"])
    outcome.running.discard(record["step"])


def _recalled(outcome: Outcome, record: Record) -> None:
    outcome.undone.append(Made(record["step"].removeprefix(_UNDO), 1, None, record["child"]))


def _decided(outcome: Outcome, record: Record) -> None:
    outcome.decisions[f"{record['step']}?{record['of']}{record.get('case', '')}"] = record["value"]


def _stopped(outcome: Outcome, record: Record) -> None:
    outcome.stopped.add(record["step"])
    outcome.effective.add(record["step"])
    outcome.open.discard(record["step"])
    outcome.running.discard(record["step"])


def _task_created(outcome: Outcome, record: Record) -> None:
    kept = ("title", "description", "assignee", "decisions", "quorum", "data")
    outcome.tasks[record["step"]] = {key: record[key] for key in kept} | {"id": record["task"], "level": 0, "votes": []}
    outcome.open.add(record["step"])


def _task_decided(outcome: Outcome, record: Record) -> None:
    step = _step_of(record)
    task = outcome.tasks[step]
    said = {key: record[key] for key in ("by", "decision", "comment", "data")}
    task["votes"] = [*(vote for vote in task["votes"] if vote["by"] != said["by"]), said]
    alike = [vote for vote in task["votes"] if vote["decision"] == record["decision"]]
    if record["decision"] == REJECTED or len(alike) >= task["quorum"]:
        outcome.open.discard(step)


def _task_expired(outcome: Outcome, record: Record) -> None:
    outcome.open.discard(_step_of(record))


def _task_escalated(outcome: Outcome, record: Record) -> None:
    task = outcome.tasks[_step_of(record)]
    task.update(level=record["level"], assignee=record["assignee"])
    if "quorum" in record:
        task.update(quorum=record["quorum"], votes=[])
    outcome.open.add(_step_of(record))


def _task_withdrawn(outcome: Outcome, record: Record) -> None:
    outcome.stopped.add(_step_of(record))
    outcome.open.discard(_step_of(record))


def _step_of(record: Record) -> str:
    return str(record["task"].partition("/")[2])


def _wait_started(outcome: Outcome, record: Record) -> None:
    """Events that came before the wait have been matched before it."""
    outcome.expected[record["step"]] = record.get("complete", len(record["events"]))
    outcome.open.add(record["step"])


def _event_matched(outcome: Outcome, record: Record) -> None:
    step = record["step"]
    outcome.arrived[step] = outcome.arrived.get(step, 0) + record["value"]
    if outcome.arrived[step] >= outcome.expected.get(step, inf):
        outcome.open.discard(step)


def _timer_started(outcome: Outcome, record: Record) -> None:
    outcome.timers[record["timer"]] = elapsed_ms(record["at"], record["due"])


def _emitted(outcome: Outcome, record: Record) -> None:
    outcome.emitted.append({"type": record["event"]["type"], "data": record["event"]["data"]})


def _child_ended(outcome: Outcome, record: Record) -> None:
    if record["status"] == "cancelled" and not record["step"].startswith("compensate:"):
        outcome.stopped.add(record["step"])


def _ended(outcome: Outcome, record: Record) -> None:
    outcome.output, outcome.error = record.get("output"), record.get("error")
    outcome.failures = record.get("failures", [])


def _paused(outcome: Outcome, record: Record) -> None:
    outcome.error = record["error"]


_READERS = {
    "step.started": _started,
    "step.completed": _completed,
    "step.failed": _failed,
    "step.cancelled": _stopped,
    "decision.made": _decided,
    "task.created": _task_created,
    "task.decided": _task_decided,
    "task.expired": _task_expired,
    "task.escalated": _task_escalated,
    "task.withdrawn": _task_withdrawn,
    "timer.started": _timer_started,
    "wait.started": _wait_started,
    "wait.withdrawn": _stopped,
    "event.matched": _event_matched,
    "event.emitted": _emitted,
    "child.recalled": _recalled,
    "child.ended": _child_ended,
    "execution.ended": _ended,
    "execution.paused": _paused,
}

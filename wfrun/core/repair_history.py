"""What counts of a journal once repairs are in force, and what they changed about single steps.

Nothing is ever taken out of a journal. A repair that is in force says which records count no more (`dropped`); it may
name an earlier repair among them, which then changes nothing any more.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from wfrun.core.expression import MISSING, Missing
from wfrun.core.instants import parse_instant
from wfrun.core.values import Json, digest

if TYPE_CHECKING:
    from wfrun.core.events import Record

COMPENSATE = "compensate:"

# The timer of the whole workflow's `timeout`.
DEADLINE = "$!timeout"

# A child execution that has ended so cannot go on: if its step runs again, it does so as another one.
UNDONE = ("compensated", "partly-compensated", "cancelled")

# What is recorded of a call, a task or a wait that was told to stop.
STOPPED = frozenset({"step.cancelled", "task.withdrawn", "wait.withdrawn"})

_REPAIRS = frozenset({"repair.requested", "execution.repaired"})

# What may happen while a repair undoes steps, and has nothing to do with that.
_BESIDES = frozenset({"event.received", "cancel.requested", "driver.started", "driver.stopped", "journal.recovered"})


class Given(NamedTuple):
    """A step that counts as done without having run: with an output, or with none.

    A step that was only skipped has nothing to undo. `child` is the execution that it had completed as, if it had.
    """

    value: Json | Missing
    skipped: bool
    child: str | None


@dataclass(slots=True, eq=False, repr=False)
class Amendments:
    """What repairs changed, by step instance.

    `rounds`: how often it has become another request to those outside. `asked`: the record of its last one, if it has
    not been undone. `attempted`: the attempts before those that count. `since`, by timer: the instant from which it
    counts anew. `waived`: what could not be undone, and is to stay. `past_pivot`: it had passed its point of no return.
    """

    outputs: dict[str, Given] = field(default_factory=dict)
    inputs: dict[str, Json] = field(default_factory=dict)
    attempted: dict[str, int] = field(default_factory=dict)
    since: dict[str, str] = field(default_factory=dict)
    rounds: dict[str, int] = field(default_factory=dict)
    asked: dict[str, Record] = field(default_factory=dict)
    waived: set[str] = field(default_factory=set)
    past_pivot: bool = False

    def round(self, step: str, more: int = 0) -> str:
        """What tells the keys of a step that runs again as another request, and of its undoing, from those before."""
        before = more + (self.rounds.get(undone_by(step), 0) if self.rounds else 0)
        return f"~{before + 1}" if before else ""

    def request(
        self, step: str, input: Callable[[str], Json], service: str | None = None, action: str | None = None
    ) -> tuple[str, Json]:
        """The round of a step, and its `input` in that round: with another input than before it is another request, and
        so is another action.

        Undoing stays the same one, although the error that it is told may be another.
        """
        value = input(self.round(step))
        known = self.asked.get(step)
        if known is None or _asked_for(known) == (digest(value), service, action):
            return self.round(step), value
        return self.round(step, 1), input(self.round(step, 1))

    def requested(self, record: Record) -> None:
        """With another input or action, what has been begun is another request. In an older journal it has kept its
        key: there it is the same one.
        """
        if record["type"] not in ("step.started", "child.started") or record["step"].startswith(COMPENSATE):
            return
        step = record["step"]
        known = self.asked.get(step, record)
        if _asked_for(known) != _asked_for(record) and _asked_as(known) != _asked_as(record):
            self.end_round(step)
        self.asked[step] = record

    def end_round(self, step: str) -> None:
        """If the step runs once more, it is not the same any more to those outside."""
        self.rounds[step] = self.rounds.get(step, 0) + 1
        self.asked.pop(step, None)

    def take(self, request: Record, child: str | None) -> None:
        """Add what a repair says about its step."""
        step, value = request.get("step"), request.get("value", MISSING)
        if step is None or request["action"] not in ("skip", "set-output", "set-input"):
            return
        self.forget((step,))
        if step.startswith(COMPENSATE):
            self.waived.add(undone_by(step))
        elif request["action"] == "set-input":
            self.inputs[step] = value
        else:
            self.outputs[step] = Given(value, request["action"] == "skip", child)

    def told(self) -> set[str]:
        """The steps of which somebody has said what they come to, or what they are called with."""
        return self.outputs.keys() | self.inputs.keys()

    def forget(self, steps: Iterable[str], *, but_inputs: bool = False) -> None:
        for step in steps:
            self.outputs.pop(step, None)
            self.waived.discard(step)
            if not but_inputs:
                self.inputs.pop(step, None)


def _asked_for(record: Record) -> tuple[str, str | None, str | None]:
    """The hash of what a call or a child execution was begun with, and of a call its service and action."""
    input = str(record["inputHash"]) if "inputHash" in record else digest(record["input"])
    return input, record.get("service"), record.get("action")


def _asked_as(record: Record) -> str:
    return str(record["key"] if "key" in record else record["child"])


def undone_by(step: str) -> str:
    """The instance that a compensation is of: `compensate:pay@3/2` undoes `pay@3`. Any other step is itself."""
    return step.removeprefix(COMPENSATE).partition("/")[0] if step.startswith(COMPENSATE) else step


def instance_of(record: Record) -> str | None:
    """The step instance that a record is about, if it is about one."""
    step: str | None = record.get("step")
    if step is not None:
        return step
    if "task" in record:
        return str(record["task"]).partition("/")[2]
    if "timer" in record:
        return str(record["timer"]).partition("!")[0].partition("#")[0]
    return None


def in_force(records: Iterable[Record]) -> Iterator[tuple[Record, Record]]:
    """The repairs that are done, in order: what was requested, and the record that says that it is done."""
    requests: dict[int, Record] = {}
    for record in records:
        if record["type"] == "repair.requested":
            requests[record["seq"]] = record
        elif record["type"] == "execution.repaired":
            yield requests[record["request"]], record


def dropped_by(repairs: Iterable[tuple[Record, Record]]) -> set[int]:
    return {seq for request, _ in repairs for seq in request["dropped"]}


def held_back(records: Sequence[Record]) -> list[Record]:
    """What the last repair has taken back and has left at that, so that it only runs again with the next one."""
    requests = [request for request, _ in in_force(records)]
    held = requests[-1:] if requests and requests[-1]["action"] == "compensate" else []
    dropped = {seq for request in held for seq in request["dropped"]}
    return [record for record in records if record["seq"] in dropped]


def effective(records: Iterable[Record]) -> list[Record]:
    """The records that count: without those dropped, and without what repairs did to undo steps."""
    records = list(records)
    repairs = list(in_force(records))
    dropped = dropped_by(repairs)
    ends = {request["seq"]: done["seq"] for request, done in repairs}
    counting: list[Record] = []
    until = -1
    for record in records:
        until = max(until, ends.get(record["seq"], -1))
        if record["type"] in _REPAIRS or record["seq"] in dropped:
            continue
        if record["seq"] > until or record["type"] in _BESIDES:
            counting.append(record)
    return counting


def never_called(records: Iterable[Record], dropped: Container[int]) -> Iterator[Record]:
    """What says that calls begin, of which it is said next that they were stopped before anything was called, and that
    counts no more: begun again, they would look like calls of which nobody knows whether they had an effect.
    """
    begun: dict[tuple[str, int], Record] = {}
    for record in records:
        if record["type"] == "step.started":
            begun[record["step"], record["attempt"]] = record
        elif record["type"] == "step.cancelled" and not record.get("begun", True) and record["seq"] in dropped:
            started = begun.get((record["step"], record["attempt"]))
            if started is not None:
                yield started


def stopped_unheard(records: Iterable[Record]) -> list[Record]:
    """What says that a call was stopped which had been out when its runner died, and which nobody had made again."""
    out: dict[str, bool] = {}
    stopped: list[Record] = []
    for record in records:
        match record["type"]:
            case "driver.started":
                out = dict.fromkeys(out, True)
            case "step.started":
                out[record["step"]] = False
            case "step.cancelled":
                if out.pop(record["step"], False) and record.get("begun", True):
                    stopped.append(record)
            case "step.completed" | "step.failed":
                out.pop(record["step"], None)
    return stopped


def sent_anew(records: Sequence[Record]) -> list[str]:
    """The steps that the repair which has just come into force has send something out once more that nobody can call
    back: an event, or a detached execution. Unless they are to be kept or were undone it is another one then, or those
    who have had the first would not heed it.
    """
    *_, (request, _) = in_force(records)
    if request.get("keep"):
        return []
    dropped = set(request["dropped"])
    sent = (each for each in records if each["seq"] in dropped and _is_sent(each))
    return [each["step"] for each in sent if each["step"] not in request["undo"]]


def _is_sent(record: Record) -> bool:
    return record["type"] == "event.emitted" or (record["type"] == "child.started" and bool(record["detach"]))


def definition_of(records: Iterable[Record]) -> str | None:
    """The hash of the workflow that has replaced the one an execution started with."""
    replaced = [request["definition"] for request, _ in in_force(records) if "definition" in request]
    return replaced[-1] if replaced else None


def amendments(records: Sequence[Record]) -> Amendments:
    """What the repairs in force say about steps. How often those were undone is not among it."""
    amended = Amendments()
    repairs = list(in_force(records))
    dropped = dropped_by(repairs)
    by_seq = {record["seq"]: record for record in records} if repairs else {}
    held = ""
    for request, done in repairs:
        taken_back = [by_seq[seq] for seq in request["dropped"]]
        if request["seq"] not in dropped:
            before = (record for record in records if record["seq"] < request["seq"])
            amended.take(request, completed_child(before, request.get("step")))
        # What has only been held since another repair has not been set going by that one.
        counting = {timer for timer, at in amended.since.items() if at == held} | set(_set_anew(taken_back, request))
        amended.since |= dict.fromkeys(counting, str(done["at"]))
        held = done["at"] if request["action"] == "compensate" else ""
    if repairs:
        amended.attempted = _attempted(records, effective(records))
    return amended


def has_failed(records: Iterable[Record]) -> bool:
    """Whether one of the instances that these are about ended with an error."""
    return any(_tells_of_failure(record) for record in _last_of_each(records))


def has_succeeded(records: Iterable[Record], besides: Container[int]) -> bool:
    """Whether none of the instances that these are about ended with an error, or was stopped, `besides` some."""
    last = (record for record in _last_of_each(records) if record["seq"] not in besides)
    return not any(_tells_of_failure(record) or record["type"] in STOPPED for record in last)


def _last_of_each(records: Iterable[Record]) -> Iterable[Record]:
    return {instance_of(record): record for record in records}.values()


def _tells_of_failure(record: Record) -> bool:
    return "error" in record or (record["type"] == "timer.fired" and is_timeout(record))


def is_timeout(record: Record) -> bool:
    return str(record.get("timer", "")).endswith("!timeout")


def has_passed(deadline: Iterable[Record], now: datetime) -> bool:
    """Whether the whole workflow's timeout has, of which these are the records."""
    return any(each["type"] == "timer.fired" or parse_instant(each["due"]) <= now for each in deadline)


def _set_anew(taken_back: Sequence[Record], request: Record) -> Iterator[str]:
    """The timers that count from a repair on. The whole workflow's does only if it had passed.

    Before that, another file's timeout has been put in its place, which counts from where that one did.
    """
    deadline = [record for record in taken_back if record.get("timer") == DEADLINE]
    for record in taken_back:
        if record["type"] != "timer.started":
            continue
        if record["timer"] != DEADLINE or has_passed(deadline, parse_instant(request["at"])):
            yield record["timer"]


def completed_child(records: Iterable[Record], step: str | None) -> str | None:
    """The child execution that a step has completed as, and that has not been undone."""
    child: str | None = None
    for record in records:
        if record["type"] == "child.ended" and undone_by(record["step"]) == step:
            child = record["child"] if record["step"] == step and record["status"] == "completed" else None
    return child


def _attempted(records: Iterable[Record], counting: Iterable[Record]) -> dict[str, int]:
    """For each step the attempts before the first one that counts, or all of them: numbers are never used again."""
    last: dict[str, int] = {}
    first: dict[str, int] = {}
    for record in records:
        if "attempt" in record:
            last[record["step"]] = max(record["attempt"], last.get(record["step"], 0))
    for record in counting:
        if "attempt" in record:
            first[record["step"]] = min(record["attempt"], first.get(record["step"], record["attempt"]))
    before = {step: first[step] - 1 if step in first else number for step, number in last.items()}
    return {step: number for step, number in before.items() if number}

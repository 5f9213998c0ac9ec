"""What must never happen, judged from outside: by what processes have said, and by the ledger of the services.

Safety, at every loss of power and at the end: what was told to be durable is there, and nothing of a journal has been
cut off; a journal is whole; no request was sent whose intent the disk does not know; no step has its effect twice, or
again after it was told to be done; a task has one decision; an event counts once; nothing fires early; and what is
compensated has no effect left. Liveness, once faults have stopped: everything ends.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from datetime import datetime
from unittest.mock import patch

from tests.simulation.known import known_definition, known_scan
from tests.simulation.services import UNDO, Services
from wfrun.app import proving
from wfrun.app.evidence import of_home
from wfrun.app.standing import has_ended
from wfrun.core.events import Record
from wfrun.core.instants import parse_instant
from wfrun.errors import WfrunError
from wfrun.journal.home import JOURNAL, Home

# Whatever fails, these say that something was lost.
LOST = ("journal.damaged", "definition.damaged", "definition.unknown", "state.kind", "state.owner", "state.mode")
UNDONE = ("compensated", "cancelled", "failed")


class Oracle:
    """`undoable` are the ids of steps that something undoes; `latest` answers with the latest time told to anybody."""

    def __init__(self, services: Services, undoable: frozenset[str], latest: Callable[[], datetime]) -> None:
        self.violations: list[str] = []
        self._services = services
        self._undoable = undoable
        self._latest = latest
        self._told: defaultdict[str, dict[int, Record]] = defaultdict(dict)
        self._expected: list[tuple[str, str, Callable[[Record], bool]]] = []
        self._seen: dict[str, bytes] = {}
        self._due: dict[tuple[str, str], str] = {}

    # ---- while it runs

    def observe(self, execution: str, record: Record, fresh: bool) -> None:
        """Somebody is told that a record is durable."""
        told = self._told[execution]
        # Whoever waited for the lock is told of what others have recorded meanwhile: that was judged when it was.
        fresh = fresh and record["seq"] not in told
        before = told.setdefault(record["seq"], record)
        if before != record:
            self._violated(f"{execution}: record {record['seq']}, {before['type']}, is now another, {record['type']}")
        if fresh:
            self._watch_times(execution, record)

    def expect(self, execution: str, what: str, is_it: Callable[[Record], bool]) -> None:
        """Somebody was told that what they did is recorded."""
        self._expected.append((execution, what, is_it))

    def refused(self, error: WfrunError) -> None:
        if error.code in LOST:
            self._violated(f"something is lost: {error}")

    def _watch_times(self, execution: str, record: Record) -> None:
        kind = record["type"]
        if kind == "timer.started":
            self._due[execution, record["timer"]] = record["due"]
        elif kind in ("task.created", "task.escalated") and record["due"] is not None:
            self._due[execution, record["task"]] = record["due"]
        elif kind in ("timer.fired", "task.expired"):
            due = self._due.get((execution, record.get("timer") or record["task"]))
            if due is not None and "by" not in record and self._latest() < parse_instant(due):
                self._violated(f"{execution}: {kind} before {due}")

    # ---- the disk, when the power has failed and at the end

    def look(self, home: Home, *, power_failed: bool) -> None:
        journals = self._journals(home)
        for execution, told in self._told.items():
            records = journals.get(execution, [])
            gone = [seq for seq, record in told.items() if len(records) < seq or records[seq - 1] != record]
            if gone:
                self._violated(f"{execution}: records {gone} were told to be durable and are gone")
        for execution, what, is_it in self._expected:
            if not any(map(is_it, journals.get(execution, []))):
                self._violated(f"{execution}: {what}, and that is gone")
        if power_failed:
            self._look_for_intents(journals)

    def _journals(self, home: Home) -> dict[str, list[Record]]:
        journals = {}
        for execution in home.ids():
            raw = home.read_file(home.journal_path(execution)) or b""
            found = known_scan(raw)
            if found.damage is not None:
                self._violated(f"{execution}{JOURNAL} is damaged: {found.damage}")
            if not raw.startswith(self._seen.get(execution, b"")):
                self._violated(f"{execution}{JOURNAL} has lost bytes that were there")
            if found.records:
                self._seen[execution] = raw
                journals[execution] = found.records
        return journals

    def _look_for_intents(self, journals: dict[str, list[Record]]) -> None:
        known = {
            (execution, record["step"], record["attempt"])
            for execution, records in journals.items()
            for record in records
            if record["type"] == "step.started"
        }
        for raw in self._services.raw:
            if (raw.execution, raw.step, raw.attempt) not in known:
                self._violated(
                    f"{raw.step} of {raw.execution} was called, and no intent of attempt {raw.attempt} is left"
                )

    # ---- the end

    def judge(self, home: Home) -> dict[str, list[Record]]:
        """Everything that can be said of the end; the journals."""
        self.look(home, power_failed=True)
        journals = self._journals(home)
        for violation in self._services.violations:
            self._violated(violation)
        for (execution, step), times in self._services.effects.items():
            if times > 1:
                self._violated(f"{step} of {execution} had its effect {times} times")
        for execution, records in journals.items():
            for complaint in self._complaints(execution, records):
                self._violated(f"{execution}: {complaint}")
        return journals

    def prove(self, home: Home, executions: list[str]) -> None:
        """All of it has come about as the definitions allow."""
        with patch.object(proving, "parse_document", known_definition):
            for proof in proving.prove(of_home(home, executions)):
                if not proving.is_proved(proof):
                    self._violated(f"{proof['execution']} cannot be proved: {proof['misfit'] or proof['problem']}")

    def _complaints(self, execution: str, records: list[Record]) -> Iterator[str]:
        for part in _between_repairs(records):
            yield from _doubles(part)
        yield from self._invented(execution, records)
        status = has_ended(records)
        if status is None:
            yield "it never ends"
        elif status == "needs-attention":
            yield "it needs attention, though everything could be undone"
        elif status in UNDONE:
            yield from (f"{status}, and {step} was not undone" for step in self._left_of(execution))

    def _left_of(self, execution: str) -> list[str]:
        """Steps whose effect is there, though something undoes them."""
        done = [step for of, step in self._services.effects if of == execution]
        undone = self._services.undone
        return [step for step in done if step.partition("@")[0] in self._undoable and not undone[execution, step]]

    def _invented(self, execution: str, records: list[Record]) -> Iterator[str]:
        completed = [record["step"] for record in records if record["type"] == "step.completed"]
        for step in completed:
            if not step.startswith(UNDO) and not self._services.effects[execution, step]:
                yield f"{step} is told to be completed, and never was"

    def _violated(self, what: str) -> None:
        if what not in self.violations:
            self.violations.append(what)


def _between_repairs(records: list[Record]) -> Iterator[list[Record]]:
    """What a repair has taken back may be asked, and done, once more."""
    begin = 0
    for end, record in enumerate([*records, {"type": "repair.requested"}]):
        if record["type"] == "repair.requested":
            yield records[begin:end]
            begin = end


def _doubles(records: list[Record]) -> Iterator[str]:
    """What a journal says twice, though it can be only once; and a step that is begun after it had completed."""
    decided = Counter(record["task"] for record in records if record["type"] == "task.decided")
    events = Counter(record["event"]["id"] for record in records if record["type"] == "event.received")
    fired = Counter(record["timer"] for record in records if record["type"] == "timer.fired")
    completed = Counter(record["step"] for record in records if record["type"] == "step.completed")
    for what, counted in (("decided", decided), ("received", events), ("fired", fired), ("completed", completed)):
        yield from (f"{name} was {what} {times} times" for name, times in counted.items() if times > 1)
    done: set[str] = set()
    for record in records:
        if record["type"] == "step.completed":
            done.add(record["step"])
        elif record["type"] == "step.started" and record["step"] in done:
            yield f"{record['step']} was begun again after it had completed"

"""Human tasks: who may decide, what a decision counts, when it is settled. Judged on facts alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from wfrun.core.instants import parse_instant
from wfrun.core.values import Json
from wfrun.errors import ConflictError, UsageError

if TYPE_CHECKING:
    from wfrun.core.events import Assignee, ErrorData, Record

REJECTED = "rejected"


class Ballot:
    """The decisions on one task. N equal ones of N people settle it; one rejection settles it at once.

    Of each person the last word counts: people who disagree can agree after all.
    """

    def __init__(self, quorum: int) -> None:
        self._quorum = quorum
        self._votes: dict[str, Record] = {}
        self._last: Record = {}

    def add(self, record: Record) -> None:
        self._votes.pop(record["by"], None)
        self._votes[record["by"]] = record
        self._last = record

    @property
    def rejected(self) -> bool:
        return bool(self._last["decision"] == REJECTED)

    @property
    def settled(self) -> bool:
        equal = [vote for vote in self._votes.values() if vote["decision"] == self._last["decision"]]
        return self.rejected or len(equal) >= self._quorum

    def result(self) -> Json:
        """What the step's `output` becomes: the settling decision, the data of all, and every vote."""
        data: dict[str, Json] = {}
        for vote in self._votes.values():
            data.update(vote["data"])
        votes: list[Json] = [_signature(vote) for vote in self._votes.values()]
        return {**_signature(self._last), "data": data, "votes": votes}

    def rejection(self, step: str) -> ErrorData:
        comment = f": {self._last['comment']}" if self._last["comment"] else ""
        message = f"rejected by {self._last['by']}{comment}"
        return {"type": "task.rejected", "message": message, "details": self.result(), "step": step}


def _signature(vote: Record) -> dict[str, Json]:
    return {"decision": vote["decision"], "by": vote["by"], "at": vote["at"], "comment": vote["comment"]}


@dataclass(slots=True, eq=False, repr=False)
class Task:
    """A task as the facts left it. `created` is its task.created record; `closed` says how it ended, or None.

    `votes` are those that count: the last word of each of those who are asked now.
    """

    created: Record
    assignee: Assignee
    exclude_initiator: bool
    due: datetime | None
    votes: list[Record] = field(default_factory=list)
    level: int = 0
    closed: Record | None = None

    @classmethod
    def of(cls, created: Record) -> Task:
        return cls(created, created["assignee"], created["excludeInitiator"], _instant(created["due"]))

    def decided(self, record: Record) -> None:
        self.votes = [*(vote for vote in self.votes if vote["by"] != record["by"]), record]

    def escalated(self, record: Record) -> None:
        self.assignee, self.due, self.level = record["assignee"], _instant(record["due"]), record["level"]
        if "quorum" in record:
            self.exclude_initiator, self.votes = record["excludeInitiator"], []

    def is_expired(self, now: datetime) -> bool:
        return self.closed is None and self.due is not None and now >= self.due


def _instant(text: str | None) -> datetime | None:
    return parse_instant(text) if text else None


class Vote(NamedTuple):
    """One person's word on a task, before it is a fact."""

    decision: str
    by: str
    comment: str
    data: dict[str, Any]


def find_repeat(task: Task, vote: Vote) -> Record | None:
    """The recorded decision that this one merely says again: same person, same word, same data."""
    for earlier in task.votes:
        if (earlier["by"], earlier["decision"], earlier["data"]) == (vote.by, vote.decision, vote.data):
            return earlier
    return None


def judge(task: Task, vote: Vote, initiator: str) -> None:
    """May the vote become a fact (C12)? ConflictError if the task is closed, UsageError if it is not this person's."""
    id = task.created["task"]
    if task.closed is not None:
        raise _closed(id, task.closed)
    allowed = {*task.created["decisions"], REJECTED}
    if vote.decision not in allowed:
        message = f"{id} can be decided as {_words(sorted(allowed))}, not {vote.decision!r}"
        raise UsageError("task.decision", message, hint="say which with --decision")
    _check_person(task, vote, initiator)


def _closed(id: str, closed: Record) -> ConflictError:
    if closed["type"] == "task.decided":
        message = f"{id} was already decided: {closed['decision']} by {closed['by']} at {closed['at']}"
    elif closed["type"] == "task.expired":
        message = f"{id} expired undecided at {closed['at']}"
    elif closed["type"] == "repair.requested":
        message = f"{id} was withdrawn at {closed['at']}, when {closed['by']} had its execution repaired"
        hint = f"`wfrun status {id.partition('/')[0]}` shows how that stands"
        return ConflictError("task.closed", message, hint=hint)
    else:
        message = f"{id} was withdrawn at {closed['at']}: its execution no longer needs it"
    return ConflictError("task.closed", message)


def _check_person(task: Task, vote: Vote, initiator: str) -> None:
    id = task.created["task"]
    if task.exclude_initiator and vote.by == initiator:
        message = f"{vote.by} started this execution and may not decide {id}"
        raise UsageError("task.initiator", message, hint="it waits for someone else; say who you are with --as")
    users = task.assignee.get("users")
    others = task.assignee.get("groups") or task.assignee.get("names")
    # Only a list of users can be held against a name: who is in a group or plays a role is not known here.
    if users and not others and vote.by not in users:
        raise UsageError(
            "task.assignee", f"{id} is for {_words(users)}, not {vote.by}", hint="say who you are with --as"
        )


def _words(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"

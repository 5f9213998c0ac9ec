"""Who may decide, and when it is settled."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.support.world import EPOCH
from wfrun.core.human import Ballot, Task, Vote, find_repeat, judge
from wfrun.core.instants import format_instant
from wfrun.errors import ConflictError, UsageError


def task(**more: Any) -> Task:
    created = {
        "type": "task.created",
        "task": "e1/ask",
        "assignee": {"groups": ["managers"]},
        "decisions": ["approved", "rejected"],
        "excludeInitiator": False,
        "due": None,
        **more,
    }
    return Task.of(created)


def decided(by: str, decision: str = "approved", **data: Any) -> dict[str, Any]:
    return {"type": "task.decided", "by": by, "decision": decision, "data": data, "comment": "", "at": "T"}


def vote(by: str = "bob", decision: str = "approved", **data: Any) -> Vote:
    return Vote(decision, by, "", data)


class TestBallot:
    def test_one_is_enough_by_default(self) -> None:
        ballot = Ballot(1)
        ballot.add(decided("bob", rate=3))
        assert ballot.settled
        assert ballot.result() == {
            "decision": "approved",
            "by": "bob",
            "at": "T",
            "comment": "",
            "data": {"rate": 3},
            "votes": [{"decision": "approved", "by": "bob", "at": "T", "comment": ""}],
        }

    def test_a_quorum_counts_people_and_joins_their_data(self) -> None:
        ballot = Ballot(2)
        ballot.add(decided("bob", rate=3))
        assert not ballot.settled
        ballot.add(decided("bob", rate=4))
        assert not ballot.settled

    def test_a_quorum_joins_what_everybody_filled_in(self) -> None:
        ballot = Ballot(2)
        ballot.add(decided("bob", rate=4))
        ballot.add(decided("eve", note="ok"))
        assert ballot.settled
        result = ballot.result()
        assert isinstance(result, dict)
        assert result["data"] == {"rate": 4, "note": "ok"}

    def test_one_rejection_settles_it(self) -> None:
        ballot = Ballot(3)
        ballot.add(decided("bob"))
        ballot.add(decided("eve", "rejected"))
        assert ballot.settled
        assert ballot.rejected

    def test_different_words_do_not_add_up(self) -> None:
        ballot = Ballot(2)
        ballot.add(decided("bob", "left"))
        ballot.add(decided("eve", "right"))
        assert not ballot.settled

    def test_whoever_decides_otherwise_has_said_only_that(self) -> None:
        ballot = Ballot(2)
        ballot.add(decided("bob", "left", rate=3, note="no"))
        ballot.add(decided("eve", "right"))
        ballot.add(decided("bob", "right", rate=4))
        assert ballot.settled
        result = ballot.result()
        assert isinstance(result, dict)
        assert (result["data"], result["by"]) == ({"rate": 4}, "bob")
        assert result["votes"] == [{"decision": "right", "by": by, "at": "T", "comment": ""} for by in ("eve", "bob")]


class TestJudge:
    def test_a_closed_task_says_who_decided_and_when(self) -> None:
        closed = task()
        closed.closed = decided("eve", "rejected")
        with pytest.raises(ConflictError, match="already decided: rejected by eve at T"):
            judge(closed, vote(), "ann")

    def test_an_expired_one_says_so(self) -> None:
        closed = task()
        closed.closed = {"type": "task.expired", "at": "T"}
        with pytest.raises(ConflictError, match="expired"):
            judge(closed, vote(), "ann")

    def test_until_it_is_settled_the_last_word_of_each_counts(self) -> None:
        open_task = task(decisions=["left", "right"])
        open_task.decided(decided("bob", "left"))
        judge(open_task, vote("bob", "right"), "ann")
        open_task.decided(decided("eve", "right"))
        open_task.decided(decided("bob", "right"))
        assert [(each["by"], each["decision"]) for each in open_task.votes] == [("eve", "right"), ("bob", "right")]
        assert find_repeat(open_task, vote("bob", "left")) is None

    def test_an_identical_repeat_is_recognised(self) -> None:
        open_task = task()
        open_task.votes.append(decided("bob", rate=3))
        assert find_repeat(open_task, vote("bob", rate=3)) is not None
        assert find_repeat(open_task, vote("bob", rate=4)) is None
        assert find_repeat(open_task, vote("eve", rate=3)) is None

    def test_only_the_words_that_the_task_offers(self) -> None:
        with pytest.raises(UsageError, match="left, rejected or right"):
            judge(task(decisions=["left", "right"]), vote(decision="approved"), "ann")

    def test_the_initiator_may_be_excluded(self) -> None:
        with pytest.raises(UsageError, match="ann started"):
            judge(task(excludeInitiator=True), vote("ann"), "ann")
        judge(task(excludeInitiator=True), vote("bob"), "ann")

    def test_a_list_of_users_is_held_against_the_name(self) -> None:
        with pytest.raises(UsageError, match="for eve, not bob"):
            judge(task(assignee={"users": ["eve"]}), vote("bob"), "ann")
        judge(task(assignee={"users": ["eve"]}), vote("eve"), "ann")

    def test_who_is_in_a_group_cannot_be_known_here(self) -> None:
        judge(task(assignee={"users": ["eve"], "groups": ["managers"]}), vote("bob"), "ann")


def test_a_task_expires_when_it_is_due_and_not_before() -> None:
    due = EPOCH + timedelta(hours=1)
    waiting = task(due=format_instant(due))
    assert not waiting.is_expired(due - timedelta(microseconds=1))
    assert waiting.is_expired(due)
    waiting.closed = decided("bob")
    assert not waiting.is_expired(due)

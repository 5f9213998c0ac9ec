from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from wfrun.views.status import status_of
from wfrun.views.summary import summary_of
from wfrun.views.tasks import assignee_names, is_stuck, open_tasks, with_overdue

if TYPE_CHECKING:
    from tests.unit.views.conftest import StoryMaker


NOW = "2026-11-23T09:00:00.000000Z"


def test_a_task_carries_all_that_a_decision_needs(story: StoryMaker) -> None:
    due = "2026-11-24T09:00:00.000000Z"
    (task,) = open_tasks(story(workflow="loan").ask("approve", quorum=2, due=due).decide("approve").records)
    assert task == {
        "task": "k7m2x9qd/approve",
        "execution": "k7m2x9qd",
        "workflow": "loan",
        "step": "approve",
        "title": "Approve the loan",
        "description": "",
        "assignee": {"groups": ["loan-managers"], "users": ["kim"]},
        "createdAt": "2026-11-23T09:00:01.000000Z",
        "due": due,
        "overdue": False,
        "escalated": 0,
        "quorum": 2,
        "excludeInitiator": False,
        "initiator": "ada",
        "decisions": ["approved", "rejected"],
        "form": {},
        "data": {"amount": 5},
        "votes": [{"decision": "approved", "by": "kim", "comment": "fine", "at": "2026-11-23T09:00:02.000000Z"}],
        "stuck": False,
    }


@pytest.mark.parametrize(("assignee", "found"), [("kim", 1), ("loan-managers", 1), ("lee", 0), (None, 1)])
def test_tasks_of_a_person_or_group(story: StoryMaker, assignee: str | None, found: int) -> None:
    assert len(open_tasks(story().ask("approve").records, assignee)) == found


@pytest.mark.parametrize(
    ("due", "overdue"),
    [("2026-11-23T08:59:59.999999Z", True), (NOW, True), ("2026-11-23T09:00:00.000001Z", False), (None, False)],
)
def test_what_is_due_by_now_is_overdue(story: StoryMaker, due: str | None, overdue: bool) -> None:
    tasks = open_tasks(story().ask("approve", due=due).records)
    assert with_overdue(tasks, NOW) == [{**tasks[0], "overdue": overdue}]


def test_names_come_once() -> None:
    assert assignee_names({"groups": ["a", "b"], "names": ["b", "c"]}) == ["b", "c", "a"]


def test_summary_of_a_waiting_execution(story: StoryMaker) -> None:
    summary = summary_of(status_of(story(steps=("check", "approve")).call("check").ask("approve").records))
    assert summary == {
        "execution": "k7m2x9qd",
        "workflow": "order",
        "version": 2,
        "status": "waiting",
        "startedAt": "2026-11-23T09:00:00.000000Z",
        "endedAt": None,
        "progress": {"done": 1, "skipped": 0, "failed": 0, "total": 2},
        "error": None,
        "waitingFor": ["kim", "loan-managers"],
        "events": [],
        "until": None,
        "unknown": [],
        "children": [],
        "listens": [],
        "initiator": "ada",
        "parent": None,
    }


def test_summary_of_what_is_waited_for_besides_people(story: StoryMaker) -> None:
    told = story(steps=("paid", "later", "soon", "ship", "log")).listen("paid", "payment.received", "payment.received")
    told.nap("later", "2026-11-24T00:00:00.000000Z").nap("soon", "2026-11-23T12:00:00.000000Z")
    told.child("ship").child("log", detach=True).child_ended("log").child("old").child_ended("old")
    told.records[0] |= {"parent": {"execution": "k1", "step": "order"}, "listens": ["payment.received"]}
    summary = summary_of(status_of(told.records, child=lambda _: "waiting"))
    assert summary["status"] == "waiting"
    assert summary["events"] == ["payment.received"]
    assert summary["until"] == "2026-11-23T12:00:00.000000Z"
    assert summary["children"] == ["k7m2x9qd.ship"]
    assert (summary["parent"], summary["listens"]) == ("k1", ["payment.received"])


def test_summary_of_a_failed_execution_names_the_error(story: StoryMaker) -> None:
    told = story(steps=("pay",)).begin("pay").fail("pay").end("failed", error={"type": "a.b", "message": "no"})
    summary = summary_of(status_of(told.records))
    assert (summary["status"], summary["error"], summary["endedAt"]) == (
        "failed",
        "a.b",
        "2026-11-23T09:00:03.000000Z",
    )


def test_a_decision_that_comes_too_late_changes_nothing(story: StoryMaker) -> None:
    told = story(steps=("a",)).ask("a").add("task.withdrawn", task="k7m2x9qd/a").decide("a")
    assert open_tasks(told.records) == []


def test_tasks_of_before_a_repair_are_gone(story: StoryMaker) -> None:
    told = story(steps=("a", "b")).ask("a").ask("b").repair("rewind", [2])
    assert [task["step"] for task in open_tasks(told.records)] == []
    assert [task["step"] for task in open_tasks(told.add("execution.repaired", request=4).records)] == ["b"]


def test_what_waits_for_attention_asks_nobody(story: StoryMaker) -> None:
    assert open_tasks(story(steps=("a", "b")).ask("a").pause("b").records) == []


@pytest.mark.parametrize(
    ("words", "more", "expected"),
    [
        ("", {}, False),
        ("xy", {}, False),
        ("xyz", {}, True),
        ("xx", {}, False),
        ("", {"excludeInitiator": True, "quorum": 3}, True),
        ("xyz", {"assignee": {"users": ["ann"], "groups": ["board"]}}, False),
    ],
)
def test_a_task_is_stuck_once_nobody_is_left_to_agree(
    story: StoryMaker, words: str, more: dict[str, Any], expected: bool
) -> None:
    told = story(steps=("t",)).ask("t", quorum=3 if words == "xx" else 2)
    (task,) = open_tasks(told.records)
    people = ["ann", "bob", "cem"]
    task.update({"assignee": {"users": people}, "initiator": "ann"})
    task["votes"] = [
        {"by": by, "decision": word, "comment": "", "at": NOW} for by, word in zip(people, words, strict=False)
    ]
    task.update(more)  # type: ignore[typeddict-item]
    assert is_stuck(task) is expected


def test_who_is_shown_a_task_is_told_that_it_is_stuck(story: StoryMaker) -> None:
    told = story(steps=("t",)).ask("t", quorum=2)
    told.records[-1].update(assignee={"users": ["ann", "bob"]}, decisions=["x", "y"])
    assert not open_tasks(told.decide("t", "x", by="ann").records)[0]["stuck"]
    assert open_tasks(told.decide("t", "y", by="bob").records)[0]["stuck"]
    told.add("task.expired", task="k7m2x9qd/t")
    told.add("task.escalated", task="k7m2x9qd/t", level=1, assignee={"users": ["cem"]}, due=None)
    told.records[-1].update(quorum=1, excludeInitiator=False)
    assert not open_tasks(told.records)[0]["stuck"]

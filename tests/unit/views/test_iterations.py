"""Steps in loops: one row for all iterations, cheap however many there are."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from wfrun.views.iterations import FAILED_KEPT, FAILED_SHOWN, SHOWN, Iterated, new_row, split_instance
from wfrun.views.model import Iterations, StatusView, StepView
from wfrun.views.status import StatusFold, status_of

if TYPE_CHECKING:
    from tests.unit.views.conftest import Story, StoryMaker

ERROR = {"type": "payment.declined", "message": "no", "step": "ship@1"}


def row_of(view: StatusView, step: str, *, undone: bool = False) -> StepView:
    (row,) = (row for row in view["compensations" if undone else "steps"] if row["step"] == step)
    return row


def loop_of(told: Story, step: str, *, undone: bool = False) -> Iterations:
    return row_of(status_of(told.records), step, undone=undone)["iterations"]


@pytest.mark.parametrize(
    ("instance", "parts"),
    [
        ("ship", ("ship", "")),
        ("ship@3", ("ship", "3")),
        ("steps[1].then[0]@3.1", ("steps[1].then[0]", "3.1")),
        ("ship/2", ("ship/2", "")),
        ("ship@3/2", ("ship/2", "3")),
    ],
)
def test_instances(instance: str, parts: tuple[str, str]) -> None:
    assert split_instance(instance) == parts


def test_a_loop_is_one_row_with_counts(story: StoryMaker) -> None:
    told = story(steps=("load", "ship", "bill")).call("load").each("all", 5, "ship")
    told.call("ship@0").begin("ship@1").begin("ship@2").fail("ship@2").begin("ship@3")
    view = status_of(told.records)
    assert [row["step"] for row in view["steps"]] == ["load", "ship", "bill"]
    ship = row_of(view, "ship")
    assert (ship["status"], ship["endedAt"]) == ("running", None)
    assert ship["iterations"]["total"] == 5
    assert ship["iterations"]["counts"] == {"completed": 1, "running": 2, "failed": 1}
    assert [(row["step"], row["status"]) for row in ship["iterations"]["shown"]] == [
        ("ship@1", "running"),
        ("ship@3", "running"),
        ("ship@2", "failed"),
    ]
    assert view["current"] == ["ship@1", "ship@3"]
    assert view["progress"] == {"done": 2, "skipped": 0, "failed": 1, "total": 7}


def test_a_loop_that_is_done(story: StoryMaker) -> None:
    told = story(steps=("ship",)).each("all", 2, "ship").call("ship@0").call("ship@1").end("completed")
    ship = row_of(status_of(told.records), "ship")
    assert (ship["status"], ship["attempts"], ship["durationMs"]) == ("completed", 1, 3000)
    assert ship["iterations"] == {"total": 2, "counts": {"completed": 2}, "shown": []}


def test_failures_that_are_tolerated_do_not_make_it_fail(story: StoryMaker) -> None:
    told = story(steps=("ship",)).each("all", 2, "ship").begin("ship@0").fail("ship@0").call("ship@1")
    view = status_of(told.end("completed").records)
    assert row_of(view, "ship")["status"] == "completed"
    assert row_of(view, "ship")["error"] == {**ERROR, "step": "ship@0", "attempt": 1}
    assert view["progress"] == {"done": 2, "skipped": 0, "failed": 1, "total": 2}


def test_the_iteration_that_ended_the_execution_makes_it_fail(story: StoryMaker) -> None:
    told = story(steps=("ship",)).each("all", 3, "ship").call("ship@0").begin("ship@1").fail("ship@1")
    ship = row_of(status_of(told.end("failed", error=ERROR).records), "ship")
    assert (ship["status"], ship["iterations"]["counts"]) == ("failed", {"completed": 1, "failed": 1})


def test_a_refusal_that_ended_the_execution_is_a_failure(story: StoryMaker) -> None:
    told = story(steps=("approve",)).each("all", 2, "approve").ask("approve@0").decide("approve@0", "rejected")
    assert loop_of(told, "approve")["counts"] == {"completed": 1}
    error = {"type": "task.rejected", "message": "no", "step": "approve@0"}
    told.end("failed", error=error)
    assert loop_of(told, "approve")["counts"] == {"failed": 1}
    assert loop_of(told, "approve")["shown"][0]["error"] == error


def test_retries_in_a_loop(story: StoryMaker) -> None:
    told = story(steps=("ship",)).each("all", 2, "ship").begin("ship@0").fail("ship@0").retry("ship@0")
    assert loop_of(told, "ship")["counts"] == {"retrying": 1}
    assert loop_of(told, "ship")["shown"][0]["startedAt"] == told.records[2]["at"]
    told.add("timer.fired", timer="ship@0#1!retry").begin("ship@0", 2).complete("ship@0", 2)
    assert loop_of(told, "ship")["counts"] == {"completed": 1}
    assert row_of(status_of(told.records), "ship")["error"] is None


def test_a_task_in_a_loop_that_goes_on_to_others(story: StoryMaker) -> None:
    told = story(steps=("ask",)).each("all", 2, "ask").ask("ask@0").ask("ask@1")
    told.add("task.expired", task="k7m2x9qd/ask@0")
    assert loop_of(told, "ask")["counts"] == {"waiting": 1, "timed-out": 1}
    told.add("task.escalated", task="k7m2x9qd/ask@0", level=1, assignee={"users": ["boss"]}, due=None)
    assert loop_of(told, "ask")["counts"] == {"waiting": 2}


def test_a_loop_without_end_has_no_total(story: StoryMaker) -> None:
    told = story(steps=("poll", "done")).call("poll@0").call("poll@1").begin("poll@2")
    assert loop_of(told, "poll") == {
        "total": None,
        "counts": {"completed": 2, "running": 1},
        "shown": [{**row_of(status_of(told.records), "poll")["iterations"]["shown"][0]}],
    }
    assert status_of(told.records)["progress"] == {"done": 2, "skipped": 0, "failed": 0, "total": 4}


def test_loops_in_loops_count_as_far_as_they_have_begun(story: StoryMaker) -> None:
    told = story(steps=("ship",)).each("orders", 3, "ship")
    assert loop_of(told, "ship")["total"] == 3
    told.each("lines@0", 4, "ship").call("ship@0.0")
    assert loop_of(told, "ship")["total"] == 4
    assert loop_of(told.each("lines@1", 2, "ship"), "ship")["total"] == 6


def test_a_while_in_a_foreach_has_no_total(story: StoryMaker) -> None:
    told = story(steps=("poll",)).each("orders", 3, "poll").call("poll@0.0").call("poll@0.1")
    assert loop_of(told, "poll")["total"] is None


def test_nothing_to_go_through(story: StoryMaker) -> None:
    told = story(steps=("ship", "bill")).each("all", 0, "ship").call("bill")
    assert row_of(status_of(told.records), "ship")["status"] == "skipped"
    assert status_of(told.end("completed").records)["progress"] == {"done": 1, "skipped": 0, "failed": 0, "total": 1}


def test_iterations_that_were_decided_against(story: StoryMaker) -> None:
    told = story(steps=("gift",)).each("all", 3, "gift").call("gift@0")
    fact: dict[str, Any] = {"of": "step", "condition": "$.big", "value": False, "operands": {}}
    told.add("decision.made", step="gift@1", **fact)
    assert loop_of(told, "gift")["counts"] == {"completed": 1, "skipped": 1}
    view = status_of(told.end("completed").records)
    assert row_of(view, "gift")["iterations"]["counts"] == {"completed": 1, "skipped": 2}
    assert view["progress"] == {"done": 3, "skipped": 2, "failed": 0, "total": 3}


def test_iterations_are_undone(story: StoryMaker) -> None:
    told = story(steps=("ship",)).each("all", 3, "ship").call("ship@0").call("ship@1").begin("ship@2").fail("ship@2")
    told.add("compensation.started", reason="failure", steps=["ship@1", "ship@0"], error=ERROR)
    assert loop_of(told, "ship", undone=True) == {"total": 2, "counts": {}, "shown": []}
    told.begin("compensate:ship@1")
    assert loop_of(told, "ship")["counts"] == {"completed": 1, "compensating": 1, "failed": 1}
    told.complete("compensate:ship@1").begin("compensate:ship@0").fail("compensate:ship@0")
    assert loop_of(told, "ship")["counts"] == {"completed": 1, "compensated": 1, "failed": 1}
    undone = row_of(status_of(told.records), "ship", undone=True)
    assert (undone["status"], undone["iterations"]["counts"]) == ("completed", {"completed": 1, "failed": 1})
    assert undone["iterations"]["total"] == 2


def test_an_iteration_undone_by_two_calls(story: StoryMaker) -> None:
    told = story(steps=("ship",)).each("all", 1, "ship").call("ship@0").call("compensate:ship@0")
    assert loop_of(told, "ship")["counts"] == {"compensated": 1}
    told.begin("compensate:ship@0/2")
    assert loop_of(told, "ship")["counts"] == {"compensating": 1}
    assert loop_of(told.fail("compensate:ship@0/2"), "ship")["counts"] == {"completed": 1}
    assert [row["step"] for row in status_of(told.records)["compensations"]] == ["ship", "ship/2"]


@pytest.mark.parametrize("beside", ["completed", "failed"])
def test_an_iteration_that_runs_again_is_none_of_those_beside_it(story: StoryMaker, beside: str) -> None:
    """Its attempts go on from those that a repair has taken back, of which nothing is left."""
    told = story(steps=("ship",)).each("all", 2, "ship").begin("ship@1")
    (told.complete if beside == "completed" else told.fail)("ship@1")
    told.begin("ship@0", 2).complete("ship@0", 2)
    assert loop_of(told, "ship")["counts"] == dict(Counter(["completed", beside]))
    view = status_of(told.end("completed").records)
    assert view["progress"] == {"done": 2, "skipped": 0, "failed": int(beside == "failed"), "total": 2}


def test_of_decisions_in_loops_the_last_is_kept(story: StoryMaker) -> None:
    told = story(steps=("poll",))
    for index, value in enumerate([True, True, False]):
        fact = {"of": "while", "condition": "$.more", "value": value, "operands": {"$.more": value}}
        told.add("decision.made", step=f"steps[0]@{index}", **fact)
    told.add("decision.made", step="pick@0", of="case", case=1, condition="$.a", value=True, operands={})
    last, case = status_of(told.records)["decisions"]
    assert (last["step"], last["value"]) == ("steps[0]@2", False)
    assert case["case"] == 1


def test_a_hundred_thousand_items_make_no_more_than_a_few_rows(story: StoryMaker) -> None:
    told, fold = story(steps=("ship",)).each("all", 100_000, "ship"), StatusFold()
    for record in told.records:
        fold.add(record)
    base = {"step.started": told.begin("ship@0").records.pop(), "step.failed": told.fail("ship@0").records.pop()}
    base["step.completed"] = told.complete("ship@0").records.pop()
    for index in range(100_000):
        step = f"ship@{index}"
        fold.add({**base["step.started"], "step": step})
        if index < 99_900:
            fold.add({**base["step.failed" if index % 10 == 0 else "step.completed"], "step": step})
    view = fold.view()
    assert view["steps"][0]["iterations"]["counts"] == {"completed": 89_910, "failed": 9_990, "running": 100}
    assert len(view["steps"][0]["iterations"]["shown"]) == SHOWN + FAILED_SHOWN
    assert len(json.dumps(view)) < 10_000


def test_only_so_many_failures_are_kept_and_all_are_counted() -> None:
    loop = Iterated(new_row("ship"))

    def fail(row: StepView) -> None:
        row["status"] = "failed"

    def complete(row: StepView) -> None:
        row["status"] = "completed"

    for index in range(FAILED_KEPT + 10):
        loop.change(f"ship@{index}", fail, "T")
    loop.change("ship@0", complete, "T", was="failed")
    assert loop.counts == {"failed": FAILED_KEPT + 9, "completed": 1}

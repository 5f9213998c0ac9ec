"""Pauses and repairs: what somebody takes back counts no more."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from wfrun.views.model import StatusView
from wfrun.views.repairs import counting, set_aside
from wfrun.views.status import status_of
from wfrun.views.tasks import open_tasks

if TYPE_CHECKING:
    from tests.unit.views.conftest import Story, StoryMaker


def rows(view: StatusView) -> dict[str, str]:
    return {row["step"]: row["status"] for row in view["steps"]}


def paused(story: StoryMaker) -> Story:
    """Records 4 and 5 are the attempt that failed, 6 the pause."""
    return story(steps=("reserve", "pay", "ship")).call("reserve").begin("pay").fail("pay").pause("pay")


@pytest.mark.parametrize("driven", [None, True, False])
def test_a_paused_execution_waits_for_somebody(story: StoryMaker, driven: bool | None) -> None:
    view = status_of(paused(story).records, driven=driven)
    assert view["status"] == "paused"
    assert view["error"]
    assert view["error"]["type"] == "payment.declined"
    assert (view["endedAt"], view["repairs"]) == (None, [])
    assert rows(view) == {"reserve": "completed", "pay": "failed", "ship": "pending"}


def test_one_that_is_to_be_undone_is_not_paused_any_more_whoever_died_over_it(story: StoryMaker) -> None:
    told = paused(story).add("cancel.requested", by="ann", reason="")
    told.add("driver.started", epoch=2, host="h", pid=2, wfrun="0")
    assert status_of(told.records, driven=False)["status"] == "interrupted"


def test_behind_a_point_of_no_return_it_stays_paused(story: StoryMaker) -> None:
    told = paused(story)
    told.records[-1]["pivot"] = True
    told.add("cancel.requested", by="ann", reason="")
    assert status_of(told.records, driven=False)["status"] == "paused"


def test_one_that_is_being_undone_is_not_paused_any_more(story: StoryMaker) -> None:
    told = (
        paused(story)
        .add("cancel.requested", by="ann", reason="")
        .add("compensation.started", reason="cancel", steps=[])
    )
    assert status_of(told.records, driven=True)["status"] == "running"


def test_a_pause_ends_whatever_was_waited_for(story: StoryMaker) -> None:
    told = story(steps=("nap", "pay")).nap("nap").begin("pay").fail("pay").pause("pay")
    view = status_of(told.records)
    assert (view["waits"], view["current"], rows(view)["nap"]) == ([], [], "cancelled")


def test_a_repair_is_under_way_until_it_is_in_force(story: StoryMaker) -> None:
    view = status_of(paused(story).repair("resume", [4, 5, 6], reason="limit raised").records, driven=False)
    assert (view["status"], rows(view)["pay"]) == ("interrupted", "failed")
    assert view["repairs"] == [
        {
            "seq": 7,
            "at": "2026-11-23T09:00:06.000000Z",
            "action": "resume",
            "step": None,
            "by": "kim",
            "reason": "limit raised",
            "done": False,
            "overtaken": False,
        }
    ]


@pytest.mark.parametrize("last", [(), (6,)], ids=["one", "and one that takes that one back"])
def test_a_repair_that_another_one_overtook_is_not_under_way(story: StoryMaker, last: tuple[int, ...]) -> None:
    told = story(steps=("pay",)).call("pay").repair("rewind", [2, 3], ("pay",), step="pay").end("needs-attention")
    repairs = status_of(told.records)["repairs"]
    assert [(each["done"], each["overtaken"]) for each in repairs] == [(False, False)]
    told.repair("set-output", [2, 3], step="pay")
    repairs = status_of(told.records)["repairs"]
    assert [(each["done"], each["overtaken"]) for each in repairs] == [(False, True), (False, False)]
    told.add("execution.repaired", request=6).end("completed")
    if last:
        told.repair("rewind", [*last], step="pay", keep=True).add("execution.repaired", request=9)
    repairs = status_of(told.records)["repairs"]
    assert [(each["done"], each["overtaken"]) for each in repairs] == [(False, True), (True, False)]


def test_nobody_is_heard_until_a_repair_is_in_force(story: StoryMaker) -> None:
    told = story(steps=("a", "ask")).call("a").ask("ask")
    assert status_of(told.records, driven=False)["status"] == "waiting"
    told.repair("set-output", [2], step="a")
    view = status_of(told.records, driven=False)
    assert (view["status"], view["tasks"], open_tasks(told.records)) == ("interrupted", [], [])
    view = status_of(told.add("execution.repaired", request=5).records, driven=False)
    assert (view["status"], len(view["tasks"]), len(open_tasks(told.records))) == ("waiting", 1, 1)


def test_what_a_repair_dropped_counts_no_more(story: StoryMaker) -> None:
    told = paused(story).repair("resume", [4, 5, 6]).add("execution.repaired", request=7)
    view = status_of(told.records)
    assert (view["status"], view["error"]) == ("running", None)
    assert rows(view) == {"reserve": "completed", "pay": "pending", "ship": "pending"}
    assert view["repairs"][0]["done"]
    view = status_of(told.begin("pay", attempt=2).complete("pay", attempt=2).records)
    assert rows(view)["pay"] == "completed"


@pytest.mark.parametrize(("action", "status"), [("skip", "skipped"), ("set-output", "completed")])
def test_a_step_that_somebody_saw_to(story: StoryMaker, action: str, status: str) -> None:
    told = paused(story).repair(action, [4, 5, 6], step="pay").add("execution.repaired", request=7)
    assert rows(status_of(told.records))["pay"] == status


def test_steps_that_a_repair_undid_are_run_again(story: StoryMaker) -> None:
    told = paused(story).repair("rewind", [2, 3, 4, 5, 6], ("reserve",), step="reserve").begin("compensate:reserve")
    view = status_of(told.records)
    assert (rows(view)["reserve"], view["compensations"][0]["status"]) == ("compensating", "running")
    told.complete("compensate:reserve").call("compensate:reserve/2").add("execution.repaired", request=7)
    view = status_of(told.records)
    assert (rows(view)["reserve"], view["compensations"]) == ("pending", [])
    assert rows(status_of(told.begin("reserve", attempt=2).records))["reserve"] == "running"


def test_what_was_undone_before_a_repair_stays_undone(story: StoryMaker) -> None:
    told = story(steps=("a", "pay")).call("a").call("compensate:a").begin("pay").fail("pay").pause("pay")
    told.repair("resume", [6, 7, 8], ("b",)).call("compensate:b").add("execution.repaired", request=9)
    view = status_of(told.records)
    assert rows(view)["a"] == "compensated"
    assert [row["step"] for row in view["compensations"]] == ["a"]


def test_what_a_repair_could_not_undo_at_first_ends_nothing_that_it_leaves_alone(story: StoryMaker) -> None:
    told = story(steps=("ask", "hear", "a")).ask("ask").listen("hear", "go").call("a")
    before = status_of(told.records, driven=False)
    request = len(told.records) + 1
    told.repair("rewind", [request - 2, request - 1], ("a",), step="a").begin("compensate:a").fail("compensate:a")
    told.end("needs-attention", failures=[])
    view = status_of(told.records, driven=False)
    assert (view["status"], view["tasks"], open_tasks(told.records)) == ("needs-attention", [], [])
    told.add("execution.resumed", by="kim").call("compensate:a").add("execution.repaired", request=request)
    told.call("a")
    view = status_of(told.records, driven=False)
    assert (view["status"], rows(view)) == (before["status"], rows(before))
    assert (view["tasks"], view["waits"]) == (before["tasks"], before["waits"])
    assert open_tasks(told.records) == before["tasks"]


def test_several_repairs(story: StoryMaker) -> None:
    told = paused(story).repair("resume", [4, 5, 6]).add("execution.repaired", request=7)
    told.begin("pay", attempt=2).fail("pay", attempt=2).pause("pay")
    told.repair("skip", [9, 10, 11], step="pay").add("execution.repaired", request=12)
    assert set_aside(told.records) == {4, 5, 6, 9, 10, 11}
    view = status_of(told.records)
    assert ([repair["done"] for repair in view["repairs"]], view["status"]) == ([True, True], "running")
    assert rows(view) == {"reserve": "completed", "pay": "skipped", "ship": "pending"}


def test_without_repairs_the_records_are_what_they_are(story: StoryMaker) -> None:
    records = paused(story).repair("resume", [4]).records
    assert counting(records) is records
    assert list(counting(iter(records))) == records
    assert set_aside([*records, {"type": "execution.repaired", "seq": 9, "request": 99}]) == set()


def test_a_completed_execution_is_undone_on_request(story: StoryMaker) -> None:
    told = story(steps=("pay",)).call("pay").end("completed")
    told.add("compensation.requested", by="kim", reason="fraud")
    assert status_of(told.records, driven=False)["status"] == "interrupted"
    told.add("compensation.started", reason="request", steps=["pay"]).call("compensate:pay").end("compensated")
    view = status_of(told.records)
    assert (view["status"], rows(view)) == ("compensated", {"pay": "compensated"})


def test_a_paused_execution_is_undone_on_request(story: StoryMaker) -> None:
    told = paused(story).add("compensation.requested", by="kim", reason="")
    told.add("compensation.started", reason="failure", steps=["reserve"], error=told.records[5]["error"])
    view = status_of(told.call("compensate:reserve").records)
    assert (view["status"], rows(view)["reserve"]) == ("running", "compensated")

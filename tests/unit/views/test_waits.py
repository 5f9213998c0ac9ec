"""What an execution waits for besides people: events, times, child executions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from wfrun.views.model import ExecutionStatus, StatusView
from wfrun.views.overdue import as_of
from wfrun.views.status import status_of

if TYPE_CHECKING:
    from tests.unit.views.conftest import Story, StoryMaker

SOON, LATE = "2026-11-23T09:00:05.000000Z", "2026-11-23T12:00:00.000000Z"


def rows(view: StatusView) -> dict[str, str]:
    return {row["step"]: row["status"] for row in view["steps"]}


def seen(told: Story, **statuses: ExecutionStatus) -> StatusView:
    """The status while nobody drives it; `statuses` are those of children, by the end of their ids."""
    return status_of(told.records, driven=False, child=lambda id: statuses.get(id.rpartition(".")[2]))


# ---- times


def test_a_long_wait_needs_nobody(story: StoryMaker) -> None:
    told = story(steps=("nap", "pay")).nap("nap", LATE)
    view = seen(told)
    assert (view["status"], rows(view)) == ("waiting", {"nap": "waiting", "pay": "pending"})
    wait = {"step": "nap", "events": [], "since": told.records[1]["at"], "until": LATE, "overdue": False}
    assert view["waits"] == [wait | {"arrived": False, "complete": 0, "matched": []}]
    assert [timer["timer"] for timer in view["timers"]] == ["nap!wait"]
    view = seen(told.add("timer.fired", timer="nap!wait"))
    assert (view["status"], view["waits"], view["timers"]) == ("interrupted", [], [])
    assert rows(view)["nap"] == "completed"


def test_a_short_wait_has_to_be_driven(story: StoryMaker) -> None:
    told = story(steps=("nap",)).nap("nap", SOON)
    view = seen(told)
    assert (view["status"], view["waits"], rows(view)) == ("interrupted", [], {"nap": "waiting"})
    assert seen(told.add("timer.fired", timer="nap!wait"))["status"] == "interrupted"
    assert status_of(told.nap("other", LATE).records)["status"] == "waiting"


@pytest.mark.parametrize(("due", "status"), [(SOON, "interrupted"), (LATE, "waiting")])
def test_a_loop_that_lets_time_pass_between_rounds(story: StoryMaker, due: str, status: str) -> None:
    told = story(steps=("poll",)).call("poll@0")
    told.add("timer.started", timer="steps[0]@0!delay", step="steps[0]@0", due=due, reason="delay")
    assert seen(told)["status"] == status
    told.add("timer.fired", timer="steps[0]@0!delay")
    assert (seen(told)["status"], seen(told)["waits"]) == ("interrupted", [])


def test_the_limits_of_blocks_are_no_waits(story: StoryMaker) -> None:
    told = story(steps=("pay",))
    told.add("timer.started", timer="steps[0]!timeout", step="steps[0]", due=LATE, reason="timeout").begin("pay")
    view = seen(told)
    assert (view["waits"], view["timers"], view["status"]) == ([], [], "interrupted")
    assert seen(told.add("timer.fired", timer="steps[0]!timeout"))["waits"] == []


def test_a_time_that_has_come_while_nobody_looked_is_overdue(story: StoryMaker) -> None:
    view = seen(story(steps=("nap", "ask")).nap("nap", LATE).ask("ask", due=LATE))
    assert not as_of(view, "2026-11-23T11:59:59.000000Z")["waits"][0]["overdue"]
    late = as_of(view, LATE)
    assert (late["waits"][0]["overdue"], late["tasks"][0]["overdue"]) == (True, True)
    assert not view["waits"][0]["overdue"]


# ---- events


def test_waiting_for_an_event(story: StoryMaker) -> None:
    told = story(steps=("paid",)).listen("paid", "payment.received")
    view = seen(told)
    assert (view["status"], rows(view)) == ("waiting", {"paid": "waiting"})
    assert (view["waits"][0]["events"], view["waits"][0]["until"]) == (["payment.received"], None)
    told.add("event.received", event={"id": "e1", "type": "other", "source": "x", "time": "T", "data": None})
    assert seen(told.match("paid", value=False))["status"] == "waiting"
    view = seen(told.match("paid"))
    assert (view["status"], view["waits"], rows(view)) == ("interrupted", [], {"paid": "completed"})


def test_waiting_for_several_events(story: StoryMaker) -> None:
    told = story(steps=("both",)).listen("both", "a", "b").match("both", listener=1)
    assert rows(seen(told)) == {"both": "waiting"}
    assert rows(seen(told.match("both"))) == {"both": "completed"}


def test_waiting_for_any_of_several_events(story: StoryMaker) -> None:
    told = story(steps=("any",)).listen("any", "a", "b", complete=1).match("any", listener=1)
    assert rows(seen(told)) == {"any": "completed"}


def test_an_event_that_came_early_is_not_waited_for(story: StoryMaker) -> None:
    assert rows(seen(story(steps=("paid",)).match("paid"))) == {"paid": "completed"}


@pytest.mark.parametrize("step", ["both", "both@0"])
def test_one_of_several_that_came_early(story: StoryMaker, step: str) -> None:
    told = story(steps=("both",)).match(step).listen(step, "a", "b")
    assert rows(seen(told)) == {"both": "waiting"}
    assert rows(seen(told.match(step, listener=1))) == {"both": "completed"}
    if step != "both":
        assert seen(told)["steps"][0]["iterations"]["counts"] == {"completed": 1}


def test_several_that_came_early_are_one_iteration(story: StoryMaker) -> None:
    told = story(steps=("all",)).match("all@0").match("all@0", listener=1).match("all@1").match("all@1", listener=1)
    assert seen(told)["steps"][0]["iterations"]["counts"] == {"completed": 2}
    assert seen(told)["progress"] == {"done": 2, "skipped": 0, "failed": 0, "total": 2}


def test_a_match_without_a_value_after_an_early_one(story: StoryMaker) -> None:
    told = story(steps=("all",)).match("all@0")
    error = {"type": "expression.undefined", "message": "no", "step": "all@0"}
    told.add("evaluation.failed", effect="all@0!event1/e1", step="all@0", error=error)
    assert seen(told)["steps"][0]["iterations"]["counts"] == {"failed": 1}


def test_which_events_have_come(story: StoryMaker) -> None:
    told = story(steps=("all",))
    told.receive("e0", "a").match("all").listen("all", "a", "b", complete=3)
    (wait,) = seen(told)["waits"]
    assert (wait["complete"], wait["matched"]) == (3, ["a"])
    (wait,) = seen(told.receive("e1", "b").match("all", listener=1))["waits"]
    assert (wait["complete"], wait["matched"]) == (3, ["a", "b"])
    assert seen(told.receive("e2", "b").match("all", listener=2))["waits"] == []


def test_a_wait_takes_no_event_that_had_come_before_it_began(story: StoryMaker) -> None:
    """It would have taken it at once, had it wanted it: one that had not come is what `resume` can give it."""
    view = seen(story(steps=("w",)).receive("e0", "a").listen("w", "a"))
    assert ([wait["arrived"] for wait in view["waits"]], view["arrived"][0]["awaited"]) == ([False], False)
    view = seen(story(steps=("w",)).receive("e0", "a").listen("w", "a").receive("e1", "a"))
    assert [wait["arrived"] for wait in view["waits"]] == [True]
    assert [(event["event"], event["awaited"]) for event in view["arrived"]] == [("e0", False), ("e1", True)]
    told = story(steps=("w", "v")).listen("w", "a").receive("e0", "a")
    told.add("wait.withdrawn", wait="w!event", step="w").listen("v", "a")
    assert [wait["arrived"] for wait in seen(told)["waits"]] == [False]


def test_of_several_events_none_is_taken_twice(story: StoryMaker) -> None:
    told = story(steps=("all",)).listen("all", "a", "b").receive("e0", "a").match("all")
    view = seen(told.receive("e1", "a"))
    assert ([wait["arrived"] for wait in view["waits"]], view["arrived"][-1]["awaited"]) == ([False], False)
    view = seen(told.receive("e2", "b"))
    assert ([wait["arrived"] for wait in view["waits"]], view["arrived"][-1]["awaited"]) == ([True], True)


def test_unless_it_waits_for_more_of_them(story: StoryMaker) -> None:
    told = story(steps=("all",)).listen("all", "a", complete=2).receive("e0", "a").match("all")
    assert seen(told.receive("e1", "a"))["waits"][0]["arrived"]


@pytest.mark.parametrize("first", ["limit", "wait"])
def test_the_limit_of_a_wait_for_events(story: StoryMaker, first: str) -> None:
    told = story(steps=("paid",))
    if first == "wait":
        told.listen("paid", "a")
    told.add("timer.started", timer="paid!timeout", step="paid", due=LATE, reason="timeout")
    if first == "limit":
        told.listen("paid", "a")
    assert seen(told)["waits"][0]["until"] == LATE
    view = seen(told.add("timer.fired", timer="paid!timeout"))
    assert (rows(view), view["waits"]) == ({"paid": "timed-out"}, [])
    assert view["steps"][0]["error"] == {"type": "timeout", "message": "no event came in time"}


def test_a_wait_that_is_not_needed_any_more(story: StoryMaker) -> None:
    told = story(steps=("paid", "nap")).listen("paid", "a").nap("nap", LATE)
    told.add("wait.withdrawn", wait="paid!event", step="paid").add("wait.withdrawn", wait="nap!wait", step="nap")
    view = seen(told)
    assert rows(view) == {"paid": "cancelled", "nap": "cancelled"}
    assert (view["waits"], view["timers"], view["status"]) == ([], [], "interrupted")
    told.add("wait.withdrawn", wait="steps[3]@0!delay", step="steps[3]@0")
    assert "steps[3]" not in rows(seen(told))


def test_publishing(story: StoryMaker) -> None:
    told = story(steps=("tell",)).add("event.emitted", step="tell", event={})
    assert (rows(seen(told)), seen(told)["status"]) == ({"tell": "running"}, "interrupted")
    assert rows(seen(told.add("event.published", step="tell", reached=0))) == {"tell": "completed"}


# ---- children


@pytest.mark.parametrize(
    ("child", "status"),
    [
        ("waiting", "waiting"),
        ("paused", "waiting"),
        ("running", "interrupted"),
        ("interrupted", "interrupted"),
        ("completed", "interrupted"),
    ],
)
def test_an_execution_waits_while_its_children_do(story: StoryMaker, child: ExecutionStatus, status: str) -> None:
    view = seen(story(steps=("ship",)).child("ship"), ship=child)
    assert (view["status"], rows(view)) == (status, {"ship": "waiting"})
    assert [(row["execution"], row["status"]) for row in view["children"]] == [("k7m2x9qd.ship", child)]


def test_a_child_that_cannot_be_asked_is_taken_to_have_things_to_do(story: StoryMaker) -> None:
    told = story(steps=("ship",)).child("ship")
    assert status_of(told.records)["status"] == "running"
    assert status_of(told.records)["children"][0]["status"] is None


@pytest.mark.parametrize(
    ("ended", "status"),
    [("completed", "completed"), ("cancelled", "cancelled"), ("failed", "failed"), ("compensated", "failed")],
)
def test_how_a_child_ended(story: StoryMaker, ended: str, status: str) -> None:
    view = seen(story(steps=("ship",)).child("ship").child_ended("ship", ended))
    assert (rows(view), view["children"][0]["status"]) == ({"ship": status}, ended)
    error = view["steps"][0]["error"]
    assert (error and error["type"]) == (f"workflow.{ended}" if status == "failed" else None)


def test_a_detached_child_goes_its_own_way(story: StoryMaker) -> None:
    view = seen(story(steps=("log",)).child("log", detach=True).child_ended("log"), log="running")
    assert rows(view) == {"log": "completed"}
    assert (view["children"][0]["detached"], view["children"][0]["status"]) == (True, "running")


@pytest.mark.parametrize("step", ["ship", "ship@0"])
def test_a_child_is_recalled(story: StoryMaker, step: str) -> None:
    told = story(steps=("ship",)).child(step).child_ended(step)
    told.add("compensation.started", reason="cancel", steps=[step])
    told.add("child.recalled", step=f"compensate:{step}", child=f"k7m2x9qd.{step.replace('@', '.')}")
    view = seen(told)
    assert rows(view) == {"ship": "compensating"}
    assert (view["children"][0]["workflow"], view["children"][0]["status"]) == ("shipping", None)
    told.child_ended(f"compensate:{step}", "compensated")
    assert rows(seen(told)) == {"ship": "compensated"}


def test_a_child_that_could_not_be_undone(story: StoryMaker) -> None:
    told = story(steps=("ship",)).child("ship").child_ended("ship")
    told.add("child.recalled", step="compensate:ship", child="k7m2x9qd.ship")
    view = seen(told.child_ended("compensate:ship", "needs-attention"))
    assert rows(view) == {"ship": "completed"}
    assert view["compensations"][0]["status"] == "failed"


def test_of_children_in_loops_those_are_shown_that_have_not_ended(story: StoryMaker) -> None:
    told = story(steps=("ship",)).each("all", 2, "ship").child("ship@0").child_ended("ship@0").child("ship@1")
    assert [child["step"] for child in seen(told)["children"]] == ["ship@1"]
    assert seen(told.add("compensation.started", reason="cancel", steps=[]))["children"] == []

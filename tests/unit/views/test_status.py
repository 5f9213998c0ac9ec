from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import pytest

from wfrun.errors import JournalError
from wfrun.views.model import StatusView
from wfrun.views.status import StatusFold, brief_of, status_of

if TYPE_CHECKING:
    from tests.unit.views.conftest import StoryMaker

ERROR = {"type": "payment.declined", "message": "no", "step": "pay"}


def rows(view: StatusView, key: Literal["steps", "compensations"] = "steps") -> dict[str, str]:
    return {row["step"]: row["status"] for row in view[key]}


def test_completed_execution(story: StoryMaker) -> None:
    told = story(steps=("check", "pay")).driven().call("check").call("pay").end("completed", output={"paid": True})
    view = status_of(told.records)
    assert view["status"] == "completed"
    assert view["progress"] == {"done": 2, "skipped": 0, "failed": 0, "total": 2}
    assert view["output"] == {"paid": True}
    assert view["startedAt"] == "2026-11-23T09:00:00.000000Z"
    assert view["endedAt"] == "2026-11-23T09:00:06.000000Z"
    assert view["durationMs"] == 6000
    assert view["current"] == []
    assert view["driver"] == {
        "epoch": 1,
        "host": "mill",
        "pid": 4711,
        "startedAt": "2026-11-23T09:00:01.000000Z",
        "stoppedAt": None,
        "reason": None,
    }


def test_rows_give_times_attempts_and_order(story: StoryMaker) -> None:
    told = story(steps=("check", "pay", "ship")).call("check").begin("pay")
    check, pay, ship = status_of(told.records)["steps"]
    assert (check["status"], check["attempts"], check["durationMs"]) == ("completed", 1, 1000)
    assert (pay["status"], pay["startedAt"], pay["endedAt"]) == ("running", "2026-11-23T09:00:03.000000Z", None)
    assert (ship["status"], ship["attempts"], ship["startedAt"]) == ("pending", 0, None)


@pytest.mark.parametrize(("driven", "status"), [(None, "running"), (True, "running"), (False, "interrupted")])
def test_an_unfinished_execution_is_interrupted_only_if_nobody_drives_it(
    story: StoryMaker, driven: bool | None, status: str
) -> None:
    assert status_of(story(steps=("pay",)).begin("pay").records, driven=driven)["status"] == status


def test_retrying_step_says_when_it_tries_again(story: StoryMaker) -> None:
    view = status_of(story(steps=("crm",)).begin("crm").fail("crm", "timeout").retry("crm").records)
    (crm,) = view["steps"]
    assert (crm["status"], crm["nextAttemptAt"]) == ("retrying", "2026-11-23T10:00:00.000000Z")
    assert crm["error"]
    assert crm["error"]["type"] == "timeout"
    assert crm["endedAt"] is None
    assert [timer["reason"] for timer in view["timers"]] == ["retry"]
    assert view["current"] == ["crm"]


def test_success_after_retries_keeps_the_first_start_and_forgets_the_error(story: StoryMaker) -> None:
    told = story(steps=("crm",)).begin("crm").fail("crm", "timeout").retry("crm")
    told.add("timer.fired", timer="crm#1!retry").begin("crm", attempt=2).complete("crm", attempt=2)
    view = status_of(told.records)
    (crm,) = view["steps"]
    assert (crm["status"], crm["attempts"], crm["error"], crm["nextAttemptAt"]) == ("completed", 2, None, None)
    assert crm["durationMs"] == 5000
    assert view["timers"] == []


def test_the_same_attempt_again_after_a_crash(story: StoryMaker) -> None:
    told = story(steps=("pay",)).driven(1).begin("pay").driven(2).begin("pay", epoch=2)
    view = status_of(told.records)
    assert view["steps"][0]["attempts"] == 1
    assert view["driver"]
    assert view["driver"]["epoch"] == 2


def test_compensation_shows_on_both_sides(story: StoryMaker) -> None:
    told = story(steps=("reserve", "charge", "pay")).call("reserve").call("charge").begin("pay").fail("pay")
    told.add("compensation.started", reason="failure", steps=["charge", "reserve"], error=ERROR)
    told.call("compensate:charge").begin("compensate:reserve")
    view = status_of(told.records)
    assert view["status"] == "running"
    assert rows(view) == {"reserve": "compensating", "charge": "compensated", "pay": "failed"}
    assert rows(view, "compensations") == {"charge": "completed", "reserve": "running"}
    assert view["error"] == ERROR
    assert view["progress"] == {"done": 2, "skipped": 0, "failed": 1, "total": 3}
    told.complete("compensate:reserve").end("compensated", error=ERROR)
    view = status_of(told.records)
    assert view["status"] == "compensated"
    assert list(rows(view, "compensations")) == ["charge", "reserve"]


def test_a_compensation_that_cannot_succeed(story: StoryMaker) -> None:
    told = story(steps=("reserve", "pay")).call("reserve").begin("pay").fail("pay")
    told.add("compensation.started", reason="failure", steps=["reserve"], error=ERROR)
    told.begin("compensate:reserve").fail("compensate:reserve", "http.503")
    failure = {"type": "http.503", "message": "no", "step": "compensate:reserve"}
    view = status_of(told.end("needs-attention", error=ERROR, failures=[failure]).records)
    assert view["status"] == "needs-attention"
    assert view["failures"] == [failure]
    assert rows(view, "compensations") == {"reserve": "failed"}
    assert rows(view)["reserve"] == "completed"


def test_waiting_for_a_person(story: StoryMaker) -> None:
    view = status_of(story(steps=("approve", "fund")).ask("approve").records, driven=False)
    assert view["status"] == "waiting"
    assert rows(view) == {"approve": "waiting", "fund": "pending"}
    assert [task["task"] for task in view["tasks"]] == ["k7m2x9qd/approve"]


def test_a_task_beside_a_running_step_is_not_waiting(story: StoryMaker) -> None:
    told = story(steps=("approve", "print")).ask("approve").begin("print")
    assert status_of(told.records)["status"] == "running"
    assert status_of(told.records, driven=False)["status"] == "interrupted"


def test_a_decided_task_lets_the_execution_run_on(story: StoryMaker) -> None:
    view = status_of(story(steps=("approve",)).ask("approve").decide("approve").records, driven=False)
    assert view["status"] == "interrupted"
    assert rows(view) == {"approve": "completed"}


def test_a_quorum_waits_for_enough_people(story: StoryMaker) -> None:
    told = story(steps=("approve",)).ask("approve", quorum=2).decide("approve", by="kim").decide("approve", by="kim")
    assert status_of(told.records)["status"] == "waiting"
    assert status_of(told.decide("approve", by="lee").records)["tasks"] == []


def test_one_refusal_settles_a_quorum_and_the_end_tells_that_it_failed(story: StoryMaker) -> None:
    told = story(steps=("approve",)).ask("approve", quorum=2).decide("approve", "rejected")
    assert status_of(told.records)["tasks"] == []
    error = {"type": "task.rejected", "message": "rejected by kim", "step": "approve"}
    view = status_of(told.end("failed", error=error).records)
    assert rows(view) == {"approve": "failed"}
    assert view["steps"][0]["error"] == error


def test_expiry_fails_and_escalation_reopens(story: StoryMaker) -> None:
    told = story(steps=("approve",)).ask("approve").add("task.expired", task="k7m2x9qd/approve")
    view = status_of(told.records)
    assert (rows(view), view["tasks"]) == ({"approve": "timed-out"}, [])
    told.add("task.escalated", task="k7m2x9qd/approve", level=1, assignee={"users": ["boss"]}, due=None)
    view = status_of(told.records)
    assert rows(view) == {"approve": "waiting"}
    assert view["steps"][0]["error"] is None
    assert (view["tasks"][0]["escalated"], view["tasks"][0]["assignee"]) == (1, {"users": ["boss"]})


def test_others_decide_anew_by_rules_of_their_own(story: StoryMaker) -> None:
    told = story(steps=("approve",)).ask("approve", quorum=2).decide("approve", by="kim")
    told.add("task.expired", task="k7m2x9qd/approve")
    boss = {"task": "k7m2x9qd/approve", "level": 1, "assignee": {"users": ["boss"]}, "due": None}
    older = status_of([*told.records, *story(steps=()).add("task.escalated", **boss).records[-1:]])["tasks"][0]
    assert (older["quorum"], older["excludeInitiator"], len(older["votes"])) == (2, False, 1)
    told.add("task.escalated", **boss, quorum=1, excludeInitiator=True)
    (task,) = status_of(told.records)["tasks"]
    assert (task["quorum"], task["excludeInitiator"], task["votes"]) == (1, True, [])
    assert rows(status_of(told.decide("approve", by="boss").records)) == {"approve": "completed"}


def test_a_withdrawn_task_is_cancelled(story: StoryMaker) -> None:
    view = status_of(story(steps=("a",)).ask("a").add("task.withdrawn", task="k7m2x9qd/a").records)
    assert (rows(view), view["tasks"]) == ({"a": "cancelled"}, [])


def test_conditions_skip_and_are_listed(story: StoryMaker) -> None:
    told = story(steps=("gift", "pay"))
    told.add("decision.made", step="gift", of="step", condition="$.gift", value=False, operands={"$.gift": False}).call(
        "pay"
    )
    view = status_of(told.records)
    assert rows(view) == {"gift": "skipped", "pay": "completed"}
    assert view["progress"] == {"done": 2, "skipped": 1, "failed": 0, "total": 2}
    assert view["decisions"][0]["operands"] == {"$.gift": False}


def test_what_a_completed_execution_never_reached_was_skipped(story: StoryMaker) -> None:
    told = story(steps=("fund", "reject"))
    told.add("decision.made", step="steps[0]", of="branch", condition="true", value=True, operands={}).call("fund")
    assert rows(status_of(told.records)) == {"fund": "completed", "reject": "pending"}
    view = status_of(told.end("completed").records)
    assert (rows(view), view["progress"]) == (
        {"fund": "completed", "reject": "skipped"},
        {"done": 2, "skipped": 1, "failed": 0, "total": 2},
    )


def test_what_a_failed_execution_never_reached_stays_pending(story: StoryMaker) -> None:
    told = story(steps=("pay", "ship")).begin("pay").fail("pay").end("failed", error=ERROR)
    assert rows(status_of(told.records)) == {"pay": "failed", "ship": "pending"}


@pytest.mark.parametrize(("step", "expected"), [("pay", {"pay": "failed"}), ("output", {"pay": "pending"})])
def test_what_could_not_be_computed(story: StoryMaker, step: str, expected: dict[str, str]) -> None:
    error = {"type": "expression.undefined", "message": "$.x", "step": step}
    told = story(steps=("pay",)).add("evaluation.failed", effect="x", step=step, error=error)
    assert rows(status_of(told.records)) == expected


def test_cancelling(story: StoryMaker) -> None:
    told = story(steps=("approve",)).ask("approve").add("cancel.requested", by="ada", reason="typo")
    view = status_of(told.records)
    assert (view["status"], view["cancelRequested"]) == ("running", True)
    assert view["cancellation"] is not None
    assert (view["cancellation"]["by"], view["cancellation"]["reason"]) == ("ada", "typo")
    assert status_of(told.end("cancelled").records)["tasks"] == []


def test_what_is_still_done_when_it_is_cancelled_may_wait_for_somebody(story: StoryMaker) -> None:
    told = story(steps=("nap", "tidy")).nap("nap").add("cancel.requested", by="ada", reason="")
    told.add("event.received", event={"id": "1", "type": "paid", "data": 1})
    assert status_of(told.records, driven=False)["status"] == "interrupted"
    told.driven().add("wait.withdrawn", wait="nap!wait", step="nap").ask("tidy")
    assert status_of(told.records, driven=False)["status"] == "waiting"


def test_a_task_that_is_not_stopped_by_a_cancellation_goes_on_waiting(story: StoryMaker) -> None:
    told = story(steps=("tidy",)).ask("tidy").add("cancel.requested", by="ada", reason="")
    assert status_of(told.records, driven=False)["status"] == "interrupted"
    assert status_of(told.driven(epoch=2).records, driven=False)["status"] == "waiting"


def test_stopped_steps(story: StoryMaker) -> None:
    told = story(steps=("mail",)).begin("mail").add("step.cancelled", step="mail", attempt=1)
    assert rows(status_of(told.records)) == {"mail": "cancelled"}


def test_a_step_may_be_undone_by_several_calls(story: StoryMaker) -> None:
    told = story(steps=("pay", "ship")).call("pay").begin("ship").fail("ship")
    error = {**ERROR, "step": "ship"}
    told.add("compensation.started", reason="failure", steps=["pay"], error=error).call("compensate:pay")
    told.begin("compensate:pay/2")
    view = status_of(told.records)
    assert rows(view)["pay"] == "compensating"
    assert rows(view, "compensations") == {"pay": "completed", "pay/2": "running"}
    view = status_of(told.fail("compensate:pay/2").records)
    assert rows(view)["pay"] == "completed"
    told.end("needs-attention").add("execution.resumed", by="kim").begin("compensate:pay", 2)
    told.complete("compensate:pay", 2).begin("compensate:pay/2", 2).complete("compensate:pay/2", 2)
    assert rows(status_of(told.records))["pay"] == "compensated"


def test_what_a_branch_did_is_undone_while_the_rest_goes_on(story: StoryMaker) -> None:
    told = story(steps=("quote-a", "quote-b", "order")).call("quote-a").call("quote-b").call("compensate:quote-b")
    view = status_of(told.begin("order").records)
    assert (view["status"], view["error"]) == ("running", None)
    assert rows(view) == {"quote-a": "completed", "quote-b": "compensated", "order": "running"}
    assert rows(view, "compensations") == {"quote-b": "completed"}


def test_what_undoes_a_step_stands_together_in_the_order_of_the_calls(story: StoryMaker) -> None:
    told = story(steps=("flight", "hotel")).call("flight").call("hotel")
    told.add("compensation.started", reason="cancel", steps=["hotel", "flight"])
    told.call("compensate:hotel").call("compensate:hotel/2").call("compensate:flight")
    assert list(rows(status_of(told.records), "compensations")) == ["hotel", "hotel/2", "flight"]


def test_a_block_can_be_undone_and_has_no_row_of_its_own(story: StoryMaker) -> None:
    told = story(steps=("pay",)).call("pay")
    told.add("compensation.started", reason="cancel", steps=["steps[0]"]).call("compensate:steps[0]")
    view = status_of(told.records)
    assert rows(view) == {"pay": "completed"}
    assert rows(view, "compensations") == {"steps[0]": "completed"}


def test_what_still_seems_to_run_when_all_is_over_was_cancelled(story: StoryMaker) -> None:
    told = story(steps=("crm", "nap", "pay")).begin("crm").fail("crm").retry("crm").nap("nap").begin("pay").fail("pay")
    assert status_of(told.records)["current"] == ["crm", "nap"]
    view = status_of(told.add("compensation.started", reason="failure", steps=[], error=ERROR).records)
    assert rows(view) == {"crm": "cancelled", "nap": "cancelled", "pay": "failed"}
    assert (view["current"], view["timers"], view["waits"]) == ([], [], [])


def test_a_completed_execution_has_nothing_left_to_do_even_if_something_failed(story: StoryMaker) -> None:
    told = story(steps=("ping", "pay")).begin("ping").fail("ping").call("pay")
    assert status_of(told.records)["progress"] == {"done": 1, "skipped": 0, "failed": 1, "total": 2}
    assert status_of(told.end("completed").records)["progress"] == {"done": 2, "skipped": 0, "failed": 1, "total": 2}


def test_a_child_and_what_it_listens_for_are_known_from_the_start(story: StoryMaker) -> None:
    told = story()
    assert (status_of(told.records)["parent"], status_of(told.records)["listens"]) == (None, [])
    told.records[0] |= {"parent": {"execution": "k1", "step": "ship"}, "listens": ["payment.received"]}
    view = status_of(told.records)
    assert (view["parent"], view["listens"]) == ({"execution": "k1", "step": "ship"}, ["payment.received"])


def test_driver_stop_and_recovery_are_told(story: StoryMaker) -> None:
    told = story(steps=()).driven().add("driver.stopped", epoch=1, reason="signal")
    view = status_of(told.add("journal.recovered", offset=1, bytes=2, sha256="0" * 64).records)
    assert view["driver"]
    assert view["driver"]["reason"] == "signal"


def test_a_fold_can_be_asked_while_it_grows(story: StoryMaker) -> None:
    told = story(steps=("a", "b")).call("a").call("b").end("completed")
    fold = StatusFold()
    done = []
    for record in told.records:
        fold.add(record)
        done.append(fold.view()["progress"]["done"])
    assert done == [0, 0, 1, 1, 2, 2]
    assert fold.view() == status_of(told.records)


def test_a_brief_is_a_part_of_the_whole(story: StoryMaker) -> None:
    told = story(steps=("check", "approve", "pay")).call("check").ask("approve")
    for driven in (None, False):
        brief, view = brief_of(told.records, driven=driven), status_of(told.records, driven=driven)
        assert {**view, **brief} == view


def test_an_unknown_event_is_refused_by_name(story: StoryMaker) -> None:
    with pytest.raises(JournalError, match=r"record 2 is a `step\.teleported`") as caught:
        status_of(story().add("step.teleported").records)
    assert caught.value.code == "journal.unknown-event"


def test_an_empty_journal_has_no_status() -> None:
    with pytest.raises(JournalError) as caught:
        status_of([])
    assert caught.value.code == "journal.empty"


def test_what_is_paused_and_to_be_cancelled_is_to_be_driven_on(story: StoryMaker) -> None:
    """Whoever asked for it died, or has not come to it yet."""
    told = story(steps=("a",)).pause("a").add("cancel.requested", by="ann", reason="")
    assert [status_of(told.records, driven=driven)["status"] for driven in (True, False)] == ["running", "interrupted"]

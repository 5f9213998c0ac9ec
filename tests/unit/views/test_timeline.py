from __future__ import annotations

import typing
from typing import TYPE_CHECKING, Any

import pytest

from wfrun.core import events
from wfrun.views.fold import _HANDLERS
from wfrun.views.timeline import timeline
from wfrun.views.words import _WORDS, describe

if TYPE_CHECKING:
    from tests.unit.views.conftest import StoryMaker

ERROR = {"type": "http.503", "message": "down"}
PEOPLE = {"users": ["kim"], "groups": ["managers"]}


def test_moments_count_from_the_start(story: StoryMaker) -> None:
    first, second, third = timeline(story(steps=("pay",)).begin("pay").complete("pay", result={"ok": 1}).records)
    assert (first["seq"], first["offsetMs"], first["step"]) == (1, 0, None)
    assert first["text"] == "order (version 2) started by ada"
    assert (second["offsetMs"], second["step"], second["text"]) == (1000, "pay", "pay → shop.act")
    assert (third["offsetMs"], third["text"]) == (2000, 'pay completed: {"ok":1}')


@pytest.mark.parametrize(
    ("record", "text"),
    [
        (
            {
                "type": "step.started",
                "step": "compensate:pay",
                "attempt": 2,
                "service": "payment",
                "action": "refund",
            },
            "undo pay → payment.refund (attempt 2)",
        ),
        ({"type": "step.failed", "step": "crm", "attempt": 1, "error": ERROR}, "crm failed: http.503: down"),
        (
            {"type": "step.cancelled", "step": "sms", "attempt": 1},
            "sms was given up; whether it had an effect is not known",
        ),
        (
            {
                "type": "decision.made",
                "step": "gift",
                "of": "step",
                "condition": "$.gift",
                "value": False,
                "operands": {"$.gift": False},
            },
            'gift is skipped: $.gift is false with {"$.gift":false}',
        ),
        (
            {
                "type": "decision.made",
                "step": "steps[1]",
                "of": "branch",
                "condition": "$.n > 1",
                "value": True,
                "operands": {},
            },
            "steps[1] takes `then`: $.n > 1 is true",
        ),
        (
            {"type": "timer.started", "timer": "t", "step": "crm", "due": "D", "reason": "retry"},
            "crm tries again at D",
        ),
        (
            {"type": "timer.started", "timer": "t", "step": "nap", "due": "D", "reason": "wait"},
            "nap waits until D",
        ),
        (
            {"type": "timer.started", "timer": "t", "step": "poll@2", "due": "D", "reason": "delay"},
            "poll@2 goes round again at D",
        ),
        (
            {"type": "timer.started", "timer": "t", "step": "order", "due": "D", "reason": "timeout"},
            "order has time until D",
        ),
        (
            {"type": "timer.started", "timer": "t", "step": "x", "due": "D", "reason": "other"},
            "x waits (other) until D",
        ),
        ({"type": "timer.fired", "timer": "order!timeout"}, "order has timed out"),
        (
            {"type": "timer.fired", "timer": "crm#1!retry", "by": "kim", "reason": "it is up again"},
            "crm is tried again, as kim did not want to wait: it is up again",
        ),
        (
            {"type": "timer.fired", "timer": "nap!wait", "by": "kim", "reason": ""},
            "nap has waited long enough, as kim did not want to wait",
        ),
        ({"type": "timer.fired", "timer": "poll@2!delay"}, "poll@2 goes round again"),
        ({"type": "timer.fired", "timer": "crm#1!retry"}, "crm is tried again"),
        ({"type": "timer.fired", "timer": "compensate:crm#2!retry"}, "undo crm is tried again"),
        ({"type": "timer.fired", "timer": "nap#1!wait"}, "nap has waited long enough"),
        (
            {"type": "task.created", "step": "approve", "title": "Approve", "assignee": PEOPLE, "due": "D"},
            "Approve: waits for kim, managers, until D",
        ),
        (
            {"type": "task.decided", "task": "x/approve", "decision": "rejected", "by": "kim", "comment": "too much"},
            "approve rejected by kim: too much",
        ),
        ({"type": "task.expired", "task": "x/approve"}, "approve has timed out: nobody decided in time"),
        (
            {"type": "task.escalated", "task": "x/approve", "level": 1, "assignee": {}, "due": None},
            "approve escalated (level 1) to nobody",
        ),
        ({"type": "task.withdrawn", "task": "x/approve"}, "approve is no longer asked for"),
        (
            {"type": "evaluation.failed", "effect": "e", "step": "pay", "error": ERROR},
            "pay could not be computed: http.503: down",
        ),
        (
            {"type": "evaluation.failed", "effect": "e", "step": "compensate:pay", "error": ERROR},
            "undo pay could not be computed: http.503: down",
        ),
        (
            {"type": "step.failed", "step": "a", "attempt": 2, "error": {**ERROR, "details": {"at": "x.py:3"}}},
            'a failed (attempt 2): http.503: down {"at":"x.py:3"}',
        ),
        (
            {"type": "compensation.started", "reason": "failure", "steps": ["pay", "reserve"]},
            "failed; undoing pay, reserve",
        ),
        ({"type": "compensation.started", "reason": "cancel", "steps": []}, "cancelled; undoing nothing"),
        ({"type": "cancel.requested", "by": "ada", "reason": ""}, "ada asked to cancel"),
        ({"type": "execution.ended", "status": "failed", "error": ERROR}, "ended failed: http.503: down"),
        ({"type": "execution.ended", "status": "completed"}, "ended completed"),
        (
            {"type": "driver.started", "epoch": 2, "host": "mill", "pid": 7},
            "driven by process 7 on mill (epoch 2)",
        ),
        ({"type": "driver.stopped", "epoch": 2, "reason": "waiting"}, "driver stopped: waiting"),
        (
            {"type": "journal.recovered", "bytes": 12},
            "an unfinished line of 12 bytes was set aside after a crash",
        ),
        ({"type": "something.new"}, "something.new"),
    ],
    ids=lambda value: value["type"] if isinstance(value, dict) else "",
)
def test_words(record: dict[str, Any], text: str) -> None:
    assert describe(record) == text


EVENT = {"id": "e7", "type": "order.placed", "source": "shop", "time": "T", "data": {"n": 1}}


def decided(of: str, value: bool, **more: Any) -> dict[str, Any]:
    return {"type": "decision.made", "step": "s", "of": of, "condition": "$.n", "value": value, "operands": {}, **more}


def repair(action: str, **more: Any) -> dict[str, Any]:
    told = {"by": "kim", "reason": "", "dropped": [], "undo": [], **more}
    return {"type": "repair.requested", "action": action, **told}


@pytest.mark.parametrize(
    ("record", "text"),
    [
        (decided("case", True, case=0), "s takes cases[0]: $.n is true"),
        (decided("case", False, case=1), "s passes by cases[1]: $.n is false"),
        (decided("handler", True, case=0), "s.catch[0] takes the error: $.n is true"),
        (decided("while", True), "s goes round: $.n is true"),
        (decided("while", False), "s is done: $.n is false"),
        (decided("until", True), "s is done: $.n is true"),
        (decided("until", False), "s goes round again: $.n is false"),
        ({"type": "foreach.started", "step": "all", "count": 100_000}, "all goes through 100,000 items"),
        ({"type": "foreach.started", "step": "all", "count": 1}, "all goes through 1 item"),
        ({"type": "values.set", "step": "sums", "values": {"total": 5}}, 'sums sets {"total":5}'),
        ({"type": "failure.raised", "step": "stop", "error": ERROR}, "stop fails with http.503: down"),
        ({"type": "wait.started", "step": "w", "events": ["a"], "complete": 1}, "w waits for event a"),
        ({"type": "wait.started", "step": "w", "events": ["a", "b"]}, "w waits for events a, b"),
        (
            {"type": "wait.started", "step": "w", "events": ["a", "b", "c"], "complete": 2},
            "w waits for 2 of the events a, b, c",
        ),
        ({"type": "wait.withdrawn", "wait": "w!event", "step": "w"}, "w waits no more"),
        ({"type": "event.received", "event": EVENT}, 'event order.placed came from shop: {"n":1} (e7)'),
        (
            {"type": "event.matched", "step": "w", "event": "e7", "value": True, "operands": {}},
            "event e7 is what w waits for",
        ),
        (
            {"type": "event.matched", "step": "w", "event": "e7", "value": False, "operands": {"$.id": 2}},
            'event e7 is not what w waits for with {"$.id":2}',
        ),
        ({"type": "event.emitted", "step": "tell", "event": EVENT}, 'tell emits order.placed: {"n":1}'),
        ({"type": "event.published", "step": "tell", "reached": 2}, "tell has reached 2 executions"),
        (
            {"type": "child.started", "step": "ship", "child": "k7.ship", "workflow": "shipping", "detach": False},
            "ship runs shipping as execution k7.ship",
        ),
        (
            {"type": "child.started", "step": "ship", "child": "k7.ship", "workflow": "shipping", "detach": True},
            "ship runs shipping as execution k7.ship, and goes on without it",
        ),
        (
            {"type": "child.recalled", "step": "compensate:ship", "child": "k7.ship"},
            "undo ship: execution k7.ship is to be undone",
        ),
        (
            {"type": "child.ended", "step": "ship", "child": "k7.ship", "status": "failed", "error": ERROR},
            "ship: execution k7.ship failed: http.503: down",
        ),
        (
            {"type": "compensation.started", "reason": "request", "steps": [f"s@{n}" for n in range(30)]},
            f"undoing {', '.join(f's@{n}' for n in range(20))} and 10 more",
        ),
        ({"type": "execution.paused", "error": ERROR}, "paused, for somebody to see to it: http.503: down"),
        (repair("skip", step="pay", reason="paid by hand"), "kim has it go on without pay: paid by hand"),
        (
            repair("rewind", step="pay", dropped=[4, 5], undo=["ship"]),
            "kim takes it back to pay; undoes ship first; sets aside 2 records",
        ),
        (repair("resume", dropped=[4]), "kim has it go on; sets aside 1 record"),
        (repair("set-output", step="pay"), "kim gives the output of pay"),
        (repair("replace", definition="d" * 64), "kim has it go on with another definition"),
        ({"type": "execution.repaired", "request": 9}, "repaired as record 9 asks"),
        ({"type": "compensation.requested", "by": "kim", "reason": "fraud"}, "kim asked to undo it: fraud"),
    ],
    ids=lambda value: value["type"] if isinstance(value, dict) else "",
)
def test_words_of_the_whole_language(record: dict[str, Any], text: str) -> None:
    assert describe(record) == text


def test_a_child_says_whose_it_is(story: StoryMaker) -> None:
    told = story()
    told.records[0]["parent"] = {"execution": "k1", "step": "ship@3"}
    (moment,) = timeline(told.records)
    assert moment["text"] == "order (version 2) started by ada, as ship@3 of execution k1"


def test_what_a_repair_took_back_is_marked(story: StoryMaker) -> None:
    told = story(steps=("pay",)).begin("pay").fail("pay").pause("pay").repair("resume", [3, 4])
    assert [moment["setAside"] for moment in timeline(told.records)] == [False] * 5
    told.add("execution.repaired", request=5)
    assert [moment["setAside"] for moment in timeline(told.records)] == [False, False, True, True, False, False]
    assert not any(moment["setAside"] for moment in timeline(iter(told.records)))


def test_an_error_is_there_in_full(story: StoryMaker) -> None:
    error = {"type": "a.b", "message": "m" * 500, "details": {"at": "services/pay.py:12"}}
    moments = list(timeline(story(steps=("pay",)).begin("pay").end("failed", error=error).records))
    assert [moment["error"] for moment in moments] == [None, None, error]


def test_long_results_are_shortened() -> None:
    text = describe({"type": "step.completed", "step": "a", "attempt": 1, "result": "x" * 5000})
    assert len(text) < 150
    assert text.endswith("…")


def test_every_event_has_words_and_a_place_in_the_status() -> None:
    known = {typing.get_args(typing.get_type_hints(event)["type"])[0] for event in typing.get_args(events.Event)}
    assert set(_WORDS) == known
    assert set(_HANDLERS) == known

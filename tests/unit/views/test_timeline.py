from __future__ import annotations

import typing
from typing import TYPE_CHECKING, Any

import pytest

from wfrun.core import events
from wfrun.views.status import _HANDLERS
from wfrun.views.timeline import _WORDS, describe, timeline

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
            "sms was stopped; whether it had an effect is not known",
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
            "$.n > 1 is true: takes the `then` branch",
        ),
        (
            {"type": "timer.started", "timer": "t", "step": "crm", "due": "D", "reason": "retry"},
            "crm tries again at D",
        ),
        (
            {"type": "timer.started", "timer": "t", "step": "nap", "due": "D", "reason": "wait"},
            "nap waits (wait) at D",
        ),
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
        ({"type": "task.expired", "task": "x/approve"}, "approve expired: nobody decided in time"),
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

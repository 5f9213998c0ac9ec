"""What a decision passes by, and until when blocks have time."""

from __future__ import annotations

from typing import Any

from tests.unit.views.conftest import Story, StoryMaker
from wfrun.views.blocks import Blocks
from wfrun.views.deadlines import KEPT, Deadlines, timer_view
from wfrun.views.overdue import as_of
from wfrun.views.status import status_of

LATE = "2026-11-23T12:00:00.000000Z"
STEPS = ("a", "b", "c", "d")
PARTS: list[Any] = [
    {"block": "pick", "side": "then", "first": 0, "count": 1},
    {"block": "pick", "side": "else", "first": 1, "count": 1},
    {"block": "each", "side": "round", "first": 2, "count": 2},
    {"block": "guard", "side": "", "first": 3, "count": 1},
    {"block": "which", "side": "case", "number": 0, "first": 0, "count": 1},
    {"block": "which", "side": "case", "number": 1, "first": 1, "count": 1},
    {"block": "which", "side": "else", "first": 2, "count": 1},
]


def passed(step: str, of: str, value: bool, **more: Any) -> list[str]:
    return list(Blocks(STEPS, PARTS).passed_by({"step": step, "of": of, "value": value, **more}))


def test_the_side_that_is_not_taken() -> None:
    assert passed("pick", "branch", True) == ["b"]
    assert passed("pick", "branch", False) == ["a"]


def test_a_case_that_fits_passes_by_all_others() -> None:
    assert passed("which", "case", False, case=0) == ["a"]
    assert passed("which", "case", True, case=1) == ["a", "c"]


def test_in_a_loop_it_is_one_iteration() -> None:
    assert passed("guard@3", "step", False) == ["d@3"]
    assert passed("guard@3", "step", True) == []
    assert passed("pick@3", "branch", True) == [], "its steps are in no loop"


def test_what_stands_in_a_block() -> None:
    blocks = Blocks(STEPS, PARTS)
    assert blocks.holds("$", "anything")
    assert blocks.holds("each", "d@1")
    assert blocks.holds("guard@1", "d@1")
    assert not blocks.holds("guard@1", "d@11")
    assert not blocks.holds("each", "a")
    assert not blocks.holds("unknown", "a")


def timed(told: Story, step: str) -> Story:
    return told.add("timer.started", timer=f"{step}!timeout", step=step, due=LATE, reason="timeout")


def due(told: Story) -> list[tuple[str, bool]]:
    view = as_of(status_of(told.records), LATE)
    return [(timer["step"], timer["overdue"]) for timer in view["timers"]]


def test_deadlines_hold_while_something_inside_is_under_way(story: StoryMaker) -> None:
    told = story(steps=STEPS)
    told.records[0]["parts"] = PARTS
    timed(timed(told, "$"), "pick").begin("a")
    assert due(told) == [("$", True), ("pick", True)]
    assert due(told.complete("a")) == [("$", True)]
    assert due(told.end("completed")) == []


def test_deadlines_of_blocks_that_are_over_are_not_kept() -> None:
    deadlines, blocks = Deadlines(), Blocks(STEPS, PARTS)
    for index in range(3 * KEPT):
        record = {"timer": f"guard@{index}!timeout", "step": f"guard@{index}", "due": LATE, "reason": "timeout"}
        deadlines.started(timer_view(record), blocks, lambda: {"d@0"})
    assert [timer["step"] for timer in deadlines.open(blocks, {"d@0"})] == ["guard@0"]
    assert deadlines.open(blocks, {f"d@{KEPT // 2}"}) == []


def test_an_event_that_came_early_is_told_until_a_wait_has_looked_at_it(story: StoryMaker) -> None:
    told = story(steps=("w",)).receive("e0", "paid")
    assert [each["type"] for each in status_of(told.records)["arrived"]] == ["paid"]
    assert status_of(told.match("w").records)["arrived"] == []


def test_a_wait_that_timed_out_stays_so_when_it_is_withdrawn(story: StoryMaker) -> None:
    told = timed(story(steps=("w",)).listen("w", "paid"), "w").add("timer.fired", timer="w!timeout")
    told.add("wait.withdrawn", wait="w!event", step="w")
    assert status_of(told.records)["steps"][0]["status"] == "timed-out"

"""Who can have begun a call, answered it, or said what became of it: forged records of that are named."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.driven import Driven, misfit
from tests.support.world import call, plan_of
from wfrun.core import unknown
from wfrun.core.events import Record
from wfrun.core.plan import Plan

Word = Callable[..., Any]
WORDS: dict[str, Word] = {
    "again": unknown.call_again,
    "happened": lambda run, step, by: unknown.it_happened(run, step, {"id": 7}, by),
    "failed": unknown.give_up,
}
DONE: Any = {"type": "step.completed", "step": "pay", "attempt": 1, "result": {}}
SAID: Any = {**DONE, "by": "mallory", "reason": ""}
FAILED: Any = {
    "type": "step.failed",
    "step": "pay",
    "attempt": 1,
    "error": {"type": "crash.unknown-outcome", "message": "nobody knows"},
    "random": 0.0,
}


def paying(on_crash: str = "ask") -> Plan:
    return plan_of(call("pay", onCrash=on_crash, output="paid"), call("note"))


def begun(on_crash: str = "ask") -> Driven:
    """The call is out."""
    return Driven(paying(on_crash))


def lost(on_crash: str = "ask") -> Driven:
    """Its runner was killed, and another one has come upon it."""
    world = begun(on_crash)
    return Driven.resumed(world, world.records, None)


def taken_over(on_crash: str) -> list[Record]:
    """The same before that one has done anything about it."""
    found = lost(on_crash).records
    return found[: 1 + max(at for at, each in enumerate(found) if each["type"] == "driver.started")]


def words(plan: Plan, records: list[Record], *forged: Any) -> str:
    """Why the first of the forged records, put behind these, cannot have come about."""
    assert misfit(plan, records) is None
    at = records[-1]["at"]
    more = [{"at": at, "prev": "", **each, "seq": len(records) + more} for more, each in enumerate(forged, 1)]
    found = misfit(plan, [*records, *more])
    assert found is not None
    assert found.seq == len(records) + 1
    return found.message


def again(records: list[Record]) -> Any:
    """The call is begun once more by whoever drives now."""
    started = next(each for each in records if each["type"] == "step.started")
    return {**started, "epoch": max(each["epoch"] for each in records if each["type"] == "driver.started")}


class TestHonest:
    @pytest.mark.parametrize("word", WORDS)
    def test_whatever_somebody_said_of_it(self, word: str) -> None:
        world = lost()
        world.add(WORDS[word](world.run, "pay", "kim"))
        assert misfit(world.plan, world.finish().records) is None

    @pytest.mark.parametrize("on_crash", ["retry", "fail"])
    def test_whatever_its_author_said(self, on_crash: str) -> None:
        world = lost(on_crash).finish()
        assert misfit(world.plan, world.records) is None
        assert world.steps().count("pay") == (2 if on_crash == "retry" else 1)

    def test_another_file_takes_no_question_back(self) -> None:
        world, other = lost(), paying("retry")
        world.plans[other.document.sha256] = other
        proposal = world.propose("replace", replacement=other)
        replaced = {"version": other.version, "steps": other.step_names, "listens": [*other.listens]}
        world.add({**proposal.request("ann"), **replaced})
        assert misfit(world.plan, world.records, world.plans) is None
        assert world.steps().count("pay") == 1


class TestBegunAgain:
    @pytest.mark.parametrize("on_crash", ["ask", "fail"])
    def test_it_is_not_without_a_word(self, on_crash: str) -> None:
        records = taken_over(on_crash)
        assert "without a word" in words(paying(on_crash), records, again(records))

    def test_nor_while_somebody_is_asked(self) -> None:
        records = lost().records
        assert "without a word" in words(paying(), records, again(records))

    def test_a_word_counts_for_one_call(self) -> None:
        world = lost()
        world.add(unknown.call_again(world.run, "pay", "kim"))
        once = Driven.resumed(world, world.records, None).records
        more = once[: 1 + max(at for at, each in enumerate(once) if each["type"] == "driver.started")]
        assert "without a word" in words(paying(), more, again(more))


class TestAnswered:
    @pytest.mark.parametrize("on_crash", ["retry", "ask", "fail"])
    def test_nobody_hears_what_an_earlier_runner_called(self, on_crash: str) -> None:
        assert "did not drive" in words(paying(on_crash), taken_over(on_crash), DONE)

    @pytest.mark.parametrize("on_crash", ["retry", "ask"])
    def test_nor_does_it_fail_by_itself_unless_that_was_said(self, on_crash: str) -> None:
        assert "did not drive" in words(paying(on_crash), taken_over(on_crash), FAILED)

    def test_what_fails_by_itself_fails_as_unknown(self) -> None:
        forged = {**FAILED, "error": {"type": "bank.closed", "message": "no"}}
        assert "type" in words(paying("fail"), taken_over("fail"), forged)

    def test_nor_does_anybody_when_nobody_drives(self) -> None:
        records = begun().records
        stopped: Any = {"type": "driver.stopped", "epoch": 1, "reason": "INT", "prev": "", "at": records[-1]["at"]}
        assert "did not drive" in words(paying(), [*records, {**stopped, "seq": len(records) + 1}], DONE)

    @pytest.mark.parametrize("answer", [DONE, FAILED], ids=["completed", "failed"])
    def test_nothing_answers_while_somebody_is_asked(self, answer: Any) -> None:
        assert "somebody was asked" in words(paying(), lost().records, answer)

    @pytest.mark.parametrize("said", [SAID, {**FAILED, "by": "mallory", "reason": ""}], ids=["completed", "failed"])
    @pytest.mark.parametrize("records", [begun().records, taken_over("ask")], ids=["out", "lost"])
    def test_a_word_counts_only_if_it_was_asked_for(self, records: list[Record], said: Any) -> None:
        assert "nobody was asked" in words(paying(), records, said)

    def test_and_only_once(self) -> None:
        world = lost()
        world.add(unknown.call_again(world.run, "pay", "kim"))
        assert "nobody was asked" in words(paying(), world.records, SAID)

    def test_whoever_has_it_fail_does_not_choose_how(self) -> None:
        said = {**FAILED, "by": "mallory", "reason": "", "error": {"type": "bank.closed", "message": "no"}}
        assert "type" in words(paying(), lost().records, said)


class TestAsked:
    def asked(self) -> Any:
        return lost().records[-1]

    @pytest.mark.parametrize("forged", [{"key": "e1/other"}, {"since": "2026-01-01T00:00:09.000000Z"}])
    def test_it_is_asked_about_the_call_that_was_begun(self, forged: dict[str, str]) -> None:
        assert next(iter(forged)) in words(paying(), taken_over("ask"), {**self.asked(), **forged})

    @pytest.mark.parametrize("on_crash", ["retry", "fail"])
    def test_only_if_its_author_wants_that(self, on_crash: str) -> None:
        assert "type" in words(paying(on_crash), taken_over(on_crash), self.asked())

    @pytest.mark.parametrize("records", [begun().records, lost().records], ids=["out", "asked"])
    def test_not_while_it_is_made_and_not_twice(self, records: list[Record]) -> None:
        assert "no reason to ask" in words(paying(), records, self.asked())


def test_only_whoever_has_begun_a_call_can_know_that_it_was_not_made() -> None:
    world = begun("retry")
    world.add({"type": "cancel.requested", "by": "kim", "reason": ""})
    after = Driven.resumed(world, world.records, None).finish()
    assert misfit(after.plan, after.records) is None
    forged = [{**each, "begun": False} if each["type"] == "step.cancelled" else each for each in after.records]
    found = misfit(after.plan, forged)
    assert found is not None
    assert (found.type, found.message) == ("step.cancelled", "an earlier runner had begun it")


@pytest.mark.parametrize(("host", "fits"), [("temporal", True), ("h", False)])
def test_workers_take_over_one_call_and_leave_the_others_alone(host: str, fits: bool) -> None:
    branches = {"type": "parallel", "steps": [call("pay", onCrash="ask"), call("note")]}
    world = Driven(plan_of(branches))
    after = Driven.resumed(world, world.records, None)
    told = [each for each in after.records if (each["type"], each.get("step"), each.get("epoch")) != _AGAIN]
    records = [{**each, "host": host} if each["type"] == "driver.started" else each for each in told]
    answer = {**DONE, "step": "note", "seq": len(records) + 1, "at": records[-1]["at"], "prev": ""}
    found = misfit(world.plan, [*records, answer])
    assert (found is None) == fits


_AGAIN = ("step.started", "note", 2)

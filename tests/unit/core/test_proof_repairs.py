"""What somebody can have done about an execution that went wrong: forged records of that are named."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.driven import Driven, misfit
from tests.support.world import call, plan_of
from wfrun.core.events import Record
from wfrun.core.interventions import waive
from wfrun.core.proof import Misfit
from wfrun.errors import ServiceError

UNDO = {"service": "svc", "action": "undo"}
OTHER: dict[str, Any] = {"definition": plan_of(call("a"), call("b")).document.sha256}


def answer(step: str, attempt: int, value: Any) -> Any:
    if step in ("c", "compensate:a"):
        raise ServiceError("shop.closed", "no")
    return {}


def forged(world: Driven, type: str, **changes: Any) -> Misfit | None:
    """What is found if the last record of this type says something else; None as a value takes a member away."""
    assert misfit(world.plan, world.records, world.plans) is None
    at = max(at for at, each in enumerate(world.records) if each["type"] == type)
    changed = {name: value for name, value in {**world.records[at], **changes}.items() if value is not None}
    return misfit(world.plan, [*world.records[:at], changed, *world.records[at + 1 :]], world.plans)


def lost() -> Driven:
    """The runner was killed while it made a call that is never to be made twice without a word."""
    world = Driven(plan_of(call("a"), call("b", onCrash="ask"), call("d"))).finish()
    begun = next(at for at, each in enumerate(world.records) if (each["type"], each.get("step")) == BEGINS)
    return Driven.resumed(world, world.records[: begun + 1], None)


BEGINS = ("step.started", "b")


def test_a_repair_that_would_have_a_lost_call_made_again_is_named() -> None:
    world = lost()
    proposal = world.propose("rewind", step="a")
    assert [each.code for each in proposal.reasons] == ["repair.unknown-call"]
    world.add(proposal.request("mallory"))
    found = misfit(world.plan, world.records)
    assert found is not None
    assert (found.type, "nobody knows what became of" in found.message) == ("repair.requested", True)


def test_a_skip_of_what_has_completed_is_named() -> None:
    world = Driven(plan_of(call("a"), call("c")), script=answer).finish()
    proposal = world.propose("skip", step="a")
    assert [each.code for each in proposal.reasons] == ["repair.step-completed"]
    world.add(proposal.request("mallory"))
    found = misfit(world.plan, world.records)
    assert found is not None
    assert "nothing to skip" in found.message


class TestMembers:
    """A repair says what one of its kind says, and nothing else."""

    def failed(self) -> Driven:
        return Driven(plan_of(call("a"), call("c")), script=answer).finish()

    @pytest.mark.parametrize(
        ("wish", "more", "word"),
        [
            ({"action": "resume"}, OTHER, "definition"),
            ({"action": "resume"}, {"step": "c"}, "step"),
            ({"action": "resume"}, {"names": {"c": "d"}}, "names"),
            ({"action": "skip", "step": "c"}, {"keep": True}, "keep"),
            ({"action": "skip", "step": "c"}, {"version": 2}, "version"),
            ({"action": "rewind", "step": "a"}, {"value": 3}, "value"),
            ({"action": "rewind", "step": "a"}, {"listens": ["x"]}, "listens"),
            ({"action": "rewind", "step": "a"}, {"action": "resume"}, "dropped"),
        ],
    )
    def test_what_is_added_is_named(self, wish: Any, more: dict[str, Any], word: str) -> None:
        world = self.failed()
        plan = plan_of(call("a"), call("b"))
        world.plans[plan.document.sha256] = plan
        world.repair(**wish)
        found = forged(world, "repair.requested", **more)
        assert found is not None
        assert (found.type, word in found.message) == ("repair.requested", True)

    def test_a_replacement_says_what_it_puts_in_its_place(self) -> None:
        world = self.failed()
        plan = plan_of(call("a"), call("c"), call("d"))
        world.plans[plan.document.sha256] = plan
        told = {"version": plan.version, "steps": plan.step_names, "listens": [], "names": {"c": "see"}}
        world.add({**world.propose("replace", replacement=plan).request("ann"), **told})
        for name in ("version", "steps"):
            found = forged(world, "repair.requested", **{name: ["x"]})
            assert found is not None
            assert name in found.message

    def test_an_older_journal_need_not_say_that_nothing_is_undone(self) -> None:
        world = Driven(plan_of(call("a", compensate=UNDO), call("b")))
        world.finish().repair("rewind", step="a", keep=True).finish()
        assert forged(world, "repair.requested", keep=None) is None


class TestWaived:
    @pytest.fixture
    def world(self) -> Driven:
        """It could not be undone."""
        steps = [call("a", compensate=UNDO), call("b", compensate=UNDO), call("c")]
        world = Driven(plan_of(*steps), script=answer).finish()
        assert world.status == "needs-attention"
        return world

    def test_what_could_not_be_undone_may_stay(self, world: Driven) -> None:
        world.add(waive(world.run, "compensate:a", "kim"))
        assert misfit(world.plan, world.finish().records) is None
        assert world.status == "partly-compensated"

    @pytest.mark.parametrize("waived", ["compensate:b", "compensate:c", "a"])
    def test_what_could_or_was_nothing_to_undo_is_named(self, world: Driven, waived: str) -> None:
        world.add(waive(world.run, "compensate:a", "kim"))
        found = forged(world, "execution.resumed", waived=["compensate:a", waived])
        assert found is not None
        assert (found.type, found.message) == ("execution.resumed", f"{waived} has not failed")

    def test_without_it_is_tried_again(self, world: Driven) -> None:
        world.add({"type": "execution.resumed", "by": "kim"})
        assert misfit(world.plan, world.finish().records) is None


class TestCancelledMeanwhile:
    @pytest.fixture
    def world(self) -> Driven:
        world = Driven(plan_of(call("a", compensate=UNDO), call("b", compensate=UNDO), call("d"))).finish()
        world.repair("compensate", step="a")
        world.add({"type": "cancel.requested", "by": "kim", "reason": ""})
        world.finish()
        assert world.of_type("execution.repaired")[0]["cancelled"]
        return world

    def test_that_nobody_has_heeded_it_is_named(self, world: Driven) -> None:
        found = forged(world, "execution.repaired", cancelled=None)
        assert found is not None
        assert (found.type, "cancelled" in found.message) == ("execution.repaired", True)

    def test_an_older_version_did_not(self, world: Driven) -> None:
        ends = 1 + next(at for at, each in enumerate(world.records) if each["type"] == "execution.repaired")
        assert misfit(world.plan, [_of_old(each) for each in world.records[:ends]]) is None


def _of_old(record: Record) -> Record:
    if record["type"] == "driver.started":
        return {**record, "wfrun": "an older one"}
    return {name: value for name, value in record.items() if name != "cancelled"}

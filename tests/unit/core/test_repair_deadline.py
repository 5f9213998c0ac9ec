"""The time that a whole workflow has, and the timers that count anew, across repairs."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.support.world import EPOCH, World, an_event, call, plan_of
from tests.unit.core.test_repair import PAUSE, assert_folds_again, paused
from wfrun.core.instants import format_instant, parse_instant
from wfrun.core.repair import ANEW

WAIT = {"type": "wait", "name": "w", "event": "go"}


def dues(world: World, timer: str = "$!timeout") -> list[str]:
    return [record["due"] for record in world.of_type("timer.started") if record["timer"] == timer]


def after(instant: str | datetime, **time: float) -> str:
    start = parse_instant(instant) if isinstance(instant, str) else instant
    return format_instant(start + timedelta(**time))


def late(world: World) -> World:
    """Two hours pass, in which somebody decides nothing."""
    event = {"type": "driver.started", "epoch": world.run.epoch, "host": "h", "pid": 1, "wfrun": "0"}
    record = {**event, "seq": len(world.records), "at": after(EPOCH, hours=2), "prev": ""}
    world.records.append(record)
    world.run.apply(record)
    return world


class TestTheWholeWorkflow:
    @pytest.mark.parametrize(
        ("action", "wish"),
        [
            ("resume", {}),
            ("skip", {"step": "b"}),
            ("set-input", {"step": "b", "value": 1}),
            ("rewind", {"step": "a"}),
            ("rewind", {"step": "$"}),
        ],
    )
    def test_its_deadline_stays(self, action: Any, wish: dict[str, Any]) -> None:
        world, _ = paused(call("a"), call("b"), WAIT, broken=("b",), timeout="1h")
        proposal = world.propose(action, **wish)
        assert proposal.deadline == after(EPOCH, hours=1)
        world.repair(action, **wish)
        world.add({"type": "event.received", "event": an_event("go", "1")})
        assert world.finish().status == "completed"
        assert dues(world) == [after(EPOCH, hours=1)]
        assert_folds_again(world)

    def test_it_still_ends_what_goes_on(self) -> None:
        world, _ = paused(call("b"), WAIT, broken=("b",), timeout="1h")
        world.repair("resume").finish()
        assert world.of_type("execution.paused")[-1]["error"]["type"] == "timeout"

    def test_if_it_has_passed_all_of_the_time_is_granted_once_more(self) -> None:
        world, _ = paused(WAIT, call("b"), broken=(), timeout="1h")
        assert world.of_type("execution.paused")[-1]["error"]["type"] == "timeout"
        assert world.propose("resume").deadline == ANEW
        world.repair("resume")
        repaired = world.of_type("execution.repaired")[0]["at"]
        assert dues(world) == [after(EPOCH, hours=1), after(repaired, hours=1)]
        world.add({"type": "event.received", "event": an_event("go", "1")})
        assert world.finish().status == "completed"
        assert_folds_again(world)

    @pytest.mark.parametrize("minutes", [59, 61])
    def test_the_moment_of_the_repair_counts(self, minutes: int) -> None:
        world, _ = paused(call("b"), broken=("b",), timeout="1h")
        now = EPOCH + timedelta(minutes=minutes)
        proposal = world.propose("resume", now=now)
        assert proposal.deadline == (after(EPOCH, hours=1) if minutes == 59 else ANEW)
        assert ("$!timeout" in {world.records[seq].get("timer") for seq in proposal.dropped}) == (minutes == 61)

    def test_without_one_there_is_nothing_to_say(self) -> None:
        world, _ = paused(call("b"), broken=("b",))
        assert world.propose("resume").deadline is None

    @pytest.mark.parametrize("hours", [2, 0.5])
    def test_another_file_gives_another_time_from_the_start_on(self, hours: float) -> None:
        world, _ = paused(call("a"), call("b"), broken=("b",), timeout="1h")
        other = plan_of(call("a"), call("b"), timeout=int(hours * 3_600_000), errorHandling=PAUSE)
        assert world.propose("replace", replacement=other).deadline == after(EPOCH, hours=hours)
        world.repair("replace", replacement=other)
        assert dues(world) == [after(EPOCH, hours=1), after(EPOCH, hours=hours)]
        assert world.finish().status == "completed"

    def test_another_file_without_a_timeout(self) -> None:
        world, _ = paused(call("a"), call("b"), WAIT, broken=("b",), timeout="1h")
        other = plan_of(call("a"), call("b"), WAIT, errorHandling=PAUSE)
        assert world.propose("replace", replacement=other).deadline is None
        world.repair("replace", replacement=other).finish()
        assert not any(effect.endswith("!timeout") for effect in world.run.pending)

    def test_a_time_that_would_have_passed_in_another_file_stays_as_it_was(self) -> None:
        world, _ = paused(call("b"), broken=("b",), timeout="1h")
        other = plan_of(call("b"), timeout=1, errorHandling=PAUSE)
        assert world.propose("replace", replacement=other).deadline == after(EPOCH, hours=1)


class TestWhatIsHeld:
    """What stands still between two repairs uses up no time."""

    def test_the_whole_workflow(self) -> None:
        world, _ = paused(call("a"), WAIT, call("b"), broken=(), timeout="1h")
        world.repair("compensate", step="a")
        late(world)
        assert world.propose("resume").deadline == ANEW
        world.add(world.propose("resume").request("ann"))
        assert dues(world)[-1] == after(world.of_type("execution.repaired")[-1]["at"], hours=1)

    def test_a_block(self) -> None:
        block = {"type": "sequential", "name": "block", "steps": [call("a"), call("b")], "timeout": "1m"}
        world, _ = paused(block, broken=("b",))
        world.repair("compensate", step="a")
        held = world.of_type("execution.repaired")[-1]["at"]
        for _ in range(9):
            world.add({"type": "driver.started", "epoch": 1, "host": "h", "pid": 1, "wfrun": "0"})
        world.repair("resume")
        repaired = world.of_type("execution.repaired")[-1]["at"]
        assert held < repaired
        assert dues(world, "block!timeout")[-1] == after(repaired, minutes=1)
        assert_folds_again(world)

"""Whatever happens to an execution, and in whatever order: it stands where the model says that it stands (F9).

Services, people, operators and sources of events act when the machine has them act, time passes when it lets it, and
processes are killed between any two of these. Of repairs, and of people who are asked about a lost call, the model
knows nothing, nor what comes first of what happens at one instant: from there on it is what has to hold of every
journal that is looked at.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, event, settings
from hypothesis import seed as seeded
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.support.model.comparing import differences
from tests.support.model.invented import live_definitions
from tests.support.model.live import LiveActor, Pair
from tests.support.model.promises import broken_promises
from tests.support.tally import Tally, seed, size
from wfrun.core.parking import is_long_wait
from wfrun.views.status import status_of

ANYHOW = settings(deadline=None, suppress_health_check=list(HealthCheck))
PEOPLE = st.sampled_from(["ann", "bob", "cid"])


class Machine(RuleBasedStateMachine):
    """One execution and those that it starts. `agree` is what everything is about."""

    pair: Pair

    @initialize(definitions=live_definitions(), x=st.integers(0, 9), items=st.sampled_from([[], [1], [1, 2, 3]]))
    def start(self, definitions: Any, x: int, items: list[int]) -> None:
        self.pair = Pair(definitions, {"x": x, "list": items})

    @property
    def is_open(self) -> bool:
        return hasattr(self, "pair")

    @rule(milliseconds=st.one_of(st.integers(1, 999), st.integers(1_000, 200_000)))
    def pass_time(self, milliseconds: int) -> None:
        if self.is_open:
            self.pair.pass_time(milliseconds)

    # ---- services, people and events

    @precondition(lambda self: self.is_open and self.pair.open_calls)
    @rule(data=st.data(), error=st.sampled_from([None, None, None, "boom", "timeout", "http.503"]))
    def answer(self, data: st.DataObject, error: str | None) -> None:
        self.pair.pass_time(1)
        if self.pair.open_calls:
            self.pair.answer(data.draw(st.sampled_from(self.pair.open_calls)), error)

    @precondition(lambda self: self.is_open and self.pair.open_tasks)
    @rule(data=st.data(), by=PEOPLE, says=st.sampled_from(["approved", "rejected"]))
    def decide(self, data: st.DataObject, by: str, says: str) -> None:
        self.pair.pass_time(1)
        if self.pair.open_tasks:
            self.pair.decide(data.draw(st.sampled_from(self.pair.open_tasks)), by, says)

    @precondition(lambda self: self.is_open and self.pair.questions)
    @rule(data=st.data(), verdict=st.sampled_from(["again", "happened", "failed"]))
    def tell(self, data: st.DataObject, verdict: str) -> None:
        self.pair.tell(data.draw(st.sampled_from(self.pair.questions)), verdict)

    @precondition(lambda self: self.is_open)
    @rule(type=st.sampled_from(["go", "gone"]), value=st.integers(0, 9))
    def emit(self, type: str, value: int) -> None:
        self.pair.pass_time(1)
        self.pair.emit(type, value)

    # ---- operators

    @precondition(lambda self: self.is_open)
    @rule()
    def cancel(self) -> None:
        self.pair.pass_time(1)
        self.pair.cancel()

    @precondition(lambda self: self.is_open and self.pair.status in ("completed", "paused"))
    @rule()
    def compensate(self) -> None:
        self.pair.pass_time(1)
        self.pair.compensate()

    @precondition(lambda self: self.is_open and self.pair.status == "needs-attention")
    @rule()
    def try_again(self) -> None:
        self.pair.pass_time(1)
        self.pair.try_again()

    @precondition(lambda self: self.is_open)
    @rule()
    def kill(self) -> None:
        self.pair.pass_time(1)
        self.pair.kill()

    @precondition(lambda self: self.is_open and self.pair.status == "needs-attention")
    @rule()
    def waive(self) -> None:
        self.pair.waive()
        self._told(True, "waive")

    @precondition(lambda self: self.is_open and self.pair.status in ("failed", "paused"))
    @rule()
    def resume(self) -> None:
        self._told(self.pair.repair("resume"), "resume")

    @precondition(lambda self: self.is_open and self.pair.has_run)
    @rule(data=st.data(), keep=st.booleans())
    def rewind(self, data: st.DataObject, keep: bool) -> None:
        self._told(self.pair.repair("rewind", step=self._step(data), keep=keep), "rewind")

    @precondition(lambda self: self.is_open and self.pair.has_run)
    @rule(data=st.data(), action=st.sampled_from(["skip", "set-output", "set-input"]), value=st.integers(0, 3))
    def give(self, data: st.DataObject, action: Any, value: int) -> None:
        self._told(self.pair.repair(action, step=self._step(data), value={"given": value}), action)

    @precondition(lambda self: self.is_open and self.pair.has_run)
    @rule(data=st.data())
    def compensate_to(self, data: st.DataObject) -> None:
        self._told(self.pair.repair("compensate", step=self._step(data)), "compensate --to")

    def _step(self, data: st.DataObject) -> str:
        return data.draw(st.sampled_from(self.pair.has_run))

    def _told(self, done: bool, what: str) -> None:
        event(f"{what}: {'done' if done else 'refused'}")

    # ---- what always holds

    @precondition(lambda self: self.is_open and not self.pair.alone)
    @invariant()
    def agree(self) -> None:
        assert list(differences(*self.pair.outcomes)) == []

    @precondition(lambda self: self.is_open)
    @invariant()
    def what_is_promised_of_each_journal_holds(self) -> None:
        for actor in self.pair.stage.actors.values():
            assert list(broken_promises(actor.plan, actor.records)) == []

    @precondition(lambda self: self.is_open)
    @invariant()
    def the_status_shows_what_is_open(self) -> None:
        for actor in self.pair.stage.actors.values():
            if actor.run.repairing is None or actor.run.ended is not None:
                self._shows(actor)

    def _shows(self, actor: LiveActor) -> None:
        run, view = actor.run, status_of(actor.records, driven=False, child=lambda _: "waiting")
        open_tasks = {id for id, task in run.tasks.items() if task.closed is None}
        assert {task["task"] for task in view["tasks"]} == open_tasks
        waiting = [each["step"] for id, each in run.recorded.items() if id in run.pending and _waits(each)]
        assert sorted(wait["step"] for wait in view["waits"]) == sorted(waiting)
        status = run.ended["status"] if run.ended else "paused" if run.is_paused else ""
        assert view["status"] in ([status] if status else ["waiting", "interrupted"])

    def teardown(self) -> None:
        if hasattr(self, "pair"):
            self.pair.model.close()


def _waits(record: Any) -> bool:
    """Whether the status shows it: not what is over in a moment."""
    return record["type"] == "wait.started" or (
        record["type"] == "timer.started" and record["reason"] != "timeout" and is_long_wait(record)
    )


HISTORIES = size(20, 2_500)
STEPS = 50


@pytest.mark.parametrize("part", range(size(4, 40)))
def test_it_stands_where_the_model_says(part: int, tally: Tally) -> None:
    """In parts, so that they can run side by side."""

    @seeded(seed() + part)
    class Counted(Machine):
        def teardown(self) -> None:
            tally.add("F9")
            super().teardown()

    run_state_machine_as_test(Counted, settings=settings(ANYHOW, max_examples=HISTORIES, stateful_step_count=STEPS))

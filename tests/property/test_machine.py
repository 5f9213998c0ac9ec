"""Whatever happens to an execution, and in whatever order: it stands where the model says that it stands (F9).

Services, people, operators and sources of events act when the machine has them act, time passes when it lets it, and
processes are killed between any two of these.
"""

from __future__ import annotations

import os
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.support.model.comparing import differences
from tests.support.model.invented import live_definitions
from tests.support.model.live import Pair

FULL = os.environ.get("WFRUN_FAULTS") == "full"


class Machine(RuleBasedStateMachine):
    """One execution and those that it starts. `agree` is what everything is about."""

    pair: Pair

    @initialize(definitions=live_definitions(), x=st.integers(0, 9), items=st.sampled_from([[], [1], [1, 2, 3]]))
    def start(self, definitions: Any, x: int, items: list[int]) -> None:
        self.pair = Pair(definitions, {"x": x, "list": items})

    @property
    def is_open(self) -> bool:
        return hasattr(self, "pair") and not self.pair.model.tied

    @rule(milliseconds=st.one_of(st.integers(1, 999), st.integers(1_000, 200_000)))
    def pass_time(self, milliseconds: int) -> None:
        if self.is_open:
            self.pair.pass_time(milliseconds)

    @precondition(lambda self: self.is_open and self.pair.open_calls)
    @rule(data=st.data(), error=st.sampled_from([None, None, None, "boom", "timeout", "http.503"]))
    def answer(self, data: st.DataObject, error: str | None) -> None:
        self.pair.pass_time(1)
        if self.pair.open_calls:
            self.pair.answer(data.draw(st.sampled_from(self.pair.open_calls)), error)

    @precondition(lambda self: self.is_open and self.pair.open_tasks)
    @rule(data=st.data(), by=st.sampled_from(["ann", "bob", "cid"]), says=st.sampled_from(["approved", "rejected"]))
    def decide(self, data: st.DataObject, by: str, says: str) -> None:
        self.pair.pass_time(1)
        if self.pair.open_tasks:
            self.pair.decide(data.draw(st.sampled_from(self.pair.open_tasks)), by, says)

    @precondition(lambda self: self.is_open)
    @rule(type=st.sampled_from(["go", "gone"]), value=st.integers(0, 9))
    def emit(self, type: str, value: int) -> None:
        self.pair.pass_time(1)
        self.pair.emit(type, value)

    @precondition(lambda self: self.is_open)
    @rule()
    def cancel(self) -> None:
        self.pair.pass_time(1)
        self.pair.cancel()

    @precondition(lambda self: self.is_open and self.pair.model.root.status in ("completed", "paused"))
    @rule()
    def compensate(self) -> None:
        self.pair.pass_time(1)
        self.pair.compensate()

    @precondition(lambda self: self.is_open and self.pair.model.root.status == "needs-attention")
    @rule()
    def try_again(self) -> None:
        self.pair.pass_time(1)
        self.pair.try_again()

    @precondition(lambda self: self.is_open)
    @rule()
    def kill(self) -> None:
        self.pair.pass_time(1)
        self.pair.kill()

    @precondition(lambda self: self.is_open)
    @invariant()
    def agree(self) -> None:
        assert list(differences(*self.pair.outcomes)) == []

    @precondition(lambda self: self.is_open)
    @invariant()
    def each_call_has_one_key(self) -> None:
        for actor in self.pair.stage.actors.values():
            keys: dict[str, set[str]] = {}
            for record in actor.records:
                if record["type"] == "step.started":
                    keys.setdefault(record["step"], set()).add(record["key"])
            assert all(len(used) == 1 for used in keys.values())

    @precondition(lambda self: self.is_open)
    @invariant()
    def what_was_undone_is_undone_once_and_last_first(self) -> None:
        for actor in self.pair.stage.actors.values():
            undone = [
                r["step"]
                for r in actor.records
                if r["type"] == "step.completed" and r["step"].startswith("compensate:")
            ]
            assert len(undone) == len(set(undone))

    def teardown(self) -> None:
        if hasattr(self, "pair"):
            self.pair.model.close()


TestMachine = Machine.TestCase
TestMachine.settings = settings(
    max_examples=5_000 if FULL else 40,
    stateful_step_count=50 if FULL else 25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)

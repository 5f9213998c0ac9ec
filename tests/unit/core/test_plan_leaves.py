"""What each step that leads to no others is compiled to."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.world import call
from tests.unit.core.plan_support import compiled, problem, problems, task
from wfrun.core.plan.nodes import (
    Await,
    Child,
    Emit,
    Fail,
    Finish,
    HumanTask,
    Pause,
    Sequence,
    Set,
)


class TestWaits:
    @pytest.mark.parametrize(
        ("written", "kind"), [({"for": "2h"}, "for"), ({"for": "$.x"}, "for"), ({"until": "2030-01-31"}, "until")]
    )
    def test_times(self, written: dict[str, Any], kind: str) -> None:
        step = compiled({"type": "wait", "name": "w", **written})
        assert isinstance(step, Pause)
        assert step.kind == kind

    @pytest.mark.parametrize(
        ("written", "code", "hint"),
        [
            ({"for": "soon"}, "plan.duration", "30s"),
            ({"for": "24"}, "plan.duration", "24s"),
            ({"for": None}, "plan.duration", "30s"),
            ({"until": "tomorrow"}, "plan.instant", "2030-01-31T09:30:00Z"),
            ({"until": "2030-02-31"}, "plan.instant", "years are"),
        ],
    )
    def test_constant_times_that_are_none(self, written: dict[str, Any], code: str, hint: str) -> None:
        found = problem({"type": "wait", "name": "w", **written})
        assert (found.code, found.place.path) == (code, f"steps[0].{next(iter(written))}")
        assert hint in found.hint

    @pytest.mark.parametrize(
        ("written", "complete", "single"),
        [
            ({"event": "a"}, 1, True),
            ({"event": ["a"]}, 1, False),
            ({"event": ["a", {"event": "b"}]}, 2, False),
            ({"event": ["a", "b"], "complete": "any"}, 1, True),
            ({"event": ["a", "b", "c"], "complete": 2}, 2, False),
        ],
    )
    def test_events(self, written: dict[str, Any], complete: int, single: bool) -> None:
        step = compiled({"type": "wait", "name": "w", **written})
        assert isinstance(step, Await)
        assert (step.complete, step.single, step.early, step.accept_timeout) == (complete, single, True, False)

    def test_the_particulars(self) -> None:
        written = {"event": "a", "match": "$.event.data.id == 1", "timeout": "1h", "onTimeout": "continue"}
        step = compiled({"type": "wait", "name": "w", "early": "ignore", "output": "o", **written})
        assert isinstance(step, Await)
        assert (step.bound, step.accept_timeout, step.early, step.output) == (3_600_000, True, False, "o")
        (listener,) = step.listeners
        assert (listener.event, listener.path) == ("a", ("steps", 0))
        assert listener.match is not None

    def test_each_of_several_events_has_its_place(self) -> None:
        step = compiled({"type": "wait", "name": "w", "event": ["a", {"event": "b", "match": "$.event.data.x == 1"}]})
        assert isinstance(step, Await)
        assert [(found.event, found.path) for found in step.listeners] == [
            ("a", ("steps", 0, "event", 0)),
            ("b", ("steps", 0, "event", 1)),
        ]

    @pytest.mark.parametrize(
        ("written", "code", "key"),
        [
            ({"event": "a", "onTimeout": "continue"}, "plan.no-timeout", "onTimeout"),
            ({"event": ["a", "b"], "match": "$.event.data.x == 1"}, "plan.match", "match"),
            ({"event": "a", "complete": "any"}, "plan.complete", "complete"),
        ],
    )
    def test_what_does_not_go_together(self, written: dict[str, Any], code: str, key: str) -> None:
        found = problem({"type": "wait", "name": "w", **written})
        assert (found.code, found.place.path) == (code, f"steps[0].{key}")


class TestOthers:
    def test_values(self) -> None:
        step = compiled({"type": "set", "values": {"a": "$.x", "b": 1}})
        assert isinstance(step, Set)
        assert [name for name, _ in step.values] == ["a", "b"]

    def test_an_event_of_ones_own(self) -> None:
        step = compiled({"type": "emit", "name": "e", "event": "order.placed", "data": "$.x"})
        assert isinstance(step, Emit)
        assert (step.event, step.data.constant) == ("order.placed", False)

    def test_another_workflow(self) -> None:
        step = compiled(
            {"type": "workflow", "name": "w", "workflow": "other", "version": 2, "detach": True, "input": {}}
        )
        assert isinstance(step, Child)
        assert (step.workflow, step.version, step.detach, step.output) == ("other", 2, True, None)

    def test_ends(self) -> None:
        failed, ended, silent = (
            compiled(step) for step in ({"type": "fail", "error": "a.b"}, {"type": "end", "output": 1}, {"type": "end"})
        )
        assert isinstance(failed, Fail)
        assert isinstance(ended, Finish)
        assert isinstance(silent, Finish)
        assert (ended.output is None, silent.output) == (False, None)

    def test_mistakes_are_told_where_they_are(self) -> None:
        found = problems(
            {"type": "set", "values": {"a": "${1 +}"}},
            {"type": "foreach", "items": "$.x", "output": {"k": "$.x["}, "steps": call("a")},
            {"type": "fail", "details": {"d": "${"}},
        )
        assert [each.place.path for each in found] == [
            "steps[0].values.a",
            "steps[1].output.k",
            "steps[2].details.d",
        ]

    def test_names_are_unique_over_the_whole_file(self) -> None:
        handled = {"type": "try", "steps": call("a"), "catch": [{"steps": call("a")}]}
        assert problem(handled).code == "plan.duplicate-name"

    def test_a_sequence_and_a_task_stay_what_they_were(self) -> None:
        assert isinstance(compiled({"type": "sequential", "steps": call("a")}), Sequence)
        assert isinstance(compiled(task()), HumanTask)

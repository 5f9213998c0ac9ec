"""What a repair would do, and what can be typed next, in words."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from wfrun.cli.render.batch import ResumeReport
from wfrun.cli.render.next_steps import next_steps
from wfrun.cli.render.repairs import preview_line, preview_lines
from wfrun.cli.render.tasks import tasks_of_children
from wfrun.errors import ConflictError
from wfrun.views.summary import summary_of

if TYPE_CHECKING:
    from tests.unit.cli.conftest import Tale


def preview(**more: Any) -> Any:
    lists = ("values", "setAside", "takesBack", "undo", "again", "kept", "children", "parents")
    empty: dict[str, Any] = {name: [] for name in lists}
    return {"execution": "k7m2x9qd", "action": "rewind", "step": "pay", "deadline": None, **empty, **more}


def aside(*steps: str | None) -> list[dict[str, Any]]:
    return [{"seq": seq, "type": "step.completed", "step": step} for seq, step in enumerate(steps, 1)]


def test_one_line_for_what_is_about_to_be_done() -> None:
    told = preview_line(preview(setAside=aside("pay", "ship"), undo=["ship", "pay"], again=["pay"], children=["k.sub"]))
    assert told == (
        "k7m2x9qd: rewind pay: undoing ship, pay; running again pay; resuming k.sub; setting 2 records aside"
    )
    assert preview_line(preview(action="resume", step=None)) == "k7m2x9qd: resume: going on from where it stopped"


def test_what_waits_afterwards_does_not_run_again_now() -> None:
    back = preview(action="compensate", undo=["ship"], again=["ship"], kept=["pay"], setAside=aside("ship"))
    told = "k7m2x9qd: compensate back to pay: undoing ship; keeping pay; setting 1 record aside"
    assert preview_line(back) == told
    assert preview_lines(back)[-2:] == [
        "Would run again, once it is resumed  ship",
        "Would be kept                        pay",
    ]


def test_what_somebody_had_wanted_is_not_taken_back_in_silence() -> None:
    wanted = [{"what": what, "by": "joe", "at": "2026-11-23T09:00:00.000000Z"} for what in ("cancel", "compensate")]
    told = "the cancellation by joe of 2026-11-23 09:00:00Z", "the undoing asked for by joe of 2026-11-23 09:00:00Z"
    back = preview(takesBack=wanted, again=["pay"])
    assert (
        preview_line(back) == f"k7m2x9qd: rewind pay: taking back {told[0]}; taking back {told[1]}; running again pay"
    )
    assert preview_lines(back)[2] == f"Would be taken back  {told[0]}; {told[1]}"


def test_what_would_be_recorded() -> None:
    told = preview_lines(preview(action="set-output", values=[{"a": "\x9b"}]))
    assert told[2:] == ['Would be recorded  output {"a": "\\u009b"}', "It would go on from where it stopped."]
    told = preview_lines(preview(action="set-input", values=[None], again=["pay"]))
    assert told[2:] == ["Would be recorded  input null", "Would run again    pay"]


def test_the_time_that_is_left_for_all_of_it() -> None:
    kept, anew = (preview(deadline=each, again=["pay"]) for each in ("2026-11-23T09:00:00.000000Z", "anew"))
    assert preview_lines(kept)[-1] == "Timeout of it all  2026-11-23 09:00:00Z, as before"
    assert preview_lines(anew)[-1] == "Timeout of it all  all of it anew, for it has passed"
    assert preview_line(anew).endswith("; granting its whole timeout anew")


def test_lines_for_whoever_looks_first() -> None:
    told = preview_lines(preview(setAside=aside("pay", "pay", None), undo=["pay"], again=["pay"]))
    assert told == [
        "k7m2x9qd: rewind pay (nothing has been written)",
        "",
        "Would be set aside  3 records: pay",
        "Would be undone     pay",
        "Would run again     pay",
    ]
    assert preview_lines(preview(action="resume"))[-1] == "It would go on from where it stopped."


def test_many_names_are_cut_short() -> None:
    names = [f"ship@{number}" for number in range(1_010)]
    assert preview_line(preview(undo=names)).endswith("ship@7 and 1,002 more")


def test_names_cannot_command_the_terminal() -> None:
    assert "\x1b" not in preview_line(preview(undo=["\x1b[2J"], step="\x1b"))


class TestNextSteps:
    def failed(self, tale: Callable[..., Tale], ending: str, step: str = "pay", type: str = "boom") -> list[str]:
        told = tale("check", "pay").call("check").fail("pay")
        error = {"type": type, "message": "no", "step": step}
        if ending == "paused":
            told.add("execution.paused", error=error, settable=["input", "output"])
        else:
            told.add("execution.ended", status=ending, error=error)
        return next_steps(told.view())

    def test_a_part_of_another_execution_is_not_repaired_from_under_it(self, tale: Callable[..., Tale]) -> None:
        view = tale("a").fail("a").view()
        view["status"], view["parent"] = "failed", {"execution": "k7", "step": "one@3"}
        assert [line.rpartition("  ")[2] for line in next_steps(view)] == [
            "wfrun log k7m2x9qd",
            "wfrun status k7",
            "wfrun rewind k7 one@3",
        ]

    @pytest.mark.parametrize(("type", "offered"), [("expression.undefined", False), ("bank.gone", True)])
    def test_what_cannot_be_computed_is_not_to_be_tried_again(
        self, tale: Callable[..., Tale], type: str, offered: bool
    ) -> None:
        error = {"type": type, "message": "no"}
        told = tale("a").call("a").add("compensation.started", reason="failure", steps=["a"])
        view = told.add("step.failed", step="compensate:a", attempt=1, error=error, random=0.1).view()
        view["status"] = "needs-attention"
        lines = next_steps(view)
        assert any("wfrun resume k7m2x9qd" in line for line in lines) == offered
        assert lines[-1].endswith("wfrun skip k7m2x9qd compensate:a --reason WHY")

    def test_what_undoes_a_step_in_a_loop_is_let_stand_one_by_one(self, tale: Callable[..., Tale]) -> None:
        told = tale("r")
        for step in ("r@0", "r@1", "r@2"):
            told.call(step)
        told.add("compensation.started", reason="failure", steps=["r@2", "r@1", "r@0"])
        told.call("compensate:r@1")
        for step in ("compensate:r@2", "compensate:r@0"):
            told.add("step.failed", step=step, attempt=1, error={"type": "gone", "message": "no"}, random=0.1)
        view = told.view()
        view["status"] = "needs-attention"
        assert {line.partition(":  ")[2] for line in next_steps(view)[2:]} == {
            "wfrun skip k7m2x9qd compensate:r@0 --reason WHY",
            "wfrun skip k7m2x9qd compensate:r@2 --reason WHY",
        }

    def test_a_paused_one(self, tale: Callable[..., Tale]) -> None:
        lines = self.failed(tale, "paused")
        assert [line.split("  ")[1] for line in lines[1:]] == [
            "wfrun resume k7m2x9qd",
            "wfrun resume k7m2x9qd --with FILE",
            "wfrun skip k7m2x9qd pay",
            "wfrun set-input k7m2x9qd pay JSON",
            "wfrun set-output k7m2x9qd pay JSON",
            "wfrun rewind k7m2x9qd check",
            "wfrun compensate k7m2x9qd",
        ]

    def test_behind_a_point_of_no_return_nothing_is_undone(self, tale: Callable[..., Tale]) -> None:
        error = {"type": "boom", "message": "no", "step": "pay"}
        told = tale("check", "pay").call("check").fail("pay")
        told.add("execution.paused", error=error, pivot=True, settable=["output"])
        assert [line.split("  ")[1] for line in next_steps(told.view())[-2:]] == [
            "wfrun set-output k7m2x9qd pay JSON",
            "wfrun rewind k7m2x9qd check --keep",
        ]

    def test_of_one_that_failed_nothing_is_left_to_undo(self, tale: Callable[..., Tale]) -> None:
        lines = self.failed(tale, "failed")
        assert lines[0] == "What happened, in detail:  wfrun log k7m2x9qd"
        assert not any("compensate" in line for line in lines)

    def test_a_step_without_a_name_is_quoted(self, tale: Callable[..., Tale]) -> None:
        assert any("wfrun skip k7m2x9qd 'steps[1]'" in line for line in self.failed(tale, "paused", "steps[1]"))

    @pytest.mark.parametrize("step", ["", "output"])
    def test_without_a_step_only_what_concerns_all_is_named(self, tale: Callable[..., Tale], step: str) -> None:
        assert not any(" skip " in line for line in self.failed(tale, "paused", step))

    def test_what_could_not_be_undone_can_be_let_stand(self, tale: Callable[..., Tale]) -> None:
        skips = [line for line in self.failed(tale, "paused", "compensate:pay") if " skip " in line]
        assert [line.split("  ")[1] for line in skips] == ["wfrun skip k7m2x9qd compensate:pay"]

    def test_one_that_was_undone_back_to_a_step(self, tale: Callable[..., Tale]) -> None:
        assert "go on from there" in self.failed(tale, "paused", "", "execution.held")[1]

    def test_one_that_waits_for_a_paused_child(self, tale: Callable[..., Tale]) -> None:
        told = tale("sub").add("child.started", step="sub", child="k7.sub", workflow="s", input={}, detach=False)
        view = told.view()
        view["children"][0]["status"] = "paused"
        assert next_steps(view) == ["What it stands still for:  wfrun status k7.sub"]

    def test_one_that_waits_for_a_child_that_asks_nobody(self, tale: Callable[..., Tale]) -> None:
        told = tale("sub").add("child.started", step="sub", child="k7.sub", workflow="s", input={}, detach=False)
        view = told.view()
        view["children"][0]["status"] = "waiting"
        assert next_steps(view) == ["What it stands still for:  wfrun status k7.sub"]
        view["children"][0]["tasks"] = tale("ask").ask("ask").view()["tasks"]
        assert next_steps(view) == []

    def test_many_people_that_children_wait_for_are_counted(self, tale: Callable[..., Tale]) -> None:
        told = tale("sub").add("child.started", step="sub", child="k7.sub", workflow="s", input={}, detach=False)
        (child,) = told.view()["children"]
        child["tasks"] = tale("ask").ask("ask").view()["tasks"] * 7
        *shown, (last,) = tasks_of_children([child])
        assert (len(shown), last) == (5, "… and 2 more tasks:  wfrun tasks")


def test_a_line_for_each_that_was_resumed(tale: Callable[..., Tale], capsys: pytest.CaptureFixture[str]) -> None:
    with ResumeReport(2, as_json=False, quiet=False) as report:
        report.finished("k7m2x9qd", summary_of(tale("a").call("a").add("execution.ended", status="completed").view()))
        report.finished("k8", ConflictError("execution.held", "k8 is being run by another process"))
    report.totals()
    assert capsys.readouterr().out.splitlines() == [
        "k7m2x9qd  completed  1/1  3.0s",
        "k8  refused  error[execution.held] k8 is being run by another process",
        "2 executions: 1 completed, 1 refused",
    ]


def test_nothing_to_resume(capsys: pytest.CaptureFixture[str]) -> None:
    ResumeReport(0, as_json=False, quiet=True).totals()
    assert capsys.readouterr().out.startswith("0 executions: there is none")


def test_executions_above_and_below_that_go_on_with_it() -> None:
    family = preview(children=["k7m2x9qd.sub.x"], parents=["k7m2x9qd"], again=["pay"])
    assert preview_line(family).endswith("resuming k7m2x9qd.sub.x, k7m2x9qd")
    assert any(line.endswith("k7m2x9qd.sub.x, k7m2x9qd") for line in preview_lines(family))

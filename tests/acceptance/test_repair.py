"""What a person can do about an execution that went wrong, as it is typed."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from tests.support.shell import ROOT, shell

ORDER = ROOT / "workflows" / "order"
RUN = f"wfrun run {ORDER}/order.yaml --input {ORDER}/order.json --id att --quiet"

ESCALATING = """
name: escalating
services: { svc: { adapter: mock } }
steps:
  - type: human-task
    name: ask
    assignee: { users: [boss] }
    timeout: 300ms
    onTimeout: escalate
    escalation: [{ assignee: { users: [big-boss] }, timeout: 1h }]
  - { name: after, service: svc, action: go }
"""


def test_resume_tries_again_what_could_not_be_undone(tmp_path: Path) -> None:
    broken = shell(RUN, tmp_path, WFRUN_FAIL="shipping=down,payment.refund=down")
    assert broken.code == 6
    assert shell("wfrun resume att", tmp_path, WFRUN_FAIL="payment.refund=down").code == 6
    repaired = shell("wfrun resume att --json", tmp_path)
    assert repaired.code == 5
    steps = {row["step"]: row["attempts"] for row in json.loads(repaired.out)["compensations"]}
    assert steps["reserve-inventory"] == 1
    assert steps["process-payment"] > 1
    assert "it had ended before" in shell("wfrun resume att", tmp_path).out


def test_what_completed_cannot_be_resumed(tmp_path: Path) -> None:
    assert shell(RUN, tmp_path).code == 0
    again = shell("wfrun resume att", tmp_path)
    assert again.code == 0
    assert "it had ended before" in again.out


@pytest.mark.parametrize(("fault", "code"), [("", 0), ("shipping=down", 5)])
def test_nor_does_a_dry_run_say_that_it_would_go_on(tmp_path: Path, fault: str, code: int) -> None:
    assert shell(RUN, tmp_path, WFRUN_FAIL=fault).code == code
    for format in ("", " --json"):
        looked, done = (shell(f"wfrun resume att{more}{format}", tmp_path) for more in (" --dry-run", ""))
        assert (looked.out, looked.code) == (done.out, done.code)


@pytest.fixture
def overdue(tmp_path: Path) -> Path:
    """An execution whose task should have gone to the big boss long ago, while nothing was running."""
    (tmp_path / "w.yaml").write_text(ESCALATING)
    assert shell("wfrun run w.yaml --id e1", tmp_path).code == 4
    time.sleep(0.4)
    return tmp_path


def test_a_late_yes_of_the_first_does_not_count_and_the_task_goes_on(overdue: Path) -> None:
    late = shell("wfrun approve e1 --as boss", overdue)
    assert late.code == 2
    assert "error[task.late] its time was over, and e1/" in late.out
    assert "has just been escalated: it is for big-boss now, and asks anew" in late.out
    again = shell("wfrun approve e1 --as boss", overdue)
    assert "just been escalated" not in again.out
    waiting = json.loads(shell("wfrun status e1 --json", overdue).out)
    assert waiting["status"] == "waiting"
    assert waiting["tasks"][0]["assignee"] == {"users": ["big-boss"]}


def test_who_was_asked_before_says_it_again(tmp_path: Path) -> None:
    """Two of them had to agree. That time ran out must not make one enough."""
    one = "assignee: { users: [ann, bob], quorum: 2 }, timeout: 200ms, onTimeout: escalate"
    task = (
        f"{{ name: pay, type: human-task, {one}, escalation: [{{ assignee: {{ users: [ann, kim] }}, timeout: 1h }}] }}"
    )
    (tmp_path / "w.yaml").write_text(f"name: w\nsteps: {task}\n")
    assert shell("wfrun run w.yaml --id e1", tmp_path).code == 4
    time.sleep(0.4)
    assert "error[task.late]" in shell("wfrun approve e1 --as ann", tmp_path).out
    assert json.loads(shell("wfrun status e1 --json", tmp_path).out)["tasks"][0]["votes"] == []
    assert shell("wfrun approve e1 --as ann", tmp_path).code == 0


def test_what_stays_with_the_last_of_them_takes_a_late_word(tmp_path: Path) -> None:
    """Nobody else is asked: what the first has said counts, and so does what the second says too late."""
    task = (
        "{ name: pay, type: human-task, assignee: { users: [ann, bob], quorum: 2 }, timeout: 5s, onTimeout: escalate }"
    )
    (tmp_path / "w.yaml").write_text(f"name: w\nsteps: {task}\n")
    assert shell("wfrun run w.yaml --id e1", tmp_path).code == 4
    assert shell("wfrun approve e1 --as ann", tmp_path).code == 4
    time.sleep(5.2)
    assert shell("wfrun approve e1 --as bob", tmp_path).code == 0


def test_those_it_went_to_may_decide_at_once(overdue: Path) -> None:
    assert shell("wfrun approve e1 --as big-boss", overdue).code == 0


def test_an_overdue_execution_can_be_cancelled_and_resumed(overdue: Path) -> None:
    assert shell("wfrun resume e1", overdue).code == 4
    assert shell("wfrun cancel e1", overdue).code == 0


def test_a_late_yes_without_escalation_fails_the_execution(tmp_path: Path) -> None:
    text = ESCALATING.replace("    onTimeout: escalate\n", "").split("    escalation")[0]
    (tmp_path / "w.yaml").write_text(text)
    assert shell("wfrun run w.yaml --id e1", tmp_path).code == 4
    time.sleep(0.4)
    late = shell("wfrun approve e1 --as boss", tmp_path)
    assert late.code == 2
    assert "expired" in late.out
    assert json.loads(shell("wfrun status e1 --json", tmp_path).out)["status"] == "failed"


def test_saying_the_same_again_is_no_error_even_if_the_form_has_defaults(tmp_path: Path) -> None:
    loan = ROOT / "workflows" / "loan"
    assert shell(f"wfrun run {loan}/loan.yaml --input {loan}/loan.json --id l1", tmp_path).code == 4
    assert shell("wfrun approve l1 --as ann", tmp_path).code == 0
    again = shell("wfrun approve l1 --as ann", tmp_path)
    assert again.code == 0
    assert "already approved by ann" in again.out

"""Tasks: parked, decided, refused, decided twice, recorded only, cancelled."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.acceptance.conftest import Done, Shell, Start

    Asked = tuple[Shell, Done]

TASK = "loan-1/manager-approval"
ASK = """
name: ask
services: { m: { adapter: mock } }
steps:
  - name: look
    type: human-task
    title: Look at it
    assignee: { users: [kim, lee] }
    form: { rate: number, note: string? }
    output: looked
  - { name: after, service: m, action: x }
output: { rate: $.looked.data.rate, by: $.looked.by }
"""


def test_a_run_parks_and_says_who_decides_and_how(asked: Asked) -> None:
    _, done = asked
    assert (done.code, done.err) == (4, "")
    assert any(line.startswith("Waiting  Loan of 250000") and "for loan-managers" in line for line in done.lines)
    assert f"  wfrun approve {TASK}" in done.lines


def test_a_run_says_whom_an_execution_that_it_runs_waits_for(shell: Shell) -> None:
    shell.write("ask.yaml", ASK)
    shell.write("mid.yaml", "name: mid\nsteps: { type: workflow, name: c, workflow: ./ask.yaml }\n")
    shell.write("top.yaml", "name: top\nsteps: { type: workflow, name: b, workflow: ./mid.yaml }\n")
    done = shell.wfrun("run", "top.yaml", "--id", "t")
    assert done.code == 4
    assert "Waiting  Look at it: for kim, lee" in done.lines
    assert "  wfrun approve t.b.c/look --data rate=…" in done.lines
    (child,) = shell.wfrun("status", "t", "--json").json("status")["children"]
    assert [task["task"] for task in child["tasks"]] == ["t.b.c/look"]
    assert "b: kim or lee has not decided 'Look at it', without a deadline" in shell.wfrun("explain", "t").out
    refused = shell.wfrun("approve", "t", "--json").error()
    assert (refused["code"], refused["hint"]) == ("task.unknown", "name that task: t.b.c/look")
    assert shell.wfrun("approve", "t.b.c/look", "--as", "kim", "--data", "rate=1", "-q").code == 0


def test_tasks_in_words_and_as_json(asked: Asked) -> None:
    shell, _ = asked
    head, row = shell.wfrun("tasks").lines
    assert head.split() == ["TASK", "WORKFLOW", "TITLE", "FOR", "DUE", "FORM", "DATA"]
    assert row.startswith(f"{TASK}  loan-application  Loan of 250000")
    assert "rate: number?" in row
    (task,) = shell.wfrun("tasks", "--assignee", "loan-managers", "--json").json("tasks")["tasks"]
    assert (task["task"], task["initiator"], task["votes"]) == (TASK, "ada", [])
    assert shell.wfrun("tasks", "--assignee", "nobody", "--json").json("tasks") == {"tasks": [], "unknown": []}


def test_what_is_overdue_says_so_and_expires_when_it_is_resumed(shell: Shell) -> None:
    shell.write("ask.yaml", ASK.replace("title:", "timeout: 100ms\n    title:"))
    shell.wfrun("run", "ask.yaml", "--id", "a")
    time.sleep(0.2)
    (task,) = shell.wfrun("tasks", "--json").json("tasks")["tasks"]
    view = shell.wfrun("status", "a", "--json").json("status")
    assert (task["overdue"], view["status"], view["tasks"]) == (True, "waiting", [task])
    assert "Overdue  Look at it: for kim, lee, since 2" in shell.wfrun("status", "a").out
    assert "overdue" in shell.wfrun("tasks").lines[1]
    assert "wfrun resume a" in shell.wfrun("tasks").lines[-1]
    assert shell.wfrun("resume", "a", "--json").json("resume")["error"]["type"] == "task.timeout"


def test_list_says_whom_it_waits_for(asked: Asked) -> None:
    shell, _ = asked
    (row,) = shell.wfrun("list", "--status", "waiting", "--json").json("list")["executions"]
    assert row["waitingFor"] == ["loan-managers"]
    assert shell.wfrun("list").lines[1].endswith("for loan-managers")


def test_approving_drives_on_and_a_second_decision_is_told(shell: Shell) -> None:
    shell.write("ask.yaml", ASK)
    assert shell.wfrun("run", "ask.yaml", "--id", "a").code == 4
    wrong = shell.wfrun("approve", "a", "--as", "kim", "--data", "rate=high", "--json")
    assert wrong.code == 3
    assert "rate" in wrong.error()["message"]
    stranger = shell.wfrun("approve", "a/look", "--as", "eve", "--data", "rate=4.2")
    assert stranger.code == 2
    assert "error[task.assignee] a/look is for kim or lee, not eve" in stranger.err
    done = shell.wfrun("approve", "a/l", "--as", "kim", "--data", "rate=4.2", "--comment", "as agreed", "--json")
    assert done.code == 0
    assert done.json("decision")["output"] == {"rate": 4.2, "by": "kim"}
    late = shell.wfrun("reject", "a/look", "--as", "lee", "--json")
    assert (late.code, late.error()["code"]) == (2, "task.closed")
    assert "already decided: approved by kim" in late.error()["message"]
    assert "look approved by kim: as agreed" in shell.wfrun("log", "a").out


def test_saying_it_again_is_no_error(shell: Shell) -> None:
    shell.write("ask.yaml", ASK)
    shell.wfrun("run", "ask.yaml", "--id", "a")
    shell.write("form.json", '{"rate": 4}')
    decision = ("approve", "a/look", "--as", "kim", "--data-file", "form.json")
    assert shell.wfrun(*decision).code == 0
    again = shell.wfrun(*decision)
    assert again.code == 0
    assert "a/look was already approved by kim" in again.out


def test_refusing_fails_the_step(shell: Shell) -> None:
    shell.write("ask.yaml", ASK)
    shell.wfrun("run", "ask.yaml", "--id", "a")
    done = shell.wfrun("reject", "a", "--as", "lee", "--comment", "too risky", "--json")
    assert done.code == 1
    view = done.json("decision")
    assert view["error"]["type"] == "task.rejected"
    assert [row["status"] for row in view["steps"]] == ["failed", "pending"]


def test_recording_only_and_resuming_later(shell: Shell) -> None:
    shell.write("ask.yaml", ASK)
    shell.wfrun("run", "ask.yaml", "--id", "a")
    recorded = shell.wfrun("approve", "a", "--as", "kim", "--data", "rate=1", "--no-resume")
    assert recorded.code == 0
    assert "a · ask (version 1) · interrupted · 1/2 steps" in recorded.out
    assert recorded.lines[-1] == "Nothing drives it now. To go on:  wfrun resume a"
    assert shell.wfrun("status", "a", "--json").json("status")["status"] == "interrupted"
    assert [
        row["execution"] for row in shell.wfrun("list", "--status", "interrupted", "--json").json("list")["executions"]
    ] == ["a"]
    assert "wfrun resume a" in shell.wfrun("status", "a").out
    resumed = shell.wfrun("resume", "a", "--json")
    assert (resumed.code, resumed.json("resume")["status"]) == (0, "completed")


def test_what_a_form_lacks_is_told_with_the_words_to_type(shell: Shell) -> None:
    shell.write("ask.yaml", ASK)
    shell.wfrun("run", "ask.yaml", "--id", "a")
    lacking = shell.wfrun("approve", "a", "--as", "kim")
    assert lacking.code == 3
    assert lacking.err.splitlines() == [
        "form.rate: error[field.missing] the form needs `rate` (a number)",
        "  hint: --data rate=…",
    ]
    digits = shell.wfrun("approve", "a", "--as", "kim", "--data", "rate=1", "--data", "note=17")
    assert digits.err.splitlines()[-1] == "  hint: --data 'note=\"17\"'"


def test_a_live_runner_goes_on_at_once_when_somebody_decides(shell: Shell, start: Start) -> None:
    shell.write("ask.yaml", ASK)
    runner = start("run", "ask.yaml", "--id", "a", "--wait")
    assert runner.stdout is not None
    while "waits for" not in runner.stdout.readline():
        assert runner.poll() is None
    decided = shell.wfrun("approve", "a/look", "--as", "kim", "--data", "rate=2")
    assert decided.code in (0, 4)
    begun = time.monotonic()
    assert runner.wait(timeout=10) == 0
    assert time.monotonic() - begun < 5
    assert shell.wfrun("status", "a", "--json").json("status")["driver"]["epoch"] == 1


def test_cancelling_what_has_to_ask_somebody_first(shell: Shell) -> None:
    """Also after it is asked for, what a `finally` asks is waited for, and its time runs out."""
    tidy = "{name: tidy, type: human-task, assignee: bob, timeout: 100ms}"
    shell.write("w.yaml", f"name: w\nsteps: {{type: try, steps: {{name: nap, type: wait, for: 1h}}, finally: {tidy}}}")
    shell.wfrun("run", "w.yaml", "--id", "w", "-q")
    done = shell.wfrun("cancel", "w", "--json")
    assert (done.code, done.json("cancel")["status"]) == (4, "waiting")
    assert [
        row["execution"] for row in shell.wfrun("list", "--status", "waiting", "--json").json("list")["executions"]
    ] == ["w"]
    time.sleep(0.2)
    shell.wfrun("resume", "--where", "status == waiting")
    assert shell.wfrun("status", "w", "--json").json("status")["status"] == "cancelled"


def test_cancelling_what_waits(shell: Shell) -> None:
    shell.write("ask.yaml", ASK)
    shell.wfrun("run", "ask.yaml", "--id", "a")
    done = shell.wfrun("cancel", "a", "--reason", "no longer needed", "--json")
    assert done.code == 0
    view = done.json("cancel")
    assert (view["status"], view["tasks"], view["cancelRequested"]) == ("cancelled", [], True)
    assert "ada asked to cancel: no longer needed" in shell.wfrun("log", "a").out
    again = shell.wfrun("cancel", "a", "--json")
    assert (again.code, again.error()["code"]) == (2, "execution.ended")


@pytest.mark.parametrize("task", ["nobody/here", "x", "loan-1/other"])
def test_a_task_that_is_not_there(asked: Asked, task: str) -> None:
    shell, _ = asked
    done = shell.wfrun("approve", task, "--json")
    assert (done.code, done.error()["code"]) == (2, "task.unknown")


def test_a_beginning_that_fits_two_executions(asked: Asked) -> None:
    from tests.acceptance.conftest import LOAN

    shell, _ = asked
    shell.wfrun("run", *LOAN, "--id", "loan-2")
    done = shell.wfrun("status", "loan-", "--json")
    assert (done.code, done.error()["code"]) == (2, "execution.ambiguous")
    assert "loan-1, loan-2" in done.error()["message"]


def test_those_who_disagree_are_told_and_may_agree_after_all(shell: Shell) -> None:
    both = "{ type: human-task, name: t, decisions: [x, y], assignee: { users: [ann, bob], quorum: 2 }, output: said }"
    shell.write("w.yaml", f"name: w\nsteps: [{both}]\noutput: $.said.decision")
    shell.wfrun("run", "w.yaml", "--id", "w", "-q")
    stuck = "They do not agree, and nobody else may decide: whoever has decided may still decide otherwise."
    assert stuck not in shell.wfrun("approve", "w", "--as", "ann", "--decision", "x").lines
    assert stuck in shell.wfrun("approve", "w", "--as", "bob", "--decision", "y").lines
    assert stuck in shell.wfrun("status", "w").lines
    done = shell.wfrun("approve", "w", "--as", "ann", "--decision", "y", "--json")
    assert (done.code, done.json("decision")["output"]) == (0, "y")

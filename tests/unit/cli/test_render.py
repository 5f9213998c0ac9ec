from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from wfrun.cli.outcome import finish
from wfrun.cli.render.batch import BatchReport
from wfrun.cli.render.lists import execution_table, moment_line, summary_line, tree_lines
from wfrun.cli.render.progress import Lines, LiveSteps, Silence, progress_for
from wfrun.cli.render.status import status_lines
from wfrun.cli.render.tasks import task_table
from wfrun.errors import DivergenceError, InvalidError, JournalError, Problem
from wfrun.views.graph import tree
from wfrun.views.model import Summary
from wfrun.views.summary import UNREADABLE, summary_of
from wfrun.views.tasks import with_overdue
from wfrun.views.timeline import timeline

if TYPE_CHECKING:
    from tests.unit.cli.conftest import Tale

REFUSED = InvalidError([Problem("input.missing", "total is missing")])
MakeTale = Callable[..., "Tale"]
ERROR = {"type": "payment.declined", "message": "card declined", "step": "pay"}


def compensated(tale: MakeTale) -> Tale:
    told = tale("reserve", "pay", "ship").call("reserve").begin("pay").fail("pay")
    told.add("compensation.started", reason="failure", steps=["reserve"], error=ERROR)
    return told.call("compensate:reserve").add("execution.ended", status="compensated", error=ERROR)


def test_status_of_a_compensated_execution(tale: MakeTale) -> None:
    assert status_lines(compensated(tale).view()) == [
        "k7m2x9qd · order (version 2) · compensated · 1/3 steps · started 2026-11-23 09:00:00Z by ada · took 8.0s",
        "",
        "  ↶  reserve  1.0s  compensated",
        "  ✗  pay      1.0s  failed · payment.declined: card declined",
        "  ·  ship           not run",
        "",
        "Undone, last step first:",
        "  ✓  reserve  1.0s",
        "",
        "Error  payment.declined: card declined (in pay)",
        "",
        "What happened, in detail:  wfrun log k7m2x9qd",
    ]


def test_status_of_a_waiting_execution_says_who_and_how(tale: MakeTale) -> None:
    lines = status_lines(tale("check", "approve").call("check").ask("approve").view())
    assert lines[2:] == [
        "  ✓  check    1.0s",
        "  …  approve        waiting",
        "",
        "Waiting  Approve the loan: for loan-managers, until 2026-11-24 09:00:00Z",
        "  wfrun approve k7m2x9qd/approve",
        "  wfrun reject k7m2x9qd/approve --comment 'why'",
    ]


def test_an_approval_is_shown_with_the_fields_it_needs(tale: MakeTale) -> None:
    form = {"rate": "number", "note": "string?", "term": {"type": "integer"}, "fee": {"type": "number", "default": 0}}
    lines = status_lines(tale("approve").ask("approve", form=form).view())
    assert "  wfrun approve k7m2x9qd/approve --data rate=… --data term=…" in lines


def test_what_may_be_left_out_of_a_form_is_not_asked_for(tale: MakeTale) -> None:
    form = {"note": "string?", "rate": {"type": "number?", "minimum": 0}, "days": {"default": 3}}
    told = tale("approve").ask("approve", form={**form, "sum": {"type": ["integer", "string"]}, "flag": {"enum": [1]}})
    assert "  wfrun approve k7m2x9qd/approve --data sum=… --data flag=…" in status_lines(told.view())
    row = task_table(told.view()["tasks"])[1]
    assert "  note: string?, rate: number?, days: any?, sum: integer|string, flag: any  " in row


def test_an_overdue_task_says_so_and_what_lets_it_go_on(tale: MakeTale) -> None:
    view = tale("check", "approve").ask("approve").view()
    view["tasks"] = with_overdue(view["tasks"], "2026-11-24T09:00:00.000000Z")
    assert status_lines(view)[-2:] == [
        "Overdue  Approve the loan: for loan-managers, since 2026-11-24 09:00:00Z",
        "Its time is over. To let it expire or escalate:  wfrun resume k7m2x9qd",
    ]
    table = task_table([*view["tasks"], *view["tasks"]])
    assert "  2026-11-24 09:00:00Z overdue  " in table[1]
    assert table[3:] == [
        "",
        "What is overdue expires or escalates when its execution goes on:",
        "  wfrun resume k7m2x9qd",
    ]


def test_skipped_steps_are_counted_and_told(tale: MakeTale) -> None:
    view = tale("gift", "pay").call("pay").add("execution.ended", status="completed").view()
    assert " · completed · 2/2 steps (1 skipped) · " in status_lines(view)[0]


def test_output_is_told_in_one_order(tale: MakeTale) -> None:
    view = tale().add("execution.ended", status="completed", output={"z": 1, "a": {"d": 1, "c": 2}}).view()
    assert status_lines(view)[-1] == 'Output  {"a": {"c": 2, "d": 1}, "z": 1}'
    view["output"] = "x" * 100_000
    assert status_lines(view)[-1].endswith(
        f"x … 90,002 more characters: `wfrun status {view['execution']} --json` shows all"
    )


def test_quorum_and_escalation_are_told(tale: MakeTale) -> None:
    told = tale("approve").ask("approve", quorum=2, title="")
    told.add("task.escalated", task="k7m2x9qd/approve", level=1, assignee={"users": ["boss"]}, due=None)
    assert "Waiting  approve: for boss, 0 of 2 decided, escalated 1×" in status_lines(told.view())


def test_of_a_quorum_those_count_that_are_alike(tale: MakeTale) -> None:
    told = tale("vote").ask("vote", quorum=2, title="", decisions=["yes", "no"])
    for by, decision, words in (("ann", "yes", "1 of 2 decided"), ("bob", "no", "1 of 2 decided alike (1 yes, 1 no)")):
        told.add("task.decided", task="k7m2x9qd/vote", decision=decision, by=by, comment="", data={})
        assert any(line.startswith("Waiting  vote") and line.endswith(words) for line in status_lines(told.view()))


def test_a_task_is_decided_in_its_own_words(tale: MakeTale) -> None:
    view = tale("vote").ask("vote", decisions=["yes", "not now", "approved"], form={"n": "number"}).view()
    assert status_lines(view)[-4:] == [
        "  wfrun approve k7m2x9qd/vote --decision yes --data n=…",
        "  wfrun approve k7m2x9qd/vote --decision 'not now' --data n=…",
        "  wfrun approve k7m2x9qd/vote --data n=…",
        "  wfrun reject k7m2x9qd/vote --comment 'why'",
    ]
    plain = tale("ask").ask("ask").view()["tasks"]
    head, row, other = task_table([*view["tasks"], *plain])
    assert head.split()[5:7] == ["DECISIONS", "FORM"]
    assert "yes, not now, approved, rejected" in row
    assert "approved, rejected" in other
    assert "DECISIONS" not in task_table(plain)[0]


def test_who_cancelled_it_and_why(tale: MakeTale) -> None:
    told = tale("pay").begin("pay").add("cancel.requested", by="joe", reason="not wanted")
    (line,) = [line for line in status_lines(told.view()) if line.startswith("Cancelling  2")]
    assert line.endswith(" by joe: not wanted")
    told.add("execution.ended", status="cancelled")
    (line,) = [line for line in status_lines(told.view()) if line.startswith("Cancelled  2")]
    assert line.endswith(" by joe: not wanted")


def test_status_of_an_interrupted_execution_says_how_to_go_on(tale: MakeTale) -> None:
    lines = status_lines(tale("pay").begin("pay").view(driven=False))
    assert lines[-1] == "Nothing drives it now. To go on:  wfrun resume k7m2x9qd"
    assert lines[2] == "  ▶  pay    running"


def test_status_of_a_retry(tale: MakeTale) -> None:
    told = tale("crm").begin("crm").fail("crm").begin("crm", attempt=2).fail("crm", attempt=2)
    told.add("timer.started", timer="t", step="crm", due="2026-11-23T10:00:00.000000Z", reason="retry")
    assert status_lines(told.view())[2] == (
        "  ↻  crm    retrying · 2 attempts · next at 2026-11-23 10:00:00Z · payment.declined: card declined"
    )


def test_what_could_not_be_undone_asks_for_attention(tale: MakeTale) -> None:
    failure = {"type": "http.503", "message": "down", "step": "compensate:reserve"}
    view = tale("pay").add("execution.ended", status="needs-attention", error=ERROR, failures=[failure]).view()
    lines = status_lines(view)
    assert "Not undone  http.503: down (undoing reserve)" in lines
    assert [line.partition("  ")[2] for line in lines[-2:]] == ["wfrun log k7m2x9qd", "wfrun resume k7m2x9qd"]


def test_data_cannot_command_the_terminal(tale: MakeTale) -> None:
    evil = "\x1b[2J\u202eevil\n"
    told = tale("pay", workflow=evil).begin("pay").fail("pay", message=evil).ask("a", title=evil)
    view = told.view()
    node: Any = {"id": "x", "name": evil, "type": "call", "label": evil, "branch": None, "children": []}
    lines = [*status_lines(view), *task_table(view["tasks"]), *execution_table([summary_of(view)])]
    lines += [*map(moment_line, timeline(told.records)), *tree_lines(evil, tree([node]))]
    text = "\n".join(lines)
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert r"\x1b[2J\u202eevil\x0a" in text


def test_tables(tale: MakeTale) -> None:
    view = tale("approve").ask("approve").view()
    assert task_table(view["tasks"]) == [
        "TASK              WORKFLOW  TITLE             FOR            DUE                   FORM  DATA",
        'k7m2x9qd/approve  order     Approve the loan  loan-managers  2026-11-24 09:00:00Z  -     {"amount": 5}',
    ]
    rows = [summary_of(view), summary_of(compensated(tale).view())]
    assert execution_table(rows) == [
        "EXECUTION  WORKFLOW  STATUS       STEPS  STARTED               TOOK",
        "k7m2x9qd   order:2   waiting      0/1    2026-11-23 09:00:00Z  -     for loan-managers",
        "k7m2x9qd   order:2   compensated  1/3    2026-11-23 09:00:00Z  8.0s  payment.declined",
    ]
    assert summary_line("line 7", rows[1]) == "line 7  k7m2x9qd  compensated  1/3  8.0s  payment.declined"


def test_a_damaged_journal_in_the_list(tale: MakeTale) -> None:
    row: Any = {**summary_of(tale("pay").view()), "workflow": UNREADABLE, "version": None, "status": "needs-attention"}
    row["error"] = "journal.damaged"
    assert execution_table([row])[1].split() == ["k7m2x9qd", "-", "damaged", "-", "-", "-", "journal.damaged"]


def test_a_line_of_the_log(tale: MakeTale) -> None:
    (*_, moment) = timeline(tale("pay").begin("pay").records)
    assert moment_line(moment) == "09:00:01.000     +1.0s  pay → shop.act"


def test_tree_with_marks(tale: MakeTale) -> None:
    nodes: Any = [{"id": "pay", "name": "pay", "type": "call", "label": "shop.act", "branch": None, "children": []}]
    assert tree_lines("order", tree(nodes, {"pay": "failed"})) == ["order", "└─ ✗ pay  shop.act"]


@pytest.mark.parametrize(("as_json", "quiet"), [(False, False), (True, False), (False, True)])
def test_the_outcome_in_the_form_asked_for(
    tale: MakeTale, capsys: pytest.CaptureFixture[str], as_json: bool, quiet: bool
) -> None:
    view = compensated(tale).view()
    assert finish(view, note="as agreed", as_json=as_json, quiet=quiet) == 5
    out = capsys.readouterr().out
    if as_json:
        assert json.loads(out) == view
    elif quiet:
        assert out == "k7m2x9qd\n"
    else:
        assert out.splitlines()[:2] == ["", "as agreed"]
        assert "compensated" in out


def test_lines_say_what_happens_as_it_happens(tale: MakeTale, capsys: pytest.CaptureFixture[str]) -> None:
    told = tale("pay").add("driver.started", epoch=1, host="h", pid=1, wfrun="0").call("pay")
    with Lines() as progress:
        for record in told.records:
            progress.observe("k7m2x9qd", record, True)
    assert capsys.readouterr().out.splitlines() == [
        "execution k7m2x9qd",
        "09:00:00.000      +0ms  order (version 2) started by ada",
        "09:00:02.000     +2.0s  pay → shop.act",
        "09:00:03.000     +3.0s  pay completed: null",
    ]


def test_what_had_happened_before_is_not_told_again(tale: MakeTale, capsys: pytest.CaptureFixture[str]) -> None:
    told = tale("pay").call("pay")
    with Lines() as progress:
        for record in told.records:
            progress.observe("k7m2x9qd", record, record["type"] == "step.completed")
    assert capsys.readouterr().out == "09:00:02.000     +2.0s  pay completed: null\n"


def test_live_steps_draw_what_runs(tale: MakeTale) -> None:
    from rich.console import Console

    told = compensated(tale)
    live = LiveSteps()
    console = Console(file=io.StringIO(), width=100)
    frames = []
    for record in [None, *told.records]:
        if record:
            live.observe("k7m2x9qd", record, True)
        with console.capture() as capture:
            console.print(live._draw())
        frames.append(capture.get())
    assert "starting" in frames[0]
    assert "running · 0/3 steps" in frames[1]
    assert "reserve" in frames[2]
    assert "✗  pay" in frames[5]
    assert "undoing · 1/3 steps" in frames[6]


def test_live_steps_keep_to_the_height_of_the_screen(tale: MakeTale, monkeypatch: pytest.MonkeyPatch) -> None:
    from rich.console import Console

    monkeypatch.setattr("wfrun.cli.render.progress._terminal_height", lambda: 14)
    steps = [f"step-{number:03}" for number in range(200)]
    told = tale(*steps)
    for step in steps[:100]:
        told.call(step)
    live = LiveSteps()
    for record in told.begin("step-100").records:
        live.observe("k7m2x9qd", record, True)
    console = Console(file=io.StringIO(), width=100)
    with console.capture() as capture:
        console.print(live._draw())
    lines = capture.get().splitlines()
    assert len(lines) == 11
    assert any("step-100" in line for line in lines)


def test_progress_suits_the_output() -> None:
    assert type(progress_for(silent=True)) is Silence
    assert type(progress_for(silent=False)) is Lines


def batch_rows(tale: MakeTale) -> list[Summary]:
    return [summary_of(compensated(tale).view()), summary_of(tale("approve").ask("approve").view())]


def test_a_batch_in_words(tale: MakeTale, capsys: pytest.CaptureFixture[str]) -> None:
    with BatchReport("-", as_json=False, quiet=False) as report:
        for number, row in enumerate(batch_rows(tale), 1):
            report.finished(number, row)
        report.finished(3, REFUSED)
        report.finished(4, JournalError("journal.io", "the disk is full"))
    report.totals()
    assert capsys.readouterr().out.splitlines() == [
        "line 1  k7m2x9qd  compensated  1/3  8.0s  payment.declined",
        "line 2  k7m2x9qd  waiting  0/1  -  loan-managers",
        "line 3  refused  error[input.missing] total is missing",
        "line 4  stopped  error[journal.io] the disk is full",
        "4 executions: 1 compensated, 1 refused, 1 stopped, 1 waiting",
    ]


def test_a_batch_as_json_lines(tale: MakeTale, capsys: pytest.CaptureFixture[str]) -> None:
    rows = batch_rows(tale)
    report = BatchReport("-", as_json=True, quiet=False)
    for number, row in enumerate(rows, 1):
        report.finished(number, row)
    report.finished(3, REFUSED)
    report.finished(4, DivergenceError("journal.divergence", "another definition"))
    report.totals()
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert lines[:2] == [{"input": 1, **rows[0]}, {"input": 2, **rows[1]}]
    assert (lines[2]["input"], lines[2]["refused"][0]["code"]) == (3, "input.missing")
    assert (lines[3]["input"], lines[3]["stopped"][0]["code"]) == (4, "journal.divergence")
    assert lines[4] == {"total": 4, "counts": {"compensated": 1, "refused": 1, "stopped": 1, "waiting": 1}}


def test_a_quiet_batch_gives_totals_only(tale: MakeTale, capsys: pytest.CaptureFixture[str]) -> None:
    report = BatchReport("-", as_json=False, quiet=True)
    report.finished(1, batch_rows(tale)[0])
    report.totals()
    assert capsys.readouterr().out == "1 execution: 1 compensated\n"

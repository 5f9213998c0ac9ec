"""How loops, waits, children and repairs are told to people."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from wfrun.cli.outcome import finish
from wfrun.cli.render.lists import execution_table, moment_line, summary_line
from wfrun.cli.render.loops import TOLD_ITEMS
from wfrun.cli.render.progress import Lines, LiveSteps
from wfrun.cli.render.status import status_lines
from wfrun.cli.render.waits import unknown_lines
from wfrun.views.overdue import as_of
from wfrun.views.status import status_of
from wfrun.views.summary import summary_of
from wfrun.views.timeline import timeline

if TYPE_CHECKING:
    from tests.unit.cli.conftest import Tale

MakeTale = Callable[..., "Tale"]
DUE = "2026-11-24T09:00:00.000000Z"
ERROR = {"type": "payment.declined", "message": "card declined", "step": "pay"}


def each(told: Tale, count: int, *steps: str, loop: str = "all") -> Tale:
    return told.add("foreach.started", step=loop, count=count, steps=list(steps))


def below_headline(told: Tale, **view: Any) -> list[str]:
    return status_lines(status_of(told.records, **view))[2:]


# ---- status


def test_a_loop_in_the_status(tale: MakeTale) -> None:
    told = each(tale("ship", "bill"), 100_000, "ship")
    for index in range(1200):
        told.records.append({**told.records[0], "type": "step.completed", "step": f"ship@{index}", "attempt": 1})
    told.begin("ship@1200").begin("ship@1201").fail("ship@1201").begin("ship@1202")
    lines = status_lines(told.view())
    assert " · running · 1,200/100,001 steps (1 failed) · " in lines[0]
    told_of = [line.split() for line in lines[2:7]]
    assert told_of[0][:2] == ["▶", "ship"]
    assert lines[2].endswith("1,200 of 100,000 done · 2 running · 1 failed")
    assert told_of[1:3] == [["▶", "ship@1200", "running"], ["▶", "ship@1202", "running"]]
    assert told_of[3][:2] == ["✗", "ship@1201"]
    assert lines[5].endswith("failed · payment.declined: card declined")
    assert told_of[4] == ["·", "bill", "pending"]


def test_of_many_under_way_a_few_are_shown(tale: MakeTale) -> None:
    told = each(tale("ask"), 50, "ask")
    for index in range(50):
        told.ask(f"ask@{index}")
    lines = below_headline(told)
    assert lines[0].endswith("0 of 50 done · 50 waiting")
    assert lines[10].strip().startswith("… ask@9")
    assert lines[11].strip() == "… and 40 more"


def test_a_loop_without_a_known_end(tale: MakeTale) -> None:
    (line, *_) = below_headline(tale("poll").call("poll@0").call("poll@1"))
    assert line.split() == ["✓", "poll", "3.0s", "2", "done"]


def test_a_loop_that_is_over_has_one_line(tale: MakeTale) -> None:
    told = each(tale("ship"), 2, "ship").call("ship@0").call("ship@1").add("execution.ended", status="completed")
    assert below_headline(told) == ["  ✓  ship  3.0s  2 of 2 done"]


def test_waiting_for_events_and_times(tale: MakeTale) -> None:
    told = tale("paid", "nap").add("wait.started", wait="paid!event", step="paid", events=["payment.received"])
    told.add("timer.started", timer="paid!timeout", step="paid", due=DUE, reason="timeout")
    told.add("timer.started", timer="nap!wait", step="nap", due=DUE, reason="wait")
    view = told.view()
    assert status_lines(view)[-4:] == [
        "Waiting  paid: for event payment.received since 2026-11-23 09:00:01Z, until 2026-11-24 09:00:00Z",
        "Waiting  nap: until 2026-11-24 09:00:00Z",
        "",
        "To wait no longer:  wfrun retry-now k7m2x9qd nap",
    ]
    late = status_lines(as_of(view, DUE))
    assert late[-2] == "Overdue  nap: until 2026-11-24 09:00:00Z"
    assert late[-1] == "What is overdue goes on with:  wfrun resume k7m2x9qd"


def test_of_many_waits_a_few_are_told(tale: MakeTale) -> None:
    told = each(tale("paid"), 9, "paid")
    for index in range(9):
        told.add("wait.started", wait=f"paid@{index}!event", step=f"paid@{index}", events=["a", "b"])
    lines = below_headline(told)
    assert lines[-2].startswith("Waiting  paid@4: for 2 events (a, b) since")
    assert lines[-1] == "… and 4 more"


def test_a_wait_for_several_events_says_which_have_come(tale: MakeTale) -> None:
    told = tale("all").add("wait.started", wait="all!event", step="all", events=["a", "b"], complete=3)
    assert "all: for 3 events (a, b) since" in below_headline(told)[-1]
    told.add("event.received", event={"id": "e0", "type": "b", "source": "x", "time": DUE, "data": None})
    matter = {"listener": 1, "event": "e0", "value": True, "operands": {}}
    told.add("event.matched", wait="all!event", step="all", **matter)
    assert below_headline(told)[-1].endswith(", 1 of which has come: b")
    told.add("wait.started", wait="any!event", step="any", events=["a", "b"], complete=1)
    assert "any: for event a or b since" in below_headline(told)[-1]


def test_children(tale: MakeTale) -> None:
    told = tale("ship", "log", "old")
    for step, detach in (("ship", False), ("log", True), ("old", False)):
        told.add("child.started", step=step, child=f"k7.{step}", workflow="sub", input={}, detach=detach)
    for step in ("log", "old"):
        told.add("child.ended", step=step, child=f"k7.{step}", status="completed")
    statuses: dict[str, Any] = {"k7.ship": "waiting"}
    assert below_headline(told, child=statuses.get)[-5:] == [
        "Detached  log: execution k7.log (sub): not known",
        "Runs  ship: execution k7.ship (sub): waiting",
        "Ran  old: execution k7.old (sub): completed",
        "",
        "What it stands still for:  wfrun status k7.ship",
    ]


def test_a_child_without_a_runner_is_interrupted_wherever_it_is_told(tale: MakeTale) -> None:
    told = each(tale("ship", "pack"), 2, "ship").call("pack")
    told.add("child.started", step="ship@1", child="k7.ship..1", workflow="sub", input={}, detach=False)
    text = below_headline(told, child=lambda _: "interrupted", driven=False)
    assert text[1].split() == ["…", "ship@1", "interrupted"]
    assert "Runs  ship@1: execution k7.ship..1 (sub): interrupted" in text


def test_what_was_tolerated_is_counted_apart_from_what_was_done(tale: MakeTale) -> None:
    told = each(tale("pack", "ship"), 3, "pack", "ship").call("pack@0").begin("pack@1").fail("pack@1")
    told.call("pack@2").call("ship@0").call("ship@2").add("execution.ended", status="completed", output=None)
    view = told.view()
    assert view["progress"] == {"done": 6, "skipped": 1, "failed": 1, "total": 6}
    lines = status_lines(view)
    assert " · 5/6 steps (1 failed, 1 skipped) · " in lines[0]
    assert lines[2].endswith("2 of 3 done · 1 failed")
    assert lines[4].endswith("2 of 3 done · 1 skipped")
    assert "5/6 (1 failed)" in execution_table([summary_of(view)])[1]


@pytest.mark.parametrize(
    ("type", "more", "words"),
    [
        ("step.completed", {"result": 7}, "kim gives the output of pay: on the statement"),
        ("step.failed", {"error": ERROR, "random": 0.1}, "kim has the lost call fail of pay: on the statement"),
        ("step.retried", {}, "kim calls again pay: on the statement"),
    ],
)
def test_who_said_what_became_of_a_lost_call(tale: MakeTale, type: str, more: dict[str, Any], words: str) -> None:
    told = tale("pay").begin("pay").lose("pay")
    told.add(type, step="pay", attempt=1, by="kim", reason="on the statement", **more)
    (line,) = [line for line in below_headline(told) if line.startswith("Repaired")]
    assert line.endswith(words)


def paused(tale: MakeTale) -> Tale:
    return tale("pay").begin("pay").fail("pay").add("execution.paused", error=ERROR, settable=["input", "output"])


def test_a_paused_execution_says_how_to_go_on(tale: MakeTale, capsys: pytest.CaptureFixture[str]) -> None:
    view = paused(tale).view()
    assert status_lines(view)[-10:-6] == [
        "",
        "Error  payment.declined: card declined (in pay)",
        "",
        "Nothing goes on, and nothing is undone, until somebody says how:",
    ]
    assert status_lines(view)[-1].startswith("  wfrun compensate k7m2x9qd ")
    assert finish(view, note="", as_json=False, quiet=True) == 6
    assert capsys.readouterr().out == "k7m2x9qd\n"


def test_repairs_are_told(tale: MakeTale) -> None:
    told = paused(tale)
    told.add("repair.requested", action="skip", by="kim", reason="paid by hand", step="pay", dropped=[2, 3, 4], undo=[])
    assert "Repairing  2026-11-23 09:00:04Z kim has it go on without pay: paid by hand" in below_headline(told)
    told.add("execution.repaired", request=5)
    lines = below_headline(told)
    assert "Repaired  2026-11-23 09:00:04Z kim has it go on without pay: paid by hand" in lines
    assert lines[0].split() == ["-", "pay", "0ms", "skipped"]
    marked = [moment_line(moment).partition("  ")[2] for moment in timeline(told.records)]
    assert [line.split()[1] for line in marked[1:4]] == ["[set", "[set", "[set"]


def test_a_repair_that_another_one_overtook_is_told_as_such(tale: MakeTale) -> None:
    told = paused(tale)
    told.add("repair.requested", action="rewind", by="kim", reason="", step="pay", dropped=[2, 3, 4], undo=["pay"])
    told.add("execution.ended", status="needs-attention")
    told.add("repair.requested", action="skip", by="lee", reason="", step="pay", dropped=[2, 3, 4], undo=[])
    lines = below_headline(told)
    assert "Overtaken  2026-11-23 09:00:04Z kim takes it back to pay" in lines
    assert "Repairing  2026-11-23 09:00:06Z lee has it go on without pay" in lines


# ---- lists


def test_what_is_waited_for_in_lists(tale: MakeTale) -> None:
    told = tale("a", "b", "c", "d").ask("a").add("wait.started", wait="b!event", step="b", events=["paid", "shipped"])
    told.add("timer.started", timer="c!wait", step="c", due=DUE, reason="wait")
    told.add("child.started", step="d", child="k7.d", workflow="sub", input={}, detach=False)
    row = summary_of(status_of(told.records, child=lambda _: "waiting"))
    words = "loan-managers, event paid, event shipped, until 2026-11-24 09:00:00Z, execution k7.d"
    assert execution_table([row])[1].endswith(f"for {words}")
    assert summary_line("line 1", row) == f"line 1  k7m2x9qd  waiting  0/4  -  {words}"
    row["children"] = ["x", "y"]
    assert summary_line("line 1", row).endswith("execution x and 1 more")
    told = tale("c").add("timer.started", timer="c!wait", step="c", due=DUE, reason="wait")
    (_, alone) = execution_table([summary_of(status_of(told.records))])
    assert alone.endswith("  until 2026-11-24 09:00:00Z")


def test_who_waits_in_the_middle_of_undoing_says_for_whom(tale: MakeTale) -> None:
    error = {"type": "payment.declined", "message": "no", "step": "b"}
    told = tale("a", "b").call("a").fail("b").add("compensation.started", reason="failure", steps=["a"], error=error)
    row = summary_of(told.begin("compensate:a").lose("compensate:a").view())
    words = "a word about compensate:a; payment.declined"
    assert execution_table([row])[1].endswith(f"  for {words}")
    assert summary_line("line 1", row).endswith(f"  {words}")


def test_what_can_be_said_of_a_lost_call(tale: MakeTale) -> None:
    told = tale("a").begin("a").lose("a")
    assert [line.rpartition("  ")[2] for line in unknown_lines("k7", told.view()["unknown"][0])[1:]] == [
        "it did not happen: call it, with the same key",
        "it did happen, and gave this",
        "nobody knows: it fails, and is undone",
    ]


def test_what_undoes_a_step_is_not_undone_itself(tale: MakeTale) -> None:
    told = tale("a").call("a").begin("compensate:a").lose("compensate:a")
    *_, happened, failed = unknown_lines("k7", told.view()["unknown"][0])
    assert happened.startswith("  wfrun set-output k7 compensate:a null  ")
    assert happened.endswith("  it did happen")
    assert failed.endswith("  nobody knows: it counts as not undone, and needs somebody")


# ---- live


def told_lines(told: Tale, capsys: pytest.CaptureFixture[str]) -> list[str]:
    with Lines() as progress:
        for record in told.records[1:]:
            progress.observe("k7m2x9qd", record, True)
    return [re.sub(r"^\S+ +\+\S+( \d\ds)?  ", "", line) for line in capsys.readouterr().out.splitlines()]


def test_a_long_loop_in_a_pipe_is_told_by_its_begin_end_and_failures(
    tale: MakeTale, capsys: pytest.CaptureFixture[str]
) -> None:
    told = each(tale("ship", "bill"), 500, "ship")
    for index in range(500):
        told.begin(f"ship@{index}")
        if index == 7:
            told.fail("ship@7")
        else:
            told.add("step.completed", step=f"ship@{index}", attempt=1, result=None)
    assert told_lines(told.call("bill"), capsys) == [
        "all goes through 500 items",
        "ship@7 failed: payment.declined: card declined",
        "all is through its 500 items: 1 failure",
        "bill → shop.act",
        "bill completed: null",
    ]


def test_a_short_loop_is_told_in_full(tale: MakeTale, capsys: pytest.CaptureFixture[str]) -> None:
    told = each(tale("ship"), TOLD_ITEMS, "ship")
    for index in range(TOLD_ITEMS):
        told.call(f"ship@{index}")
    assert len(told_lines(told, capsys)) == 1 + 2 * TOLD_ITEMS


def test_a_loop_that_stops_short_says_how_far_it_came(tale: MakeTale, capsys: pytest.CaptureFixture[str]) -> None:
    told = each(tale("ship"), 500, "ship").call("ship@0").begin("ship@1").fail("ship@1")
    assert told_lines(told.add("execution.ended", status="failed", error=ERROR), capsys)[-2:] == [
        "all has seen 2 of its 500 items: 1 failure",
        "ended failed: payment.declined: card declined",
    ]


def test_a_loop_is_not_over_while_something_of_it_is_open(tale: MakeTale, capsys: pytest.CaptureFixture[str]) -> None:
    told = each(tale("ship", "other"), 30, "ship")
    for index in range(30):
        told.begin(f"ship@{index}")
    told.begin("other").add("step.completed", step="ship@3", attempt=1, result=None)
    assert told_lines(told, capsys) == ["all goes through 30 items", "other → shop.act"]


def test_everything_inside_a_long_loop_is_told_in_short(tale: MakeTale, capsys: pytest.CaptureFixture[str]) -> None:
    told = each(tale("ask", "nap", "ship"), 30, "ask", "nap", "ship")
    each(told, 300, "ship", loop="lines@0").call("ship@0.1").call("compensate:ship@0.1")
    told.ask("ask@0").add("task.decided", task="k7m2x9qd/ask@0", decision="approved", by="kim", comment="", data={})
    told.add("timer.started", timer="nap@0!wait", step="nap@0", due=DUE, reason="wait")
    told.add("timer.fired", timer="nap@0!wait").add("values.set", step="all@0", values={})
    assert told_lines(told, capsys) == ["all goes through 30 items"]


def test_two_long_loops_at_once(tale: MakeTale, capsys: pytest.CaptureFixture[str]) -> None:
    told = each(each(tale("ship", "mail"), 30, "ship", loop="parcels"), 40, "mail", loop="letters")
    for index in range(30):
        told.call(f"ship@{index}")
    for index in range(40):
        told.call(f"mail@{index}")
    assert told_lines(told.begin("bill"), capsys) == [
        "parcels goes through 30 items",
        "letters goes through 40 items",
        "parcels is through its 30 items: 0 failures",
        "letters is through its 40 items: 0 failures",
        "bill → shop.act",
    ]


def test_a_loop_that_goes_round_too_often_is_told_in_short(tale: MakeTale, capsys: pytest.CaptureFixture[str]) -> None:
    told = tale("poll")
    for index in range(TOLD_ITEMS + 5):
        told.call(f"poll@{index}")
        done = index == TOLD_ITEMS + 4
        fact = {"of": "until", "condition": "$.done", "value": done, "operands": {}}
        told.add("decision.made", step=f"steps[0]@{index}", **fact)
    lines = told_lines(told, capsys)
    assert len(lines) == 3 * TOLD_ITEMS + 1
    assert lines[-1] == f"steps[0]@{TOLD_ITEMS + 4} is done: $.done is true"


def test_what_happened_before_is_counted_and_not_told(tale: MakeTale, capsys: pytest.CaptureFixture[str]) -> None:
    told = each(tale("ship"), 30, "ship")
    for index in range(30):
        told.call(f"ship@{index}")
    with Lines() as progress:
        for record in told.records:
            progress.observe("k7m2x9qd", record, False)
        progress.observe("k7m2x9qd", told.begin("bill").records[-1], True)
    assert [line.split("  ")[-1] for line in capsys.readouterr().out.splitlines()] == [
        "all is through its 30 items: 0 failures",
        "bill → shop.act",
    ]


def frame(live: LiveSteps) -> str:
    from rich.console import Console

    console = Console(file=io.StringIO(), width=120)
    with console.capture() as capture:
        console.print(live._draw())
    return capture.get()


def test_a_loop_is_one_line_that_counts(tale: MakeTale) -> None:
    told = each(tale("ship"), 500, "ship").call("ship@0").begin("ship@1").begin("ship@2")
    live = LiveSteps()
    for record in told.records:
        live.observe("k7m2x9qd", record, True)
    lines = frame(live).splitlines()
    assert len(lines) == 2
    assert "running · 1/500 steps" in lines[0]
    assert "1 of 500 done · 2 running" in lines[1]


def test_what_is_undone_on_the_way_is_shown_while_it_lasts(tale: MakeTale) -> None:
    told = tale("a", "b").call("a").begin("compensate:a")
    live = LiveSteps()
    for record in told.records:
        live.observe("k7m2x9qd", record, True)
    assert "undoing" in frame(live)
    live.observe("k7m2x9qd", told.add("step.completed", step="compensate:a", attempt=1, result=None).records[-1], True)
    assert "running · 1/2 steps" in frame(live)


def family(tale: MakeTale, items: int) -> list[tuple[str, Any]]:
    """An execution that runs one other for each item, the second of which fails."""
    parent = each(tale("ship"), items, "ship")
    told: list[tuple[str, Any]] = [("k7", record) for record in parent.records]
    for index in range(items):
        id = f"k7.ship.{index}"
        parent.add("child.started", step=f"ship@{index}", child=id, workflow="sub", input={}, detach=False)
        told.append(("k7", parent.records[-1]))
        child = tale("pack")
        child.records[0] |= {"execution": id, "workflow": "sub"}
        status = "failed" if index == 1 else "completed"
        (child.begin("pack").fail("pack") if index == 1 else child.call("pack")).add("execution.ended", status=status)
        told += [(id, record) for record in child.records]
        parent.add("child.ended", step=f"ship@{index}", child=id, status=status)
        told.append(("k7", parent.records[-1]))
    return told


def observed(told: list[tuple[str, Any]], capsys: pytest.CaptureFixture[str]) -> list[str]:
    with Lines() as progress:
        for execution, record in told:
            progress.observe(execution, record, True)
    return [re.sub(r"^\S+ +\+\S+( \d\ds)?  ", "", line) for line in capsys.readouterr().out.splitlines()]


def test_children_are_told_with_their_ids(tale: MakeTale, capsys: pytest.CaptureFixture[str]) -> None:
    assert observed(family(tale, 2), capsys)[3:] == [
        "ship@0 runs sub as execution k7.ship.0",
        "k7.ship.0: sub (version 2) started by ada",
        "k7.ship.0: pack → shop.act",
        "k7.ship.0: pack completed: null",
        "k7.ship.0: ended completed",
        "ship@0: execution k7.ship.0 completed",
        "ship@1 runs sub as execution k7.ship.1",
        "k7.ship.1: sub (version 2) started by ada",
        "k7.ship.1: pack → shop.act",
        "k7.ship.1: pack failed: payment.declined: card declined",
        "k7.ship.1: ended failed",
        "ship@1: execution k7.ship.1 failed",
    ]


def test_of_very_many_children_only_failures_are_told(tale: MakeTale, capsys: pytest.CaptureFixture[str]) -> None:
    assert observed(family(tale, 30), capsys) == [
        "execution k7",
        "order (version 2) started by ada",
        "all goes through 30 items",
        "k7.ship.1: pack failed: payment.declined: card declined",
        "k7.ship.1: ended failed",
        "ship@1: execution k7.ship.1 failed",
    ]


def test_other_executions_have_a_line_each_while_they_run(tale: MakeTale) -> None:
    live = LiveSteps()
    parent = tale("a", "b").begin("a")
    for record in parent.records:
        live.observe("k7", record, True)
    children = [f"k7.ship.{index}" for index in range(7)]
    for id in children:
        child = tale("pack").begin("pack")
        child.records[0] |= {"execution": id, "workflow": "sub"}
        for record in child.records:
            live.observe(id, record, True)
    lines = frame(live).splitlines()
    assert lines[3].rstrip() == "k7.ship.0 · sub · running · 0/1 steps"
    assert lines[-1].rstrip() == "… and 2 more executions"
    for id in children:
        live.observe(id, {**parent.records[0], "type": "execution.ended", "status": "completed"}, True)
    assert len(frame(live).splitlines()) == 3


def test_a_repair_is_seen_at_once(tale: MakeTale) -> None:
    told = paused(tale)
    told.add("repair.requested", action="resume", by="kim", reason="", dropped=[2, 3, 4], undo=[])
    live = LiveSteps()
    for record in told.records:
        live.observe("k7m2x9qd", record, True)
    assert "✗" in frame(live)
    live.observe("k7m2x9qd", told.add("execution.repaired", request=5).records[-1], True)
    assert "✗" not in frame(live)

"""A paused or failed order, and everything that can be typed about it."""

from __future__ import annotations

import json
import shutil
import signal
import sqlite3
import time
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from tests.acceptance.conftest import GALLERY

if TYPE_CHECKING:
    from tests.acceptance.conftest import Done, Shell, Start

DECLINED = {"WFRUN_FAIL": "shipping=decline"}

WAITS = """
name: waits
services: { m: { adapter: mock } }
steps:
  - { name: paid, type: wait, event: paid, timeout: 200ms, onTimeout: continue }
  - { name: go, service: m, action: x }
"""

RETRIES = """
name: retries
services: { m: { adapter: mock, actions: { x: [{ error: { type: shop.closed, message: closed } }, { result: 1 }] } } }
steps: { name: s, service: m, action: x, retry: { policy: fixed, initialDelay: 1h, maxRetries: 1 } }
"""

PIVOT = """
name: pivot
services: { m: { adapter: mock, default: { result: 1 }, actions: { no: { error: { type: boom, message: no } } } } }
steps:
  - { name: one, service: m, action: x, compensate: { service: m, action: y } }
  - { name: two, service: m, action: x, pivot: true }
  - { name: three, service: m, action: no }
"""

COMMITTED = """
name: committed
services: { m: { adapter: mock, default: { result: 1 } } }
steps:
  - { name: one, service: m, action: x, compensate: { service: m, action: y } }
  - { name: two, service: m, action: x, pivot: true }
  - { name: three, type: human-task, assignee: ann }
"""

COMMITS = """
name: commits
services: { m: { adapter: mock, default: { result: 1 } } }
steps:
  - { name: own, service: m, action: x, compensate: { service: m, action: y } }
  - { name: part, type: workflow, workflow: committed }
"""

HOPELESS = """
name: hopeless
services: { m: { adapter: mock, default: { result: 1 }, actions: { no: { error: { type: boom, message: no } } } } }
steps:
  - { name: one, service: m, action: x, compensate: { service: m, action: no } }
  - { name: two, service: m, action: no }
"""

LOOP = """
name: loop
services: { m: { adapter: mock, actions: { no: { error: { type: boom, message: no } } } } }
errorHandling: { onFailure: pause }
steps:
  - type: foreach
    items: [a, b]
    output: all
    steps: { name: ship, service: m, action: no, output: sent }
output: $.all
"""

RACE = """
name: race
services: { m: { adapter: mock, default: { delay: 50ms, result: ok }, actions: { no: { error: { type: boom } } } } }
errorHandling: { onFailure: pause }
steps:
  - name: quotes
    type: parallel
    complete: any
    steps:
      - { name: near, service: m, action: ask, output: near, compensate: { service: m, action: undo } }
      - { name: far, service: m, action: no, output: far }
  - { name: ship, service: m, action: no }
"""

UNNAMED = """
name: unnamed
input: { items: array }
errorHandling: { onFailure: pause }
steps:
  - type: foreach
    name: each
    items: $.items
    steps:
      - { type: conditional, condition: $.item, then: { type: fail, error: no.luck } }
      - { name: nap, type: wait, for: 1h }
"""

WANTED = """
name: wanted
services: { m: { adapter: mock, default: { result: 1 } } }
steps:
  - { name: flight, service: m, action: fly, compensate: { service: m, action: undo } }
  - { name: ok, type: human-task, assignee: boss, output: ok }
  - { name: pay, service: m, action: pay, pivot: true }
"""


@pytest.fixture
def shop(shell: Shell) -> Shell:
    """The order of the gallery, which pauses where something fails."""
    shutil.copytree(GALLERY / "order/services", shell.folder / "services", ignore=shutil.ignore_patterns("__pycache__"))
    text = (GALLERY / "order/order.yaml").read_text()
    shell.write("order.yaml", text.replace("onFailure: compensate", "onFailure: pause"))
    shutil.copyfile(GALLERY / "order/order.json", shell.folder / "order.json")
    return shell


def order(shop: Shell, id: str = "o1", **variables: str) -> Done:
    return shop.wfrun("run", "order.yaml", "--input", "order.json", "--id", id, **(variables or DECLINED))


def view(shell: Shell, id: str) -> Any:
    return shell.wfrun("status", id, "--json").json("status")


def rows(shop: Shell, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(shop.folder / ".sandbox/order.sqlite")) as db:
        return db.execute(query).fetchall()


def standing(shop: Shell) -> dict[str, int]:
    """How many of each there are that have not been taken back."""
    tables = (("reservations", "released_at"), ("charges", "refunded_at"), ("shipments", "cancelled_at"))
    return {
        table: rows(shop, f"SELECT count(*) FROM {table} WHERE {taken_back} IS NULL")[0][0]
        for table, taken_back in tables
    }


ONCE = {"reservations": 1, "charges": 1, "shipments": 1}


def test_retry_now_tells_whom_it_told_what(shell: Shell, start: Start) -> None:
    (shell.folder / "retries.yaml").write_text(RETRIES)
    runner = start("run", "retries.yaml", "--id", "r1")
    deadline = time.monotonic() + 10
    while (done := shell.wfrun("retry-now", "r1")).code == 2:
        assert time.monotonic() < deadline
    assert done.code == 0
    assert "no longer waiting: 's'; r1 is being run by process " in done.out
    assert ", which takes it up within 100 ms" in done.out
    assert runner.wait(timeout=10) == 0


def test_who_cancels_before_a_repair_is_in_force_is_heard(shell: Shell) -> None:
    (shell.folder / "hopeless.yaml").write_text(f"{HOPELESS}errorHandling: {{ onFailure: pause }}\n")
    assert shell.wfrun("run", "hopeless.yaml", "--id", "e").code == 6
    # What somebody wants is durable, and nothing has come of it yet.
    assert shell.wfrun("skip", "e", "two", WFRUN_CRASH_AT="journal.synced").code == -signal.SIGKILL
    assert shell.wfrun("log", "e", "--json").out.splitlines()[-1].count("repair.requested") == 1
    done = shell.wfrun("cancel", "e")
    assert done.code == 6
    status = shell.wfrun("status", "e", "--json").json("status")
    assert status["status"] == "needs-attention"
    assert [row["status"] for row in status["compensations"]] == ["failed"]


def test_a_paused_order_says_what_can_be_typed(shop: Shell) -> None:
    done = order(shop)
    assert done.code == 6
    assert "  wfrun skip o1 create-shipment " in done.out
    for line in done.lines[-7:]:
        command = line.split("  ")[1].removeprefix("wfrun ").replace("FILE", "order.yaml").replace("JSON", '{"a":1}')
        looked = shop.wfrun(*command.split(" "), "--dry-run")
        assert looked.code == 0, f"{command}: {looked.err}"
        assert "(nothing has been written)" in looked.out


@pytest.mark.parametrize(
    ("step", "offered"),
    [
        ("{ service: m, action: bad }", ["set-input"]),
        ("{ service: m, action: bad, output: x }", ["set-input", "set-output"]),
        ("{ service: m, action: bad, compensate: { service: m, action: undo } }", ["set-input", "set-output"]),
        ("{ service: m, action: bad, pivot: true }", ["set-input", "set-output"]),
        ("{ type: set, values: { x: $.in.none } }", []),
        ("{ type: fail, error: no.way }", []),
        ("{ type: conditional, condition: $.in.none > 1, then: { service: m, action: x, name: y } }", []),
        ("{ type: human-task, assignee: kim, title: $.in.none, output: x }", ["set-output"]),
    ],
)
def test_what_is_offered_for_a_step_that_failed_is_taken(shell: Shell, step: str, offered: list[str]) -> None:
    service = "services: { m: { adapter: mock, actions: { bad: { error: { type: shop.down } } }, default: {} } }"
    head = f"name: w\ninput: {{ in: object }}\nerrorHandling: {{ onFailure: pause }}\n{service}\n"
    shell.write("w.yaml", f"{head}steps:\n  - {step.replace('{ ', '{ name: a, ', 1)}\n")
    told = shell.wfrun("run", "w.yaml", "--id", "e", "--set", "in={}")
    assert [word for word in ("set-input", "set-output") if f"wfrun {word} e a JSON" in told.out] == offered
    for word in ("set-input", "set-output"):
        taken = shell.wfrun(word, "e", "a", '{"x": 1}', "--dry-run").code == 0
        assert taken == (word in offered), word


def test_what_is_said_to_be_undone_is_undone(shell: Shell) -> None:
    shell.write("race.yaml", RACE)
    assert shell.wfrun("run", "race.yaml", "--id", "r1", "-q").code == 6
    refused = shell.wfrun("skip", "r1", "far")
    assert (refused.code, "'quotes' has completed without 'far'" in refused.err) == (2, True)
    looked = shell.wfrun("set-output", "r1", "far", "7", "--dry-run")
    assert "Would be undone     near" in looked.lines
    assert not any(line.startswith("Would be kept") for line in looked.lines)
    done = shell.wfrun("set-output", "r1", "far", "7")
    assert done.lines[0] == "r1: set-output far: undoing near; running again ship; setting 5 records aside"
    assert any("undo near completed" in line for line in done.lines)


def test_another_file_has_the_branches_run_again_that_it_needs(shell: Shell) -> None:
    shell.write("race.yaml", RACE)
    shell.write("all.yaml", RACE.replace("complete: any", "complete: all"))
    shell.wfrun("run", "race.yaml", "--id", "r1", "-q")
    done = shell.wfrun("resume", "r1", "--with", "all.yaml")
    assert done.lines[0] == "r1: replace: running again far, ship; setting 5 records aside"
    assert any("far → m.no (attempt 2)" in line for line in done.lines)


def test_a_step_without_a_name_is_named_as_it_is_shown(shell: Shell) -> None:
    shell.write("unnamed.yaml", UNNAMED)
    paused = shell.wfrun("run", "unnamed.yaml", "--id", "u1", "--set", "items=[1]")
    assert any("(in each.steps[0]@0)" in line for line in paused.lines), paused.out
    looked = shell.wfrun("skip", "u1", "each.steps[0]@0", "--dry-run", "--json").json("skip")
    assert looked["step"] == "steps[0].steps[0]@0"
    assert shell.wfrun("skip", "u1", "each.steps[0]@0").code == 4
    assert shell.wfrun("retry-now", "u1", "nap@0").code == 0
    refused = shell.wfrun("skip", "u1", "each.steps[9]@0")
    assert (refused.code, "there is no step" in refused.err) == (2, True)


def test_what_somebody_has_cancelled_does_not_go_on_in_silence(shell: Shell) -> None:
    shell.write("wanted.yaml", WANTED)
    shell.wfrun("run", "wanted.yaml", "--id", "w1", "-q")
    assert shell.wfrun("cancel", "w1", "--as", "joe").code == 0
    for refused in (shell.wfrun("skip", "w1", "ok"), shell.wfrun("set-output", "w1", "ok", "1")):
        assert (refused.code, "'ok' has neither failed nor does it wait: joe has" in refused.err) == (2, True)
    looked = shell.wfrun("rewind", "w1", "ok", "--dry-run")
    assert looked.lines[2].startswith("Would be taken back  the cancellation by joe of 2")
    (taken,) = shell.wfrun("rewind", "w1", "ok", "--dry-run", "--json").json("rewind")["takesBack"]
    assert (taken["what"], taken["by"]) == ("cancel", "joe")
    done = shell.wfrun("rewind", "w1", "ok", "--as", "kim")
    assert done.code == 4
    assert done.lines[0].startswith("w1: rewind ok: taking back the cancellation by joe of 2")


class TestEachWay:
    def test_resume_tries_again_what_failed(self, shop: Shell) -> None:
        order(shop)
        done = shop.wfrun("resume", "o1", "--reason", "the carrier is back")
        assert (done.code, standing(shop)) == (0, ONCE)
        assert done.lines[0] == "o1: resume: running again create-shipment; setting 3 records aside"
        assert any("the carrier is back" in line for line in done.lines)
        assert rows(shop, "SELECT count(*) FROM calls WHERE action = 'charge'") == [(1,)]
        assert {row["step"]: row["attempts"] for row in view(shop, "o1")["steps"]}["create-shipment"] == 2

    def test_skip_with_an_output(self, shop: Shell) -> None:
        order(shop)
        done = shop.wfrun(
            "skip", "o1", "create-shipment", "--output", '{"trackingNumber": "BY-HAND"}', "--as", "kim", "--json"
        )
        after = done.json("skip")
        assert (done.code, after["output"]["tracking"], standing(shop)["shipments"]) == (0, "BY-HAND", 0)
        assert {row["step"]: row["status"] for row in after["steps"]}["create-shipment"] == "skipped"
        assert (after["repairs"][0]["action"], after["repairs"][0]["by"]) == ("skip", "kim")

    def test_without_an_output_what_needs_it_pauses_in_turn(self, shop: Shell) -> None:
        order(shop)
        done = shop.wfrun("skip", "o1", "create-shipment")
        assert done.code == 6
        assert "$.shipment.trackingNumber is not there" in done.out
        assert shop.wfrun("set-output", "o1", "create-shipment", '{"trackingNumber": "X"}').code == 0

    def test_set_output_from_a_file(self, shop: Shell) -> None:
        order(shop)
        shop.write("shipment.json", '{"trackingNumber": "X1"}')
        done = shop.wfrun("set-output", "o1", "create-shipment", "@shipment.json", "--json")
        assert (done.code, done.json("set-output")["output"]["tracking"]) == (0, "X1")
        undone = shop.wfrun("compensate", "o1", "--json").json("compensate")
        assert "create-shipment" in [row["step"] for row in undone["compensations"]]

    def test_set_input(self, shop: Shell) -> None:
        order(shop)
        done = shop.wfrun(
            "set-input", "o1", "create-shipment", '{"reference": "o1", "address": {"city": "Rome"}}', "-q"
        )
        assert (done.code, done.out) == (0, "o1\n")
        assert rows(shop, "SELECT city FROM shipments") == [("Rome",)]

    def test_rewind_takes_back_and_does_it_once_more_under_new_keys(self, shop: Shell) -> None:
        order(shop)
        done = shop.wfrun("rewind", "o1", "reserve-inventory")
        assert done.code == 0
        assert "undoing process-payment, reserve-inventory; running again reserve-inventory" in done.lines[0]
        assert standing(shop) == ONCE
        assert rows(shop, "SELECT count(*) FROM charges") == [(2,)]
        keys = rows(shop, "SELECT key FROM calls WHERE action IN ('reserve', 'charge') ORDER BY id")
        forward = ["o1/reserve-inventory", "o1/process-payment"]
        assert [key for (key,) in keys] == [*forward, *(f"{key}~2" for key in forward)]
        assert rows(shop, "SELECT available FROM stock WHERE sku = 'TV-SAM-55'") == [(4999,)]

    def test_rewind_that_keeps_what_was_done(self, shop: Shell) -> None:
        order(shop)
        assert shop.wfrun("rewind", "o1", "reserve-inventory", "--keep").code == 0
        assert standing(shop) == ONCE
        assert rows(shop, "SELECT outcome FROM calls WHERE action = 'charge'") == [("done",), ("repeated",)]

    def test_compensate(self, shop: Shell) -> None:
        order(shop)
        done = shop.wfrun("compensate", "o1", "--reason", "the customer left", "--json")
        assert (done.code, done.json("compensate")["status"]) == (0, "compensated")
        assert standing(shop) == {"reservations": 0, "charges": 0, "shipments": 0}

    def test_compensate_back_to_a_step_and_go_on(self, shop: Shell) -> None:
        order(shop)
        done = shop.wfrun("compensate", "o1", "--to", "reserve-inventory", "--json")
        assert (done.code, done.json("compensate")["status"]) == (0, "paused")
        assert standing(shop) == {"reservations": 1, "charges": 0, "shipments": 0}
        assert shop.wfrun("resume", "o1").code == 0
        assert standing(shop) == ONCE

    def test_what_has_completed_can_be_undone_too(self, shop: Shell) -> None:
        assert order(shop, WFRUN_FAIL="").code == 0
        assert shop.wfrun("compensate", "o1").code == 0
        assert standing(shop) == {"reservations": 0, "charges": 0, "shipments": 0}


class TestWhatCanNeverBeUndone:
    def test_somebody_decides_that_it_stays(self, shell: Shell) -> None:
        shell.write("w.yaml", HOPELESS)
        done = shell.wfrun("run", "w.yaml", "--id", "e1")
        assert done.code == 6
        assert "wfrun skip e1 compensate:one --reason WHY" in done.out
        looked = shell.wfrun("skip", "e1", "compensate:one", "--dry-run", "--json").json("skip")
        assert (looked["undo"], looked["kept"]) == ([], ["one"])
        left = shell.wfrun("skip", "e1", "compensate:one", "--as", "kim", "--reason", "written off", "--json")
        assert (left.code, left.json("skip")["status"]) == (0, "partly-compensated")
        told = shell.wfrun("status", "e1")
        assert "kim has it go on without compensate:one: written off" in told.out
        assert "kim has what needs compensate:one stay as it is: written off" in shell.wfrun("log", "e1").out
        assert shell.wfrun("list", "--status", "partly-compensated", "--json").json("list")["executions"] != []

    def test_what_is_left_is_named(self, shell: Shell) -> None:
        shell.write("w.yaml", HOPELESS)
        shell.wfrun("run", "w.yaml", "--id", "e1")
        refused = shell.wfrun("compensate", "e1")
        assert (refused.code, "'one' could not be undone" in refused.err) == (2, True)
        assert "`resume` tries that again" in refused.err
        assert shell.wfrun("resume", "e1", "--dry-run").lines[-1] == "Would be undone  one"

    def test_it_is_over_then(self, shell: Shell) -> None:
        shell.write("w.yaml", HOPELESS)
        shell.wfrun("run", "w.yaml", "--id", "e1")
        shell.wfrun("skip", "e1", "compensate:one")
        assert shell.wfrun("resume", "e1").code == 1
        for command in (("compensate", "e1"), ("skip", "e1", "compensate:one")):
            assert shell.wfrun(*command).code == 2

    def test_what_makes_no_sense(self, shell: Shell) -> None:
        shell.write("w.yaml", HOPELESS)
        shell.wfrun("run", "w.yaml", "--id", "e1")
        told = shell.wfrun("skip", "e1", "compensate:two", "--json")
        assert (told.code, told.error()["code"]) == (2, "repair.not-failed")
        told = shell.wfrun("skip", "e1", "compensate:one", "--output", "1", "--json")
        assert (told.code, told.error()["code"]) == (2, "usage.skip")

    def test_why_it_is_tried_again_is_kept(self, shell: Shell) -> None:
        shell.write("w.yaml", HOPELESS)
        shell.wfrun("run", "w.yaml", "--id", "e1")
        assert shell.wfrun("resume", "e1", "--reason", "the bank is back").code == 6
        assert "tried again: the bank is back" in shell.wfrun("log", "e1").out


def test_looking_first_writes_nothing(shop: Shell) -> None:
    order(shop)
    shop.wfrun("list")
    before = shop.state()
    looked = shop.wfrun("rewind", "o1", "reserve-inventory", "--dry-run", "--json")
    preview = looked.json("rewind")
    assert (looked.code, preview["undo"]) == (0, ["process-payment", "reserve-inventory"])
    assert preview["again"] == ["reserve-inventory", "process-payment", "create-shipment"]
    assert len(preview["setAside"]) == 7
    words = shop.wfrun("rewind", "o1", "reserve-inventory", "--dry-run").out
    assert "Would be undone     process-payment, reserve-inventory" in words
    for line in (
        "resume o1",
        "resume o1 --with order.yaml",
        "skip o1 create-shipment",
        "compensate o1",
        "compensate o1 --to reserve-inventory",
        "resume --where status==paused",
    ):
        assert shop.wfrun(*line.split(), "--dry-run").code == 0
    assert shop.state() == before


class TestAnotherWorkflow:
    @pytest.fixture
    def failed(self, shell: Shell) -> Shell:
        text = RETRIES.replace("initialDelay: 1h, maxRetries: 1", "maxRetries: 0")
        shell.write("w.yaml", text)
        assert shell.wfrun("run", "w.yaml", "--id", "e1").code == 1
        return shell

    def test_a_failed_one_goes_on_with_a_corrected_workflow(self, failed: Shell) -> None:
        failed.write("fixed.yaml", RETRIES.replace("action: x", "action: y").replace("x: [", "y: [{ result: 2 }, "))
        assert "Would run again     s" in failed.wfrun("resume", "e1", "--with", "fixed.yaml", "--dry-run").out
        done = failed.wfrun("resume", "e1", "--with", "fixed.yaml", "--json")
        assert (done.code, done.json("resume")["repairs"][0]["action"]) == (0, "replace")
        assert "m.y" in failed.wfrun("graph", "e1").out

    def test_a_file_with_mistakes_is_refused_as_it_always_is(self, failed: Shell) -> None:
        failed.write("fixed.yaml", RETRIES.replace("action: x", "actoin: x"))
        done = failed.wfrun("resume", "e1", "--with", "fixed.yaml")
        assert done.code == 3
        assert done.err.startswith("fixed.yaml:4:31: error[schema.unknown-key]")

    def test_one_that_does_not_fit_what_is_done_is_refused_with_the_place(self, shop: Shell) -> None:
        order(shop)
        text = (shop.folder / "order.yaml").read_text()
        shop.write("fixed.yaml", text.replace("input: { items: $.order.items }", "input: { items: [] }", 1))
        done = shop.wfrun("resume", "o1", "--with", "fixed.yaml", "--json")
        error = done.error()
        assert (done.code, error["code"], error["file"]) == (3, "repair.step-differs", "fixed.yaml")
        assert text.splitlines()[error["line"] - 1].strip() == "- name: check-inventory"
        assert view(shop, "o1")["status"] == "paused"

    def test_one_that_does_not_exist(self, failed: Shell) -> None:
        done = failed.wfrun("resume", "e1", "--with", "nothing.yaml", "--json")
        assert (done.code, done.error()["code"]) == (2, "file.unreadable")


def test_killed_in_the_middle_of_a_repair_it_goes_on_from_there(shop: Shell) -> None:
    order(shop)
    killed = shop.wfrun("rewind", "o1", "reserve-inventory", WFRUN_FAIL="payment.refund=die")
    assert killed.code == -signal.SIGKILL
    assert view(shop, "o1")["status"] == "interrupted"
    other = shop.wfrun("skip", "o1", "create-shipment", "--json")
    assert (other.code, other.error()["code"]) == (2, "repair.in-progress")
    assert shop.wfrun("resume", "o1", WFRUN_FAIL="warehouse.reserve=die").code == -signal.SIGKILL
    assert shop.wfrun("resume", "o1").code == 0
    assert standing(shop) == ONCE
    assert rows(shop, "SELECT count(*) FROM charges") == [(2,)]
    assert rows(shop, "SELECT outcome FROM calls WHERE action = 'refund'") == [("done",), ("repeated",)]


def test_a_repair_that_cannot_undo_is_tried_again(shop: Shell) -> None:
    order(shop)
    broken = shop.wfrun("rewind", "o1", "reserve-inventory", "-q", WFRUN_FAIL="payment.refund=decline")
    assert (broken.code, view(shop, "o1")["status"]) == (6, "needs-attention")
    assert shop.wfrun("resume", "o1").code == 0
    assert standing(shop) == ONCE


class TestMany:
    def test_those_that_a_condition_fits_are_resumed(self, shop: Shell) -> None:
        for id in ("m1", "m2", "m3"):
            order(shop, id)
        where = "status == paused and workflow == order"
        listed = shop.wfrun("resume", "--where", where, "--limit", "2", "--dry-run", "--json").json("resume")
        assert [row["execution"] for row in listed["executions"]] == ["m3", "m2"]
        some = shop.wfrun("resume", "--where", where, "--limit", "2", "--as", "kim")
        assert some.code == 0
        assert {line.split()[0] for line in some.lines[:2]} == {"m2", "m3"}
        assert some.lines[2] == "2 executions: 2 completed"
        *told, totals = shop.wfrun("resume", "--where", where, "--json").json_lines("resume")
        assert [(row["execution"], row["status"]) for row in told] == [("m1", "completed")]
        assert totals == {"total": 1, "counts": {"completed": 1}}
        assert standing(shop) == {"reservations": 3, "charges": 3, "shipments": 3}
        nothing = shop.wfrun("resume", "--where", where)
        assert (nothing.code, nothing.lines[0].split(":")[0]) == (0, "0 executions")

    def test_the_worst_outcome_is_the_exit_code(self, shop: Shell) -> None:
        for id in ("m1", "m2"):
            order(shop, id)
        assert shop.wfrun("resume", "--where", "status==paused", "--quiet", **DECLINED).code == 6

    def test_a_sweep_lets_times_that_are_over_take_effect(self, shell: Shell) -> None:
        shell.write("w.yaml", WAITS)
        for id in ("e1", "e2"):
            assert shell.wfrun("run", "w.yaml", "--id", id).code == 4
        time.sleep(0.3)
        swept = shell.wfrun("resume", "--where", "status==waiting")
        assert (swept.code, swept.lines[-1]) == (0, "2 executions: 2 completed")

    def test_list_takes_the_same_conditions(self, shop: Shell) -> None:
        order(shop, "m1")
        order(shop, "m2", WFRUN_FAIL="")

        def found(where: str) -> list[str]:
            listed = shop.wfrun("list", "--where", where, "--json").json("list")
            return [row["execution"] for row in listed["executions"]]

        assert found("error == shipping.declined") == ["m1"]
        assert found("progress.done == progress.total and initiator == ada") == ["m2"]
        assert found("status == paused or status == completed") == ["m2", "m1"]
        assert found("workflow == loan") == []
        wrong = shop.wfrun("list", "--where", "statu == paused", "--json")
        assert (wrong.code, wrong.error()["column"], wrong.error()["hint"]) == (2, 1, "did you mean status?")


class TestWrongUses:
    def test_steps(self, shop: Shell) -> None:
        order(shop)
        for line, code, hint in (
            ("skip o1 create-shipmnt", "repair.unknown-step", "did you mean 'create-shipment'?"),
            ("rewind o1 update-crm", "repair.not-run", ""),
            ("compensate o1 --to create-shipment", "repair.not-completed", ""),
            ("set-output o1 check-inventory 1", "repair.output", "`skip`"),
            ("retry-now o1", "repair.not-waiting", "wfrun status o1"),
            ("retry-now o1 create-shipment", "repair.not-waiting", ""),
        ):
            done = shop.wfrun(*line.split(), "--json")
            assert (done.code, done.error()["code"]) == (2, code), line
            assert hint in (done.error()["hint"] or ""), line

    def test_what_has_completed_has_nothing_to_be_resumed(self, shop: Shell) -> None:
        order(shop, WFRUN_FAIL="")
        done = shop.wfrun("resume", "o1", "--with", "order.yaml", "--json")
        assert (done.code, done.error()["code"]) == (2, "repair.completed")
        assert "rewind" in done.error()["hint"]
        assert shop.wfrun("resume", "o1").code == 0
        assert len(view(shop, "o1")["repairs"]) == 0

    def test_behind_the_pivot_nothing_is_undone(self, shell: Shell) -> None:
        shell.write("w.yaml", PIVOT)
        assert shell.wfrun("run", "w.yaml", "--id", "e1").code == 6
        for line in ("rewind e1 one", "compensate e1", "compensate e1 --to one"):
            done = shell.wfrun(*line.split(), "--json")
            assert (done.code, done.error()["code"]) == (2, "repair.pivot"), line
        assert shell.wfrun("skip", "e1", "three").code == 0

    def test_behind_the_pivot_of_a_child_its_parent_is_not_undone_and_nobody_is_stuck(self, shell: Shell) -> None:
        shell.write("committed.yaml", COMMITTED)
        shell.write("w.yaml", COMMITS)
        assert shell.wfrun("run", "w.yaml", "--id", "e1").code == 4
        shell.wfrun("cancel", "e1")
        assert view(shell, "e1.part")["status"] == "paused"
        assert "wfrun compensate" not in shell.wfrun("status", "e1.part").out
        shell.wfrun("resume", "e1.part")
        shell.wfrun("resume", "e1")
        assert view(shell, "e1.part")["status"] == "waiting"
        assert shell.wfrun("approve", "e1.part/three", "--as", "ann").code == 6
        assert (view(shell, "e1")["status"], view(shell, "e1")["error"]["type"]) == ("paused", "cancelled")
        assert shell.wfrun("resume", "e1").code == 0
        assert [view(shell, each)["compensations"] for each in ("e1", "e1.part")] == [[], []]
        assert shell.wfrun("audit", "prove", "e1").code == 0

    def test_another_process_drives_it(self, shell: Shell, start: Start) -> None:
        runner = start("run", shell.slow("30s"), "--id", "s")
        assert runner.stdout is not None
        while "second →" not in runner.stdout.readline():
            pass
        for line in ("rewind s first", "skip s second --dry-run", "resume s --with slow.yaml", "compensate s"):
            done = shell.wfrun(*line.split(), "--json")
            assert (done.code, done.error()["code"]) == (2, "execution.held"), line
            assert f"process {runner.pid}" in done.error()["message"]
        *told, totals = shell.wfrun("resume", "--where", "execution == s", "--json").json_lines("resume")
        assert (told[0]["execution"], told[0]["refused"][0]["code"]) == ("s", "execution.held")
        assert totals["counts"] == {"refused": 1}

    def test_options_that_do_not_go_together(self, shop: Shell) -> None:
        for line in (
            "resume",
            "resume o1 --where status==failed",
            "resume o1 --limit 3",
            "resume --where status==failed --with order.yaml",
            "resume --where status==failed --limit -1",
            "resume --where status==failed --wait",
        ):
            assert shop.wfrun(*line.split()).code == 2, line


def test_one_iteration_of_a_loop_is_named_with_its_number(shell: Shell) -> None:
    shell.write("w.yaml", LOOP)
    assert shell.wfrun("run", "w.yaml", "--id", "e1").code == 6
    which = shell.wfrun("skip", "e1", "ship", "--json")
    assert (which.code, which.error()["code"]) == (2, "repair.iteration")
    assert shell.wfrun("skip", "e1", "ship@0", "--output", '"by hand"').code == 6
    done = shell.wfrun("set-output", "e1", "ship@1", "too", "--json")
    assert (done.code, done.json("set-output")["output"]) == (0, [{"sent": "by hand"}, {"sent": "too"}])


def test_whoever_drives_it_retries_at_once(shell: Shell, start: Start) -> None:
    shell.write("w.yaml", RETRIES)
    runner = start("run", "w.yaml", "--id", "e1")
    assert runner.stdout is not None
    while "tries again" not in runner.stdout.readline():
        pass
    done = shell.wfrun("retry-now", "e1", "--as", "kim", "--json")
    assert (done.code, done.json("retry-now")["execution"]) == (0, "e1")
    assert runner.wait(timeout=20) == 0
    raw = [json.loads(line) for line in shell.wfrun("log", "e1", "--raw").lines]
    (fired,) = [record for record in raw if record["type"] == "timer.fired"]
    assert fired["by"] == "kim"


def test_following_a_log_ends_where_it_pauses(shop: Shell) -> None:
    order(shop)
    followed = shop.wfrun("log", "o1", "--follow")
    assert followed.out == shop.wfrun("log", "o1").out
    shop.wfrun("resume", "o1")
    assert shop.wfrun("log", "o1", "--follow").lines[-1].endswith("ended completed")

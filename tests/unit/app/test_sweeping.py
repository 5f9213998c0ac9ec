"""Many executions resumed at once: which are meant, and what becomes of each."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.unit.app.test_repairing import PARENT, PLAIN, SHOP, called, write
from wfrun.app import driving
from wfrun.app.onward import Way
from wfrun.app.reading import executions
from wfrun.app.sweeping import chosen, resume_all
from wfrun.errors import WfrunError
from wfrun.journal.home import Home
from wfrun.journal.journal import Journal
from wfrun.views.filtering import parse_filter


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


def found(home: Home, where: str, limit: int | None = None) -> list[str]:
    return [row["execution"] for row in chosen(home, parse_filter(where, datetime.now(UTC)), limit)]


def resume(home: Home, *ids: str) -> dict[str, Any]:
    told: dict[str, Any] = {}

    def finished(execution: str, outcome: Any) -> None:
        told[execution] = outcome.code if isinstance(outcome, WfrunError) else outcome["status"]

    resume_all(home, list(ids), by="kim", reason="", way=Way(), concurrency=3, finished=finished)
    return told


def test_what_is_over_is_not_meant(home: Home, tmp_path: Path) -> None:
    driving.run(home, workflow=write(tmp_path), input={"n": 1}, execution="paused")
    driving.run(home, workflow=write(tmp_path, PLAIN, pause=False), input={"n": 1}, execution="failed")
    driving.run(home, workflow=write(tmp_path, pause=False), input={"n": 1}, execution="compensated")
    done = SHOP.replace("action: no", "action: do")
    driving.run(home, workflow=write(tmp_path, done), input={"n": 1}, execution="completed")
    assert found(home, "workflow == shop") == ["failed", "paused"]
    assert found(home, "workflow == shop", 1) == ["failed"]
    assert found(home, "status == completed") == []


def test_each_is_resumed_and_one_that_cannot_be_is_told(home: Home, tmp_path: Path) -> None:
    ids = [f"e{number}" for number in range(5)]
    for id in ids:
        driving.run(home, workflow=write(tmp_path), input={"n": 1}, execution=id)
    other = Journal.open(home, "e3")
    other.drive({"host": "h", "pid": 1, "wfrun": "0"})
    told = resume(home, *ids)
    other.close()
    assert told == {**dict.fromkeys(ids, "paused"), "e3": "execution.held"}
    assert [called(home, id).count("three") for id in ids] == [2, 2, 2, 1, 2]
    listed = executions(home, status=None, workflow=None, limit=None, since=None, where="status == paused")
    assert {row["execution"] for row in listed} >= {"e0", "e4"}


def test_a_child_that_its_parent_has_given_up_is_not_meant_but_the_parent_is(home: Home, tmp_path: Path) -> None:
    write(tmp_path, PLAIN, pause=False)
    driving.run(home, workflow=write(tmp_path, PARENT, name="parent.yaml", pause=False), execution="p")
    assert found(home, "status == failed") == ["p"]
    assert resume(home, "p") == {"p": "failed"}
    assert called(home, "p.sub").count("three") == 2


def test_a_child_that_its_parent_waits_for_goes_on_with_the_parent(home: Home, tmp_path: Path) -> None:
    write(tmp_path, SHOP)
    driving.run(home, workflow=write(tmp_path, PARENT, name="parent.yaml", pause=False), execution="p")
    assert found(home, "status == paused") == ["p.sub"]
    assert resume(home, "p.sub") == {"p": "waiting"}
    assert called(home, "p.sub").count("three") == 2


def test_what_could_not_be_undone_is_tried_again(home: Home, tmp_path: Path) -> None:
    broken = SHOP.replace("action: undo", "action: no")
    driving.run(home, workflow=write(tmp_path, broken, pause=False), input={"n": 1}, execution="e")
    assert found(home, "status == needs-attention") == ["e"]
    assert resume(home, "e") == {"e": "needs-attention"}
    assert called(home, "e").count("compensate:one") == 2


SERVICES = "services: { s: { adapter: mock } }"
WAITING = {
    "a person": "{ name: w, type: human-task, assignee: bob, timeout: 200ms }",
    "an event": "{ name: w, type: wait, event: paid, timeout: 200ms, onTimeout: continue }",
    "a child": "{ name: w, type: workflow, workflow: inner }",
}


@pytest.mark.parametrize("what", WAITING)
def test_what_waits_is_left_alone_until_a_time_is_over(home: Home, tmp_path: Path, what: str) -> None:
    inner = f"name: inner\n{SERVICES}\nsteps: {WAITING['an event']}\n"
    (tmp_path / "inner.yaml").write_text(inner)
    (tmp_path / "w.yaml").write_text(f"name: w\n{SERVICES}\nsteps: {WAITING[what]}\n")
    assert driving.run(home, workflow=str(tmp_path / "w.yaml"), execution="e").status == "waiting"
    before = Journal.read(home, "e")
    assert resume(home, "e") == {"e": "waiting"}
    assert Journal.read(home, "e") == before
    time.sleep(0.3)
    assert resume(home, "e") == {"e": "failed" if what == "a person" else "completed"}


def test_an_event_that_nobody_has_looked_at_is_something_to_do(home: Home, tmp_path: Path) -> None:
    (tmp_path / "w.yaml").write_text(f"name: w\n{SERVICES}\nsteps: {{ name: w, type: wait, event: paid }}\n")
    driving.run(home, workflow=str(tmp_path / "w.yaml"), execution="e")
    driving.emit(home, "paid", resume=False)
    assert resume(home, "e") == {"e": "completed"}

"""Executions that have to do with others: children, and events between them, on a real disk."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from wfrun.app.authoring import validate
from wfrun.app.driving import EVENT_NAME, cancel, decide, emit, resume, run
from wfrun.app.executions import index_of
from wfrun.app.onward import Way
from wfrun.engines.beginning import MAX_DEPTH
from wfrun.errors import ConflictError, InvalidError, UsageError
from wfrun.journal.home import Home
from wfrun.journal.journal import Journal
from wfrun.resources import resource

SERVICES = """services:
  s:
    adapter: mock
    record: calls.jsonl
    default: { result: ok }
    actions: { no: { error: { type: shop.closed, message: closed } } }"""

PARENT = """
name: parent
input: { n: integer }
SERVICES
steps:
  - { name: prepare, service: s, action: prepare, compensate: { service: s, action: unprepare } }
  - { name: ship, type: workflow, workflow: child, input: { n: $.n }, output: shipped }
  - { name: last, service: s, action: LAST }
output: $.shipped
"""

CHILD = """
name: child
input: { n: integer }
SERVICES
steps:
  - { name: pack, service: s, action: pack, compensate: { service: s, action: unpack } }
  - MIDDLE
output: { packed: $.n }
"""

QUIET = "{ name: label, service: s, action: label }"
ASKING = "{ name: sign, type: human-task, assignee: bob }"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


def write(folder: Path, *, last: str = "tidy", middle: str = QUIET) -> str:
    (folder / "child.yaml").write_text(CHILD.replace("SERVICES", SERVICES).replace("MIDDLE", middle))
    path = folder / "parent.yaml"
    path.write_text(PARENT.replace("SERVICES", SERVICES).replace("LAST", last))
    return str(path)


def records(home: Home, execution: str, *types: str) -> list[Any]:
    return [record for record in Journal.read(home, execution) if record["type"] in types]


def calls(home: Home, *executions: str) -> list[str]:
    found = [record for id in executions for record in records(home, id, "step.started")]
    return [record["step"] for record in sorted(found, key=lambda record: record["at"])]


# A child that is stopped in the turn that begins it.
OVERTAKEN = """
name: overtaken
SERVICES
steps:
  - type: parallel
    complete: any
    steps:
      - { name: ship, type: workflow, workflow: child, input: { n: 1 }, detach: DETACHED }
      - { type: set, values: { x: 1 } }
"""


class TestChildren:
    @pytest.mark.parametrize(("detached", "status"), [(False, "cancelled"), (True, "completed")])
    def test_a_child_that_is_overtaken_is_stopped_unless_it_is_detached(
        self, tmp_path: Path, home: Home, detached: bool, status: str
    ) -> None:
        write(tmp_path)
        path = tmp_path / "overtaken.yaml"
        path.write_text(OVERTAKEN.replace("SERVICES", SERVICES).replace("DETACHED", json.dumps(detached)))
        assert run(home, workflow=str(path), execution="p").status == "completed"
        (ended,) = records(home, "p.ship", "execution.ended")
        assert ended["status"] == status
        (told,) = records(home, "p", "child.ended")
        assert told["status"] == status
        assert (tmp_path / "calls.jsonl").exists() is detached

    def test_a_child_has_a_journal_of_its_own(self, tmp_path: Path, home: Home) -> None:
        outcome = run(home, workflow=write(tmp_path), input={"n": 3}, execution="p")
        assert (outcome.status, outcome.view["output"]) == ("completed", {"packed": 3})
        assert calls(home, "p", "p.ship") == ["prepare", "pack", "label", "last"]
        (started,) = records(home, "p.ship", "execution.started")
        assert started["parent"] == {"execution": "p", "step": "ship", "depth": 1}

    def test_a_parent_waits_while_its_child_does_and_both_go_on_with_a_decision(
        self, tmp_path: Path, home: Home
    ) -> None:
        assert run(home, workflow=write(tmp_path, middle=ASKING), input={"n": 3}, execution="p").status == "waiting"
        outcome = decide(home, "p.ship/sign", decision="approved", by="bob")
        assert (outcome.execution, outcome.status) == ("p", "completed")

    def test_a_failure_after_it_undoes_the_child_as_well(self, tmp_path: Path, home: Home) -> None:
        outcome = run(home, workflow=write(tmp_path, last="no"), input={"n": 3}, execution="p")
        assert outcome.status == "compensated"
        undone = [step for step in calls(home, "p", "p.ship") if ":" in step]
        assert undone == ["compensate:pack", "compensate:prepare"]
        assert [record["status"] for record in records(home, "p.ship", "execution.ended")] == [
            "completed",
            "compensated",
        ]

    def test_a_failing_child_fails_its_parent_under_its_own_error(self, tmp_path: Path, home: Home) -> None:
        middle = "{ name: bad, service: s, action: no }"
        outcome = run(home, workflow=write(tmp_path, middle=middle), input={"n": 3}, execution="p")
        assert outcome.status == "compensated"
        error: Any = outcome.view["error"]
        assert (error["type"], error["cause"]["step"]) == ("shop.closed", "bad")
        assert calls(home, "p", "p.ship")[-2:] == ["compensate:pack", "compensate:prepare"]

    def test_cancelling_the_parent_cancels_the_child(self, tmp_path: Path, home: Home) -> None:
        run(home, workflow=write(tmp_path, middle=ASKING), input={"n": 3}, execution="p")
        assert cancel(home, "p", by="ann").status == "cancelled"
        (ended,) = records(home, "p.ship", "execution.ended")
        assert ended["status"] == "cancelled"
        assert len(records(home, "p.ship", "task.withdrawn")) == 1

    def test_cancelling_the_child_fails_the_parent(self, tmp_path: Path, home: Home) -> None:
        run(home, workflow=write(tmp_path, middle=ASKING), input={"n": 3}, execution="p")
        outcome = cancel(home, "p.ship", by="ann")
        error: Any = outcome.view["error"]
        assert (outcome.execution, outcome.status, error["type"]) == ("p", "compensated", "workflow.cancelled")

    def test_a_child_is_kept_as_it_was_when_its_parent_started(self, tmp_path: Path, home: Home) -> None:
        asking: dict[str, Any] = {"n": 3}
        parent = Path(write(tmp_path, middle=ASKING))
        text = parent.read_text().replace(
            "  - { name: ship", "  - { name: first, type: human-task, assignee: bob }\n  - { name: ship"
        )
        parent.write_text(text)
        run(home, workflow=str(parent), input=asking, execution="p")
        (tmp_path / "child.yaml").write_text("no longer a workflow")
        decide(home, "p/first", decision="approved", by="bob")
        assert decide(home, "p.ship/sign", decision="approved", by="bob").status == "completed"

    def test_a_workflow_can_run_itself(self, tmp_path: Path, home: Home) -> None:
        path = tmp_path / "countdown.yaml"
        path.write_text(
            "name: countdown\ninput: { n: integer }\nsteps:\n  type: conditional\n  condition: $.n > 0\n  then:\n"
            "    { name: again, type: workflow, workflow: countdown, input: { n: '${$.n - 1}' }, output: below }\n"
            "output: { depth: '${default($.below.depth, 0) + ($.n > 0 ? 1 : 0)}' }\n"
        )
        outcome = run(home, workflow=str(path), input={"n": 4}, execution="c")
        assert outcome.view["output"] == {"depth": 4}
        assert records(home, "c.again.again.again.again", "execution.ended")

    def test_but_not_without_end(self, tmp_path: Path, home: Home) -> None:
        path = tmp_path / "deep.yaml"
        path.write_text("name: deep\nsteps: { name: again, type: workflow, workflow: deep }\n")
        outcome = run(home, workflow=str(path), execution="d")
        error: Any = outcome.view["error"]
        assert (outcome.status, error["type"]) == ("failed", "workflow.depth")
        assert len(index_of(home).summaries()) == MAX_DEPTH + 1

    def test_children_of_steps_with_dots_and_children_of_children_have_ids_of_their_own(
        self, tmp_path: Path, home: Home
    ) -> None:
        (tmp_path / "leaf.yaml").write_text("name: leaf\nsteps: { type: set, values: { x: 1 } }\n")
        (tmp_path / "middle.yaml").write_text("name: middle\nsteps: { name: b, type: workflow, workflow: leaf }\n")
        path = tmp_path / "top.yaml"
        path.write_text(
            "name: top\nsteps:\n  - { name: a.b, type: workflow, workflow: leaf }\n"
            "  - { name: a, type: workflow, workflow: middle }\n"
        )
        assert run(home, workflow=str(path), execution="t").status == "completed"

    def test_a_detached_child_is_driven_too_and_not_undone(self, tmp_path: Path, home: Home) -> None:
        path = Path(write(tmp_path, last="no"))
        path.write_text(
            path.read_text()
            .replace("workflow: child,", "workflow: child, detach: true,")
            .replace(", output: shipped", "")
            .replace("output: $.shipped\n", "")
        )
        assert run(home, workflow=str(path), input={"n": 3}, execution="p").status == "compensated"
        (ended,) = records(home, "p.ship", "execution.ended")
        assert ended["status"] == "completed"

    @pytest.mark.parametrize(
        ("old", "new", "code"),
        [
            ("workflow: child", "workflow: chidl", "workflow.unknown"),
            ("workflow: child", "workflow: child, version: 7", "workflow.version"),
            ("input: { n: $.n }", "input: { m: $.n }", "field.missing"),
            ("input: { n: $.n }", "input: { n: $.n, m: 1 }", "field.unknown"),
        ],
    )
    def test_what_does_not_fit_is_told_before_anything_runs(
        self, tmp_path: Path, home: Home, old: str, new: str, code: str
    ) -> None:
        path = Path(write(tmp_path))
        path.write_text(path.read_text().replace(old, new))
        assert code in [problem.code for problem in validate(str(path), services=None)]
        with pytest.raises(InvalidError):
            run(home, workflow=str(path), input={"n": 3})
        assert not (tmp_path / "calls.jsonl").exists()

    def test_a_mistake_in_the_child_has_its_place_in_the_childs_file(self, tmp_path: Path, home: Home) -> None:
        path = write(tmp_path, middle="{ name: x, service: s, action: y, input: $.nowhere }")
        (problem,) = validate(path, services=None)
        assert (Path(problem.place.file).name, problem.code) == ("child.yaml", "plan.unknown-path")

    def test_an_execution_that_is_none_of_its_children_is_not_taken_for_one(self, tmp_path: Path, home: Home) -> None:
        path = write(tmp_path)
        run(home, workflow=str(tmp_path / "child.yaml"), input={"n": 1}, execution="p.ship")
        outcome = run(home, workflow=path, input={"n": 3}, execution="p")
        error: Any = outcome.view["error"]
        assert (outcome.status, error["type"]) == ("compensated", "execution.exists")


LISTENING = """
name: NAME
SERVICES
steps:
  - { name: first, type: human-task, assignee: bob }
  - { name: w, type: wait, event: paid, match: $.event.data.n == 7, output: payment }
output: { id: $.payment.id, by: $.payment.source }
"""


def listener(folder: Path, home: Home, execution: str) -> None:
    path = folder / "listening.yaml"
    path.write_text(LISTENING.replace("NAME", "listening").replace("SERVICES", SERVICES))
    run(home, workflow=str(path), execution=execution)


class TestEvents:
    def test_an_event_reaches_who_waits_and_drives_it_on(self, tmp_path: Path, home: Home) -> None:
        listener(tmp_path, home, "one")
        decide(home, "one/first", decision="approved", by="bob")
        assert emit(home, "paid", data={"n": 6}).reached == ["one"]
        assert emit(home, "paid", data={"n": 7}, id="x", source="bank").reached == ["one"]
        (ended,) = records(home, "one", "execution.ended")
        assert ended["output"] == {"id": "x", "by": "bank"}

    def test_an_early_event_is_kept_and_one_id_counts_once(self, tmp_path: Path, home: Home) -> None:
        listener(tmp_path, home, "one")
        assert emit(home, "paid", data={"n": 7}, id="x").reached == ["one"]
        assert emit(home, "paid", data={"n": 7}, id="x").reached == []
        assert decide(home, "one/first", decision="approved", by="bob").status == "completed"
        assert len(records(home, "one", "event.received")) == 1

    def test_an_event_is_for_all_or_for_one(self, tmp_path: Path, home: Home) -> None:
        for execution in ("one", "two"):
            listener(tmp_path, home, execution)
        assert emit(home, "paid", data={"n": 7}, to="two").reached == ["two"]
        assert set(emit(home, "paid", data={"n": 7}).reached) == {"one", "two"}
        assert emit(home, "other").reached == []

    def test_one_that_is_damaged_is_passed_over(self, tmp_path: Path, home: Home) -> None:
        for execution in ("one", "two"):
            listener(tmp_path, home, execution)
        path = Path(home.journal_path("one"))
        path.write_bytes(path.read_bytes().replace(b"task.created", b"task.dreamed"))
        assert emit(home, "paid", data={"n": 7}).reached == ["two"]

    def test_it_can_be_recorded_alone(self, tmp_path: Path, home: Home) -> None:
        listener(tmp_path, home, "one")
        decide(home, "one/first", decision="approved", by="bob")
        emit(home, "paid", data={"n": 7}, resume=False)
        assert not records(home, "one", "execution.ended")
        assert resume(home, "one").status == "completed"

    def test_an_ended_execution_takes_none(self, tmp_path: Path, home: Home) -> None:
        listener(tmp_path, home, "one")
        cancel(home, "one", by="ann")
        assert emit(home, "paid", data={"n": 7}).reached == []
        with pytest.raises(ConflictError, match="has ended: cancelled"):
            emit(home, "paid", data={"n": 7}, to="one")

    def test_a_step_publishes_to_others_and_to_its_own_execution(self, tmp_path: Path, home: Home) -> None:
        listener(tmp_path, home, "one")
        decide(home, "one/first", decision="approved", by="bob")
        path = tmp_path / "telling.yaml"
        path.write_text(
            "name: telling\nsteps:\n  - { name: tell, type: emit, event: paid, data: { n: 7 } }\n"
            "  - { name: hear, type: wait, event: paid, output: heard }\noutput: $.heard.id\n"
        )
        outcome = run(home, workflow=str(path), execution="t")
        assert (outcome.status, outcome.view["output"]) == ("completed", "t/tell")
        (ended,) = records(home, "one", "execution.ended")
        assert ended["output"] == {"id": "t/tell", "by": "wfrun/telling/t"}

    def test_a_waiting_execution_parks_and_with_wait_it_stays(self, tmp_path: Path, home: Home) -> None:
        path = tmp_path / "w.yaml"
        path.write_text("name: w\nsteps: { name: w, type: wait, event: e, timeout: 1s }\n")
        assert run(home, workflow=str(path), execution="parked").status == "waiting"
        outcome = run(home, workflow=str(path), execution="stays", way=Way(wait=True))
        error: Any = outcome.view["error"]
        assert (outcome.status, error["type"]) == ("failed", "timeout")

    @pytest.mark.parametrize(
        ("event", "id", "code"),
        [
            ("no such", None, "event.name"),
            ("a\x1b[31mb", None, "event.name"),
            ("x" * 129, None, "event.name"),
            ("ok", "", "event.id"),
            ("ok", "a\nb", "event.id"),
            ("ok", "x" * 257, "event.id"),
        ],
    )
    def test_what_cannot_be_an_event_is_refused(self, home: Home, event: str, id: str | None, code: str) -> None:
        with pytest.raises(UsageError) as refused:
            emit(home, event, id=id)
        assert refused.value.code == code

    def test_the_names_are_those_that_a_step_can_wait_for(self) -> None:
        schema = json.loads(resource("schemas", "workflow.schema.json").read_text())
        assert schema["$defs"]["eventName"]["pattern"] == f"^{EVENT_NAME}$"

    @pytest.mark.parametrize("step", ["{ name: w, type: wait, event: e, timeout: 1s }", "{ name: w, type: fail }"])
    def test_even_with_wait_a_pause_lets_go_for_whoever_repairs_it(self, tmp_path: Path, home: Home, step: str) -> None:
        path = tmp_path / "w.yaml"
        path.write_text(f"name: w\nerrorHandling: {{ onFailure: pause }}\nsteps: {step}\n")
        assert run(home, workflow=str(path), execution="w", way=Way(wait=True)).status == "paused"

"""Executions on Temporal, as commands reach them: started, looked at, decided, repaired, refused."""

from __future__ import annotations

import builtins
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.shell import shell
from tests.support.temporal import Engine, Server, soon, working
from wfrun.app import auditing, driving, reading, repairing
from wfrun.app.elsewhere import RemoteHome
from wfrun.app.evidence import of_home
from wfrun.app.onward import Outcome, Way
from wfrun.engines.temporal.connection import Settings, connect
from wfrun.errors import ConflictError, InvalidError, JournalError, NotFoundError, UsageError
from wfrun.journal.journal import Journal

ORDER = """
name: order
input: {total: number}
services:
  shop:
    adapter: mock
    actions:
      reserve: {result: {id: r-1}}
      pay: [{error: {type: bank.busy, message: later, retryable: true}}, {result: {charge: c-1}}]
      release: {result: null}
      refund: {result: null}
errorHandling: {retryPolicy: {policy: fixed, initialDelay: 10ms, jitter: 0}, maxRetries: 2}
steps:
  - {name: reserve, service: shop, action: reserve, output: reserved}
  - {name: pay, service: shop, action: pay, input: $.total, output: paid}
  - name: approve
    type: human-task
    assignee: bosses
    form: {rate: number}
    output: approval
  - {name: nap, type: wait, for: 10ms}
output: {charge: $.paid.charge, rate: $.approval.data.rate}
compensations:
  reserve: {service: shop, action: release}
  pay: {service: shop, action: refund}
"""


@pytest.fixture(scope="module")
def engine(server: Server) -> Iterator[Engine]:
    with working(server) as engine:
        yield engine


@pytest.fixture
def home(engine: Engine) -> RemoteHome:
    return engine.home()


@pytest.fixture
def order(tmp_path: Path) -> str:
    return written(tmp_path, ORDER)


def written(folder: Path, text: str, name: str = "order") -> str:
    file = folder / f"{name}.yaml"
    file.write_text(text)
    return str(file)


def types(home: RemoteHome, execution: str) -> list[str]:
    return [record["type"] for record in Journal.read(home, execution)]


def approve(home: RemoteHome, task: str, **data: Any) -> Outcome:
    return driving.decide(home, task, decision="approved", by="ann", data=data)


def test_an_order_from_its_start_to_its_end(home: RemoteHome, order: str) -> None:
    told: list[str] = []
    way = Way(observer=lambda execution, record, fresh: told.append(record["type"]))
    waiting = driving.run(home, workflow=order, input={"total": 7}, initiator="eve", way=way)
    assert waiting.status == "waiting"
    assert told[:3] == ["execution.started", "driver.started", "step.started"]
    (task,) = waiting.view["tasks"]
    soon(lambda: task["task"] in [each["task"] for each in reading.tasks(home, "bosses")])
    with pytest.raises(InvalidError):
        approve(home, task["task"], rate="high")
    done = approve(home, task["task"], rate=4)
    assert (done.status, done.view["output"]) == ("completed", {"charge": "c-1", "rate": 4})
    (pay,) = (step for step in done.view["steps"] if step["step"] == "pay")
    assert pay["attempts"] == 2
    keys = [each["key"] for each in Journal.read(home, done.execution) if each["type"] == "step.started"]
    assert keys == [f"{done.execution}/{step}" for step in ("reserve", "pay", "pay")]
    again = approve(home, task["task"], rate=4)
    assert "already approved by ann" in again.note
    with pytest.raises(ConflictError, match="already decided"):
        driving.decide(home, task["task"], decision="rejected", by="bob")


def test_the_same_start_twice_is_one_execution(home: RemoteHome, order: str) -> None:
    first = driving.run(home, workflow=order, input={"total": 7}, execution="once")
    second = driving.run(home, workflow=order, input={"total": 7}, execution="once")
    assert (first.execution, second.note) == (second.execution, "it was started before")
    with pytest.raises(ConflictError, match="another input"):
        driving.run(home, workflow=order, input={"total": 8}, execution="once")
    assert driving.cancel(home, "onc", by="ann").status == "cancelled"
    assert types(home, "once").count("cancel.requested") == 1
    undone = [each["step"] for each in Journal.read(home, "once") if each["type"] == "step.started"]
    assert undone == ["reserve", "pay", "pay", "compensate:pay", "compensate:reserve"]


def test_the_journal_is_sound_evidence(home: RemoteHome, order: str) -> None:
    run = driving.run(home, workflow=order, input={"total": 7})
    driving.cancel(home, run.execution, by="ann")
    (checked,) = auditing.verify(of_home(home, [run.execution], whole=False))
    assert run.execution in of_home(home, list(home.ids()), whole=True).journals
    assert (checked["findings"], checked["records"]) == ([], len(Journal.read(home, run.execution)))


def test_what_is_asked_of_many_is_answered_by_visibility(home: RemoteHome, order: str) -> None:
    run = driving.run(home, workflow=order, input={"total": 7})
    found = reading.executions(home, status="waiting", workflow="order", limit=50, since=None)
    assert run.execution in [row["execution"] for row in found]
    assert reading.executions(home, status="failed", workflow="order", limit=5, since=None) == []
    assert reading.tasks(home, "nobody") == []
    assert reading.status(home, run.execution[:7])["workflow"] == "order"


def test_a_failure_is_repaired_and_goes_on_as_a_run_of_its_own(home: RemoteHome, tmp_path: Path) -> None:
    text = "name: w\nservices: {s: {adapter: mock, actions: {a: {error: {type: x, message: no}}}}}\n"
    file = written(tmp_path, text + "steps:\n  - {name: a, service: s, action: a, output: a}\noutput: $.a\n")
    failed = driving.run(home, workflow=file)
    assert failed.status == "failed"
    prepared = repairing.prepare(home, failed.execution, repairing.Ask("set-output", "a", {"by": "hand"}))
    repaired = prepared.carry_out("ann", "done by hand")
    assert (repaired.status, repaired.view["output"]) == ("completed", {"by": "hand"})
    (row,) = reading.executions(home, status=None, workflow="w", limit=5, since=None)
    assert row["status"] == "completed"


def test_an_event_reaches_whoever_waits_for_it(home: RemoteHome, tmp_path: Path) -> None:
    waits = "steps:\n  - {name: wait, type: wait, event: paid, match: $.event.data == 1, output: e}\n"
    file = written(tmp_path, f"name: waits\n{waits}output: $.e.data\n")
    run = driving.run(home, workflow=file)
    assert run.status == "waiting"
    assert driving.emit(home, "paid", data=2, to=run.execution).reached == [run.execution]
    assert driving.emit(home, "paid", data=1, id="one").reached == [run.execution]
    assert driving.emit(home, "paid", data=1, id="one").reached == []
    assert reading.status(home, run.execution)["output"] == 1


def test_children_are_workflows_of_their_own(home: RemoteHome, tmp_path: Path) -> None:
    written(
        tmp_path,
        "name: child\ninput: {n: number}\nsteps: [{type: set, values: {m: '${$.n * 2}'}}]\noutput: $.m\n",
        "child",
    )
    calls = "steps: [{name: sub, type: workflow, workflow: child, input: {n: 4}, output: got}]\noutput: $.got\n"
    done = driving.run(home, workflow=written(tmp_path, f"name: parent\n{calls}", "parent"))
    assert (done.status, done.view["output"]) == ("completed", 8)
    assert reading.status(home, f"{done.execution}.sub")["parent"]["execution"] == done.execution  # type: ignore[index]


def test_a_child_that_failed_tries_again_with_its_parent(home: RemoteHome, tmp_path: Path) -> None:
    actions = "s: {adapter: mock, actions: {a: [{error: {type: x, message: no}}, {result: 3}]}}"
    text = f"name: child\nservices: {{{actions}}}\nsteps:\n"
    steps = (
        "  - {name: first, type: set, values: {n: 1}}\n  - {name: a, service: s, action: a, output: a}\noutput: $.a\n"
    )
    written(tmp_path, text + steps, "child")
    calls = "steps: [{name: sub, type: workflow, workflow: child, output: got}]\noutput: $.got\n"
    run = driving.run(home, workflow=written(tmp_path, f"name: parent\n{calls}", "parent"))
    assert run.status == "failed"
    prepared = repairing.prepare(home, run.execution, repairing.Ask("rewind", "sub"))
    assert prepared.preview["children"] == [f"{run.execution}.sub"]
    repaired = prepared.carry_out("ann", way=Way(wait=True))
    assert (repaired.status, repaired.view["output"]) == ("completed", 3)
    assert types(home, f"{run.execution}.sub").count("values.set") == 1


def test_a_child_that_was_terminated_has_failed(engine: Engine, home: RemoteHome, tmp_path: Path) -> None:
    written(tmp_path, "name: child\nsteps: [{name: nap, type: wait, for: 1h}]\n", "child")
    calls = "steps: [{name: sub, type: workflow, workflow: child}]\n"
    run = driving.run(home, workflow=written(tmp_path, f"name: parent\n{calls}", "parent"))
    engine.ask(engine.namespace.client.get_workflow_handle(f"{run.execution}.sub").terminate())
    ended = driving.resume(home, run.execution, way=Way(wait=True))
    assert ended.view["error"]["type"] == "temporal.terminated"  # type: ignore[index]


# ---- what is refused


def test_who_comes_too_late_is_refused(engine: Engine, home: RemoteHome, order: str) -> None:
    run = driving.run(home, workflow=order, input={"total": 7})
    fact = {"type": "cancel.requested", "by": "ann", "reason": ""}
    with pytest.raises(ConflictError) as refused:
        engine.ask(engine.namespace.append(run.execution, 3, [fact]))
    assert refused.value.code == "journal.moved"
    assert "cancel.requested" not in types(home, run.execution)


def test_only_what_others_can_know_is_taken(engine: Engine, home: RemoteHome, order: str) -> None:
    run = driving.run(home, workflow=order, input={"total": 7})
    known = Journal.read(home, run.execution)
    with pytest.raises(ConflictError) as refused:
        engine.ask(
            engine.namespace.append(run.execution, len(known), [{"type": "execution.ended", "status": "failed"}])
        )
    assert refused.value.code == "journal.foreign"
    vote = {
        "type": "task.decided",
        "task": f"{run.execution}/approve",
        "decision": "approved",
        "by": "ann",
        "comment": "",
    }
    with pytest.raises(ConflictError) as unformed:
        engine.ask(engine.namespace.append(run.execution, len(known), [{**vote, "data": {"rate": "high"}}]))
    assert unformed.value.code == "field.type"
    assert len(Journal.read(home, run.execution)) == len(known)


def test_what_a_worker_cannot_answer_is_told(engine: Engine, home: RemoteHome, order: str) -> None:
    run = driving.run(home, workflow=order, input={"total": 7})
    with pytest.raises(JournalError) as refused:
        engine.ask(engine.namespace._query(run.execution, "unheard-of"))
    assert refused.value.code == "temporal.refused"


def test_an_execution_that_is_not_there(home: RemoteHome) -> None:
    with pytest.raises(NotFoundError):
        reading.status(home, "nothing")


def test_without_a_worker_nothing_can_be_read(server: Server, order: str) -> None:
    idle = Engine(server)
    try:
        first = {"type": "execution.started", "execution": "unread", "workflow": "w", "version": 1}
        assert idle.ask(idle.namespace.start(first, {}))
        with pytest.raises(JournalError) as refused:
            reading.status(idle.home(), "unread")
        assert refused.value.code == "temporal.no-worker", refused.value.message
    finally:
        idle.close()


def test_a_server_that_is_not_there_is_told(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", "127.0.0.1:1")
    with pytest.raises(JournalError) as refused:
        engine.ask(connect(Settings()))
    assert refused.value.code == "temporal.unreachable"
    assert "127.0.0.1:1: Connection refused" in refused.value.message


def test_an_engine_that_is_not_installed_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def lacking(name: str, *others: Any) -> Any:
        if name.startswith("temporalio"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return real(name, *others)

    for module in [name for name in sys.modules if "temporal" in name and name.startswith("wfrun.")]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setattr(builtins, "__import__", lacking)
    monkeypatch.setenv("WFRUN_ENGINE", "temporal")
    with pytest.raises(UsageError) as refused:
        reading.open_home(None)
    assert refused.value.code == "temporal.missing"


@pytest.mark.parametrize(
    "command", ["batch w.yaml --inputs -", "gc", "doctor", "reindex", "resume --where 'status == failed'"]
)
def test_what_is_about_a_state_directory_says_so(command: str, tmp_path: Path) -> None:
    answer = shell(f"wfrun {command} --engine temporal", tmp_path)
    assert (answer.code, "usage.engine" in answer.out) == (2, True), answer.out


def test_no_other_command_imports_the_library(tmp_path: Path) -> None:
    check = "import sys; from wfrun.cli.main import run; run(['list']); assert 'temporalio' not in sys.modules"
    assert shell(f'python -c "{check}"', tmp_path).code == 0


def test_a_profile_spares_the_options(tmp_path: Path) -> None:
    (tmp_path / "wfrun.toml").write_text("[profile.far]\nengine = 'temporal'\n")
    (tmp_path / "below").mkdir()
    assert shell("wfrun list", tmp_path / "below").out == "No executions.\n"
    assert "usage.engine" in shell("wfrun gc --profile far", tmp_path / "below").out

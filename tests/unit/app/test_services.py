"""The services of a workflow: what is wrong with them is told before anything is done."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from wfrun.app.authoring import validate
from wfrun.app.batching import batch
from wfrun.app.driving import cancel, decide, resume, run
from wfrun.errors import InvalidError, Problem
from wfrun.journal.home import Home

STEPS = "steps: [{ name: first, service: log, action: add }, { name: second, service: s, action: go }]"
LOG = "{ adapter: mock, record: calls.jsonl }"
ASKING = "steps: [{ name: ask, type: human-task, assignee: ann }, { name: second, service: s, action: go }]"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


Write = Callable[..., str]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(service: str, steps: str = STEPS) -> str:
        path = tmp_path / "w.yaml"
        path.write_text(f"name: w\nservices:\n  log: {LOG}\n  s: {service}\n{steps}\n")
        return str(path)

    return write


def nothing_was_done(folder: Path) -> bool:
    return not (folder / "calls.jsonl").exists() and not (folder / "home" / "executions").exists()


MISTAKES = [
    ("{ adapter: pyton }", "service.adapter"),
    ("{ adapter: http, baseUrl: 'localhost:80', actions: { go: POST /x } }", "http.url"),
    ("{ adapter: shell, actions: { go: { command: [sh, -c, 'echo ${$.x}'] } } }", "shell.injection"),
    ("{ adapter: python, module: broken }", "python.syntax"),
]


@pytest.mark.parametrize(("service", "code"), MISTAKES)
def test_a_mistake_is_told_by_validate_and_before_a_run(
    tmp_path: Path, home: Home, write: Write, service: str, code: str
) -> None:
    (tmp_path / "broken.py").write_text("def go(:\n")
    path = write(service)
    (problem,) = validate(path, services=None)
    assert (problem.code, problem.severity) == (code, "error")
    with pytest.raises(InvalidError) as caught:
        run(home, workflow=path)
    assert caught.value.problems == (problem,)
    assert nothing_was_done(tmp_path)


LOCAL = [
    ("{ adapter: shell, actions: { go: { command: [echo, '${env.NOT_SET_HERE}'] } } }", "service.variable"),
    ("{ adapter: python, module: nowhere }", "service.module"),
]


@pytest.mark.parametrize(("service", "code"), LOCAL)
def test_what_only_this_machine_lacks_is_advice_until_it_is_needed(
    tmp_path: Path, home: Home, write: Write, service: str, code: str
) -> None:
    path = write(service)
    (problem,) = validate(path, services=None)
    assert (problem.code, problem.severity, problem.place.line) == (code, "warning", 4)
    starts: list[Callable[[], Any]] = [
        lambda: run(home, workflow=path),
        lambda: batch(home, workflow=path, inputs=[(1, {})], concurrency=1, finished=lambda number, outcome: None),
    ]
    for start in starts:
        with pytest.raises(InvalidError) as caught:
            start()
        assert [each.code for each in caught.value.problems] == [code]
    assert nothing_was_done(tmp_path)


def test_an_execution_waits_until_the_machine_has_what_it_needs(
    tmp_path: Path, home: Home, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write("{ adapter: shell, actions: { go: { command: [echo, '${env.LATER}'], output: text } } }", ASKING)
    monkeypatch.setenv("LATER", "now")
    assert run(home, workflow=path, execution="one").status == "waiting"
    monkeypatch.delenv("LATER")
    (journal,) = (tmp_path / "home" / "executions").rglob("one.jsonl")
    before = journal.read_bytes()
    attempts: list[Callable[[], Any]] = [
        lambda: resume(home, "one"),
        lambda: decide(home, "one/ask", decision="approved", by="ann"),
        lambda: cancel(home, "one", by="ann"),
    ]
    for attempt in attempts:
        with pytest.raises(InvalidError) as caught:
            attempt()
        assert caught.value.code == "service.variable"
    assert journal.read_bytes() == before
    assert decide(home, "one/ask", decision="approved", by="ann", resume=False).view["steps"]
    monkeypatch.setenv("LATER", "now")
    assert resume(home, "one").status == "completed"


def test_services_that_are_not_called_are_advice(write: Write) -> None:
    path = write("{ adapter: mock }\n  other: { adapter: pyton }")
    (problem,) = validate(path, services=None)
    assert (problem.code, problem.severity) == ("service.adapter", "warning")


def test_variables_of_services_that_are_not_called_are_nobodys_concern(write: Write) -> None:
    path = write("{ adapter: mock }\n  other: { adapter: http, baseUrl: '${env.NOWHERE}', actions: { go: GET /x } }")
    assert validate(path, services=None) == []


class TestServicesFiles:
    @staticmethod
    def told(tmp_path: Path, write: Write, text: str) -> list[Problem]:
        services = tmp_path / "services.yaml"
        services.write_text(text)
        return validate(write("{ adapter: pyton }"), services=str(services))

    def test_an_entry_replaces_the_whole_one_of_the_workflow(self, tmp_path: Path, write: Write) -> None:
        assert self.told(tmp_path, write, "services:\n  s: { adapter: mock }\n") == []

    @pytest.mark.parametrize(
        ("text", "place"), [("s: { adapter: soap }", "1:15"), ("services:\n  s: { adapter: soap }", "2:17")]
    )
    def test_its_mistakes_have_a_place_in_it(self, tmp_path: Path, write: Write, text: str, place: str) -> None:
        (problem,) = self.told(tmp_path, write, text)
        assert (problem.code, str(problem.place)) == ("service.adapter", f"{tmp_path}/services.yaml:{place}")

    def test_a_name_that_replaces_nothing(self, tmp_path: Path, write: Write) -> None:
        (problem,) = self.told(tmp_path, write, "s: { adapter: mock }\nlogs: { adapter: mock }\n")
        assert (problem.code, problem.severity, problem.place.line) == ("service.unused", "warning", 2)
        assert problem.hint == "did you mean `log`?"


def test_problems_of_the_plan_and_of_services_are_told_together(write: Write) -> None:
    steps = "steps: [{ name: first, service: log, action: add, input: $.nope }, { name: b, service: s, action: go }]"
    path = write("{ adapter: pyton }", steps + "\ninput: { x: string }")
    assert [problem.code for problem in validate(path, services=None)] == ["service.adapter", "plan.unknown-path"]


def test_a_heartbeat_that_can_never_come(write: Write) -> None:
    undo = "compensate: { service: s, action: go, heartbeat: 5s }"
    steps = f"steps: [{{ name: a, service: s, action: go, heartbeat: 30s, {undo} }}]"
    found = validate(
        write("{ adapter: http, baseUrl: https://example.com, actions: { go: POST / } }", steps), services=None
    )
    assert [(each.code, each.severity) for each in found] == [("plan.heartbeat", "error")] * 2
    assert validate(write("{ adapter: mock }", steps), services=None) == []


def test_validate_leaves_nothing_behind(tmp_path: Path, write: Write) -> None:
    validate(write("{ adapter: mock }"), services=None)
    assert os.listdir(tmp_path) == ["w.yaml"]

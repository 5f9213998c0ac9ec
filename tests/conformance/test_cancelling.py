"""Executions that are cancelled at awkward moments stand on Temporal as they do on one machine."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.support.temporal import Engine, Server, working
from wfrun.app import driving, reading
from wfrun.journal.home import Home

SERVICES = "services: {s: {adapter: mock, actions: {a: {result: 1}, slow: {result: 1, delay: 1s}}}}\n"
ONE = "  - {name: one, service: s, action: a, compensate: {service: s, action: %s}}\n"
NAP = "{name: nap, type: wait, for: 1h}"
TRY = f"  - {{type: try, steps: [{NAP}], finally: [%s]}}\n"


def workflow(*steps: str, name: str = "w") -> str:
    return f"name: {name}\n{SERVICES}steps:\n{''.join(steps)}"


CHILDREN = {
    "tidy": workflow(TRY % "{name: rest, type: wait, event: go}", name="tidy"),
    "slow": workflow(ONE % "slow", f"  - {NAP}\n", name="slow"),
    "done": workflow(ONE % "slow", name="done"),
}
WAITING = {
    "for a time": workflow(ONE % "a", TRY % "{name: rest, type: wait, for: 1h}"),
    "for an event": workflow(ONE % "a", TRY % "{name: rest, type: wait, event: go}"),
    "for a person": workflow(ONE % "a", TRY % "{name: rest, type: human-task, assignee: ann}"),
    "for a child that waits": workflow(ONE % "a", "  - {name: sub, type: workflow, workflow: tidy}\n"),
}
UNDOING = {
    "its own": workflow(ONE % "slow", f"  - {NAP}\n"),
    "a child that is undone": workflow("  - {name: sub, type: workflow, workflow: slow}\n"),
    "a child that had ended": workflow("  - {name: sub, type: workflow, workflow: done}\n", f"  - {NAP}\n"),
}


@pytest.fixture(scope="module")
def engine(server: Server) -> Iterator[Engine]:
    with working(server) as engine:
        yield engine


def written(folder: Path, text: str) -> str:
    for name, child in CHILDREN.items():
        (folder / f"{name}.yaml").write_text(child)
    (folder / "w.yaml").write_text(text)
    return str(folder / "w.yaml")


def look(home: Home, execution: str) -> Any:
    view = reading.status(home, execution)
    steps = [(step["step"], step["status"]) for step in view["steps"]]
    return view["status"], steps, [child["status"] for child in view["children"]]


@pytest.mark.parametrize("what", WAITING)
def test_a_finally_that_waits_is_waited_for_however_often_somebody_cancels(
    what: str, engine: Engine, tmp_path: Path
) -> None:
    file = written(tmp_path, WAITING[what])

    def stands(home: Home) -> list[Any]:
        run = driving.run(home, workflow=file)
        seen = [look(home, run.execution)]
        for _ in range(2):
            seen += [driving.cancel(home, run.execution, by="ann").status, look(home, run.execution)]
        return seen

    there = stands(engine.home())
    assert there == stands(Home(tmp_path / "home"))
    assert there[-2] == "waiting"


@pytest.mark.slow
@pytest.mark.parametrize("what", UNDOING)
def test_what_is_being_undone_runs_to_whoever_looks(what: str, engine: Engine, tmp_path: Path) -> None:
    """Also if they look for the first time. On one machine, nobody drives it for a moment before and after."""
    file = written(tmp_path, UNDOING[what])

    def stands(home: Home) -> list[Any]:
        run = driving.run(home, workflow=file)
        with ThreadPoolExecutor(1) as person:
            cancelled = person.submit(driving.cancel, home, run.execution, by="ann")
            while (seen := look(fresh(home), run.execution))[0] != "running" or {*seen[2]} - {"running"}:
                assert not cancelled.done(), seen
                time.sleep(0.05)
            return [seen, cancelled.result().status, look(home, run.execution)]

    def fresh(home: Home) -> Home:
        return engine.home() if home.path == "/temporal" else Home(home.path)

    there = stands(engine.home())
    assert there == stands(Home(tmp_path / "home"))
    assert (there[0][0], there[1]) == ("running", "cancelled")

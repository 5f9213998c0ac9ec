"""What is asked of many executions is answered by visibility: each that fits is found, and no other is looked at."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.support.tally import size
from tests.support.temporal import Engine, Server, working
from wfrun.app import driving, reading
from wfrun.app.elsewhere import RemoteHome
from wfrun.engines.temporal.client import Namespace

KINDS = {
    "completes": "{type: set, values: {a: 1}}",
    "fails": "{type: fail, name: no, error: declined}",
    "waits-for-ann": "{type: human-task, name: ask, assignee: ann}",
    "waits-for-bob": "{type: human-task, name: ask, assignee: {users: [bob, cid]}}",
    "sleeps": "{type: wait, name: nap, for: 1h}",
}


class Asked:
    """What Temporal was asked: `list` for each question to visibility, `read` for each execution."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.times: Counter[str] = Counter()
        for name, method in (("listed", "list"), ("records", "read")):
            monkeypatch.setattr(Namespace, name, self._counting(method, getattr(Namespace, name)))

    def _counting(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def counting(*args: Any, **more: Any) -> Any:
            self.times[name] += 1
            return real(*args, **more)

        return counting


@pytest.fixture
def engine(server: Server) -> Iterator[Engine]:
    with working(server) as engine:
        yield engine


@pytest.mark.slow
def test_each_that_fits_is_found_and_no_other_looked_at(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = started(engine.home(), tmp_path, size(40, 200))
    orders = {kind: {id for id in begun if id.startswith(f"order-{kind}-")} for kind in KINDS}
    everybody = {kind: {id for id in begun if f"-{kind}-" in id} for kind in KINDS}
    settled(engine.home(), everybody)
    asked, home = Asked(monkeypatch), engine.home()

    def failed(since: str) -> set[str]:
        rows = reading.executions(home, status="failed", workflow="order", limit=None, since=since)
        return {row["execution"] for row in rows}

    assert failed("2020-01-01T00:00:00Z") == orders["fails"]
    assert asked.times == {"list": 1, "read": len(orders["fails"])}
    assert failed("2100-01-01T00:00:00Z") == set()
    assert asked.times == {"list": 2, "read": len(orders["fails"])}
    asked.times.clear()
    assert {task["execution"] for task in reading.tasks(home, "ann")} == everybody["waits-for-ann"]
    assert asked.times == {"list": 1, "read": len(everybody["waits-for-ann"])}
    assert {task["execution"] for task in reading.tasks(home, "cid")} == everybody["waits-for-bob"]


def started(home: RemoteHome, folder: Path, count: int) -> list[str]:
    """So many, of two workflows and every kind in turns."""
    kinds = [(workflow, kind) for workflow in ("order", "other") for kind in KINDS]
    for workflow, kind in kinds:
        (folder / f"{workflow}-{kind}.yaml").write_text(f"name: {workflow}\nsteps: [{KINDS[kind]}]\n")

    def start(number: int) -> str:
        workflow, kind = kinds[number % len(kinds)]
        file = folder / f"{workflow}-{kind}.yaml"
        return driving.run(home, workflow=str(file), execution=f"{workflow}-{kind}-{number}").execution

    with ThreadPoolExecutor(8) as people:
        return list(people.map(start, range(count)))


def settled(home: RemoteHome, wanted: dict[str, set[str]]) -> None:
    """Visibility is a moment late."""
    until = time.monotonic() + 30
    statuses = [("failed", {*wanted["fails"]}), ("completed", {*wanted["completes"]})]
    statuses.append(("waiting", wanted["waits-for-ann"] | wanted["waits-for-bob"] | wanted["sleeps"]))
    for status, ids in statuses:
        while {
            row["execution"] for row in reading.executions(home, status=status, workflow=None, limit=None, since=None)
        } != ids:
            assert time.monotonic() < until
            time.sleep(0.1)

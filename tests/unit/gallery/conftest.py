"""The gallery as its users meet it: an example's services in this process, or in one of their own behind HTTP."""

from __future__ import annotations

import importlib
import importlib.util
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import pytest

from wfrun.sandbox import Sandbox

ROOT = Path(__file__).parents[3]


class Caller(NamedTuple):
    execution: str
    step: str
    attempt: int
    idempotency_key: str


class Example:
    """`example.call("payment.charge", "e1", {…})` with the key that step `charge` of execution e1 has."""

    def __init__(self, name: str) -> None:
        self.folder = ROOT / "workflows" / name
        self.world: Sandbox = _load(self.folder).world

    def call(self, action: str, execution: str, fields: Any, *, key: str = "") -> dict[str, Any]:
        caller = Caller(execution, action, 1, key or f"{execution}/{action}")
        return self.world.perform(self.world.actions[action], fields, caller)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with self.world.store.open() as db:
            return db.execute(sql).fetchall()

    def input(self, file: str) -> Any:
        return json.loads((self.folder / file).read_text())


def _load(folder: Path) -> ModuleType:
    """Every example has a package called `services`: each is imported under a name of its own."""
    name = f"gallery_{folder.name}"
    if name not in sys.modules:
        init = folder / "services" / "__init__.py"
        spec = importlib.util.spec_from_file_location(name, init, submodule_search_locations=[str(init.parent)])
        assert spec
        assert spec.loader
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
        importlib.import_module(f"{name}.__main__")
    return sys.modules[name]


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WFRUN_SANDBOX", str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.delenv("WFRUN_FAIL", raising=False)


@pytest.fixture
def example() -> Iterator[Callable[[str], Example]]:
    opened: list[Example] = []

    def load(name: str) -> Example:
        opened.append(Example(name))
        return opened[-1]

    yield load
    for each in opened:
        each.world.store.close()


@pytest.fixture
def serve(state: None) -> Iterator[Callable[[str], HTTPConnection]]:
    """`serve("order")`: a connection to `python -m services`, which ends with the test."""
    servers: list[subprocess.Popen[str]] = []
    connections: list[HTTPConnection] = []

    def start(name: str) -> HTTPConnection:
        command = [sys.executable, "-m", "services", "--port", "0"]
        server = subprocess.Popen(command, cwd=ROOT / "workflows" / name, stdout=subprocess.PIPE, text=True)
        servers.append(server)
        assert server.stdout
        port = int(server.stdout.readline().split(",")[0].rpartition(":")[2])
        connections.append(HTTPConnection("127.0.0.1", port, timeout=20))
        return connections[-1]

    yield start
    for connection in connections:
        connection.close()
    for server in servers:
        server.terminate()
        server.communicate(timeout=10)

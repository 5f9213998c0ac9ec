"""The judge: a process of its own that writes down every call of a service, whoever was killed while making it.

with Ledger() as ledger:
    (folder / "ledger.py").write_text(ledger.module)   # a service of the python adapter, beside the workflow
    …
    ledger.calls()                                     # raw calls, in the order in which they arrived
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from types import TracebackType
from typing import Any, NamedTuple

MODULE = """
import time
from tests.support.ledger import tell
from wfrun import ServiceError

def note(input, call):
    return {"noted": tell(PORT, call.idempotency_key, input)}

def slow(input, call):
    time.sleep(0.1)
    return note(input, call)

def flaky(input, call):
    if call.attempt < 3:
        raise TimeoutError("not yet")
    return note(input, call)

def late(input, call):
    note(input, call)
    if input % 2:
        raise ServiceError("timeout", "it has happened, but nobody knows")

def later(input, call):
    return late(input, call)

def refuse(input, call):
    raise ValueError("never")
"""


class Noted(NamedTuple):
    """A call as it came in: `at` in seconds by the ledger's own clock, which does not jump."""

    at: float
    key: str
    input: Any


class Ledger:
    def __enter__(self) -> Ledger:
        command = [sys.executable, "-c", "from tests.support.ledger import serve; serve()"]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout
        self._port = int(self._process.stdout.readline())
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._process.kill()
        self._process.communicate()

    @property
    def module(self) -> str:
        return MODULE.replace("PORT", str(self._port))

    def calls(self) -> list[Noted]:
        return [Noted(*each) for each in _ask(self._port, {})]


def tell(port: int, key: str, input: Any) -> int:
    """How many calls with this key there have been. The first is the one that has an effect."""
    return int(_ask(port, {"key": key, "input": input}))


def _ask(port: int, question: dict[str, Any]) -> Any:
    with socket.create_connection(("127.0.0.1", port), 30) as connection, connection.makefile("rw") as stream:
        stream.write(json.dumps(question) + "\n")
        stream.flush()
        return json.loads(stream.readline())


def serve() -> None:
    """Answers one question after the other, until it is killed; one whose asker has gone is written down, too."""
    calls: list[tuple[float, str, Any]] = []
    times: dict[str, int] = {}
    with socket.create_server(("127.0.0.1", 0), backlog=128) as server:
        print(server.getsockname()[1], flush=True)
        while True:
            connection, _ = server.accept()
            try:
                _serve_one(connection, calls, times)
            except (OSError, ValueError):
                continue


def _serve_one(connection: socket.socket, calls: list[tuple[float, str, Any]], times: dict[str, int]) -> None:
    with connection, connection.makefile("rw") as stream:
        question = json.loads(stream.readline())
        answer: Any = calls
        if question:
            key = question["key"]
            calls.append((time.monotonic(), key, question["input"]))
            answer = times[key] = times.get(key, 0) + 1
        stream.write(json.dumps(answer) + "\n")

"""The HTTP face, over real sockets."""

from __future__ import annotations

import json
import socket
import struct
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection, RemoteDisconnected
from threading import Thread
from typing import Any

import pytest

from wfrun.sandbox import Sandbox
from wfrun.sandbox.http import MAX_BODY_BYTES, Server

Answer = tuple[int, Any]
Rows = Callable[[str], list[tuple[Any, ...]]]


@pytest.fixture
def connection(world: Sandbox) -> Iterator[HTTPConnection]:
    with Server(world) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        host, port = server.server_address[:2]
        connection = HTTPConnection(str(host), port, timeout=10)
        yield connection
        connection.close()
        server.shutdown()
        thread.join()


def send(connection: HTTPConnection, path: str, body: Any, key: str = "k1", method: str = "POST") -> Answer:
    text = body if isinstance(body, bytes) else json.dumps(body)
    connection.request(method, path, text, {"Idempotency-Key": key})
    answer = connection.getresponse()
    return answer.status, json.loads(answer.read())


DEPOSIT = {"reference": "r1", "amount": 5}


def test_a_call_and_its_repetition_on_one_connection(connection: HTTPConnection, rows: Rows) -> None:
    first = send(connection, "/bank/deposits", DEPOSIT, "k7m2x9qd/pay")
    assert first == (200, {"saved": 5, "by": "pay"})
    assert send(connection, "/bank/deposits", DEPOSIT, "k7m2x9qd/pay") == first
    assert rows("SELECT execution, step, outcome FROM calls") == [
        ("k7m2x9qd", "pay", "done"),
        ("k7m2x9qd", "pay", "repeated"),
    ]


def test_a_parameter_of_the_path_is_part_of_the_input(connection: HTTPConnection) -> None:
    send(connection, "/bank/deposits", {"reference": "r/1", "amount": 5})
    assert send(connection, "/bank/deposits/r%2F1/withdrawal", {}, "c1") == (200, {"returned": 5})


def test_without_a_key_every_call_is_one_of_its_own(connection: HTTPConnection, rows: Rows) -> None:
    assert send(connection, "/bank/deposits", DEPOSIT, "")[0] == 200
    assert send(connection, "/bank/deposits", DEPOSIT | {"reference": "r2"}, "")[0] == 200
    assert rows("SELECT count(*) FROM deposits") == [(2,)]


@pytest.mark.parametrize(
    ("fault", "status", "error"),
    [
        ("decline", 402, {"type": "bank.declined", "message": "bank.deposit was declined", "retryable": False}),
        ("down", 503, {"type": "http.503", "message": "bank is down", "retryable": True}),
    ],
)
def test_an_error_is_json_with_its_type(
    connection: HTTPConnection, monkeypatch: pytest.MonkeyPatch, fault: str, status: int, error: dict[str, Any]
) -> None:
    monkeypatch.setenv("WFRUN_FAIL", f"bank={fault}")
    assert send(connection, "/bank/deposits", DEPOSIT) == (status, {"error": error})


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "type"),
    [
        ("POST", "/bank/deposit", {}, 404, "http.404"),
        ("GET", "/bank/deposits", {}, 404, "http.404"),
        ("POST", "/", {}, 404, "http.404"),
        ("POST", "/bank/deposits", b"{", 400, "request.invalid"),
        ("POST", "/bank/deposits", b"\xff", 400, "request.invalid"),
        ("POST", "/bank/deposits", b"[" * 100_000, 400, "request.invalid"),
        ("POST", "/bank/deposits", [1], 400, "request.invalid"),
        ("POST", "/bank/deposits", {"amount": 1}, 400, "request.invalid"),
        ("POST", "/bank/deposits", {"reference": "r1", "amount": 2000}, 500, "service.defect"),
        ("POST", "/bank/deposits", b"x" * (MAX_BODY_BYTES + 1), 413, "http.413"),
    ],
)
def test_bad_requests_are_answered_and_the_server_lives_on(
    connection: HTTPConnection, method: str, path: str, body: Any, status: int, type: str
) -> None:
    answer = send(connection, path, body, method=method)
    assert (answer[0], answer[1]["error"]["type"]) == (status, type)
    assert send(connection, "/bank/deposits", DEPOSIT, "k2")[0] == 200


def test_a_lost_answer_is_a_closed_connection_and_the_effect_is_there(
    connection: HTTPConnection, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WFRUN_FAIL", "bank=lost")
    with pytest.raises(RemoteDisconnected):
        send(connection, "/bank/deposits", DEPOSIT)
    assert rows("SELECT count(*) FROM deposits") == [(1,)]
    connection.close()
    assert send(connection, "/bank/deposits", DEPOSIT) == (200, {"saved": 5, "by": ""})


def test_whoever_hangs_up_early_does_not_stop_the_effect_but_an_undo_does(
    connection: HTTPConnection, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WFRUN_FAIL", "bank=slow:300")
    connection.request("POST", "/bank/deposits", json.dumps(DEPOSIT), {"Idempotency-Key": "k1"})
    while not rows("SELECT 1 FROM calls"):
        pass
    connection.close()
    assert send(connection, "/bank/deposits/r1/withdrawal", {}, "c1") == (200, {"returned": 0})
    while rows("SELECT outcome FROM calls WHERE key = 'k1'") == [(None,)]:
        pass
    assert rows("SELECT outcome FROM calls WHERE key = 'k1'") == [("bank.undone",)]
    assert rows("SELECT count(*) FROM deposits") == [(0,)]


def break_off(connection: HTTPConnection) -> None:
    """Ends the connection with a reset, as a killed process may."""
    connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def test_whoever_is_killed_leaves_no_traceback(
    connection: HTTPConnection, rows: Rows, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert send(connection, "/bank/deposits/r0/withdrawal", {}, "c1")[0] == 200
    break_off(connection)
    monkeypatch.setenv("WFRUN_FAIL", "bank=slow:50")
    connection.request("POST", "/bank/deposits", json.dumps(DEPOSIT), {"Idempotency-Key": "k1"})
    break_off(connection)
    while rows("SELECT outcome FROM calls WHERE key = 'k1'") != [("done",)]:
        pass
    assert send(connection, "/bank/deposits", DEPOSIT)[0] == 200
    assert capfd.readouterr().err == ""


def test_two_hundred_calls_fifty_at_once(connection: HTTPConnection, rows: Rows) -> None:
    def call(number: int) -> int:
        own = HTTPConnection(connection.host, connection.port, timeout=20)
        status, _ = send(own, "/bank/deposits", {"reference": f"r{number}", "amount": 1}, f"k{number}")
        own.close()
        return status

    with ThreadPoolExecutor(50) as pool:
        assert set(pool.map(call, range(200))) == {200}
    assert rows("SELECT count(*) FROM deposits") == [(200,)]

from __future__ import annotations

import asyncio
import json
from base64 import b64encode
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request as Received
from werkzeug import Response

from tests.unit.adapters.http_support import answer, echo_all, failure, sent, service, silent, with_raw_server
from tests.unit.adapters.support import SECRET, a_call, ask, pool
from wfrun.adapters import http
from wfrun.core.values import Json
from wfrun.errors import ServiceError


@pytest.fixture
def echoing(httpserver: HTTPServer) -> HTTPServer:
    return echo_all(httpserver)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
def test_the_input_is_the_body(echoing: HTTPServer, method: str) -> None:
    seen = sent(echoing, f"{method} /pay", {"amount": 5, "to": "Zoë"})
    assert (seen["method"], seen["path"]) == (method, "/api/pay")
    assert json.loads(seen["body"]) == {"amount": 5, "to": "Zoë"}
    assert seen["headers"]["content-type"] == "application/json"


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_what_the_path_does_not_use_of_the_input_is_the_query(echoing: HTTPServer, method: str) -> None:
    seen = sent(echoing, f"{method} /orders/{{id}}", {"id": 7, "tag": ["a b", "c&d"], "paid": True, "none": None})
    assert (seen["method"], seen["body"]) == (method, "")
    assert seen["path"] == "/api/orders/7?tag=a%20b&tag=c%26d&paid=true"


@pytest.mark.parametrize(
    ("value", "segment"),
    [
        ("a/b", "a%2Fb"),
        ("a?x=1#y", "a%3Fx%3D1%23y"),
        ("../up", "..%2Fup"),
        ("ü", "%C3%BC"),
        (1.5, "1.5"),
        ("%2e", "%252e"),
    ],
)
def test_a_path_parameter_stays_one_segment(echoing: HTTPServer, value: Json, segment: str) -> None:
    assert sent(echoing, "POST /o/{id}", {"id": value})["path"] == f"/api/o/{segment}"


def test_a_path_parameter_can_be_nested(echoing: HTTPServer) -> None:
    assert sent(echoing, "POST /o/{order.id}", {"order": {"id": "A"}})["path"] == "/api/o/A"


@pytest.mark.parametrize("input", [{}, None, "text", {"id": None}, {"id": []}, {"id": ""}, {"id": ".."}, {"id": "."}])
def test_a_path_parameter_that_is_no_use_is_an_error(echoing: HTTPServer, input: Json) -> None:
    error = failure(echoing, "GET /o/{id}", input)
    assert (error.type, error.retryable) == ("http.parameter", False)


@pytest.mark.parametrize("input", ["text", [1], {"nested": {"a": 1}}])
def test_an_input_that_cannot_be_a_query_is_an_error(echoing: HTTPServer, input: Json) -> None:
    assert failure(echoing, "GET /o", input).type == "http.query"


def test_the_idempotency_key_is_always_sent(echoing: HTTPServer) -> None:
    for action in ("POST /pay", "GET /pay", {"method": "POST", "path": "/pay", "headers": {"Idempotency-Key": "mine"}}):
        assert sent(echoing, action)["headers"]["idempotency-key"] == "k7m2x9qd/pay"


def test_an_idempotency_key_that_no_header_can_carry_is_percent_encoded(echoing: HTTPServer) -> None:
    async def scenario() -> Any:
        async with pool(service(echoing, "POST /pay")) as services:
            return await services.call(a_call("go")._replace(idempotency_key="Größe\r\nX: 1"))

    assert asyncio.run(scenario())["headers"]["idempotency-key"] == "Gr%C3%B6%C3%9Fe%0D%0AX%3A%201"


def test_a_mapping_says_what_to_send_and_what_to_keep(echoing: HTTPServer) -> None:
    action = {
        "method": "POST",
        "path": "/search?deep=1",
        "query": {"q": "$.word", "region": "${env.REGION}"},
        "headers": {"X-Tenant": "${$.tenant}"},
        "body": {"only": "$.word"},
        "result": {"path": "$.path", "tenant": "$.headers['x-tenant']", "body": "$.body"},
    }
    assert sent(echoing, action, {"word": "a b", "tenant": 5}) == {
        "path": "/api/search?deep=1&q=a%20b&region=eu-west",
        "tenant": "5",
        "body": '{"only":"a b"}',
    }


def test_an_answer_without_what_result_asks_for_is_an_error_of_its_own(echoing: HTTPServer) -> None:
    error = failure(echoing, {"method": "POST", "path": "/pay", "result": "$.pahts[0]"})
    assert (error.type, error.retryable) == ("http.result", False)
    assert "POST" in error.message
    assert "pahts" in error.message


def test_a_header_cannot_be_smuggled_in(echoing: HTTPServer) -> None:
    action = {"method": "POST", "path": "/pay", "headers": {"X-Note": "$.note"}}
    assert failure(echoing, action, {"note": "a\r\nX-Admin: 1"}).type == "http.header"


@pytest.mark.parametrize(
    ("auth", "header", "value"),
    [
        ({"type": "bearer", "token": "${secret.TOKEN}"}, "authorization", f"Bearer {SECRET}"),
        (
            {"type": "basic", "username": "me", "password": "${secret.TOKEN}"},
            "authorization",
            "Basic " + b64encode(f"me:{SECRET}".encode()).decode(),
        ),
        ({"type": "header", "name": "X-Key", "value": "${secret.TOKEN}"}, "x-key", SECRET),
    ],
)
def test_credentials_are_sent_and_never_come_back(
    httpserver: HTTPServer, auth: dict[str, str], header: str, value: str
) -> None:
    received: list[str] = []

    def handler(request: Received) -> Response:
        received.append(request.headers[header])
        return Response(
            json.dumps({"error": {"type": "auth.bad", "message": f"got {value}"}}), 401, content_type="application/json"
        )

    httpserver.expect_request("/api/pay").respond_with_handler(handler)
    error = failure(httpserver, auth=auth)
    assert received == [value]
    assert error.type == "auth.bad"
    assert "***" in error.message
    assert SECRET not in error.message
    assert value not in error.message


def test_headers_of_the_entry_go_with_every_request(echoing: HTTPServer) -> None:
    seen = sent(echoing, "GET /x", headers={"X-Region": "${env.REGION}", "Accept": "text/plain"})
    assert seen["headers"]["x-region"] == "eu-west"
    assert seen["headers"]["accept"] == "text/plain"


@pytest.mark.parametrize(
    ("body", "content_type", "result"),
    [
        (b'{"a": 1}', "application/json", {"a": 1}),
        (b"[1, 2]", "application/vnd.api+json; charset=utf-8", [1, 2]),
        (b"", "application/json", None),
        (b"", "", None),
        (b"hello", "text/plain", "hello"),
        ("Zoë".encode("latin-1"), "text/plain; charset=iso-8859-1", "Zoë"),
    ],
)
def test_what_an_answer_becomes(httpserver: HTTPServer, body: bytes, content_type: str, result: Json) -> None:
    httpserver.expect_request("/api/pay").respond_with_data(body, 201, content_type=content_type)
    assert answer(httpserver) == result


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"{", "application/json"),
        (b"NaN", "application/json"),
        (b"[" * 100_000, "application/json"),
        (b"\xff", "text/plain"),
        (b"a", "text/plain; charset=nope"),
    ],
)
def test_an_answer_that_cannot_be_read_is_an_error(httpserver: HTTPServer, body: bytes, content_type: str) -> None:
    httpserver.expect_request("/api/pay").respond_with_data(body, content_type=content_type)
    error = failure(httpserver)
    assert (error.type, error.status) == ("http.body", 200)


def test_an_answer_in_json_that_is_no_plain_data_is_an_error(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/api/pay").respond_with_data(b'{"a": [1e999]}', content_type="application/json")
    assert "result.a[0]" in failure(httpserver).message


def test_a_status_is_an_error_with_the_body_as_details(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/api/pay").respond_with_json({"why": "busy"}, 503, headers={"Retry-After": "7"})
    error = failure(httpserver)
    assert (error.type, error.status, error.retry_after_ms, error.retryable) == ("http.503", 503, 7000, None)
    assert error.details == {"body": {"why": "busy"}}
    assert "503 Service Unavailable" in error.message


def test_a_long_body_of_an_error_is_cut(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/api/pay").respond_with_data("x" * 100_000, 500)
    assert len(json.dumps(failure(httpserver).details)) < 5_000


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (
            {"error": {"type": "payment.declined", "message": "no funds", "details": {"code": 51}, "retryable": False}},
            "application/json",
        ),
        (
            {
                "type": "payment.declined",
                "title": "Declined",
                "detail": "no funds",
                "details": {"code": 51},
                "retryable": False,
            },
            "application/problem+json",
        ),
    ],
)
def test_an_error_that_the_service_states_keeps_its_type(
    httpserver: HTTPServer, body: dict[str, Any], content_type: str
) -> None:
    httpserver.expect_request("/api/pay").respond_with_data(json.dumps(body), 402, content_type=content_type)
    error = failure(httpserver)
    assert (error.type, error.message, error.status) == ("payment.declined", "no funds", 402)
    assert (error.details, error.retryable) == ({"code": 51}, False)


@pytest.mark.parametrize(
    "body",
    [
        {"error": "text"},
        {"type": "https://example.com/errors/1"},
        {"error": {"type": "plain"}},
        {"error": {"type": "a b.c"}},
        [],
    ],
)
def test_a_body_without_a_dotted_type_states_nothing(httpserver: HTTPServer, body: Any) -> None:
    httpserver.expect_request("/api/pay").respond_with_json(body, 400)
    assert failure(httpserver).type == "http.400"


def test_a_refused_connection(httpserver: HTTPServer) -> None:
    settings = service(httpserver, "POST /pay") | {"baseUrl": "http://127.0.0.1:9"}
    with pytest.raises(ServiceError) as caught:
        ask(settings, "go")
    assert caught.value.type == "http.connection"
    assert "http://127.0.0.1:9/pay" in caught.value.message


def test_a_server_that_is_too_slow(httpserver: HTTPServer) -> None:
    async def scenario(port: int) -> None:
        async with pool(
            service(httpserver, "POST /pay") | {"baseUrl": f"http://127.0.0.1:{port}", "timeout": 100}
        ) as services:
            with pytest.raises(ServiceError) as caught:
                await services.call(a_call("go"))
        assert caught.value.type == "timeout"

    asyncio.run(with_raw_server(silent, scenario))


def test_an_answer_that_is_too_large_is_not_read(httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "MAX_BODY", 1_000_000)
    httpserver.expect_request("/api/pay").respond_with_data(b"x" * 1_000_001)
    assert failure(httpserver).type == "http.too-large"
    httpserver.clear()
    httpserver.expect_request("/api/pay").respond_with_data(b"x" * 1_000_000)
    assert answer(httpserver) == "x" * 1_000_000

from __future__ import annotations

import asyncio
import json
import re
from base64 import b64encode
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request as Received
from werkzeug import Response

from tests.unit.adapters.support import SECRET, a_call, ask, config, pool
from wfrun.adapters import http
from wfrun.adapters.registry import open_service
from wfrun.core.values import Json
from wfrun.errors import InvalidError, ServiceError

PATHS = re.compile("^/api/.*")


def service(server: HTTPServer, action: Any, **more: Any) -> dict[str, Any]:
    return {"adapter": "http", "baseUrl": server.url_for("/api"), "actions": {"go": action}, **more}


def answer(server: HTTPServer, action: Any = "POST /pay", input: Json = None, **more: Any) -> Json:
    return ask(service(server, action, **more), "go", input)


def failure(server: HTTPServer, action: Any = "POST /pay", input: Json = None, **more: Any) -> ServiceError:
    with pytest.raises(ServiceError) as caught:
        answer(server, action, input, **more)
    return caught.value


def echo(request: Received) -> Response:
    """Answers with what arrived."""
    seen = {
        "method": request.method,
        "path": request.environ["REQUEST_URI"],
        "headers": {name.lower(): value for name, value in request.headers.items()},
        "body": request.get_data(as_text=True),
    }
    return Response(json.dumps(seen), content_type="application/json")


@pytest.fixture
def echoing(httpserver: HTTPServer) -> HTTPServer:
    httpserver.expect_request(PATHS).respond_with_handler(echo)
    return httpserver


def sent(server: HTTPServer, action: Any, input: Json = None, **more: Any) -> Any:
    return answer(server, action, input, **more)


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
        from dataclasses import replace

        async with pool(service(echoing, "POST /pay")) as services:
            return await services.call(replace(a_call("go"), idempotency_key="Größe\r\nX: 1"))

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


@pytest.mark.parametrize(("status", "method"), [(303, "GET"), (307, "POST"), (308, "POST")])
def test_a_redirect_to_the_same_origin_is_followed(echoing: HTTPServer, status: int, method: str) -> None:
    echoing.expect_oneshot_request("/old").respond_with_data("", status, headers={"Location": "/api/new"})
    seen = ask(service(echoing, "POST /old") | {"baseUrl": echoing.url_for("")}, "go", {"a": 1})
    assert isinstance(seen, dict)
    assert (seen["method"], seen["path"]) == (method, "/api/new")
    assert seen["body"] == ('{"a":1}' if method == "POST" else "")


def test_a_redirect_of_a_post_by_302_is_an_error(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/api/pay").respond_with_data("", 302, headers={"Location": "/api/x"})
    assert failure(httpserver).type == "http.302"


def test_a_redirect_in_circles_ends(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/api/pay").respond_with_data("", 307, headers={"Location": "/api/pay"})
    assert failure(httpserver).type == "http.redirect"


def test_a_redirect_to_another_host_is_not_followed(httpserver: HTTPServer) -> None:
    with HTTPServer(port=0) as other:
        other.expect_request("/steal").respond_with_json("stolen")
        httpserver.expect_request("/api/pay").respond_with_data("", 307, headers={"Location": other.url_for("/steal")})
        assert failure(httpserver, auth={"type": "bearer", "token": "${secret.TOKEN}"}).type == "http.307"
        assert other.log == []


def test_cookies_are_not_kept(echoing: HTTPServer) -> None:
    echoing.expect_oneshot_request("/api/login").respond_with_data("", headers={"Set-Cookie": "session=1"})

    async def scenario() -> Any:
        settings = service(echoing, "POST /x") | {"actions": {"login": "POST /login", "go": "POST /x"}}
        async with pool(settings) as services:
            await services.call(a_call("login"))
            return await services.call(a_call("go"))

    assert "cookie" not in asyncio.run(scenario())["headers"]


FROM_DATA = {"method": "POST", "url": "$.callback"}


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "[::1]", "169.254.169.254", "10.0.0.1", "[::ffff:127.0.0.1]", "0.0.0.0"]
)
def test_a_url_of_data_does_not_lead_to_private_addresses(httpserver: HTTPServer, host: str) -> None:
    error = failure(httpserver, FROM_DATA, {"callback": f"http://{host}:1/x"})
    assert (error.type, error.retryable) == ("http.address", False)


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "ftp://example.com",
        "//example.com",
        "http://",
        "http://u:p@example.com",
        "http://a b",
        5,
        "http://a:x",
    ],
)
def test_a_url_of_data_is_http_and_carries_no_password(httpserver: HTTPServer, url: Json) -> None:
    error = failure(httpserver, FROM_DATA, {"callback": url})
    assert error.type == "http.url"
    assert "u:p" not in error.message


def test_a_url_of_data_gets_no_credentials_unless_it_is_of_the_service(echoing: HTTPServer) -> None:
    credentials: dict[str, Any] = {"auth": {"type": "bearer", "token": "abcd"}, "headers": {"X-Api": "k"}}
    own = sent(echoing, FROM_DATA, {"callback": echoing.url_for("/api/x")}, **credentials)
    assert own["headers"]["authorization"] == "Bearer abcd"
    with HTTPServer(host="localhost", port=0) as other:
        other.expect_request("/x").respond_with_handler(echo)
        seen = sent(echoing, FROM_DATA, {"callback": other.url_for("/x?a=1")}, allowPrivate=True, **credentials)
        assert seen["headers"]["host"] == f"localhost:{other.port}"
    assert seen["path"] == "/x?a=1"
    assert not {"authorization", "x-api"} & seen["headers"].keys()


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Reads, never answers, and ends when the other side has closed."""
    while await reader.read(1000):
        pass


Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def with_raw_server(handler: Handler, scenario: Callable[[int], Awaitable[None]]) -> None:
    """Runs a scenario against a server of our own, and then sees that every connection was closed by the client."""
    closed: list[asyncio.Task[None]] = []

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        closed.append(task)
        await handler(reader, writer)
        writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    async with server:
        await scenario(server.sockets[0].getsockname()[1])
        assert closed, "nothing has connected"
        async with asyncio.timeout(2):
            await asyncio.gather(*closed)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_cancelled_call_closes_its_connection(scheme: str) -> None:
    async def scenario(port: int) -> None:
        settings = {"adapter": "http", "baseUrl": f"{scheme}://127.0.0.1:{port}", "actions": {"go": "POST /pay"}}
        services = pool(settings)
        opened = await services.__aenter__()
        task = asyncio.create_task(opened.call(a_call("go", {"a": 1})))
        await asyncio.sleep(0.5)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        # The pool stays open here: the connection must be closed by the cancellation, not by the end of the service.
        open_pools.append(services)

    open_pools: list[Any] = []

    async def main() -> None:
        await with_raw_server(silent, scenario)
        await open_pools[0].__aexit__(None, None, None)

    asyncio.run(main())


def test_connections_are_kept_between_calls(httpserver: HTTPServer) -> None:
    connections = 0

    async def keeping(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        while await reader.read(10_000):
            writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")

    async def scenario(port: int) -> None:
        async with pool(service(httpserver, "GET /x") | {"baseUrl": f"http://127.0.0.1:{port}"}) as services:
            for _ in range(5):
                await services.call(a_call("go"))

    asyncio.run(with_raw_server(keeping, scenario))
    assert connections == 1


@pytest.mark.parametrize(
    ("settings", "path"),
    [
        ({"baseUrl": None}, "services.svc.baseUrl"),
        ({"baseUrl": "$.url"}, "services.svc.baseUrl"),
        ({"actions": {}}, "services.svc.actions"),
        ({"actions": {"go": "PAY /x"}}, "services.svc.actions.go"),
        ({"actions": {"go": "POST x"}}, "services.svc.actions.go"),
        ({"actions": {"go": "POST"}}, "services.svc.actions.go"),
        ({"actions": {"go": "POST /x/{a b}"}}, "services.svc.actions.go"),
        ({"actions": {"go": "POST /x/${$.a}"}}, "services.svc.actions.go.path"),
        ({"actions": {"go": {"method": "GET", "path": "/x", "url": "$.u"}}}, "services.svc.actions.go"),
        ({"actions": {"go": {"method": "GET", "path": "/x", "colour": 1}}}, "services.svc.actions.go"),
        ({"actions": {"go": FROM_DATA | {"headers": {"A": "${secret.TOKEN}"}}}}, "services.svc.actions.go"),
        ({"auth": {"type": "bearer"}}, "services.svc.auth"),
        ({"auth": {"type": "digest", "token": "x"}}, "services.svc.auth"),
        ({"headers": {"A": "$.a"}}, "services.svc.headers"),
        ({"timeout": "soon"}, "services.svc.timeout"),
    ],
)
def test_a_wrong_entry_is_refused_with_its_place(settings: dict[str, Any], path: str) -> None:
    whole = {"adapter": "http", "baseUrl": "http://localhost", "actions": {"go": "POST /x"}, **settings}
    with pytest.raises(InvalidError) as caught:
        open_service(config(whole, Path()))
    assert caught.value.place.path == path


@pytest.mark.parametrize("url", ["ftp://x", "http://me:pw@x", "x", "http://x?a=1"])
def test_a_base_url_is_checked_when_it_is_known(url: str) -> None:
    with pytest.raises(ServiceError) as caught:
        ask({"adapter": "http", "baseUrl": url, "actions": {"go": "POST /x"}}, "go")
    assert caught.value.type == "http.url"
    assert "pw" not in caught.value.message

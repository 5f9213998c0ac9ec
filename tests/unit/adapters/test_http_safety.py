from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer

from tests.unit.adapters.http_support import echo, echo_all, failure, sent, service, silent, with_raw_server
from tests.unit.adapters.support import a_call, ask, config, pool
from wfrun.adapters.registry import open_service
from wfrun.core.values import Json
from wfrun.errors import InvalidError, ServiceError


@pytest.fixture
def echoing(httpserver: HTTPServer) -> HTTPServer:
    return echo_all(httpserver)


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


@pytest.mark.parametrize("location", ["http://[::1", "http://127.0.0.1:99999/", "http://127.0.0.1:x/"])
def test_a_redirect_to_what_is_no_url_is_an_error_of_its_status(location: str) -> None:
    async def redirect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(f"HTTP/1.1 307 Go\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n".encode())
        await silent(reader, writer)

    async def scenario(port: int) -> None:
        settings = {"adapter": "http", "baseUrl": f"http://127.0.0.1:{port}", "actions": {"go": "POST /pay"}}
        async with pool(settings) as services:
            with pytest.raises(ServiceError) as caught:
                await services.call(a_call("go"))
        assert (caught.value.type, caught.value.status) == ("http.307", 307)

    asyncio.run(with_raw_server(redirect, scenario))


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
        "http://a..b",
        "http://" + "a" * 70 + ".example",
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


@pytest.mark.parametrize(("action", "expected"), [("GET /x", 1), (FROM_DATA, 5)])
def test_connections_are_kept_between_calls_unless_the_url_is_data(
    httpserver: HTTPServer, action: Any, expected: int
) -> None:
    connections = 0

    async def keeping(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        while await reader.read(10_000):
            writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")

    async def scenario(port: int) -> None:
        base = f"http://127.0.0.1:{port if action == 'GET /x' else 9}"
        async with pool(service(httpserver, action) | {"baseUrl": base, "allowPrivate": True}) as services:
            for _ in range(5):
                await services.call(a_call("go", {"callback": f"http://127.0.0.1:{port}/"}))

    asyncio.run(with_raw_server(keeping, scenario))
    assert connections == expected


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
        ({"actions": {"go": {"method": "GET", "path": "/x", "colour": 1}}}, "services.svc.actions.go.colour"),
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

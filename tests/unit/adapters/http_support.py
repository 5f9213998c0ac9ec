"""Servers for the tests of the http adapter, and calls to them."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request as Received
from werkzeug import Response

from tests.unit.adapters.support import ask
from wfrun.core.values import Json
from wfrun.errors import ServiceError


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


def echo_all(server: HTTPServer) -> HTTPServer:
    """Everything below /api is echoed."""
    server.expect_request(re.compile("^/api/.*")).respond_with_handler(echo)
    return server


def sent(server: HTTPServer, action: Any, input: Json = None, **more: Any) -> Any:
    return answer(server, action, input, **more)


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

"""Services over HTTP: one request per call, over connections that are kept open between calls."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from wfrun.adapters.addresses import public_address
from wfrun.adapters.contract import Call, Service, ServiceConfig
from wfrun.adapters.failures import shortage, words
from wfrun.adapters.http_answer import Answer, result_of
from wfrun.adapters.http_request import Action, Request, Requests, missing_base_url, origin, parse_action
from wfrun.adapters.templates import Entry, action_table
from wfrun.core.values import Json
from wfrun.errors import ExpressionError, ServiceError

if TYPE_CHECKING:
    import httpx2

MAX_BODY = 128 * 1024 * 1024
MAX_REDIRECTS = 5
CONNECT_SECONDS = 10.0
DEFAULT_SECONDS = 60.0


def open_service(config: ServiceConfig) -> Service:
    """Settings: `baseUrl`, `actions`, `headers`, `auth`, `timeout`, `allowPrivate` (see docs/adapters.md)."""
    return HttpService(config)


class HttpService:
    def __init__(self, config: ServiceConfig) -> None:
        entry = self._entry = Entry(config)
        if not isinstance(config.settings.get("baseUrl"), str):
            raise missing_base_url(entry)
        self._requests = Requests(entry)
        self._actions = {name: parse_action(entry, name, value) for name, value in action_table(config).items()}
        timeout = config.settings.get("timeout")
        self._seconds = None if timeout is None else entry.milliseconds(timeout, "timeout") / 1000
        self._allow_private = config.settings.get("allowPrivate") is True
        self._clients: dict[tuple[bool, bool], httpx2.AsyncClient] = {}

    async def call(self, call: Call) -> Json:
        action = self._actions.get(call.action)
        if action is None:
            raise ServiceError("service.action", f"the service has no action {call.action!r}", retryable=False)
        request = self._requests.build(action, call)
        answer = await self._ask(request, self._limit(call))
        return self._chosen(action, result_of(answer), answer.where)

    def _limit(self, call: Call) -> float | None:
        """Seconds. Where the step has a deadline of its own the engine stops the call; otherwise we do."""
        return self._seconds or (None if call.deadline else DEFAULT_SECONDS)

    def _chosen(self, action: Action, body: Json, where: str) -> Json:
        if action.result is None:
            return body
        try:
            return self._entry.resolve(action.result, body)
        except ExpressionError as error:
            # A type of its own: unlike any other wrong expression, this one comes after the service has acted.
            message = f"{where} answered without what `result` asks for: {error.message}"
            raise ServiceError("http.result", message, retryable=False) from None

    async def _ask(self, request: Request, seconds: float | None) -> Answer:
        where = f"{request.method} {request.url.partition('?')[0]}"
        try:
            return await self._exchange(request, where, seconds)
        except OSError as error:
            # From a module, certificates or a file that could not be read: what a connection meets has become an error.
            raise _no_connection(where, error) from None

    async def _exchange(self, request: Request, where: str, seconds: float | None) -> Answer:
        import httpx2

        try:
            async with asyncio.timeout(seconds):
                return await self._follow(request, where)
        except (TimeoutError, httpx2.TimeoutException):
            raise ServiceError("timeout", f"{where} did not answer in time") from None
        except httpx2.InvalidURL as error:
            raise ServiceError("http.url", f"{where}: {error}", retryable=False) from None
        except httpx2.DecodingError as error:
            raise ServiceError("http.body", f"{where} answered with a body that cannot be decoded: {error}") from None
        except httpx2.TransportError as error:
            raise _no_connection(where, error) from None

    async def _follow(self, request: Request, where: str) -> Answer:
        """Redirects are followed to the same origin only: credentials and data go nowhere else."""
        for _ in range(MAX_REDIRECTS + 1):
            async with self._sent(request) as response:
                moved = _redirected(request, response)
                if moved is None:
                    return await _read(response, where)
            request = moved
        raise ServiceError("http.redirect", f"{where} was redirected more than {MAX_REDIRECTS} times", retryable=False)

    @asynccontextmanager
    async def _sent(self, request: Request) -> AsyncIterator[httpx2.Response]:
        secure = urlsplit(request.url).scheme == "https"
        client = self._client(secure, request.trusted)
        url, headers, extensions = await self._address(request)
        async with _handshake(extensions) if secure else nullcontext():
            sending = client.build_request(
                request.method, url, headers=headers, content=request.content, extensions=extensions
            )
            response = await client.send(sending, stream=True)
        try:
            yield response
        finally:
            await response.aclose()

    async def _address(self, request: Request) -> tuple[str, dict[str, str], dict[str, Any]]:
        """Where to send a request; one whose URL comes from data goes to the very address that was checked."""
        if request.trusted:
            return request.url, request.headers, {}
        parts = urlsplit(request.url)
        _, host, port = origin(request.url)
        assert host is not None
        address = await public_address(host, port, allow_private=self._allow_private)
        netloc = f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
        return parts._replace(netloc=netloc).geturl(), {**request.headers, "host": parts.netloc}, {"sni_hostname": host}

    def _client(self, secure: bool, trusted: bool) -> httpx2.AsyncClient:
        """Proxies of the environment are used for the author's URLs; a proxy would undo the check of others."""
        if (secure, trusted) not in self._clients:
            self._clients[secure, trusted] = _open_client(secure=secure, trusted=trusted)
        return self._clients[secure, trusted]

    async def close(self) -> None:
        clients, self._clients = self._clients, {}
        for client in clients.values():
            await client.aclose()


def _open_client(*, secure: bool, trusted: bool) -> httpx2.AsyncClient:
    from http.cookiejar import CookieJar, DefaultCookiePolicy

    import httpx2

    return httpx2.AsyncClient(
        # Reading the certificates takes 130 ms, which a client for plain HTTP alone need not spend.
        verify=httpx2.create_ssl_context() if secure else False,
        trust_env=trusted,
        # A cookie that one execution was given must not be sent by another.
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        timeout=httpx2.Timeout(None, connect=CONNECT_SECONDS),
        # Connections to a checked address are not kept: they are known by the address, and the certificate that one of
        # them has shown says nothing about another name that leads to the same address.
        limits=httpx2.Limits(max_connections=None, max_keepalive_connections=100 if trusted else 0),
    )


@asynccontextmanager
async def _handshake(extensions: dict[str, Any]) -> AsyncIterator[None]:
    """Closes a connection whose TLS handshake is cut short: httpcore2 leaves it open when it is cancelled there."""
    half_open: list[Any] = []

    async def trace(event: str, info: dict[str, Any]) -> None:
        if event == "connection.connect_tcp.complete":
            half_open.append(info["return_value"])
        elif event == "connection.start_tls.complete":
            half_open.clear()

    extensions["trace"] = trace
    try:
        yield
    except BaseException:
        for stream in half_open:
            await stream.aclose()
        raise


def _redirected(request: Request, response: httpx2.Response) -> Request | None:
    """The request to follow up with; None if the response is the answer."""
    location = response.headers.get("location")
    if location is None or response.status_code not in (301, 302, 303, 307, 308) or not request.trusted:
        return None
    url = _target(request.url, location)
    if url is None or origin(url) != origin(request.url):
        return None
    if response.status_code == 303 and request.method != "HEAD":
        return request._replace(url=url, method="GET", content=None)
    if response.status_code in (301, 302) and request.method not in ("GET", "HEAD"):
        # Clients have never agreed on what this means for a POST (RFC 9110, 15.4.2), so it is an error here.
        return None
    return request._replace(url=url)


def _target(url: str, location: str) -> str | None:
    """Where a redirect leads; None if that is no URL."""
    try:
        target = urljoin(url, location)
        origin(target)
    except ValueError:
        return None
    return target


def _no_connection(where: str, error: Exception) -> ServiceError:
    lacking = shortage(error)
    trouble = f"this machine has no more for a connection: {lacking}" if lacking else words(error)
    message = f"{where}: {trouble or type(error).__name__}"
    return ServiceError("http.connection", message, retryable=True if lacking else None)


async def _read(response: httpx2.Response, where: str) -> Answer:
    content = bytearray()
    async for chunk in response.aiter_bytes():
        content += chunk
        if len(content) > MAX_BODY:
            message = f"{where} answered with more than {MAX_BODY // 1024 // 1024} MiB"
            raise ServiceError("http.too-large", message, status=response.status_code, retryable=False)
    return Answer(
        where,
        response.status_code,
        response.headers.get("content-type", ""),
        response.charset_encoding,
        response.headers.get("retry-after"),
        bytes(content),
    )

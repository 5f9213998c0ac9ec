"""The HTTP face: the routes of every action, JSON in and out, `Idempotency-Key`, errors as `{"error": {…}}`."""

from __future__ import annotations

import json
import re
import sys
import traceback
from contextlib import suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from wfrun.errors import ServiceError
from wfrun.sandbox.call import Action, invalid
from wfrun.sandbox.faults import AnswerLost
from wfrun.sandbox.sandbox import Sandbox

MAX_BODY_BYTES = 1 << 20
MAX_DRAIN_BYTES = 16 << 20


@dataclass(frozen=True, slots=True)
class Visitor:
    """A caller known by nothing but its key. wfrun's keys begin with the execution, then the step."""

    execution: str
    step: str
    attempt: int
    idempotency_key: str


class Server(ThreadingHTTPServer):
    """Serves all systems of one sandbox, a thread for each connection. Port 0 takes a free one."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, sandbox: Sandbox, host: str = "127.0.0.1", port: int = 0) -> None:
        self.sandbox = sandbox
        self.routes = [(action, _pattern(action.path)) for action in sandbox.actions.values()]
        super().__init__((host, port), Handler)

    @property
    def url(self) -> str:
        return f"http://{self.server_address[0]!s}:{self.server_address[1]}"

    def find(self, method: str, path: str) -> tuple[Action, dict[str, str]]:
        """The action that is meant and its path parameters. Raises ServiceError `http.404`."""
        for action, pattern in self.routes:
            if action.method == method and (match := pattern.fullmatch(path)):
                return action, {name: unquote(value) for name, value in match.groupdict().items()}
        raise ServiceError("http.404", f"there is no {method} {path}", status=404, retryable=False)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # head and body are two writes; together with delayed acks they would take 40 ms
    timeout = 120
    server: Server

    def handle(self) -> None:
        with suppress(ConnectionError):  # whoever asked was killed, or did not wait: nothing to tell anybody
            super().handle()

    def do_POST(self) -> None:
        try:
            status, answer = 200, self._perform()
        except AnswerLost:
            self.close_connection = True
            return
        except ServiceError as error:
            status, answer = error.status or 500, {"error": error_json(error)}
        except Exception as error:  # noqa: BLE001 - a defect of a service is an answer too, and the server lives on
            traceback.print_exc(file=sys.stderr)
            defect = ServiceError("service.defect", f"{type(error).__name__}: {error}", retryable=False)
            status, answer = 500, {"error": error_json(defect)}
        self._send(status, answer)

    do_GET = do_PUT = do_PATCH = do_DELETE = do_POST  # noqa: N815 - the names that http.server calls

    def _perform(self) -> dict[str, Any]:
        body = self._body()  # read before anything is refused, or its bytes would be taken for the next request
        target = urlsplit(self.path)
        action, parameters = self.server.find(self.command, target.path)
        given = dict(parse_qsl(target.query)) if body is None else body
        if isinstance(given, dict):
            given = {**parameters, **given}
        key = self.headers.get("Idempotency-Key", "")
        execution, _, step = key.partition("/")
        return self.server.sandbox.perform(action, given, Visitor(execution, step, 1, key))

    def _body(self) -> Any:
        """The JSON of the body; None without one. Raises ServiceError `request.invalid`, `http.411` or `http.413`."""
        if "Transfer-Encoding" in self.headers:
            self.close_connection = True
            raise ServiceError("http.411", "a body needs a Content-Length", status=411, retryable=False)
        length = self.headers.get("Content-Length", "0")
        if not (length.isascii() and length.isdigit()):
            self.close_connection = True
            raise invalid("the Content-Length is not a number")
        if int(length) > MAX_BODY_BYTES:
            # Taken in all the same: closing on unread bytes resets the connection, and the answer with it.
            self.rfile.read(min(int(length), MAX_DRAIN_BYTES))
            self.close_connection = True
            raise ServiceError("http.413", f"a body has at most {MAX_BODY_BYTES} bytes", status=413, retryable=False)
        try:
            return json.loads(self.rfile.read(int(length)) or "null")
        except (ValueError, RecursionError) as error:
            raise invalid(f"the body is not JSON: {error}") from None

    def _send(self, status: int, answer: dict[str, Any]) -> None:
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Silent: the table `calls` is the log."""


def error_json(error: ServiceError) -> dict[str, Any]:
    known = {"type": error.type, "message": error.message, "details": error.details, "retryable": error.retryable}
    return {name: value for name, value in known.items() if value is not None}


def _pattern(path: str) -> re.Pattern[str]:
    """`/charges/{reference}/refund`, with a group for each parameter."""
    return re.compile(re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(path)))

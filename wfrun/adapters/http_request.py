"""From a call to a request: how an action of an `http` service is written, and what it sends."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote, urlencode, urlsplit

from wfrun import __version__
from wfrun.adapters.contract import Call
from wfrun.adapters.templates import Entry, action_table, closed, place, refused, told
from wfrun.core.values import Json, canonical
from wfrun.errors import ExpressionError, InvalidError, Problem, ServiceError

if TYPE_CHECKING:
    from wfrun.core.expression import Template

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
_WITH_BODY = ("POST", "PUT", "PATCH")
_KEYS = {"method", "path", "url", "query", "headers", "body", "result", "description"}
_PARAMETER = re.compile(r"\{([A-Za-z_][A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]+)*)\}")
_AUTH_KEYS = {"bearer": ("token",), "basic": ("username", "password"), "header": ("name", "value")}


class Request(NamedTuple):
    """`trusted`: the URL is the author's, not the data's, so credentials go with it and any address will do."""

    method: str
    url: str
    headers: dict[str, str]
    content: bytes | None
    trusted: bool


@dataclass(frozen=True, slots=True)
class Action:
    """`path` is the author's and appended to the base URL; `url` may come from data and stands alone."""

    method: str
    path: Template | None
    url: Template | None
    query: Template | None
    headers: Template
    body: Template | None
    result: Template | None


def check(entry: Entry) -> Iterator[Problem]:
    """What is wrong with an entry, told without a connection."""
    settings = entry.config.settings
    yield from _check_base_url(entry)
    yield from told(lambda: Requests(entry))
    if "timeout" in settings:
        yield from told(lambda: entry.milliseconds(settings["timeout"], "timeout"))
    yield from told(lambda: action_table(entry.config))
    actions = settings.get("actions")
    for name, written in actions.items() if isinstance(actions, dict) else ():
        yield from told(partial(parse_action, entry, name, written))


def _check_base_url(entry: Entry) -> Iterator[Problem]:
    written = entry.config.settings.get("baseUrl")
    if not isinstance(written, str):
        yield missing_base_url(entry).problems[0]
        return
    try:
        base_url(entry.resolve(entry.fixed(written, "baseUrl")))
    except ServiceError as error:
        # What may hold a password is not repeated.
        bare = "@" not in written and "://" not in written and "$" not in written
        hint = f"write http://{written}" if bare else ""
        yield Problem(error.type, error.message, place(entry.config, "baseUrl"), hint)
    except (ExpressionError, InvalidError):
        return  # told with the variables and with what the entry is made of


def missing_base_url(entry: Entry) -> InvalidError:
    return refused(entry.config, "http.baseUrl", "the URL that all paths are appended to is needed", "baseUrl")


def parse_action(entry: Entry, name: str, written: Any) -> Action:
    """`POST /orders/{id}`, or a mapping. Raises InvalidError for anything else."""
    at = ("actions", name)
    if isinstance(written, str):
        method, _, path = written.partition(" ")
        written = {"method": method, "path": path.strip()}
    if not isinstance(written, dict):
        hint = f"POST /path/{{parameter}}, or a mapping with {', '.join(sorted(_KEYS))}"
        raise refused(entry.config, "http.action", "this is not a request", *at, hint=hint)
    closed(entry.config, written, _KEYS, "http.action", "a request", *at)
    if written.get("method") not in METHODS:
        raise refused(entry.config, "http.method", f"one of {', '.join(METHODS)} is needed", *at)
    return _action(entry, written, at)


def _action(entry: Entry, written: dict[str, Any], at: tuple[str, str]) -> Action:
    path, url = _path(entry, written, at), _optional(entry, written, at, "url")
    headers = entry.compile(written.get("headers", {}), *at, "headers")
    if url and (headers.variables or url.variables):
        message = "secrets and variables cannot be sent to a URL that comes from data"
        raise refused(entry.config, "http.credentials", message, *at)
    query, body = _optional(entry, written, at, "query"), _optional(entry, written, at, "body")
    return Action(written["method"], path, url, query, headers, body, _optional(entry, written, at, "result"))


def _optional(entry: Entry, written: dict[str, Any], at: tuple[str, str], key: str) -> Template | None:
    return entry.compile(written[key], *at, key) if key in written else None


def _path(entry: Entry, written: dict[str, Any], at: tuple[str, str]) -> Template | None:
    if "url" in written and "path" not in written:
        return None
    path = written.get("path")
    if "url" in written or not isinstance(path, str) or not path.startswith("/"):
        raise refused(entry.config, "http.path", "a path that begins with / is needed, or a url instead", *at)
    if set("{}#") & set(_PARAMETER.sub("", re.sub(r"\$\{.*?\}", "", path))):
        hint = "a parameter is written {name} and comes from the step's input"
        raise refused(entry.config, "http.path", f"the path {path!r} cannot be understood", *at, hint=hint)
    return entry.fixed(path, *at, "path")


def base_url(text: Json) -> str:
    """The base URL without its last slash. Raises ServiceError `http.url` unless it is http(s) and nothing more."""
    url = _checked_url(text)
    if urlsplit(url).query:
        raise _bad_url("baseUrl cannot have a query")
    return url.rstrip("/")


def _checked_url(text: Json) -> str:
    try:
        parts = urlsplit(text) if isinstance(text, str) and text.isprintable() and " " not in text else None
        port = parts.port if parts else 0
    except ValueError:
        parts = None
    if parts is None or parts.scheme not in ("http", "https") or not parts.hostname or parts.fragment or port == 0:
        raise _bad_url("an http or https URL is needed")
    if parts.username is not None:
        raise _bad_url("a URL cannot have a user name in it (credentials belong in auth)")
    return parts.geturl()


def _bad_url(message: str) -> ServiceError:
    # The URL itself stays out of the message: it may be the very place where somebody put a password.
    return ServiceError("http.url", message, retryable=False)


def origin(url: str) -> tuple[str, str | None, int]:
    """RFC 6454: scheme, host, port."""
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or (443 if parts.scheme == "https" else 80)


class Requests:
    """Builds the requests of one service: its base URL, headers and credentials are the same for all actions."""

    def __init__(self, entry: Entry) -> None:
        self._entry = entry
        settings = entry.config.settings
        self._base = entry.fixed(settings.get("baseUrl"), "baseUrl")
        self._headers = entry.fixed(settings.get("headers", {}), "headers")
        self._auth = _auth(entry, settings.get("auth"))

    def build(self, action: Action, call: Call) -> Request:
        """Raises ServiceError or ExpressionError where the input or a variable does not have what the action needs."""
        base = base_url(self._entry.resolve(self._base))
        url, rest, trusted = self._target(action, call.input, base)
        headers = {"accept": "application/json", "user-agent": f"wfrun/{__version__}"}
        if trusted:
            headers |= _headers(self._entry.resolve(self._headers)) | self._credentials()
        headers |= _headers(self._entry.resolve(action.headers, call.input))
        headers["idempotency-key"] = _key(call.idempotency_key)
        content = self._content(action, call.input)
        if content is not None:
            headers.setdefault("content-type", "application/json")
        return Request(
            action.method, _with_query(url, self._query(action, call.input, rest)), headers, content, trusted
        )

    def _target(self, action: Action, input: Json, base: str) -> tuple[str, Json, bool]:
        """The URL, what is left of the input, and whether the URL leads where the author said."""
        if action.path is not None:
            path, rest = fill(str(self._entry.resolve(action.path)), input)
            return base + path, rest, True
        assert action.url is not None
        url = _checked_url(self._entry.resolve(action.url, input))
        return url, {}, origin(url) == origin(base)

    def _query(self, action: Action, input: Json, rest: Json) -> list[tuple[str, str]]:
        if action.query is not None:
            rest = self._entry.resolve(action.query, input)
        elif action.method in _WITH_BODY or action.body is not None:
            return []
        return list(_pairs(rest))

    def _content(self, action: Action, input: Json) -> bytes | None:
        if action.body is not None:
            return canonical(self._entry.resolve(action.body, input)).encode()
        return canonical(input).encode() if action.method in _WITH_BODY else None

    def _credentials(self) -> dict[str, str]:
        if self._auth is None:
            return {}
        auth: Any = self._entry.resolve(self._auth)
        if auth["type"] == "bearer":
            return _headers({"authorization": f"Bearer {auth['token']}"})
        if auth["type"] == "basic":
            pair = f"{auth['username']}:{auth['password']}".encode()
            return {"authorization": f"Basic {b64encode(pair).decode()}"}
        return _headers({auth["name"]: auth["value"]})


def _auth(entry: Entry, auth: Any) -> Template | None:
    if auth is None:
        return None
    keys = _AUTH_KEYS.get(auth.get("type", "")) if isinstance(auth, Mapping) else None
    if keys is None or auth.keys() != {"type", *keys} or not all(isinstance(auth[key], str) for key in keys):
        hint = "{type: bearer, token}, {type: basic, username, password} or {type: header, name, value}"
        raise refused(entry.config, "http.auth", "the credentials cannot be understood", "auth", hint=hint)
    return entry.fixed(auth, "auth")


def fill(path: str, input: Json) -> tuple[str, Json]:
    """The path with its parameters from the input, percent-encoded, and the input without what was used whole.

    Raises ServiceError `http.parameter` for a parameter that is missing or could lead to another resource.
    """
    used = set()

    def value(match: re.Match[str]) -> str:
        found = input
        for name in match[1].split("."):
            if not isinstance(found, dict) or name not in found:
                raise _bad_parameter(match[1], "is not in the input")
            found = found[name]
        used.add(match[1])
        return _segment(match[1], found)

    filled = _PARAMETER.sub(value, path)
    rest = {key: item for key, item in input.items() if key not in used} if isinstance(input, dict) else input
    return filled, rest


def _segment(name: str, value: Json) -> str:
    if isinstance(value, dict | list) or value is None:
        raise _bad_parameter(name, "is not a text or a number")
    text = _text(value)
    if text in ("", ".", ".."):
        raise _bad_parameter(name, f"is {text!r}, which would lead to another path")
    return quote(text, safe="")


def _bad_parameter(name: str, trouble: str) -> ServiceError:
    return ServiceError("http.parameter", f"the path's parameter {name} {trouble}", retryable=False)


def _text(value: Json) -> str:
    return value if isinstance(value, str) else canonical(value)


def _pairs(query: Json) -> Iterator[tuple[str, str]]:
    if query is None:
        return
    if not isinstance(query, dict):
        raise ServiceError("http.query", "the input is no object, so it cannot become a query", retryable=False)
    for name, value in query.items():
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, dict | list):
                message = f"{name} is nested, so it cannot stand in a query (choose what to send with `query:`)"
                raise ServiceError("http.query", message, retryable=False)
            if item is not None:
                yield name, _text(item)


def _with_query(url: str, pairs: list[tuple[str, str]]) -> str:
    if not pairs:
        return url
    return f"{url}{'&' if '?' in url else '?'}{urlencode(pairs, quote_via=quote)}"


def _headers(headers: Json) -> dict[str, str]:
    """Names in lower case, so that the later of two settings wins. Raises ServiceError `http.header`."""
    if not isinstance(headers, dict):
        raise ServiceError("http.header", "headers are a mapping", retryable=False)
    checked = {name.lower(): _text(value) for name, value in headers.items() if value is not None}
    for name, value in checked.items():
        if not re.fullmatch(r"[a-z0-9!#$%&'*+.^_`|~-]+", name) or not re.fullmatch(r"[\x20-\x7e\t]*", value):
            raise ServiceError("http.header", f"the header {name!r} has characters that HTTP forbids", retryable=False)
    return checked


def _key(key: str) -> str:
    """As it is, or percent-encoded where a header could not carry it; always the same for the same key."""
    return key if re.fullmatch(r"[\x21-\x7e]+", key) else quote(key, safe="")

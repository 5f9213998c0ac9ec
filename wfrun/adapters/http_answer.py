"""From a response to a result or a typed error."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import NamedTuple

from wfrun.adapters.data import parse_json, shortened, stated_error
from wfrun.core.values import Json, canonical
from wfrun.errors import ServiceError

_DETAILS = 4_096


class Answer(NamedTuple):
    """A response that was read whole. `where` names the request for people, without its query."""

    where: str
    status: int
    content_type: str
    charset: str | None
    retry_after: str | None
    content: bytes


def result_of(answer: Answer) -> Json:
    """JSON as it is, an empty body as null, text as a string. Raises ServiceError for any status but 2xx."""
    if 200 <= answer.status < 300:
        try:
            return _body(answer)
        except ValueError as error:
            message = f"{answer.where} answered {answer.status} with a body that cannot be read: {error}"
            raise ServiceError("http.body", message, status=answer.status) from None
    raise _error(answer)


def _body(answer: Answer) -> Json:
    if not answer.content:
        return None
    media = answer.content_type.partition(";")[0].strip().lower()
    if media == "application/json" or media.endswith("+json"):
        return parse_json(answer.content)
    try:
        return answer.content.decode(answer.charset or "utf-8")
    except LookupError:
        raise ValueError(f"its character set {answer.charset!r} is not known") from None


def _error(answer: Answer) -> ServiceError:
    try:
        body = _body(answer)
    except ValueError:
        body = None
    retry_after_ms = retry_after(answer.retry_after, datetime.now(UTC))
    stated = stated_error(body, status=answer.status, retry_after_ms=retry_after_ms)
    if stated:
        return stated
    message = f"{answer.where} answered {answer.status}{_phrase(answer.status)}"
    return ServiceError(
        f"http.{answer.status}",
        message,
        status=answer.status,
        details={"body": _excerpt(body)} if body is not None else None,
        retry_after_ms=retry_after_ms,
    )


def _phrase(status: int) -> str:
    try:
        return f" {HTTPStatus(status).phrase}"
    except ValueError:
        return ""


def _excerpt(body: Json) -> Json:
    text = body if isinstance(body, str) else canonical(body)
    return body if len(text) <= _DETAILS else shortened(text, _DETAILS)


def retry_after(value: str | None, now: datetime) -> int | None:
    """Milliseconds to wait (RFC 9110, 10.2.3: seconds or a date). None if there is no such wish, or a garbled one."""
    if value is None:
        return None
    if value.strip().isdecimal() and len(value) <= 10:
        return int(value) * 1000
    try:
        date = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    date = date if date.tzinfo else date.replace(tzinfo=UTC)
    return max(0, int((date - now).total_seconds() * 1000))

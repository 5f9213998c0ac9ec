"""Secrets that were used are hidden in everything that comes back: results, errors, and whatever is logged of them.

A secret can come back in another dress: percent-encoded in a URL, in base64 (at any of three alignments, when it was
joined to something else first, as Basic authentication does), or escaped in a JSON or Python literal. All are hidden.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from json import dumps
from typing import Any

from wfrun.adapters.data import CUT
from wfrun.core.values import Json
from wfrun.errors import ExpressionError, ServiceError

MASK = "***"
SHORTEST = 4
"""A shorter value is not accepted as a secret: hiding it would tear holes into innocent results."""


class Redactor:
    """Remembers the secrets that were handed out, and hides them."""

    def __init__(self) -> None:
        self._values: set[str] = set()
        self._forms: list[str] = []
        self._pattern: re.Pattern[str] | None = None

    def recording(self, variable: Callable[[str, str], str]) -> Callable[[str, str], str]:
        """`variable`, but every secret it answers is remembered.

        Raises ExpressionError `secret.short` for a secret of fewer than four characters.
        """

        def recorded(kind: str, name: str) -> str:
            value = variable(kind, name)
            if kind == "secret" and value not in self._values:
                self._remember(name, value)
            return value

        return recorded

    def _remember(self, name: str, value: str) -> None:
        if len(value) < SHORTEST:
            message = f"the secret {name} has fewer than {SHORTEST} characters, so it could not be kept out of results"
            raise ExpressionError("secret.short", message, hint="a value that is no secret can be given as ${env.…}")
        self._values.add(value)
        forms = {form for secret in self._values for form in _forms(secret) if len(form) >= SHORTEST}
        self._forms = sorted(forms, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, self._forms)))

    def text(self, text: str) -> str:
        if not self._pattern:
            return text
        hidden = self._pattern.sub(MASK, text)
        return self._without_half(hidden) if hidden.endswith(CUT) else hidden

    def _without_half(self, text: str) -> str:
        """A text that was cut may end with the beginning of a secret, if that has spaces in it."""
        body = text.removesuffix(CUT)
        longest = max((_overlap(body, form) for form in self._forms), default=0)
        return body[:-longest] + MASK + CUT if longest >= SHORTEST else text

    def json(self, value: Json) -> Json:
        return self._hide(value) if self._pattern else value

    def error(self, error: ServiceError) -> ServiceError:
        """The same error without secrets; the very same object where there are none to hide."""
        if not self._pattern:
            return error
        return ServiceError(
            self.text(error.type),
            self.text(error.message),
            status=error.status,
            details=self._hide(error.details),
            retry_after_ms=error.retry_after_ms,
            retryable=error.retryable,
        )

    def _hide(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {self.text(key): self._hide(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self._hide(item) for item in value]
        # A number is hidden only as a whole: digits inside an amount are a coincidence.
        return MASK if type(value) in (int, float) and str(value) in self._values else value


def _overlap(text: str, form: str) -> int:
    """How many characters of the beginning of a form a text ends with."""
    most = min(len(text), len(form))
    return next((size for size in range(most, 0, -1) if text.endswith(form[:size])), 0)


def _forms(secret: str) -> Iterator[str]:
    from base64 import b64encode, urlsafe_b64encode
    from urllib.parse import quote, quote_plus

    yield secret
    yield from (line for line in secret.splitlines() if len(line) >= 2 * SHORTEST)
    yield from (dumps(secret)[1:-1], dumps(secret, ensure_ascii=False)[1:-1], repr(secret)[1:-1])
    for quoted in (quote(secret), quote(secret, safe=""), quote_plus(secret)):
        yield quoted
        yield re.sub("%..", lambda escape: escape[0].lower(), quoted)
    for encode in (b64encode, urlsafe_b64encode):
        for shift in range(3):
            yield _stable_base64(encode, secret.encode(), shift)


def _stable_base64(encode: Callable[[bytes], bytes], secret: bytes, shift: int) -> str:
    """The characters that base64 gives `secret` wherever `shift` bytes (modulo 3) stand before it.

    The first and last character of the run also depend on the neighbours, unless they lie on a boundary, so they go.
    """
    encoded = encode(b"\0" * shift + secret).decode().rstrip("=")
    first = (0, 2, 3)[shift]
    last = (shift + len(secret)) * 8 // 6
    return encoded[first:last]

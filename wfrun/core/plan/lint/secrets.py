"""Secrets in plain text, by the names of keys and by the shapes of well-known tokens. What they are is never told."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from wfrun.core.definition import Document, Path
from wfrun.core.plan.lint.advice import Advice, ignores
from wfrun.core.values import Json
from wfrun.errors import Problem

CODE = "lint.secret"

# Ends of names, in small letters and without `-` and `_`. A name goes on in things that are none: tokenUrl, secretName.
_NAMES = (
    *("password", "passwd", "passphrase", "secret", "token", "credential", "credentials"),
    *("apikey", "accesskey", "secretkey", "privatekey", "signingkey"),
)
# Values under such names that say what is to come rather than being it.
_NO_SECRETS = frozenset(["", "none", "null", "true", "false", "yes", "no", "bearer", "basic", "string", "required"])

# From the documentation of who issues them.
_SHAPES: Sequence[tuple[str, str]] = (
    ("an AWS access key", r"\b(AKIA|ASIA)[0-9A-Z]{16}\b"),
    ("a GitHub token", r"\b(gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{22,})"),
    ("a GitLab token", r"\bglpat-[A-Za-z0-9_-]{20,}"),
    ("a Slack token", r"\bxox[abeoprs]-[A-Za-z0-9-]{10,}"),
    ("a Stripe key", r"\b[rs]k_(live|test)_[A-Za-z0-9]{10,}"),
    ("a Google API key", r"\bAIza[0-9A-Za-z_-]{35}"),
    ("a JSON Web Token", r"\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*"),
    ("a private key", r"-----BEGIN [A-Z ]*PRIVATE KEY-----"),
    ("a password in a URL", r"\b[a-z][a-z0-9+.-]*://[^\s/:@$]+:[^\s/:@${}]+@"),
)


def secrets(document: Document) -> list[Problem]:
    """The advice for one file, a workflow or services, on its own."""
    found = [advice for advice in plain_secrets(document) if not ignores(document, advice.path, CODE)]
    return [advice.problem(document) for advice in found]


def plain_secrets(document: Document) -> Iterator[Advice]:
    yield from _in(document.data, (), named=True)


def _in(value: Json, path: Path, *, named: bool) -> Iterator[Advice]:
    """`named`: the names of keys tell what their values are. Those of declared fields name types."""
    if isinstance(value, str):
        yield from _of_text(value, path, named=named)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _in(item, (*path, index), named=named)
    elif isinstance(value, dict):
        for name, item in value.items():
            yield from _in(item, (*path, name), named=named and not _declares(value, name, path))


def _declares(mapping: dict[str, Any], name: str, path: Path) -> bool:
    """Fields of the input and of forms, and what a mock answers to tests."""
    return (name == "input" and not path) or name == "form" or mapping.get("adapter") == "mock"


def _of_text(text: str, path: Path, *, named: bool) -> Iterator[Advice]:
    shape = next((what for what, pattern in _SHAPES if re.search(pattern, text)), "")
    if shape:
        yield Advice(CODE, path, f"{shape} stands here in plain text", _HINT)
    elif named and _is_named_so(path) and not _is_reference(text) and text.strip().lower() not in _NO_SECRETS:
        yield Advice(CODE, path, f"the value of {path[-1]!r} stands here in plain text", _HINT)


_HINT = "keep it out of the file: `${secret.NAME}` in the services, and `${env.NAME}` for what may be known"


def _is_named_so(path: Path) -> bool:
    name = path[-1] if path else ""
    return isinstance(name, str) and re.sub("[-_]", "", name.lower()).endswith(_NAMES)


def _is_reference(text: str) -> bool:
    return "${" in text or text == "$" or text.startswith(("$.", "$["))

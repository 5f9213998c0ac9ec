"""Texts that are nothing but text, although they look as if somebody had meant the data."""

from __future__ import annotations

import re
from collections.abc import Iterator

from wfrun.core.definition import Path
from wfrun.core.expression.hints import double_braces
from wfrun.core.plan.keys import Keys
from wfrun.core.plan.paths import EXECUTION_KEYS
from wfrun.core.plan.shapes import troubles
from wfrun.core.values import Json
from wfrun.errors import Problem

# A pattern as text: `re` compiles and keeps it when it is first needed, which for most workflows is never.
_DOTTED = r"([A-Za-z_][A-Za-z0-9_]*)((?:\.[A-Za-z_][A-Za-z0-9_]*|\[[0-9]+\])+)"
_SHOWN = 60


def forgotten_dollars(value: Json, keys: Keys) -> Iterator[tuple[Path, Problem]]:
    """Texts such as `order.id` where `order` is a key, each with its path inside the value."""
    if isinstance(value, str) and keys.get(value) is not None:
        yield (), _literal(value)
    for path, text in _texts(value, ()):
        if text.startswith("$") or not ("." in text or "[" in text or "{{" in text):
            continue
        dotted = re.fullmatch(_DOTTED, text)
        if dotted is not None and _is_known(dotted[1], dotted[2], keys):
            yield path, _literal(text)
        elif braces := _in_double_braces(text):
            message = f"'{{{{{braces}}}}}' is plain text here"
            yield path, Problem("plan.literal-path", message, hint=double_braces(braces), severity="warning")


def _literal(text: str) -> Problem:
    return Problem("plan.literal-path", f"{text!r} is plain text here", hint=f"write $.{text}", severity="warning")


def _in_double_braces(text: str) -> str:
    """What stands in `{{ … }}`, as other tools write references; nothing where that is long, or a real expression."""
    before, _, rest = text.partition("{{")
    inner, closed, _ = rest.partition("}}")
    return inner if closed and len(inner) <= _SHOWN and not before.endswith("$") else ""


def _is_known(name: str, rest: str, keys: Keys) -> bool:
    parts = tuple(int(part[:-1]) if part.endswith("]") else part for part in re.split(r"[.\[]", rest)[1:])
    if name == "execution":
        return parts[0] in EXECUTION_KEYS
    key = keys.get(name)
    return key is not None and all(trouble.what == "optional" for trouble in troubles(key.shape, parts))


def _texts(value: Json, path: Path) -> Iterator[tuple[Path, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _texts(item, (*path, index))
    elif isinstance(value, dict):
        for name, item in value.items():
            yield from _texts(item, (*path, name))

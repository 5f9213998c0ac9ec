"""What to write instead: of words that other tools use, and of values that are nearly right."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

from wfrun.core.gaps import plain
from wfrun.load.departures import Departure, shown
from wfrun.load.foreign import CALLS, KEYS, TELLING_KEYS, TYPES, Meaning
from wfrun.load.names import did_you_mean, nearest


def meaning(word: str, known: Collection[str]) -> Meaning:
    """What a key that is none was meant for; `known` are the keys that may stand in its place."""
    if _STEP_KEYS & set(known) and plain(word) not in map(plain, known):
        for foreign in KEYS.get(plain(word), ()):
            if not foreign.key or foreign.key in known:
                return foreign
    return Meaning(nearest(word, known), did_you_mean(word, known))


def kind_hint(step: Mapping[str, object]) -> str:
    """What a step without `type`, `service` and `action` may have been meant to be."""
    likely = next((kind for keys, kind in TELLING_KEYS if step.keys() >= keys), "")
    if likely:
        return f"add `type: {likely}`"
    foreign = (_of_a_step(key) for key in step if key not in _ANY_STEP)
    return next(filter(None, foreign), "a call needs `service` and `action`, every other step a `type`")


def _of_a_step(word: str) -> str:
    *_, last = KEYS.get(plain(word), (Meaning("", ""),))
    return last.hint


def value_hint(found: Departure) -> str:
    """What to write instead of a value that departs from its schema; nothing where the message says it."""
    title, value = found.schema.get("title"), found.value
    if title == "On error":
        return "write `continue`, or a handler: `{ error: http.5*, steps: [ … ] }`"
    if found.keyword == "type":
        return _type_hint(found)
    if title == "Step type":
        return _type_of_step(str(value), found.wanted)
    if title == "Request":
        return _request_hint(str(value))
    return did_you_mean(value, found.wanted) if found.keyword == "enum" and isinstance(value, str) else ""


def _type_of_step(word: str, known: Collection[str]) -> str:
    if plain(word) in CALLS:
        return "a step that calls a service has no `type`"
    return TYPES.get(plain(word)) or did_you_mean(word, known)


def _type_hint(found: Departure) -> str:
    value = found.value
    if found.schema.get("title") == "Retry" and isinstance(value, int):
        return f"write `{{ maxRetries: {shown(value)} }}`"
    if found.path[-1:] == ("command",) and isinstance(value, str):
        return f"write `command: {_as_list(value)}`"
    if found.schema.get("title") == "Error" and isinstance(value, int):
        return f"write `http.{shown(value)}`"
    if found.wanted == "boolean" and isinstance(value, str):
        return _BOOLEANS.get(value.lower(), "")
    return "put it in quotes" if "string" in found.wanted and isinstance(value, (int, float)) else ""


def _as_list(command: str) -> str:
    """A line of shell as the list of its words; where a shell would do more than that, an example."""
    words = command.split()
    if not words or len(command) > 80 or re.search(r"""["'`|&;<>()*\\]|\$[^.]""", command):
        return '[echo, "${$.text}"]'
    return f"[{', '.join(_quoted(word) for word in words)}]"


def _quoted(word: str) -> str:
    if word.startswith("$"):
        return f'"${{{word}}}"'
    return word if re.fullmatch(r"[A-Za-z/][A-Za-z0-9./_-]*", word) else f'"{word}"'


def _request_hint(text: str) -> str:
    method, _, path = text.partition(" ")
    if method.startswith("/"):
        return f"write `GET {shown(text)}`, or another method"
    if method.upper() in _METHODS:
        return f"write `{method.upper()} /{shown(path.strip().lstrip('/'))}`"
    return did_you_mean(method, _METHODS)


_BOOLEANS = {"yes": "write `true`", "on": "write `true`", "no": "write `false`", "off": "write `false`"}
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
_STEP_KEYS = {"steps", "service", "condition"}
_ANY_STEP = {"name", "description", "condition", "metadata"}

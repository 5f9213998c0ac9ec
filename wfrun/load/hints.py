"""What to write instead: of words that other tools use, and of values that are nearly right."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import NamedTuple

from wfrun.load.departures import Departure, shown
from wfrun.load.names import did_you_mean, nearest, plain


class Meaning(NamedTuple):
    """What a word that is no key was meant for: the key, if one does just that, and a hint."""

    key: str
    hint: str


def meaning(word: str, known: Collection[str]) -> Meaning:
    """`known` are the keys that may stand in its place."""
    if _STEP_KEYS & set(known):
        foreign = _FOREIGN.get(plain(word))
        if foreign is not None and (not foreign.key or foreign.key in known):
            return foreign
    near = nearest(word, known)
    return Meaning(near, did_you_mean(word, known))


def kind_hint(step: Mapping[str, object]) -> str:
    """What a step without `type`, `service` and `action` may have been meant to be."""
    likely = next((kind for key, kind in _TELLING_KEYS.items() if key in step), "")
    if likely:
        return f"add `type: {likely}`"
    foreign = (_FOREIGN[plain(key)].hint for key in step if plain(key) in _FOREIGN and key not in _ANY_STEP)
    return next(foreign, "a call needs `service` and `action`, every other step a `type`")


def value_hint(found: Departure) -> str:
    """What to write instead of a value that departs from its schema; nothing where the message says it."""
    title, value = found.schema.get("title"), found.value
    if found.keyword == "type":
        return _type_hint(found)
    if title == "Step type":
        word = plain(str(value))
        if word in _CALLS:
            return "a step that calls a service has no `type`"
        return _FOREIGN[word].hint if word in _FOREIGN else did_you_mean(str(value), found.wanted)
    if title == "Request":
        return _request_hint(str(value))
    return did_you_mean(value, found.wanted) if found.keyword == "enum" and isinstance(value, str) else ""


def _type_hint(found: Departure) -> str:
    value = found.value
    if found.schema.get("title") == "Retry" and isinstance(value, int):
        return f"write `{{ maxRetries: {shown(value)} }}`"
    if found.path[-1:] == ("command",) and isinstance(value, str):
        return f"write `command: {_as_list(value)}`"
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


_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
_STEP_KEYS = {"steps", "service", "assignee"}
_ANY_STEP = {"name", "description", "condition", "metadata"}
_CALLS = ("call", "service", "servicecall", "task", "action", "http", "shell", "python", "mock", "activity")
_TELLING_KEYS = {
    "then": "conditional",
    "else": "conditional",
    "assignee": "human-task",
    "form": "human-task",
    "concurrency": "parallel",
    "steps": "sequential",
}

_CONDITION = Meaning("condition", "write `condition: $.amount > 100`")
_INPUT = Meaning("input", "what a step is given is its `input`")
_ORDER = Meaning("", "steps run in the order written; what need not wait goes into a step of `type: parallel`")
_COMMAND = Meaning("", "a command is an action of a service with `adapter: shell`, and the step calls that")
_STEPS = Meaning("steps", "the list of steps is called `steps`")
_LATER = Meaning("", "this is not in this version")
_RETRY = Meaning("retry", "write `retry: { maxRetries: 3 }`")

# By the word without case, hyphens and underscores.
_FOREIGN: Mapping[str, Meaning] = {
    **dict.fromkeys(("if", "when"), _CONDITION),
    **dict.fromkeys(("with", "args", "arguments", "params", "parameters", "inputs"), _INPUT),
    **dict.fromkeys(("needs", "dependson", "depends", "after", "next", "startat", "end"), _ORDER),
    **dict.fromkeys(("run", "cmd", "command", "script", "shell", "exec"), _COMMAND),
    **dict.fromkeys(("states", "tasks", "jobs", "stages", "activities"), _STEPS),
    **dict.fromkeys(("retries", "maxretries", "maxattempts", "attempts"), _RETRY),
    **dict.fromkeys(("foreach", "for", "loop", "while", "repeat", "until", "switch", "choice"), _LATER),
    **dict.fromkeys(("wait", "sleep", "delay", "try", "catch", "set", "emit", "workflow", "fail", "on"), _LATER),
    "env": Meaning(
        "", "variables belong to services: `env:` of a shell action, or `${env.NAME}` in the service's entry"
    ),
    "uses": Meaning("", "a step names a `service` and an `action`; how that is reached stands under `services:`"),
    "outputs": Meaning("output", "the key that keeps the result is called `output`"),
    "id": Meaning("name", "a step is known by its `name`"),
}

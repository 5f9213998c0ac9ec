"""The script of a mock: what an answer may be, and what it does to a call."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from math import inf
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from wfrun.adapters.contract import Call, ServiceConfig
from wfrun.adapters.templates import Entry, closed, refused, told
from wfrun.core.values import Json
from wfrun.errors import Problem, ServiceError

if TYPE_CHECKING:
    from wfrun.core.expression import Template

_ANSWER_KEYS = {"result", "error", "delay", "hang", "heartbeat", "exit", "effect-then-die"}
_BEATS_KEYS = {"every", "times"}
_ERROR_KEYS = {"type", "message", "status", "details", "retryable", "retryAfterMs"}


class Beats(NamedTuple):
    """Signs of life that an answer gives while it waits: so many, so far apart."""

    seconds: float
    times: float


@dataclass(frozen=True, slots=True)
class Answer:
    """What to do with one call: wait (for ever, if it hangs), then end it in one way."""

    delay_seconds: float
    act: Callable[[Call], Json]
    dies: bool
    beats: Beats | None


def check(entry: Entry) -> Iterator[Problem]:
    """What is wrong with an entry."""
    settings = entry.config.settings
    yield from told(lambda: scripted_actions(entry.config))
    yield from told(lambda: entry.fixed(settings.get("record"), "record"))
    if "default" in settings:
        yield from told(lambda: parse_script(entry, settings["default"], "default"))
    actions = settings.get("actions")
    for name, script in actions.items() if isinstance(actions, dict) else ():
        yield from told(partial(parse_script, entry, script, "actions", name))


def scripted_actions(config: ServiceConfig) -> dict[str, Any]:
    """The entry's `actions`. Raises InvalidError if they are no mapping."""
    actions = config.settings.get("actions", {})
    if not isinstance(actions, dict):
        raise refused(config, "mock.actions", "a mapping of action to answer is needed", "actions")
    return actions


def parse_script(entry: Entry, script: Any, *path: str) -> Sequence[Answer]:
    """One answer, or a list of them. Raises InvalidError for anything else."""
    if not isinstance(script, list):
        return [_answer(entry, script, *path)]
    if not script:
        raise refused(entry.config, "mock.answer", "the list of answers is empty", *path)
    return [_answer(entry, answer, *path, number) for number, answer in enumerate(script)]


def _answer(entry: Entry, answer: Any, *path: str | int) -> Answer:
    if not isinstance(answer, Mapping):
        hint = f"an answer is a mapping with {', '.join(sorted(_ANSWER_KEYS))}"
        raise refused(entry.config, "mock.answer", "this is not an answer of a mock", *path, hint=hint)
    closed(entry.config, answer, _ANSWER_KEYS, "mock.answer", "an answer", *path)
    return Answer(
        _seconds(entry, answer, *path),
        _act(entry, answer, *path),
        answer.get("effect-then-die") is True,
        _beats(entry, answer["heartbeat"], *path, "heartbeat") if "heartbeat" in answer else None,
    )


def _seconds(entry: Entry, answer: Mapping[str, Any], *path: str | int) -> float:
    return inf if answer.get("hang") is True else entry.milliseconds(answer.get("delay", 0), *path, "delay") / 1000


def _beats(entry: Entry, beats: Any, *path: str | int) -> Beats:
    if not isinstance(beats, Mapping) or "every" not in beats:
        hint = "such as { every: 100ms } or { every: 100ms, times: 5 }"
        raise refused(entry.config, "mock.heartbeat", "this does not say when to give signs of life", *path, hint=hint)
    closed(entry.config, beats, _BEATS_KEYS, "mock.heartbeat", "a heartbeat", *path)
    seconds, times = entry.milliseconds(beats["every"], *path, "every") / 1000, beats.get("times", inf)
    if seconds == 0:
        raise refused(entry.config, "mock.heartbeat", "a time above 0 is needed", *path, "every")
    if times != inf and (type(times) is not int or times < 0):
        raise refused(entry.config, "mock.heartbeat", "a whole number is needed", *path, "times")
    return Beats(seconds, times)


def _act(entry: Entry, answer: Mapping[str, Any], *path: str | int) -> Callable[[Call], Json]:
    if answer.get("effect-then-die") is True:
        return _die
    if "exit" in answer:
        return _exit(entry, answer["exit"], *path, "exit")
    if "error" in answer:
        return _error(entry, answer["error"], *path, "error")
    return _result(entry, entry.compile(answer.get("result"), *path, "result"))


def _die(call: Call) -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("unreachable")


def _exit(entry: Entry, code: Any, *path: str | int) -> Callable[[Call], NoReturn]:
    if type(code) is not int or not 0 <= code <= 255:
        raise refused(entry.config, "mock.exit", "an exit code from 0 to 255 is needed", *path)
    return lambda call: os._exit(code)


def _error(entry: Entry, error: Any, *path: str | int) -> Callable[[Call], NoReturn]:
    if not isinstance(error, Mapping) or not isinstance(error.get("type"), str):
        hint = f"an error has a type, and may have {', '.join(sorted(_ERROR_KEYS - {'type'}))}"
        raise refused(entry.config, "mock.error", "this is not an error", *path, hint=hint)
    closed(entry.config, error, _ERROR_KEYS, "mock.error", "an error", *path)

    message = entry.compile(error.get("message", error["type"]), *path, "message")
    details = entry.compile(error.get("details"), *path, "details")

    def act(call: Call) -> NoReturn:
        raise ServiceError(
            error["type"],
            str(entry.resolve(message, call.input)),
            status=error.get("status"),
            details=entry.resolve(details, call.input),
            retryable=error.get("retryable"),
            retry_after_ms=error.get("retryAfterMs"),
        )

    return act


def _result(entry: Entry, template: Template) -> Callable[[Call], Json]:
    if template.constant:
        constant = entry.resolve(template)
        return lambda call: constant
    return lambda call: entry.resolve(template, call.input)

"""A service that answers from a script and records its calls: for rehearsals and tests."""

from __future__ import annotations

import asyncio
import os
import signal
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, Any, NoReturn

from wfrun.adapters.contract import Call, Service, ServiceConfig
from wfrun.adapters.record import CallRecord
from wfrun.adapters.templates import Entry, refused
from wfrun.core.values import Json
from wfrun.errors import ExpressionError, ServiceError

if TYPE_CHECKING:
    from wfrun.core.expression import Template

_ANSWER_KEYS = {"result", "error", "delay", "hang", "exit", "effect-then-die"}
_ERROR_KEYS = {"type", "message", "status", "details", "retryable", "retryAfterMs"}


@dataclass(frozen=True, slots=True)
class Answer:
    """What to do with one call: wait (for ever, if it hangs), then end it in one way."""

    delay_seconds: float
    act: Callable[[Call], Json]
    dies: bool


def open_service(config: ServiceConfig) -> Service:
    """Settings: `actions` (action to an answer, or to a list of answers), `default` (an answer), `record` (a file)."""
    return MockService(config)


class MockService:
    """Answers by the number of the call, counted for each execution and action; the last answer repeats.

    A service without `actions` and `default` answers null to everything.
    """

    def __init__(self, config: ServiceConfig) -> None:
        self._entry = entry = Entry(config)
        actions = config.settings.get("actions", {})
        if not isinstance(actions, dict):
            raise refused(config, "mock.actions", "a mapping of action to answer is needed", "actions")
        self._answers = {action: _script(entry, script, "actions", action) for action, script in actions.items()}
        fallback = config.settings.get("default", None if actions else {})
        self._default = None if fallback is None else _script(entry, fallback, "default")
        self._calls: Counter[tuple[str, str]] = Counter()
        self._record_path = entry.fixed(config.settings.get("record"), "record")
        self._record: CallRecord | None = None

    async def call(self, call: Call) -> Json:
        answer = self._next(call)
        record = self._record or self._open_record()
        if record is None:
            return await _perform(answer, call)
        record.begin(call)
        if answer.dies:
            record.end(call, "died")
        return await _recorded(record, answer, call)

    def _next(self, call: Call) -> Answer:
        script = self._answers.get(call.action, self._default)
        if script is None:
            raise ServiceError("mock.unscripted", f"the mock has no answer for {call.action!r}", retryable=False)
        if len(script) == 1:
            return script[0]
        number = self._calls[call.execution, call.action]
        self._calls[call.execution, call.action] += 1
        return script[min(number, len(script) - 1)]

    def _open_record(self) -> CallRecord | None:
        path = self._entry.resolve(self._record_path)
        if path is None:
            return None
        try:
            self._record = CallRecord(self._entry.config.folder / str(path))
        except OSError as error:
            message = f"the record {path} cannot be written: {error.strerror}"
            raise ServiceError("mock.record", message, retryable=False) from None
        return self._record

    async def close(self) -> None:
        if self._record:
            self._record.close()


async def _perform(answer: Answer, call: Call) -> Json:
    if answer.delay_seconds:
        await asyncio.sleep(answer.delay_seconds)
    return answer.act(call)


async def _recorded(record: CallRecord, answer: Answer, call: Call) -> Json:
    try:
        result = await _perform(answer, call)
    except ServiceError as error:
        record.end(call, "error", error.type)
        raise
    except ExpressionError as error:
        record.end(call, "error", error.code)
        raise
    except asyncio.CancelledError:
        record.end(call, "cancelled")
        raise
    record.end(call, "result")
    return result


def _script(entry: Entry, script: Any, *path: str) -> Sequence[Answer]:
    if not isinstance(script, list):
        return [_answer(entry, script, *path)]
    if not script:
        raise refused(entry.config, "mock.answer", "the list of answers is empty", *path)
    return [_answer(entry, answer, *path, number) for number, answer in enumerate(script)]


def _answer(entry: Entry, answer: Any, *path: str | int) -> Answer:
    if not isinstance(answer, Mapping) or not answer.keys() <= _ANSWER_KEYS:
        hint = f"an answer is a mapping with {', '.join(sorted(_ANSWER_KEYS))}"
        raise refused(entry.config, "mock.answer", "this is not an answer of a mock", *path, hint=hint)
    return Answer(
        _seconds(entry, answer, *path), _act(entry, answer, *path), dies=answer.get("effect-then-die") is True
    )


def _seconds(entry: Entry, answer: Mapping[str, Any], *path: str | int) -> float:
    return inf if answer.get("hang") is True else entry.milliseconds(answer.get("delay", 0), *path, "delay") / 1000


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
    if not isinstance(error, Mapping) or not isinstance(error.get("type"), str) or not error.keys() <= _ERROR_KEYS:
        hint = f"an error has a type, and may have {', '.join(sorted(_ERROR_KEYS - {'type'}))}"
        raise refused(entry.config, "mock.error", "this is not an error", *path, hint=hint)

    def act(call: Call) -> NoReturn:
        raise ServiceError(
            error["type"],
            str(error.get("message", error["type"])),
            status=error.get("status"),
            details=error.get("details"),
            retryable=error.get("retryable"),
            retry_after_ms=error.get("retryAfterMs"),
        )

    return act


def _result(entry: Entry, template: Template) -> Callable[[Call], Json]:
    if template.constant:
        constant = entry.resolve(template)
        return lambda call: constant
    return lambda call: entry.resolve(template, call.input)

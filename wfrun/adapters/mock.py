"""A service that answers from a script and records its calls: for rehearsals and tests."""

from __future__ import annotations

import asyncio
from collections import Counter

from wfrun.adapters.contract import Call, Service, ServiceConfig
from wfrun.adapters.failures import shortage
from wfrun.adapters.mock_script import Answer, parse_script, scripted_actions
from wfrun.adapters.record import CallRecord
from wfrun.adapters.templates import Entry
from wfrun.core.values import Json
from wfrun.errors import ExpressionError, ServiceError


def open_service(config: ServiceConfig) -> Service:
    """Settings: `actions` (action to an answer, or to a list of answers), `default` (an answer), `record` (a file)."""
    return MockService(config)


class MockService:
    """Answers by the number of the call, counted for each execution and action; the last answer repeats.

    A service without `actions` and `default` answers null to everything.
    """

    def __init__(self, config: ServiceConfig) -> None:
        self._entry = entry = Entry(config)
        actions = scripted_actions(config)
        self._answers = {action: parse_script(entry, script, "actions", action) for action, script in actions.items()}
        fallback = config.settings.get("default", None if actions else {})
        self._default = None if fallback is None else parse_script(entry, fallback, "default")
        self._calls: Counter[tuple[str, str]] = Counter()
        self._record_path = entry.fixed(config.settings.get("record"), "record")
        self._record: CallRecord | None = None

    async def call(self, call: Call) -> Json:
        answer = self._next(call)
        record = self._record or self._open_record()
        if record is None:
            return await perform(answer, call)
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
            raise ServiceError("mock.record", message, retryable=shortage(error) is not None) from None
        return self._record

    async def close(self) -> None:
        if self._record:
            self._record.close()


async def perform(answer: Answer, call: Call) -> Json:
    """What an answer says is done. Raises ServiceError."""
    if answer.delay_seconds:
        await _wait(answer, call)
    return answer.act(call)


async def _wait(answer: Answer, call: Call) -> None:
    left, beats = answer.delay_seconds, answer.beats
    given = 0
    while beats is not None and given < beats.times and left > beats.seconds:
        await asyncio.sleep(beats.seconds)
        call.heartbeat()
        given, left = given + 1, left - beats.seconds
    await asyncio.sleep(left)


async def _recorded(record: CallRecord, answer: Answer, call: Call) -> Json:
    try:
        result = await perform(answer, call)
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

"""Commands as a service: an argument list per action, never a line for a shell to take apart."""

from __future__ import annotations

import os
from typing import Any

from wfrun.adapters.contract import Call, Service, ServiceConfig
from wfrun.adapters.data import parse_json, shortened, stated_error
from wfrun.adapters.failures import shortage
from wfrun.adapters.guard import Guard
from wfrun.adapters.process import Finished, run_process
from wfrun.adapters.shell_command import Command, parse_command
from wfrun.adapters.templates import Entry, action_table
from wfrun.core.values import Json, canonical
from wfrun.errors import ServiceError

MAX_OUTPUT = 128 * 1024 * 1024


def open_service(config: ServiceConfig) -> Service:
    """Settings: `actions`, each `{command: [program, argument, …], env, stdin, output, cwd}`."""
    return ShellService(config)


class ShellService:
    def __init__(self, config: ServiceConfig) -> None:
        self._entry = entry = Entry(config)
        self._commands = {name: parse_command(entry, name, value) for name, value in action_table(config).items()}
        self._guard = Guard()

    async def call(self, call: Call) -> Json:
        command = self._commands.get(call.action)
        if command is None:
            raise ServiceError("service.action", f"the service has no action {call.action!r}", retryable=False)
        arguments = [_argument(self._entry.resolve(each, call.input)) for each in command.arguments]
        try:
            finished = await run_process(
                arguments,
                cwd=self._entry.config.folder / str(self._entry.resolve(command.cwd)),
                env=self._environment(command, call),
                stdin=canonical(call.input).encode() if command.stdin == "json" else None,
                limit=MAX_OUTPUT,
                guard=self._guard,
                on_line=call.heartbeat,
                lock=call.lock,
            )
        except OSError as error:
            what = f" ({error.filename})" if error.filename not in (None, arguments[0]) else ""
            message = f"{arguments[0]} could not be started: {error.strerror}{what}"
            raise ServiceError("shell.start", message, retryable=shortage(error) is not None) from None
        return _result(arguments[0], command, finished)

    def _environment(self, command: Command, call: Call) -> dict[str, str]:
        added: Any = self._entry.resolve(command.env, call.input)
        return {
            **os.environ,
            **{name: _argument(value) for name, value in added.items()},
            "WFRUN_IDEMPOTENCY_KEY": _argument(call.idempotency_key),
            "WFRUN_EXECUTION": call.execution,
            "WFRUN_STEP": call.step,
            "WFRUN_ATTEMPT": str(call.attempt),
        }

    async def close(self) -> None:
        self._guard.close()


def _argument(value: Json) -> str:
    """Text as it is, anything else as JSON. One value is one argument, whatever is in it."""
    text = value if isinstance(value, str) else canonical(value)
    if "\0" in text:
        raise ServiceError("shell.argument", "an argument with a NUL character cannot be passed", retryable=False)
    return text


def _result(program: str, command: Command, finished: Finished) -> Json:
    if finished.overflow:
        message = f"{program} wrote more than {MAX_OUTPUT // 1024 // 1024} MiB to standard output"
        raise ServiceError("shell.too-large", message, retryable=False)
    if finished.code != 0:
        raise _error(program, finished)
    try:
        return _text(finished.output) if command.output == "text" else _json(finished.output)
    except ValueError as error:
        hint = " (`output: text` takes it as it is)" if command.output == "json" else ""
        message = f"the standard output of {program} is not {command.output}: {error}{hint}"
        raise ServiceError("shell.output", message, details=_details(finished), retryable=False) from None


def _text(output: bytes) -> str:
    return output.decode().rstrip("\n")


def _json(output: bytes) -> Json:
    return parse_json(output) if output.strip() else None


def _error(program: str, finished: Finished) -> ServiceError:
    """The error that the command states on standard output, or one made of how it ended."""
    try:
        stated = stated_error(parse_json(finished.output))
    except ValueError:
        stated = None
    if stated:
        return stated
    last = finished.errors.strip().rpartition("\n")[2]
    how = f"exit code {finished.code}" if finished.code >= 0 else finished.ending.partition("-")[2]
    message = f"{program} ended with {how}" + (f": {shortened(last, 500)}" if last else "")
    return ServiceError(f"shell.{finished.ending}", message, details=_details(finished))


def _details(finished: Finished) -> Json:
    return {"stderr": finished.errors} if finished.errors else None

"""Commands as a service: an argument list per action, never a line for a shell to take apart."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Literal

from wfrun.adapters.contract import Call, Service, ServiceConfig
from wfrun.adapters.data import parse_json, stated_error
from wfrun.adapters.guard import Guard
from wfrun.adapters.process import Finished, run_process
from wfrun.adapters.templates import Entry, action_table, refused
from wfrun.core.values import Json, canonical
from wfrun.errors import ServiceError

if TYPE_CHECKING:
    from wfrun.core.expression import Template

MAX_OUTPUT = 16 * 1024 * 1024

_KEYS = {"command", "env", "stdin", "output", "cwd", "description"}
_INTERPRETER = re.compile(r"(ba|da|z|k|fi|a)?sh|python[\d.]*|perl|ruby|node|php|lua")
_CODE_OPTION = re.compile(r"-[A-Za-z]*[ceEr]|--eval")
_OPTION_WITH_VALUE = re.compile(r"[-+][A-Za-z]*[oOWX]")


@dataclass(frozen=True, slots=True)
class Command:
    arguments: tuple[Template, ...]
    env: Template
    stdin: Literal["json", "none"]
    output: Literal["json", "text"]
    cwd: Template


def open_service(config: ServiceConfig) -> Service:
    """Settings: `actions`, each `{command: [program, argument, …], env, stdin, output, cwd}`."""
    return ShellService(config)


class ShellService:
    def __init__(self, config: ServiceConfig) -> None:
        self._entry = entry = Entry(config)
        self._commands = {name: _command(entry, name, value) for name, value in action_table(config).items()}
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
            )
        except OSError as error:
            what = f" ({error.filename})" if error.filename not in (None, arguments[0]) else ""
            message = f"{arguments[0]} could not be started: {error.strerror}{what}"
            raise ServiceError("shell.start", message, retryable=False) from None
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
        message = f"the standard output of {program} is not {command.output}: {error}"
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
    message = f"{program} ended with {how}" + (f": {last[:500]}" if last else "")
    return ServiceError(f"shell.{finished.ending}", message, details=_details(finished))


def _details(finished: Finished) -> Json:
    return {"stderr": finished.errors} if finished.errors else None


def _command(entry: Entry, name: str, written: Any) -> Command:
    at = ("actions", name)
    if not isinstance(written, Mapping) or not written.keys() <= _KEYS:
        hint = f"an action is a mapping with {', '.join(sorted(_KEYS))}"
        raise refused(entry.config, "shell.action", "this is not a command", *at, hint=hint)
    stdin, output = written.get("stdin", "json"), written.get("output", "json")
    if stdin not in ("json", "none") or output not in ("json", "text"):
        raise refused(entry.config, "shell.action", "stdin is json or none, and output json or text", *at)
    if not isinstance(written.get("env", {}), Mapping):
        raise refused(entry.config, "shell.env", "a mapping of names to values is needed", *at, "env")
    env, cwd = entry.compile(written.get("env", {}), *at, "env"), entry.fixed(written.get("cwd", "."), *at, "cwd")
    return Command(_arguments(entry, written.get("command"), *at, "command"), env, stdin, output, cwd)


def _arguments(entry: Entry, command: Any, *at: str) -> tuple[Template, ...]:
    if not isinstance(command, list) or not command or any(isinstance(each, list | dict) for each in command):
        hint = '["convert", "$.file", "out.png"]'
        raise refused(
            entry.config, "shell.command", "a list of the program and its arguments is needed", *at, hint=hint
        )
    program = entry.fixed(command[0], *at, 0)
    arguments = tuple(entry.compile(each, *at, number) for number, each in enumerate(command[1:], 1))
    for number in _code_positions(command):
        if arguments[number - 1].references:
            message = "data would become part of a program here"
            hint = 'let it be an argument of its own: ["sh", "-c", "echo \\"$1\\"", "sh", "$.name"]'
            raise refused(entry.config, "shell.injection", message, *at, number, hint=hint)
    return (program, *arguments)


def _code_positions(command: list[Any]) -> list[int]:
    """The arguments that an interpreter will run: those that follow its `-c`, `-e` and the like."""
    words = [str(each) for each in command]
    found = []
    for start, word in enumerate(words):
        if _INTERPRETER.fullmatch(PurePath(word).name):
            found += [at + 1 for at in _options(words, start + 1) if _CODE_OPTION.fullmatch(words[at])]
    return [number for number in found if number < len(words)]


def _options(words: list[str], at: int) -> Iterator[int]:
    """The positions of an interpreter's own options; what follows its first argument is no concern of its."""
    while at < len(words) and words[at].startswith(("-", "+")):
        yield at
        at += 2 if _OPTION_WITH_VALUE.fullmatch(words[at]) else 1

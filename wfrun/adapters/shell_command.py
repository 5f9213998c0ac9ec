"""From an action of a `shell` service to a command: its program and arguments, and where data may stand in them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from wfrun.adapters.shell_injection import Word, find_injection
from wfrun.adapters.templates import Entry, action_table, closed, place, refused, told
from wfrun.errors import ExpressionError, InvalidError, Problem

if TYPE_CHECKING:
    from wfrun.core.expression import Template

_KEYS = {"command", "env", "stdin", "output", "cwd", "description"}
_BEFORE_DATA = re.compile(r"(?:[^$]|\$\$)*")


@dataclass(frozen=True, slots=True)
class Command:
    arguments: tuple[Template, ...]
    env: Template
    stdin: Literal["json", "none"]
    output: Literal["json", "text"]
    cwd: Template


def check(entry: Entry) -> Iterator[Problem]:
    """What is wrong with an entry, told without running anything. A program that is not found is advice."""
    yield from told(lambda: action_table(entry.config))
    actions = entry.config.settings.get("actions")
    for name, written in actions.items() if isinstance(actions, dict) else ():
        try:
            command = parse_command(entry, name, written)
        except InvalidError as invalid:
            yield from invalid.problems
        else:
            yield from _check_program(entry, command, name, written)


def _check_program(entry: Entry, command: Command, name: str, written: Mapping[str, Any]) -> Iterator[Problem]:
    if "PATH" in written.get("env", {}):
        return
    try:
        program, cwd = str(entry.resolve(command.arguments[0])), str(entry.resolve(command.cwd))
    except ExpressionError:
        return  # told with the variables
    folders = [str(entry.config.folder / cwd)] if "/" in program else os.get_exec_path()
    if not any(os.access(os.path.join(folder, program), os.X_OK) for folder in folders):
        where = place(entry.config, "actions", name, "command", 0)
        message = f"the program {written['command'][0]} is not found here"
        yield Problem("service.program", message, where, "install it, or give its path", "warning")


def parse_command(entry: Entry, name: str, written: Any) -> Command:
    """A mapping with `command`. Raises InvalidError for anything else."""
    at = ("actions", name)
    if not isinstance(written, Mapping):
        hint = f"an action is a mapping with {', '.join(sorted(_KEYS))}"
        raise refused(entry.config, "shell.action", "this is not a command", *at, hint=hint)
    closed(entry.config, written, _KEYS, "shell.action", "a command", *at)
    stdin, output = written.get("stdin", "json"), written.get("output", "json")
    if stdin not in ("json", "none") or output not in ("json", "text"):
        raise refused(entry.config, "shell.action", "stdin is json or none, and output json or text", *at)
    if not isinstance(written.get("env", {}), Mapping):
        raise refused(entry.config, "shell.env", "a mapping of names to values is needed", *at, "env")
    env, cwd = entry.compile(written.get("env", {}), *at, "env"), entry.fixed(written.get("cwd", "."), *at, "cwd")
    arguments = _arguments(entry, written.get("command"), stdin, *at, "command")
    return Command(arguments, env, stdin, output, cwd)


def _arguments(entry: Entry, command: Any, stdin: str, *at: str) -> tuple[Template, ...]:
    if not isinstance(command, list) or not command or any(isinstance(each, list | dict) for each in command):
        hint = '["convert", "$.file", "out.png"]'
        raise refused(
            entry.config, "shell.command", "a list of the program and its arguments is needed", *at, hint=hint
        )
    program = entry.fixed(command[0], *at, 0)
    arguments = tuple(entry.compile(each, *at, number) for number, each in enumerate(command[1:], 1))
    templates = (program, *arguments)
    words = [
        _word(text, has_data=bool(each.references)) for text, each in zip(map(str, command), templates, strict=True)
    ]
    found = find_injection(words, stdin=stdin == "json")
    if found is not None:
        raise _injection(entry, words, found, *at)
    return templates


def _word(text: str, *, has_data: bool) -> Word:
    before = _BEFORE_DATA.match(text) if has_data else None
    return Word(before[0], data=True) if before else Word(text)


def _injection(entry: Entry, words: list[Word], found: int, *at: str) -> InvalidError:
    if found == len(words):
        message = f"{words[0].text} would run what is on its standard input, which is data"
        return refused(entry.config, "shell.injection", message, *at, hint="name the program, or add `stdin: none`")
    message = "data would become part of a program here, or could become an option that runs one"
    hint = 'let it follow the program as an argument: ["sh", "-c", "echo \\"$1\\"", "sh", "$.name"]; `--` ends options'
    return refused(entry.config, "shell.injection", message, *at, found, hint=hint)

"""How a command is declared: an annotated function, from which the fast parser and the typer app are both made.

A command module has a function `command`, whose parameters are `Annotated` with `Arg` or `Opt`, whose docstring is the
help, and which returns the exit code; and an `EXAMPLE`. Nothing here, nor in a command module's imports, may be heavy:
`wfrun status` has to answer within 60 ms, and reading a declaration is on its way. For the same reason neither puts off
its annotations (`from __future__ import annotations`): as text they would have to be compiled to be read.
"""

from collections.abc import Callable, Sequence
from importlib import import_module
from types import ModuleType
from typing import Annotated, Any, NamedTuple, get_args, get_origin


class Arg(NamedTuple):
    """A positional argument. `complete` names what the shell can offer: executions, tasks or steps, else files."""

    help: str
    metavar: str = ""
    complete: str = ""


class Opt(NamedTuple):
    """An option with its spellings, long one first: `Opt(("--quiet", "-q"), "…")`."""

    flags: tuple[str, ...]
    help: str
    metavar: str = ""
    complete: str = ""


class Parameter(NamedTuple):
    """`kind` is the type of one value; a `many` parameter collects a tuple of them, one for each time it is given."""

    name: str
    kind: type[str] | type[int] | type[bool]
    many: bool
    required: bool
    default: Any
    meta: Arg | Opt


class Command(NamedTuple):
    name: str
    run: Callable[..., int]
    description: str
    example: str
    parameters: tuple[Parameter, ...]


# Name → module, in the order of `--help`. `list` is a builtin's name, so its module has another. A name of two words is
# a command of a group, in GROUPS.
COMMANDS = {
    "run": "run",
    "status": "status",
    "explain": "explain",
    "resume": "resume",
    "approve": "approve",
    "reject": "reject",
    "tasks": "tasks",
    "list": "listing",
    "log": "log",
    "emit": "emit",
    "cancel": "cancel",
    "skip": "skip",
    "set-output": "set_output",
    "set-input": "set_input",
    "rewind": "rewind",
    "retry-now": "retry_now",
    "fail": "fail",
    "compensate": "compensate",
    "validate": "validate",
    "lint": "lint",
    "schema": "schema",
    "graph": "graph",
    "init": "init",
    "batch": "batch",
    "audit verify": "audit_verify",
    "audit prove": "audit_prove",
    "audit anchor": "audit_anchor",
    "audit compare": "audit_compare",
    "audit export": "audit_export",
    "doctor": "doctor",
    "gc": "gc",
    "reindex": "reindex",
    "worker": "worker",
    "dev": "dev",
}

GROUPS = {"audit": "Check that journals are what was written, and that all in them was allowed."}

Home = Annotated[str | None, Opt(("--home",), "State directory (else $WFRUN_HOME, else .wfrun).", "DIR")]
Services = Annotated[str | None, Opt(("--services",), "Services file that overrides the workflow's own.", "FILE")]
AsJson = Annotated[bool, Opt(("--json",), "Print JSON, described by schemas/cli-*.schema.json.")]
Quiet = Annotated[bool, Opt(("--quiet", "-q"), "Print only the id of the execution.")]
Execution = Annotated[str, Arg("Execution id, or a unique beginning of one.", "EXECUTION", "executions")]
TaskId = Annotated[str, Arg("Task id as `wfrun tasks` shows it, or a unique beginning of one.", "TASK", "tasks")]


def command_in(words: Sequence[str]) -> str | None:
    """The command that a line begins with, by its one or two words."""
    return next((name for name in (" ".join(words[:2]), *words[:1]) if name in COMMANDS), None)


def load(name: str) -> Command:
    """The declaration of a command in COMMANDS."""
    module = _module(name)
    return Command(name, module.command, _description(module), module.EXAMPLE, _parameters(module.command))


def summary(name: str) -> str:
    """The first sentence of a command's help."""
    return _description(_module(name)).split(". ")[0].rstrip(".")


def _module(name: str) -> ModuleType:
    return import_module(f"wfrun.cli.commands.{COMMANDS[name]}")


def _description(module: ModuleType) -> str:
    return " ".join(module.command.__doc__.split())


def _parameters(function: Callable[..., int]) -> tuple[Parameter, ...]:
    """From the function itself; `inspect.signature` would cost an import of 10 ms."""
    code = function.__code__
    names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    positional = names[: code.co_argcount]
    defaults = function.__defaults__ or ()
    known = dict(zip(positional[len(positional) - len(defaults) :], defaults, strict=True))
    known.update(function.__kwdefaults__ or {})
    hints = function.__annotations__
    return tuple(_parameter(name, hints[name], name in known, known.get(name)) for name in names)


def _parameter(name: str, hint: Any, optional: bool, default: Any) -> Parameter:
    value, meta = get_args(hint)
    many = get_origin(value) is tuple
    kinds = get_args(value) or (value,)
    return Parameter(name, kinds[0], many, not optional, default, meta)

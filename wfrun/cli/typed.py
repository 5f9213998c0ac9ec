"""The typer app, made of the same declarations: help, the words for wrong usage, and shell completion."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable
from difflib import get_close_matches
from typing import Annotated, Any

import typer
from typer._click.exceptions import UsageError as WrongUsage

from wfrun.cli.declare import COMMANDS, GROUPS, Arg, Command, Parameter, command_in, load
from wfrun.cli.invoke import invoke, report
from wfrun.errors import UsageError


def run_typed(arguments: list[str]) -> int:
    """Parse with typer and run. The exit code of the command; wrong usage is reported as every other error is."""
    app = typer.main.get_command(build_app(invoke))
    if len(arguments) == 1 and arguments[0] in GROUPS:
        arguments = [*arguments, "--help"]
    try:
        code = app.main(args=arguments, prog_name="wfrun", standalone_mode=False)
    except SystemExit as end:  # completion ends this way
        code = end.code
    except WrongUsage as wrong:
        # For a command that is nearly right there is a hint of our own: one is enough.
        message = wrong.format_message().partition(" Did you mean ")[0]
        error = UsageError("usage", message, hint=_hint(arguments))
        report(error, as_json="--json" in arguments)
        return error.exit_code
    return code if isinstance(code, int) else 0


def _hint(arguments: list[str]) -> str:
    if name := command_in(arguments):
        return f"`wfrun {name} --help` shows what it takes"
    if arguments and arguments[0] in GROUPS:
        return f"`wfrun {arguments[0]} --help` shows its commands"
    near = get_close_matches(arguments[0] if arguments else "", COMMANDS, n=1)
    return f"did you mean `wfrun {near[0]}`?" if near else "`wfrun --help` shows the commands"


def build_app(call: Callable[[Command, dict[str, Any]], int]) -> typer.Typer:
    """Every command, each of which hands its values to `call` and exits with what that returns."""
    app = typer.Typer(
        help="Durable business processes from plain YAML, on the command line.",
        rich_markup_mode=None if os.environ.get("NO_COLOR") else "rich",
        pretty_exceptions_enable=False,
        no_args_is_help=True,
        context_settings={"help_option_names": ["--help", "-h"]},
    )
    groups = {"": app}
    for name in COMMANDS:
        command = load(name)
        group, _, own = name.rpartition(" ")
        if group not in groups:
            groups[group] = typer.Typer(help=GROUPS[group], no_args_is_help=True)
            app.add_typer(groups[group], name=group)
        epilog = f"Example: {command.example}"
        groups[group].command(own, help=command.description, epilog=epilog)(_function(command, call))
    app.callback()(_version)
    return app


def _version(
    version: Annotated[bool, typer.Option("--version", help="Print the version.", is_eager=True)] = False,
) -> None:
    if version:
        from wfrun import __version__

        print(f"wfrun {__version__}")
        raise typer.Exit


def _function(command: Command, call: Callable[[Command, dict[str, Any]], int]) -> Callable[..., None]:
    """A function with the signature that typer wants to read."""

    def wrapper(**values: Any) -> None:
        for parameter in command.parameters:
            if parameter.many:
                values[parameter.name] = tuple(values[parameter.name] or ())
        raise typer.Exit(call(command, values))

    signature = [_signature(parameter) for parameter in command.parameters]
    wrapper.__signature__ = inspect.Signature(signature)  # type: ignore[attr-defined]
    wrapper.__annotations__ = {parameter.name: parameter.annotation for parameter in signature}
    return wrapper


def _signature(parameter: Parameter) -> inspect.Parameter:
    meta = parameter.meta
    completion: dict[str, Any] = {}
    if meta.complete:
        from wfrun.cli.complete import COMPLETERS

        completion["autocompletion"] = COMPLETERS[meta.complete]
    info: Any
    if isinstance(meta, Arg):
        info = typer.Argument(help=meta.help, metavar=meta.metavar or None, show_default=False, **completion)
    else:
        info = typer.Option(*meta.flags, help=meta.help, metavar=meta.metavar or None, show_default=False, **completion)
    kind: Any = list[parameter.kind] if parameter.many else parameter.kind  # type: ignore[name-defined]
    optional = parameter.default is None and not parameter.required
    default = inspect.Parameter.empty if parameter.required else [] if parameter.many else parameter.default
    return inspect.Parameter(
        parameter.name,
        inspect.Parameter.KEYWORD_ONLY,
        default=default,
        annotation=Annotated[kind | None if optional else kind, info],
    )

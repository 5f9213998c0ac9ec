"""`wfrun`: from what was typed to an exit code.

A line without surprises is parsed here and its command runs at once. Anything else (help, wrong usage, completion)
goes to typer, which costs 60 ms to import and knows how to say it.
"""

from __future__ import annotations

import errno
import gc
import os
import sys
from typing import NoReturn

from wfrun.cli import streams
from wfrun.cli.declare import COMMANDS, command_in, load, summary
from wfrun.cli.engine import choose_engine
from wfrun.cli.invoke import READER_LEFT, invoke, report
from wfrun.cli.parse import parse
from wfrun.errors import InvalidError, JournalError, UsageError

COMPLETION = "_WFRUN_COMPLETE"

EXIT_CODE_HELP = """\
Exit codes: 0 completed · 1 failed · 2 usage, not found, conflict · 3 invalid workflow or input · 4 waiting for a
person · 5 compensated · 6 needs attention · 7 cancelled · 130 interrupted"""


def main() -> NoReturn:
    """The console entry point."""
    # A command builds what it needs and ends; looking for cycles among ten thousand records at every turn finds none.
    gc.set_threshold(100_000, 50, 50)
    try:
        streams.set_up()
        code = run(sys.argv[1:])
        streams.ours().flush()
    except streams.ReaderLeft:
        code = READER_LEFT
    except streams.OutputError as lost:
        report(lost, as_json=False)
        code = lost.exit_code
    except OSError as error:
        if error.errno not in (errno.EMFILE, errno.ENFILE):
            raise
        code = _without_files(error)
    if "temporalio" in sys.modules:
        # Its threads may not survive the end of the interpreter: nothing is left to be done in it.
        streams.ours().flush()
        os._exit(code)
    gc.freeze()  # what is still there goes with the process, without a last look for cycles in it
    sys.exit(code)


def _without_files(error: OSError) -> int:
    """Not even Python itself can open what it needs: no defect, but nothing that can be done."""
    # What it could not finish making it complains of again when that goes.
    sys.unraisablehook = lambda what: None
    hint = "allow more open files (ulimit -n), or close some; what was accepted is kept"
    told = JournalError("state.io", f"no more files can be opened: {error.strerror}", hint=hint)
    report(told, as_json=False)
    return told.exit_code


def run(arguments: list[str]) -> int:
    try:
        _check_encoding(arguments)
        arguments = choose_engine(arguments)
    except (UsageError, InvalidError) as error:
        report(error, as_json="--json" in arguments)
        return error.exit_code
    if COMPLETION not in os.environ:
        if not arguments or arguments in (["--help"], ["-h"], ["help"]):
            print(help_text())
            return 0
        if arguments == ["--version"]:
            print(version_text())
            return 0
        name = command_in(arguments)
        if name is not None:
            command = load(name)
            values = parse(command.parameters, arguments[len(name.split()) :])
            if values is not None:
                return invoke(command, values)
    from wfrun.cli.typed import run_typed

    return run_typed(arguments)


def _check_encoding(arguments: list[str]) -> None:
    """What is no text in the encoding of the system cannot be kept in a journal, nor told to anybody."""
    for argument in arguments:
        try:
            argument.encode()
        except UnicodeEncodeError:
            hint = "write it in UTF-8, or rename the file"
            raise UsageError("usage.encoding", f"`{argument}` is not valid UTF-8", hint=hint) from None


def version_text() -> str:
    from wfrun import __version__

    return f"wfrun {__version__}"


def help_text() -> str:
    """The overview, made of the commands' own declarations."""
    lines = [f"  {name:<15}{summary(name)}" for name in COMMANDS]
    options = [
        "  --version             Print the version",
        "  --install-completion  Install completion for the current shell",
        "  --show-completion     Print completion for the current shell",
    ]
    return "\n".join(
        [
            "Usage: wfrun COMMAND [ARGUMENTS]",
            "",
            "Durable business processes from plain YAML, on the command line.",
            "",
            "Commands:",
            *lines,
            "",
            "Options:",
            *options,
            "",
            "`wfrun COMMAND --help` shows a command's options and an example.",
            "",
            EXIT_CODE_HELP,
        ]
    )

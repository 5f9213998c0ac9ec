"""Running a command: its exit code, and every error it can end with in words."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from wfrun.cli.declare import Command
from wfrun.cli.engine import check_engine
from wfrun.cli.streams import OutputError, ReaderLeft, ours
from wfrun.cli.text import safe, safe_json
from wfrun.errors import ConflictError, Problem, WfrunError

INTERRUPTED = 130
READER_LEFT = 141  # 128 + SIGPIPE, what a shell reports for other programs

MOST_TRIES = 10

EXIT_CODES: Mapping[str, int] = {
    "completed": 0,
    "running": 0,
    "failed": 1,
    "partly-compensated": 1,
    "waiting": 4,
    "compensated": 5,
    "needs-attention": 6,
    "paused": 6,
    "cancelled": 7,
    "interrupted": INTERRUPTED,
}


def invoke(command: Command, values: dict[str, Any]) -> int:
    """Run a command to its exit code. Errors meant for people are printed; a defect of wfrun passes as it is."""
    if "services" in values and values["services"] is None:
        values["services"] = os.environ.get("WFRUN_SERVICES")
    try:
        check_engine(command.name)
        code = _run(command, values)
        ours().flush()
    except WfrunError as error:
        report(error, as_json=bool(values.get("as_json")))
        return error.exit_code
    except ReaderLeft:
        return READER_LEFT
    return code


def _run(command: Command, values: dict[str, Any]) -> int:
    """On an engine with workers, an execution may go on between looking and telling: nothing is told then."""
    for _ in range(MOST_TRIES - 1):
        try:
            return command.run(**values)
        except ConflictError as moved:
            if moved.code != "journal.moved":
                raise
    return command.run(**values)


def print_json(value: object) -> None:
    """One JSON document, indented for reading."""
    import json

    print(safe_json(json.dumps(value, indent=2, ensure_ascii=False)), file=ours())


def print_json_line(value: object) -> None:
    """One JSON value on a line of its own (JSON Lines), visible at once to whoever follows."""
    import json

    print(safe_json(json.dumps(value, ensure_ascii=False)), file=ours(), flush=True)


def report(error: WfrunError, *, as_json: bool) -> None:
    """An error in words on standard error, with `--json` on standard output, too: on one line, as it may end others."""
    for problem in error.problems:
        print(problem_text(problem), file=sys.stderr)
    if as_json:
        told = {**problem_data(error.problems[0]), "problems": [*map(problem_data, error.problems)]}
        with suppress(OutputError, ReaderLeft):  # it has been said, and its exit code says more than theirs
            print_json_line({"error": told})


def problem_text(problem: Problem) -> str:
    """`order.yaml:3:5: error[code] what is wrong`, and below it what to do."""
    where = f"{safe(problem.place)}: " if str(problem.place) else ""
    lines = [f"{where}{problem.severity}[{problem.code}] {safe(problem.message)}"]
    if problem.hint:
        lines.append(f"  hint: {safe(problem.hint)}")
    return "\n".join(lines)


def problem_data(problem: Problem) -> dict[str, Any]:
    place = problem.place
    return {
        "code": problem.code,
        "severity": problem.severity,
        "message": problem.message,
        "hint": problem.hint or None,
        "file": place.file or None,
        "line": place.line or None,
        "column": place.column or None,
        "path": place.path or None,
    }

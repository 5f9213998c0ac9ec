from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from wfrun.cli.commands.batch import WORST_FIRST, exit_code
from wfrun.cli.declare import Command
from wfrun.cli.invoke import EXIT_CODES, invoke, problem_data
from wfrun.cli.main import run
from wfrun.errors import InvalidError, JournalError, NotFoundError, Place, Problem, WfrunError
from wfrun.views.model import EXECUTION_STATUSES


def command(function: Callable[..., int]) -> Command:
    return Command("test", function, "", "", ())


def raising(error: BaseException) -> Command:
    def function(**values: object) -> int:
        raise error

    return command(function)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (NotFoundError("execution.unknown", "no"), 2),
        (InvalidError([Problem("a", "b")]), 3),
        (JournalError("journal.damaged", "no"), 6),
        (WfrunError("x", "y"), 1),
    ],
)
def test_errors_become_exit_codes(error: BaseException, code: int) -> None:
    assert invoke(raising(error), {}) == code


def test_an_error_is_said_with_place_and_hint(capsys: pytest.CaptureFixture[str]) -> None:
    problems = [
        Problem("schema.type", "must be text\x1b[2J", Place("order.yaml", 3, 5), "write quotes"),
        Problem("schema.value", "too small", Place("order.yaml", 9, 1)),
    ]
    invoke(raising(InvalidError(problems)), {"as_json": False})
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == [
        r"order.yaml:3:5: error[schema.type] must be text\x1b[2J",
        "  hint: write quotes",
        "order.yaml:9:1: error[schema.value] too small",
    ]


def test_with_json_standard_output_carries_the_error_too(capsys: pytest.CaptureFixture[str]) -> None:
    invoke(raising(NotFoundError("execution.unknown", "no execution", hint="look")), {"as_json": True})
    out, err = capsys.readouterr()
    assert err.startswith("error[execution.unknown]")
    error = json.loads(out)["error"]
    assert (error["code"], error["message"], error["hint"], error["file"]) == (
        "execution.unknown",
        "no execution",
        "look",
        None,
    )
    assert len(error["problems"]) == 1


def test_problem_data_keeps_the_place() -> None:
    data = problem_data(Problem("a.b", "m", Place("f.yaml", 1, 2, "steps[0]"), severity="warning"))
    assert data == {
        "code": "a.b",
        "severity": "warning",
        "message": "m",
        "hint": None,
        "file": "f.yaml",
        "line": 1,
        "column": 2,
        "path": "steps[0]",
    }


def test_every_status_has_an_exit_code_and_a_rank() -> None:
    assert set(EXIT_CODES) == set(EXECUTION_STATUSES)
    assert set(WORST_FIRST) == {*EXECUTION_STATUSES, "refused", "stopped"}


@pytest.mark.parametrize(
    ("counts", "code"),
    [
        ({"completed": 3}, 0),
        ({}, 0),
        ({"completed": 3, "waiting": 1}, 4),
        ({"compensated": 1, "failed": 1}, 1),
        ({"needs-attention": 1, "failed": 5}, 6),
        ({"refused": 1, "completed": 5}, 3),
        ({"refused": 1, "stopped": 1}, 6),
    ],
)
def test_a_batch_ends_with_its_worst(counts: dict[str, int], code: int) -> None:
    assert exit_code(counts) == code


def wfrun(*arguments: str, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "wfrun", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_the_overview_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([]) == 0
    text = capsys.readouterr().out
    assert "  approve        Approve a task" in text
    assert "Exit codes" in text


@pytest.mark.parametrize(
    ("arguments", "message", "hint"),
    [
        (["statsu"], "No such command 'statsu'.", "did you mean `wfrun status`?"),
        (["xyzzy"], "No such command 'xyzzy'.", "`wfrun --help` shows the commands"),
        (["status"], "Missing argument 'EXECUTION'.", "`wfrun status --help` shows what it takes"),
        (["list", "--limit", "many"], "'many' is not a valid int", "`wfrun list --help`"),
        (["list", "--limit", "9" * 5000], "9' is not a valid int", "`wfrun list --help`"),
        (["run", "x.yaml", "--wat"], "No such option: --wat", "`wfrun run --help`"),
    ],
)
def test_wrong_usage(capsys: pytest.CaptureFixture[str], arguments: list[str], message: str, hint: str) -> None:
    assert run(arguments) == 2
    err = capsys.readouterr().err
    assert err.startswith("error[usage] ")
    assert message in err
    assert hint in err


def test_wrong_usage_with_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["status", "--json"]) == 2
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "usage"


def test_help_of_a_command_shows_its_example(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["approve", "--help"]) == 0
    assert "wfrun approve k7m2x9qd/manager-approval" in " ".join(capsys.readouterr().out.split())


def test_the_module_is_the_command() -> None:
    done = wfrun("--version")
    assert (done.returncode, done.stdout.split()[0]) == (0, "wfrun")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_for_a_shell(shell: str) -> None:
    done = wfrun("--show-completion", shell)
    assert done.returncode == 0
    assert "_WFRUN_COMPLETE" in done.stdout


NEVER = {"typer", "rich", "jsonschema", "httpx2", "importlib.metadata", "difflib", "getpass"}
ONLY_TO_DRIVE = {"asyncio", "ssl", "subprocess", "logging", "dataclasses", "inspect", "pathlib", "ruamel.yaml"}
ONLY_TO_LOOK = {"json", "datetime", "hashlib", "sqlite3"}


@pytest.mark.parametrize(
    ("lines", "needless"),
    [
        ([[], ["--version"], ["--help"]], {*NEVER, *ONLY_TO_DRIVE, *ONLY_TO_LOOK}),
        ([["status", "one"], ["log", "one"]], {*NEVER, *ONLY_TO_DRIVE, "sqlite3"}),
        ([["list"], ["tasks"]], {*NEVER, *ONLY_TO_DRIVE}),
        ([["run", "w.yaml", "--id", "two"]], {*NEVER - {"difflib"}}),
    ],
    ids=["overviews", "one execution", "many", "run"],
)
def test_nothing_is_imported_that_is_not_needed(lines: list[list[str]], needless: set[str], tmp_path: Path) -> None:
    (tmp_path / "w.yaml").write_text(
        "name: w\nservices: { m: { adapter: mock, default: {} } }\nsteps:\n  - { name: a, service: m, action: x }\n"
        "  - { name: b, type: human-task, assignee: boss }\n"
    )
    assert wfrun("run", "w.yaml", "--id", "one", folder=tmp_path).returncode == 4
    code = (
        f"import sys\nfrom wfrun.cli.main import run\ncode = max(run(line) for line in {lines!r})\n"
        f"sys.exit(', '.join({needless!r} & set(sys.modules)) or code)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.stderr, done.returncode) == ("", 4 if "run" in lines[0] else 0)

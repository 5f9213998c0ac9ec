"""The table of exit codes in docs/cli.md: every command in every situation that the table names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from signal import SIGKILL, SIGTERM, Signals

import pytest

from tests.support.shell import ROOT
from tests.support.zygote import Ended, Zygote
from wfrun.cli.declare import COMMANDS, load
from wfrun.cli.main import EXIT_CODE_HELP

SERVICES = """
services:
  m: { adapter: mock, default: { result: {} }, actions: { no: { error: { type: shop.closed, message: no } } } }
"""
UNDONE = "{ name: a, service: m, action: do, compensate: { service: m, action: %s } }"
REFUSED = "{ name: b, service: m, action: no }"
ASKED = "{ name: b, type: human-task, assignee: ann }"
# How executions end, or come to wait: the steps that lead there, and the code.
FATES = {
    "completed": (f"steps: [{UNDONE % 'undo'}]", 0),
    "failed": (f"steps: [{REFUSED}]", 1),
    "waiting": (f"steps: [{UNDONE % 'undo'}, {ASKED}]", 4),
    "compensated": (f"steps: [{UNDONE % 'undo'}, {REFUSED}]", 5),
    "needs-attention": (f"steps: [{UNDONE % 'no'}, {REFUSED}]", 6),
    "paused": (f"errorHandling: {{ onFailure: pause }}\nsteps: [{REFUSED}]", 6),
}
LOOKING = ("status", "log", "explain", "graph", "audit verify", "audit prove", "audit anchor")
# What a command needs besides the execution, the task or the file that it is about.
MORE = {"skip": ["b"], "set-output": ["b", "1"], "set-input": ["b", "{}"], "rewind": ["b"], "fail": ["b"]}
MORE["audit export"] = ["--out", "bundle"]
ENDLESS = ("worker", "dev")


class Desk:
    """A folder with the workflows of all fates, each with an execution called as its fate."""

    def __init__(self, zygote: Zygote, folder: Path) -> None:
        self._zygote, self.folder = zygote, folder

    def __call__(self, line: str, kill_after: float | None = None, signal: Signals = SIGKILL) -> Ended:
        done = self._zygote.run(*line.split(), cwd=self.folder, kill_after=kill_after, signal=signal)
        assert "Traceback" not in done.output, done.output
        return done

    def file(self, name: str, text: str) -> str:
        (self.folder / name).write_text(text)
        return name

    def of_fate(self, fate: str, id: str) -> str:
        self.file(f"{fate}.yaml", f"name: {fate}\n{FATES[fate][0]}\n{SERVICES}")
        self(f"run {fate}.yaml --id {id}")
        return id


@pytest.fixture(scope="module")
def zygote(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Zygote]:
    with Zygote(tmp_path_factory.mktemp("nowhere"), {"PYTHONPATH": str(ROOT)}) as zygote:
        yield zygote


@pytest.fixture
def desk(zygote: Zygote, tmp_path: Path) -> Desk:
    return Desk(zygote, tmp_path)


def about(kind: str) -> list[str]:
    """The commands whose first argument is such, as declared."""
    commands = (load(name) for name in COMMANDS)
    return [each.name for each in commands if each.parameters and each.parameters[0].meta.complete == kind]


def test_the_help_tells_what_the_page_tells() -> None:
    page = (ROOT / "docs" / "cli.md").read_text()
    table = page[page.index("**Exit codes**") : page.index("Commands that look exit 0")]
    told = set(re.findall(r"^\| (\d+) \|", table, re.MULTILINE))
    assert told == {"0", "1", "2", "3", "4", "5", "6", "7", "74", "130", "141"}
    assert set(re.findall(r"\b\d+\b", EXIT_CODE_HELP)) == told - {"74", "141"}


@pytest.mark.parametrize("command", COMMANDS)
def test_help(desk: Desk, command: str) -> None:
    assert desk(f"{command} --help").code == 0


@pytest.mark.parametrize("command", COMMANDS)
def test_wrong_usage(desk: Desk, command: str) -> None:
    assert desk(f"{command} --no-such-option").code == 2
    if any(parameter.required for parameter in load(command).parameters):
        assert desk(command).code == 2


@pytest.mark.parametrize("command", [*about("executions"), *about("tasks")])
def test_nobody_is_called_so(desk: Desk, command: str) -> None:
    assert desk(" ".join([command, "nobody", *MORE.get(command, [])])).code == 2


@pytest.mark.parametrize("command", ["run", "batch --inputs none.jsonl", "validate", "lint"])
def test_a_workflow_that_is_not_there_or_not_valid(desk: Desk, command: str) -> None:
    desk.file("none.jsonl", "")
    assert desk(f"{command} nowhere.yaml").code == 2
    desk.file("wrong.yaml", "name: wrong\nstep: []\n")
    assert desk(f"{command} wrong.yaml").code == 3


@pytest.mark.parametrize("command", ["run right.yaml", "batch right.yaml --inputs none.jsonl"])
def test_a_services_file_that_is_not_valid(desk: Desk, command: str) -> None:
    desk.file("none.jsonl", "")
    desk.file("right.yaml", f"name: right\n{FATES['completed'][0]}\n")
    desk.file("services.yaml", "m: {adapter: no such}\n")
    assert desk(f"{command} --services services.yaml").code == 3


def test_an_input_that_is_not_valid(desk: Desk) -> None:
    desk.file("right.yaml", f"name: right\ninput: {{x: integer}}\n{FATES['completed'][0]}\n{SERVICES}")
    assert desk("run right.yaml --set x=text").code == 3
    assert desk("run right.yaml --set x=1").code == 0


@pytest.mark.parametrize("fate", FATES)
def test_whatever_drives_exits_with_the_status(desk: Desk, fate: str) -> None:
    id, code = desk.of_fate(fate, "e1"), FATES[fate][1]
    assert desk(f"run {fate}.yaml").code == code
    assert desk(f"run {fate}.yaml --id {id}").code == code
    assert desk(f"run {fate}.yaml --json --quiet").code == code
    assert desk(f"resume {id}").code == code
    desk.file("two.jsonl", "{}\n{}\n")
    assert desk(f"batch {fate}.yaml --inputs two.jsonl").code == code


@pytest.mark.parametrize("fate", FATES)
@pytest.mark.parametrize("command", LOOKING)
def test_whatever_looks_exits_0(desk: Desk, fate: str, command: str) -> None:
    assert desk(f"{command} {desk.of_fate(fate, 'e1')}").code == 0


@pytest.mark.parametrize("command", ["list", "tasks", "doctor", "gc", "reindex", "schema", "audit verify --all"])
def test_whatever_looks_at_everything_exits_0(desk: Desk, command: str) -> None:
    assert desk(command).code == 0  # where there is nothing yet
    for fate in FATES:
        desk.of_fate(fate, fate)
    assert desk(command).code == 0


@pytest.mark.parametrize(
    ("fate", "line", "code"),
    [
        ("waiting", "approve e1/b", 0),
        ("waiting", "reject e1/b", 5),
        ("waiting", "approve e1/b --no-resume", 0),
        ("waiting", "approve e1/a", 2),
        ("waiting", "cancel e1", 0),
        ("waiting", "skip e1 b", 0),
        ("waiting", "emit gone", 0),
        ("waiting", "emit gone --to e1", 0),
        ("waiting", "retry-now e1", 2),
        ("waiting", "rewind e1 a", 4),
        ("waiting", "rewind e1 a --dry-run", 0),
        ("completed", "cancel e1", 2),
        ("completed", "emit gone --to e1", 2),
        ("completed", "compensate e1", 0),
        ("completed", "set-input e1 a {}", 0),
        ("failed", "skip e1 b", 0),
        ("failed", "compensate e1", 2),
        ("failed", "rewind e1 b", 1),
        ("paused", "skip e1 b", 0),
        ("paused", "resume e1", 6),
        ("paused", "compensate e1", 1),
        ("needs-attention", "skip e1 compensate:a", 0),
    ],
)
def test_what_is_said_of_an_execution(desk: Desk, fate: str, line: str, code: int) -> None:
    desk.of_fate(fate, "e1")
    done = desk(line)
    assert done.code == code, done.output


def test_saying_the_same_again_is_no_error_and_the_contrary_is(desk: Desk) -> None:
    desk.of_fate("waiting", "e1")
    assert [desk(line).code for line in ("approve e1/b", "approve e1/b", "reject e1/b")] == [0, 0, 2]


def test_what_somebody_else_has_cancelled(desk: Desk) -> None:
    desk.of_fate("waiting", "e1")
    assert desk("cancel e1").code == 0
    assert desk("resume e1").code == 7
    assert desk("run waiting.yaml --id e1").code == 7


def test_what_is_interrupted(desk: Desk) -> None:
    desk.file("nap.yaml", "name: nap\nsteps: [{ name: a, type: wait, for: 30s }]\n")
    assert desk("run nap.yaml --wait --id e1", kill_after=1.5, signal=SIGTERM).code == 130
    assert desk("status e1").code == 0


def test_an_id_that_somebody_else_has(desk: Desk) -> None:
    desk.of_fate("completed", "e1")
    desk.of_fate("failed", "e2")
    assert desk("run failed.yaml --id e1").code == 2


@pytest.mark.parametrize("command", about("executions"))
def test_a_journal_that_is_damaged(desk: Desk, command: str) -> None:
    desk.of_fate("waiting", "e1")
    (journal,) = (desk.folder / ".wfrun" / "executions").glob("*/e1.jsonl")
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join([lines[0], lines[1].replace(b'"', b"'", 1), *lines[2:]]))
    done = desk(" ".join([command, "e1", *MORE.get(command, [])]))
    assert done.code == 6, done.output


@pytest.mark.parametrize("command", [name for name in COMMANDS if name not in ("schema", "init", "validate", "lint")])
def test_a_state_directory_that_is_none(desk: Desk, command: str) -> None:
    desk.of_fate("completed", "e1")
    desk.file("state", "a file")
    desk.file("none.jsonl", "")
    subject = {"run": "completed.yaml", "batch": "completed.yaml --inputs none.jsonl", "emit": "gone"}
    if command in ENDLESS or command == "audit compare":
        pytest.skip("has no state directory")
    first = subject.get(command, "e1" if load(command).parameters[0].meta.complete else "")
    done = desk(" ".join([command, first, *MORE.get(command, []), "--home", "state"]))
    assert done.code in (2, 6), done.output

"""Wrong input of every kind: one clear line, the documented exit code, no traceback, nothing lost."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.acceptance.conftest import Shell

MISTAKEN = """
name: w
services: { m: { adapter: mock } }
steps:
  - { name: s, servce: m, action: x }
  - { name: s2, service: m, action: x, input: $.nothing }
"""
FINE = "name: w\nservices: { m: { adapter: mock } }\nsteps: { name: s, service: m, action: x }\n"


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("run", "missing.yaml"), 2, "missing.yaml"),
        (("run", "."), 2, "error[file.unreadable]"),
        (("run", "w.yaml", "--input", "missing.json"), 2, "error[file.unreadable] missing.json cannot be read"),
        (("run", "w.yaml", "--input", "{broken"), 3, "<input>:1:"),
        (("run", "w.yaml", "--input", '{"a": NaN}'), 3, "<input>:1:"),
        (("run", "w.yaml", "--input", '{"a": 1, "a": 2}'), 3, "<input>:1:"),
        (("run", "w.yaml", "--input", "[" * 100_000), 3, "<input>:1:"),
        (("run", "w.yaml", "--input", "[1]"), 3, "input: error[input.type]"),
        (("run", "w.yaml", "--input", '"text"'), 3, "input: error[input.type]"),
        (("run", "w.yaml", "--set", "a={b"), 3, "<a>:1:2: error[json.syntax]"),
        (("run", "w.yaml", "--input", "[1]", "--set", "a=1"), 2, "error[usage.set]"),
        (("emit", "paid", "--data", "a.b=[1"), 3, "<a.b>:1:3: error[json.syntax]"),
        (("emit", "paid", "--data", "a"), 2, "error[usage.set]"),
        (("emit", "paid", "--data-file", "{"), 3, "<input>:1:"),
        (("emit", "no such"), 2, "error[event.name]"),
        (("emit", "paid", "--to", "nobody"), 2, "error[execution.unknown]"),
        (("run", "w.yaml", "--set", "novalue"), 2, "error[usage.set]"),
        (("run", "w.yaml", "--id", "../x"), 2, "error[execution.id]"),
        (("run", "w.yaml", "--id", "-rf"), 2, "error[execution.id]"),
        (("run", "w.yaml", "--id", "A B"), 2, "error[execution.id]"),
        (("run", "w.yaml", "--services", "missing.yaml"), 2, "missing.yaml"),
        (("run", "bad.yaml"), 3, "bad.yaml:3:"),
        (("validate", "bad.yaml"), 3, "bad.yaml:3:"),
        (("validate", "missing.yaml"), 2, "missing.yaml"),
        (("status", "nobody"), 2, "error[execution.unknown]"),
        (("status", "../../etc/passwd"), 2, "error[execution."),
        (("status", ""), 2, "error[execution."),
        (("resume", "nobody"), 2, "error[execution.unknown]"),
        (("cancel", "nobody"), 2, "error[execution.unknown]"),
        (("log", "nobody"), 2, "error[execution.unknown]"),
        (("graph", "nobody"), 2, "error[execution.unknown]"),
        (("list", "--status", "finished"), 2, "error[usage.status] `finished` is not a status"),
        (("list", "--since", "yesterday"), 2, "error[usage.since]"),
        (("list", "--limit", "-1"), 2, "error[usage.limit]"),
        (("batch", "w.yaml", "--inputs", "missing.jsonl"), 2, "error[file.unreadable]"),
        (("batch", "w.yaml", "--inputs", "w.jsonl", "-c", "0"), 2, "error[usage.concurrency]"),
        (("frobnicate",), 2, "error[usage] No such command 'frobnicate'.\n  hint: `wfrun --help`"),
        (("stauts", "x"), 2, "error[usage] No such command 'stauts'.\n  hint: did you mean `wfrun status`?\n"),
        (("status",), 2, "error[usage] Missing argument 'EXECUTION'."),
    ],
    ids=lambda value: " ".join(value)[:40] if isinstance(value, tuple) else None,
)
def test_refusals(shell: Shell, arguments: tuple[str, ...], code: int, words: str) -> None:
    shell.write("w.yaml", FINE)
    shell.write("w.jsonl", "{}\n")
    shell.write("bad.yaml", "name: w\nservices: { m: { adapter: mock } }\nstep: { name: s, service: m, action: x }\n")
    done = shell.wfrun(*arguments)
    assert done.code == code, done.err
    assert words in done.out + done.err
    assert shell.wfrun("list", "--json").json("list") == {"executions": []}


def test_a_workflow_with_several_mistakes_shows_them_all(shell: Shell) -> None:
    shell.write("bad.yaml", MISTAKEN)
    done = shell.wfrun("validate", "bad.yaml", "--json")
    result = done.json("validate")
    assert (done.code, result["valid"]) == (3, False)
    assert result["problems"]
    assert all(problem["file"] == "bad.yaml" and problem["line"] for problem in result["problems"])


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        (("--input", '{"a": NaN}'), "<input>:1:7: error[json.number]"),
        (("--input", "[1]"), "input: error[input.type]"),
        (("--set", "a={b"), "<a>:1:2: error[json.syntax]"),
    ],
)
def test_an_input_that_is_wrong_does_not_hide_what_is_wrong_with_the_workflow(
    shell: Shell, typed: tuple[str, str], told: str
) -> None:
    shell.write("bad.yaml", MISTAKEN)
    alone = shell.wfrun("validate", "bad.yaml")
    done = shell.wfrun("run", "bad.yaml", *typed)
    first, *rest = [line for line in done.err.splitlines() if "error[" in line]
    assert (done.code, first.startswith(told)) == (3, True), done.err
    assert rest == [line for line in (alone.out + alone.err).splitlines() if "error[" in line]


def test_a_valid_workflow(shell: Shell) -> None:
    shell.write("w.yaml", FINE)
    done = shell.wfrun("validate", "w.yaml", "--json")
    assert (done.code, done.json("validate")["valid"]) == (0, True)
    assert shell.wfrun("validate", "w.yaml").lines[-1] == "w.yaml: valid"


def test_a_damaged_journal_stops_its_execution_and_no_other(shell: Shell) -> None:
    shell.write("w.yaml", FINE)
    for execution in ("good", "bad"):
        assert shell.wfrun("run", "w.yaml", "--id", execution).code == 0
    (journal,) = (shell.folder / ".wfrun/executions").rglob("bad.jsonl")
    data = journal.read_bytes()
    journal.write_bytes(data.replace(b'"attempt":1', b'"attempt":2', 1))
    for command in ("status", "log", "resume", "cancel"):
        done = shell.wfrun(command, "bad", "--json")
        assert (done.code, done.error()["code"]) == (6, "journal.damaged"), command
    assert shell.wfrun("status", "good").code == 0
    assert shell.wfrun("reindex").code == 0
    rows = {row["execution"]: row for row in shell.wfrun("list", "--json").json("list")["executions"]}
    assert (rows["good"]["status"], rows["bad"]["error"]) == ("completed", "journal.damaged")
    assert "damaged" in next(line for line in shell.wfrun("list").lines if line.startswith("bad "))
    assert journal.read_bytes() != data


def test_a_state_directory_that_others_may_write_is_refused(shell: Shell) -> None:
    shell.write("w.yaml", FINE)
    assert shell.wfrun("run", "w.yaml", "--id", "x").code == 0
    os.chmod(shell.folder / ".wfrun", 0o777)
    for command in (("status", "x"), ("list",), ("run", "w.yaml")):
        done = shell.wfrun(*command)
        assert done.code == 6, command
        assert "error[state.mode]" in done.err


def test_a_failed_step_is_exit_1_and_says_why(shell: Shell) -> None:
    done = shell.wfrun("run", shell.failing("come back tomorrow"))
    assert done.code == 1
    assert "Error  shop.closed: come back tomorrow (in s)" in done.lines

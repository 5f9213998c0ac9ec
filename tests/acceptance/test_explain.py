"""`wfrun explain`, as it is typed."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, get_args

from tests.acceptance.conftest import LOAN, SCHEMAS
from wfrun.views.explain.reasons import What

if TYPE_CHECKING:
    from tests.acceptance.conftest import Done, Shell


def test_an_execution_that_waits(asked: tuple[Shell, Done]) -> None:
    shell, _ = asked
    before = shell.state()
    lines = shell.wfrun("explain", "loan-1").lines
    assert lines[0] == "loan-1 · loan-application (version 1) · waiting"
    assert "manager-approval: loan-managers has not decided" in lines[2]
    told = shell.wfrun("explain", "loan", "--json").json("explain")
    assert [(each["step"], each["what"]) for each in told["reasons"]] == [("manager-approval", "waits")]
    assert shell.state() == before


def test_a_branch_that_was_not_taken(shell: Shell) -> None:
    assert shell.wfrun("run", LOAN[0], "--input", LOAN[2].replace("loan.json", "rejected.json"), "--id", "no").code == 0
    lines = shell.wfrun("explain", "no", "funding").lines
    assert lines[1] == "funding · skipped"
    assert "creditworthy takes `else`: $.creditReport.score >= 680 is false" in lines[3]
    assert lines[4].startswith("      $.creditReport.score = ")


def test_a_step_that_failed_and_one_that_was_undone(ordered: tuple[Shell, Done], shell: Shell) -> None:
    shell.write(
        "w.yaml",
        "name: w\n"
        "services: { m: { adapter: mock, actions: { x: {}, bad: { error: { type: shop.closed } } } } }\n"
        "steps:\n"
        "  - { name: a, service: m, action: x, compensate: { service: m, action: x } }\n"
        "  - { name: b, service: m, action: bad, retry: { maxRetries: 1, initialDelay: 10ms } }\n",
    )
    assert shell.wfrun("run", "w.yaml", "--id", "e").code == 5
    whats = [each["what"] for each in shell.wfrun("explain", "e", "b", "--json").json("explain")["reasons"]]
    assert whats == ["called", "retried", "called", "failed"]
    assert "undone as number 1 of 1" in shell.wfrun("explain", "e", "a").out
    assert shell.wfrun("explain", "e").lines[2].strip().startswith("failed")


def test_what_does_not_exist(ordered: tuple[Shell, Done]) -> None:
    shell, _ = ordered
    done = shell.wfrun("explain", "order-1", "proces-payment", "--json")
    assert (done.code, done.error()["code"]) == (2, "step.unknown")
    assert done.error()["hint"] == "did you mean process-payment?"
    assert shell.wfrun("explain", "nobody").code == 2


def test_a_lost_definition_keeps_nobody_from_what_the_journal_tells(shell: Shell) -> None:
    shell.wfrun("run", shell.slow(), "--id", "e")
    for definition in (shell.folder / ".wfrun/definitions").iterdir():
        definition.unlink()
    done = shell.wfrun("explain", "e", "second")
    assert (done.code, done.lines[1]) == (0, "second · completed")


def test_no_yaml_and_no_schema_library_is_needed(ordered: tuple[Shell, Done]) -> None:
    import subprocess

    shell, _ = ordered
    code = (
        "import sys\nsys.argv = ['wfrun', 'explain', 'order-1', 'process-payment']\nfrom wfrun.cli.main import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "print([name for name in ('ruamel.yaml', 'jsonschema', 'typer', 'asyncio') if name in sys.modules])"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=shell.folder, env=shell.variables(), capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_the_schema_knows_every_word() -> None:
    import json

    schema = json.loads((SCHEMAS / "cli-explain.schema.json").read_text())
    words = schema["properties"]["reasons"]["items"]["properties"]["what"]["enum"]
    assert words == list(get_args(What))

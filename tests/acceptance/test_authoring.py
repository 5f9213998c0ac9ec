"""From an empty folder to a run: init, validate, graph."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.acceptance.conftest import Shell


# Whose name is not that of the file.
NAMES = {"loan": "loan-application"}


def test_what_init_writes_is_valid_and_runs(shell: Shell) -> None:
    done = shell.wfrun("init", "mine", "--json")
    assert done.code == 0
    files = done.json("init")["files"]
    assert "mine/workflow.yaml" in files
    shell.folder = shell.folder / "mine"
    assert shell.wfrun("validate", "workflow.yaml").lines[-1] == "workflow.yaml: valid"
    assert shell.wfrun("run", "workflow.yaml", "--input", "input.json").code in (0, 4)


def test_init_overwrites_nothing(shell: Shell) -> None:
    assert shell.wfrun("init").code == 0
    before = shell.state()
    again = shell.wfrun("init", "--json")
    assert (again.code, again.error()["code"]) == (2, "init.exists")
    assert shell.state() == before


@pytest.mark.parametrize("example", ["order", "loan", "expense", "notifications"])
def test_the_gallery_is_valid_and_can_be_drawn(shell: Shell, example: str) -> None:
    from tests.acceptance.conftest import GALLERY

    folder = GALLERY / example
    (file,) = folder.glob(f"{example}.yaml")
    assert shell.wfrun("validate", str(file), "--json").json("validate")["valid"] is True
    drawn = shell.wfrun("graph", str(file), "--json").json("graph")
    name = NAMES.get(example, example)
    assert (drawn["title"], drawn["statuses"]) == (name, {})
    tree = shell.wfrun("graph", str(file)).lines
    assert tree[0] == name
    chart = shell.wfrun("graph", str(file), "--mermaid").lines
    assert chart[0] == "flowchart TD"
    assert shell.state() == {}


def test_a_conditional_is_drawn_with_both_sides(shell: Shell) -> None:
    from tests.acceptance.conftest import GALLERY

    lines = shell.wfrun("graph", str(GALLERY / "loan/loan.yaml")).lines
    assert "└─ creditworthy if $.creditReport.score >= 680" in lines
    assert "   ├─ then" in lines
    assert "   └─ else" in lines
    assert "      └─ send-rejection  email-service.sendRejectionEmail" in lines


def test_validate_ends_with_the_file_that_is_not_valid(shell: Shell) -> None:
    shell.write("w.yaml", "name: w\nsteps: { name: a, service: s, action: x }\n")
    shell.write("services.yaml", "s: { adapter: pyton }\n")
    done = shell.wfrun("validate", "w.yaml", "--services", "services.yaml")
    assert done.code == 3
    assert done.lines == [
        "services.yaml:1:15: error[service.adapter] there is no adapter 'pyton'",
        "  hint: did you mean python?",
        "services.yaml: not valid",
    ]


def test_what_is_missing_here_is_a_warning_of_validate_and_stops_a_run_before_it_begins(shell: Shell) -> None:
    shell.write(
        "w.yaml",
        "name: w\nservices: { s: { adapter: shell, actions: { x: { command: [echo, '${env.NOT_SET_HERE}'] } } } }\n"
        "steps: { name: a, service: s, action: x }\n",
    )
    done = shell.wfrun("validate", "w.yaml")
    assert (done.code, done.lines[-1]) == (0, "w.yaml: valid")
    assert "warning[service.variable] env.NOT_SET_HERE is not set" in done.lines[0]
    done = shell.wfrun("run", "w.yaml")
    assert done.code == 3
    assert "error[service.variable] env.NOT_SET_HERE is not set" in done.err
    assert shell.wfrun("list", "--json").json("list") == {"executions": []}


def test_schemas_are_printed_and_listed(shell: Shell) -> None:
    import json

    assert json.loads(shell.wfrun("schema").out)["title"] == "wfrun workflow"
    assert json.loads(shell.wfrun("schema", "cli-status").out)["title"] == "wfrun status --json"
    listed = shell.wfrun("schema", "--list", "--json").json("schema")["schemas"]
    assert [line.split()[0] for line in shell.wfrun("schema", "--list").lines] == [each["name"] for each in listed]
    assert shell.wfrun("schema", "nothing").code == 2

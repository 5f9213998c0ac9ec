"""`wfrun lint` and the formats of `validate`, as they are typed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.acceptance.conftest import GALLERY

if TYPE_CHECKING:
    from tests.acceptance.conftest import Shell

ADVISED = """
name: advised
services: { m: { adapter: mock } }
steps:
  - { name: ask, type: human-task, assignee: ann }
"""
WRONG = ADVISED.replace("assignee: ann", "assignee: ann, input: $.nobody.x").replace(
    "name: advised", "name: wrong\ninput: {}"
)
FINE = ADVISED.replace("assignee: ann", "assignee: ann, timeout: 1d")


@pytest.fixture
def files(shell: Shell) -> Shell:
    for name, text in (("advised.yaml", ADVISED), ("wrong.yaml", WRONG), ("fine.yaml", FINE)):
        shell.write(name, text)
    return shell


def test_the_gallery_is_clean(shell: Shell) -> None:
    gallery = sorted(str(path) for path in GALLERY.rglob("*.yaml") if not path.name.startswith("services"))
    assert len(gallery) >= 5
    done = shell.wfrun("lint", "--strict", *gallery)
    assert (done.code, done.lines) == (0, [f"{path}: valid" for path in gallery])


def test_advice_alone_is_no_error(files: Shell) -> None:
    done = files.wfrun("lint", "advised.yaml", "fine.yaml")
    assert done.code == 0
    assert done.lines == [
        "advised.yaml:5:5: warning[lint.no-deadline] nothing happens if nobody ever decides 'ask'",
        "  hint: give it a `timeout`",
        "advised.yaml: valid",
        "fine.yaml: valid",
    ]


def test_strict_makes_it_count(files: Shell) -> None:
    done = files.wfrun("lint", "advised.yaml", "fine.yaml", "--strict")
    assert (done.code, done.lines[-2:]) == (3, ["advised.yaml: not valid", "fine.yaml: valid"])
    assert files.wfrun("lint", "fine.yaml", "--strict").code == 0
    assert files.wfrun("lint", "advised.yaml", "--strict", "--json").json("lint")["valid"] is False


def test_what_only_this_machine_lacks_does_not_count(files: Shell) -> None:
    files.write(
        "w.yaml",
        "name: w\nservices: { s: { adapter: shell, actions: { x: { command: [echo, '${env.NOT_SET_HERE}'] } } } }\n"
        "steps: { name: a, service: s, action: x }\n",
    )
    done = files.wfrun("lint", "w.yaml", "--strict")
    assert (done.code, done.lines[-1]) == (0, "w.yaml: valid")
    assert "NOT_SET_HERE" in done.out


def test_errors_exit_3_and_advice_is_told_besides(files: Shell) -> None:
    done = files.wfrun("lint", "wrong.yaml", "--json")
    told = done.json("lint")
    assert (done.code, told["valid"], told["workflow"]) == (3, False, "wrong.yaml")
    assert [problem["code"] for problem in told["problems"]] == ["lint.no-deadline", "plan.unknown-path"]


def test_several_files_of_validate(files: Shell) -> None:
    done = files.wfrun("validate", "advised.yaml", "wrong.yaml", "--format", "json")
    told = done.json("validate")
    assert (done.code, told["workflow"]) == (3, None)
    assert [each["valid"] for each in told["workflows"]] == [True, False]


def test_a_file_that_cannot_be_read_is_wrong_usage(files: Shell) -> None:
    done = files.wfrun("lint", "fine.yaml", "none.yaml", "--json")
    assert (done.code, done.error()["code"]) == (2, "file.unreadable")


@pytest.mark.parametrize("command", ["validate", "lint"])
def test_annotations(files: Shell, command: str) -> None:
    done = files.wfrun(command, "wrong.yaml", "--format=github")
    assert done.code == 3
    assert "::error file=wrong.yaml,line=6,col=58,title=plan.unknown-path::$.nobody.x is never set" in done.out
    assert all(line.startswith("::") for line in done.lines)


@pytest.mark.parametrize("command", ["validate", "lint"])
def test_sarif(files: Shell, command: str) -> None:
    done = files.wfrun(command, "wrong.yaml", "fine.yaml", "--format", "sarif")
    assert done.code == 3
    results = json.loads(done.out)["runs"][0]["results"]
    assert "plan.unknown-path" in [result["ruleId"] for result in results]


def test_secrets_of_the_services_file(files: Shell) -> None:
    files.write(
        "s.yaml",
        "m: { adapter: http, baseUrl: 'https://h', auth: { type: bearer, token: 3f7c1f }, actions: { x: GET / } }\n",
    )
    done = files.wfrun("lint", "fine.yaml", "--services", "s.yaml")
    assert "s.yaml:1:72: warning[lint.secret] the value of 'token' stands here in plain text" in done.lines


def test_an_unknown_format(files: Shell) -> None:
    done = files.wfrun("lint", "fine.yaml", "--format", "xml")
    assert (done.code, "text, json, github, sarif" in done.err) == (2, True)

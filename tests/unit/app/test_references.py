"""Workflows whose input refers to files: `validate` and every start look into them, a started execution does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from wfrun.app.authoring import validate
from wfrun.app.driving import decide, run
from wfrun.errors import InvalidError
from wfrun.journal.home import Home

PARENT = """
name: parent
input: { order: { $ref: defs.json#/$defs/order } }
steps:
  - { name: sign, type: human-task, assignee: bob }
  - { name: ship, type: workflow, workflow: child, input: { order: $.order }, output: shipped }
output: $.shipped
"""
CHILD = """
name: child
input: { order: { $ref: defs.json#/$defs/order } }
steps: { type: set, values: { done: $.order.ID } }
output: $.done
"""
DEFS = """{"$defs": {"order": {
  "type": "object", "properties": {"id": {"type": "string"}}, "required": ["id"], "additionalProperties": false
}}}"""


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


def write(folder: Path, *, child: str = "id", defs: str = DEFS) -> str:
    (folder / "parent.yaml").write_text(PARENT)
    (folder / "child.yaml").write_text(CHILD.replace("ID", child))
    (folder / "defs.json").write_text(defs)
    return str(folder / "parent.yaml")


def codes(path: str) -> list[str]:
    return [problem.code for problem in validate(path, services=None)]


def start(home: Home, path: str, id: str = "A-7") -> str:
    return run(home, workflow=path, input={"order": {"id": id}}, execution="p").status


def test_the_paths_of_a_workflow_and_of_its_children_are_held_against_the_files(tmp_path: Path) -> None:
    assert codes(write(tmp_path)) == []
    (problem,) = validate(write(tmp_path, child="idd"), services=None)
    assert problem.message == "$.order.idd: $.order has no key 'idd'"


def test_what_is_wrong_with_the_files_is_told_with_all_else(tmp_path: Path) -> None:
    path = write(tmp_path, defs='{"$defs": {}}')
    (tmp_path / "child.yaml").write_text(CHILD.replace("$.order.ID", "$.nothing"))
    assert codes(path) == ["field.reference", "field.reference", "plan.unknown-path"]


def test_a_definition_that_is_known_already_sees_the_files_of_today(tmp_path: Path, home: Home) -> None:
    path = write(tmp_path)
    assert start(home, path) == "waiting"
    write(tmp_path, defs=DEFS.replace('"string"', '"integer"'))
    with pytest.raises(InvalidError, match=r"input.order.id"):
        start(home, path)
    write(tmp_path, defs="{}")
    with pytest.raises(InvalidError, match="leads nowhere"):
        start(home, path)


def test_an_execution_goes_on_whatever_becomes_of_the_files(tmp_path: Path, home: Home) -> None:
    path = write(tmp_path)
    child = "name: ship, type: workflow, workflow: child, input: { order: $.order }, output: shipped"
    (tmp_path / "parent.yaml").write_text(PARENT.replace(child, "type: set, values: { shipped: $.order.id }"))
    assert start(home, path) == "waiting"
    (tmp_path / "defs.json").unlink()
    assert decide(home, "p/sign", decision="approved", by="bob").status == "completed"


def test_a_child_is_checked_when_it_starts(tmp_path: Path, home: Home) -> None:
    assert start(home, write(tmp_path)) == "waiting"
    (tmp_path / "defs.json").unlink()
    outcome = decide(home, "p/sign", decision="approved", by="bob")
    error = outcome.view["error"]
    assert error is not None
    assert (outcome.status, error["type"]) == ("failed", "field.reference")

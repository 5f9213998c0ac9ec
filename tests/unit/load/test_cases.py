"""Folders of files are test cases: what is refused, with exactly which words, and what is accepted."""

from __future__ import annotations

from pathlib import Path

import pytest

from wfrun.core.definition import Document
from wfrun.errors import InvalidError
from wfrun.load.definition import load_definition
from wfrun.resources import resource

CASES = Path(__file__).parents[2] / "cases"
INVALID = sorted((CASES / "invalid").glob("*.yaml"))
VALID = sorted((CASES / "valid").glob("*.yaml"))


def load(path: Path) -> Document:
    return load_definition(path.read_bytes(), path.name)


@pytest.mark.parametrize("path", INVALID, ids=lambda path: path.stem)
def test_a_bad_file_is_refused_with_these_words(path: Path) -> None:
    """`<name>.errors` beside `<name>.yaml` holds what a person is told, line by line."""
    with pytest.raises(InvalidError) as caught:
        load(path)
    assert str(caught.value) == path.with_suffix(".errors").read_text().rstrip("\n")


@pytest.mark.parametrize("path", INVALID, ids=lambda path: path.stem)
def test_every_problem_has_a_code_and_a_place(path: Path) -> None:
    with pytest.raises(InvalidError) as caught:
        load(path)
    for problem in caught.value.problems:
        assert problem.code.split(".")[0] in ("yaml", "schema", "field")
        assert problem.place.file == path.name
        assert problem.place.line > 0 or problem.code == "schema.more"


@pytest.mark.parametrize("path", VALID, ids=lambda path: path.stem)
def test_a_good_file_is_accepted(path: Path) -> None:
    document = load(path)
    assert isinstance(document.data, dict)
    assert document.data["name"] == path.stem


@pytest.mark.parametrize("path", sorted(resource("workflows").glob("*/*.yaml")), ids=lambda path: path.name)
def test_every_yaml_file_of_the_gallery_is_read(path: Path) -> None:
    from wfrun.load.definition import load_services

    loader = load_services if path.name.startswith("services") else load_definition
    loader(path.read_bytes(), path.name)


def test_cases_and_expectations_come_in_pairs() -> None:
    assert {path.stem for path in INVALID} == {path.stem for path in (CASES / "invalid").glob("*.errors")}
    assert len(INVALID) > 50

"""What docs/language.md shows and lists is what is accepted."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path

import pytest

from wfrun.errors import InvalidError
from wfrun.load.definition import load_definition
from wfrun.load.yaml import parse_document
from wfrun.resources import resource

ROOT = Path(__file__).parents[3]
TEXT = (ROOT / "docs" / "language.md").read_text()


@pytest.mark.parametrize("example", re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL))
def test_examples_are_workflows(example: str) -> None:
    assert load_definition(example.encode(), "language.md").data


SCHEMA = json.loads(resource("schemas", "workflow.schema.json").read_text())
KINDS = ["call", *SCHEMA["$defs"]["stepType"]["enum"]]
COMMON = ["name", "type", "condition", "description", "metadata", "onError", "compensate", "needs"]
ELSEWHERE = {"compensation": "Compensations", "errorHandling": "Retries", "retrier": "Retries", "handler": "Errors"}


def section(heading: str) -> str:
    """What stands below a heading in which that word stands, up to the next heading."""
    (found,) = re.findall(rf"^#+ [^\n]*{re.escape(heading)}[^\n]*\n(.*?)(?=^#+ )", TEXT, re.MULTILINE | re.DOTALL)
    return str(found)


def undescribed(keys: Iterable[str], text: str) -> set[str]:
    return {key for key in keys if f"`{key}`" not in text}


@pytest.mark.parametrize("kind", KINDS)
def test_every_key_of_every_kind_of_step_is_described_in_its_section(kind: str) -> None:
    text = section("service call" if kind == "call" else f"`{kind}`")
    assert undescribed(SCHEMA["$defs"][kind]["properties"].keys() - {*COMMON}, text) == set()


@pytest.mark.parametrize(("part", "heading"), ELSEWHERE.items())
def test_every_key_of_the_other_mappings_is_described(part: str, heading: str) -> None:
    assert undescribed(SCHEMA["$defs"][part]["properties"], section(heading)) == set()


def test_every_key_of_the_file_and_every_common_key_is_described() -> None:
    assert undescribed(SCHEMA["properties"], section("The file")) == set()
    assert undescribed(COMMON, section("Steps")) == set()


@pytest.mark.parametrize("kind", KINDS[1:])
def test_every_type_of_step_has_an_example(kind: str) -> None:
    assert f"type: {kind}" in "".join(re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL))


def traps() -> list[tuple[str, str]]:
    table = TEXT.split("| written | the trap | write |")[1].split("\n\n")[0]
    rows = [re.findall(r"\| `(.*?)` \|.*\| `(.*?)` \|$", line) for line in table.splitlines()[2:]]
    return [pair for row in rows for pair in row]


def test_the_table_of_traps_is_found() -> None:
    assert len(traps()) == 8


@pytest.mark.parametrize(("written", "better"), traps()[:-1])
def test_traps_are_refused_with_a_hint_and_their_remedy_is_read(written: str, better: str) -> None:
    with pytest.raises(InvalidError) as caught:
        parse_document(written.encode(), "f")
    assert caught.value.hint
    assert parse_document(better.encode(), "f").data

"""What docs/language.md shows and lists is what is accepted."""

from __future__ import annotations

import json
import re
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


def test_every_key_is_described() -> None:
    schema = json.loads(resource("schemas", "workflow.schema.json").read_text())
    kinds = ["call", "sequential", "parallel", "conditional", "human-task", "compensation", "errorHandling"]
    keys = {*schema["properties"]}.union(*(schema["$defs"][kind]["properties"] for kind in kinds))
    assert {key for key in keys - {"type"} if f"`{key}`" not in TEXT} == set()


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


def test_every_code_is_listed() -> None:
    sources = "".join(path.read_text() for path in (ROOT / "wfrun" / "load").rglob("*.py"))
    codes = set(re.findall(r'"((?:yaml|schema|field|json)\.[a-z-]+)"', sources)) - {"schema.more"}
    assert len(codes) > 30
    for code in codes:
        room, _, name = code.partition(".")
        assert f"`{code}`" in TEXT or (room in ("yaml", "json") and f"`{name}`" in TEXT), code


def test_every_code_of_the_checks_is_listed() -> None:
    folders = [ROOT / "wfrun" / "core" / "plan", ROOT / "wfrun" / "adapters", ROOT / "wfrun" / "app"]
    sources = "".join(path.read_text() for folder in folders for path in folder.rglob("*.py"))
    codes = set(re.findall(r'"((?:plan|service)\.[a-z-]+)"', sources))
    assert len(codes) > 20
    of_calls = (ROOT / "docs" / "adapters.md").read_text().split("## Error types")[1]
    assert {code for code in codes if f"`{code}`" not in TEXT + of_calls} == set()

"""Records against their schema: the quick judge and the library agree, and what is wrong is told with its place."""

from __future__ import annotations

import json
from itertools import chain
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from wfrun.journal.scan import scan
from wfrun.load.records import record_problem
from wfrun.resources import resource

GOLDEN = sorted(Path(__file__).parents[2].glob("golden/*/*/journal.jsonl"))
RECORDS: list[Any] = list(chain.from_iterable(scan(path.read_bytes()).records for path in GOLDEN))
SCHEMA = jsonschema.Draft7Validator(json.loads(resource("schemas", "journal.schema.json").read_bytes()))


def test_records_of_every_release_are_records() -> None:
    assert [problem for record in RECORDS if (problem := record_problem(record))] == []


def test_it_judges_as_the_published_schema_does() -> None:
    values: list[Any] = [None, -1, "x", [], {}, True]
    seen = set()
    for record in {record["type"]: record for record in RECORDS}.values():
        for name in record.keys() - {"type"}:
            for value in values:
                changed = {**record, name: value}
                fits = SCHEMA.is_valid({**changed, "crc": "00000000"})
                assert (record_problem(changed) is None) == fits, changed
                seen.add(fits)
    assert seen == {True, False}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"type": "step.vanished"}, "does not know records of type 'step.vanished'"),
        ({"more": 1}, "'more' was unexpected"),
        ({"seq": 0}, "seq: "),
    ],
)
def test_what_is_wrong_is_told(change: dict[str, Any], words: str) -> None:
    problem = record_problem({**RECORDS[0], **change})
    assert problem is not None
    assert words in problem

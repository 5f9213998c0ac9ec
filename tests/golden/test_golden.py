"""Journals of every release, read by this one: chain, fold and status are what they were (C16)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from wfrun.core.plan import build_plan
from wfrun.core.run import Run
from wfrun.journal.scan import scan
from wfrun.journal.verify import verify
from wfrun.load.definition import load_definition
from wfrun.views.status import status_of
from wfrun.views.timeline import timeline

CASES = sorted(path.parent for path in Path(__file__).parent.glob("*/*/journal.jsonl"))


def test_there_are_some() -> None:
    assert len(CASES) >= 10


@pytest.fixture(params=CASES, ids=lambda case: f"{case.parent.name}-{case.name}")
def case(request: pytest.FixtureRequest) -> Path:
    path = request.param
    assert isinstance(path, Path)
    return path


def test_the_chain_holds(case: Path) -> None:
    assert verify((case / "journal.jsonl").read_bytes()) == []


def test_the_fold_leads_where_it_led(case: Path) -> None:
    """Every record is one that the definition can have led to, and an ended execution has nothing left to do."""
    run = Run(build_plan(load_definition((case / "definition.yaml").read_bytes(), "definition.yaml")))
    for record in scan((case / "journal.jsonl").read_bytes()).records:
        run.apply(record)
    told = json.loads((case / "status.json").read_text())
    if run.ended is None:
        assert told["status"] == "waiting"
        assert [task for task in run.tasks if run.tasks[task].closed is None] == [t["task"] for t in told["tasks"]]
    else:
        assert told["status"] == run.ended["status"]
        assert list(run.pending) == {"needs-attention": ["repair"], "completed": ["recall"]}.get(told["status"], [])


def test_the_status_is_what_it_was(case: Path) -> None:
    """Views may learn to tell more; what they told before they still tell."""
    records = scan((case / "journal.jsonl").read_bytes()).records
    now, then = status_of(records), json.loads((case / "status.json").read_text())
    assert _of(now, then) == then


def _of(now: Any, then: Any) -> Any:
    """What is told now, without what was not told then."""
    if isinstance(now, dict) and isinstance(then, dict):
        return {key: _of(now.get(key), then[key]) for key in then}
    if isinstance(now, list) and isinstance(then, list) and len(now) == len(then):
        return [_of(*pair) for pair in zip(now, then, strict=True)]
    return now


def test_every_record_can_be_told(case: Path) -> None:
    records = scan((case / "journal.jsonl").read_bytes()).records
    assert all(moment["text"] for moment in timeline(records))


def test_every_line_is_what_the_published_schema_says(case: Path) -> None:
    schema = json.loads((Path(__file__).parents[2] / "schemas" / "journal.schema.json").read_text())
    validator = jsonschema.Draft7Validator(schema)
    for line in (case / "journal.jsonl").read_text().splitlines():
        validator.validate(json.loads(line))

"""schemas/journal.schema.json says of every event what wfrun/core/events.py says, and holds for real lines."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NotRequired, get_args, get_origin, get_type_hints

import jsonschema
import pytest

from tests.support.journals import Ledger, bytes_of, live, memory_home
from wfrun.core import events

SCHEMA: dict[str, Any] = json.loads((Path(__file__).parents[3] / "schemas" / "journal.schema.json").read_text())
VALIDATOR = jsonschema.Draft7Validator(SCHEMA)
LINE = {"seq", "at", "prev", "crc"}


def lines() -> list[dict[str, Any]]:
    home = memory_home()
    live(home, Ledger())
    return [json.loads(line) for line in bytes_of(home).splitlines()]


def definition(name: str) -> dict[str, Any]:
    found: dict[str, Any] = SCHEMA["definitions"][name[0].lower() + name[1:]]
    return found


def fields(part: Any) -> tuple[set[str], set[str]]:
    """All fields of a TypedDict, and those always there: `__required_keys__` cannot read annotations as text."""
    hints = get_type_hints(part, localns={"Json": Any}, include_extras=True)
    optional = {name for name, hint in hints.items() if get_origin(hint) is NotRequired}
    return set(hints), set(hints) - optional if part.__total__ else set()


def test_the_schema_is_one() -> None:
    jsonschema.Draft7Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("event", get_args(events.Event), ids=lambda event: event.__name__)
def test_an_event_has_its_fields(event: Any) -> None:
    found = definition(event.__name__)
    every, always = fields(event)
    assert set(found["properties"]) == every | LINE
    assert set(found["required"]) == always | LINE
    assert found["additionalProperties"] is False


@pytest.mark.parametrize("event", get_args(events.Event), ids=lambda event: event.__name__)
def test_an_event_is_found_by_its_type(event: Any) -> None:
    [kind] = get_args(get_type_hints(event, localns={"Json": Any})["type"])
    assert definition(event.__name__)["properties"]["type"] == {"const": kind}
    assert kind in SCHEMA["properties"]["type"]["enum"]
    assert len([rule for rule in SCHEMA["else"]["allOf"] if rule["if"]["properties"]["type"]["const"] == kind]) == 1


@pytest.mark.parametrize("part", [events.ErrorData, events.Assignee], ids=lambda part: part.__name__)
def test_a_part_has_its_fields(part: Any) -> None:
    found = definition(part.__name__)
    every, always = fields(part)
    assert set(found["properties"]) == every
    assert set(found.get("required", [])) == always


def test_real_lines_are_valid() -> None:
    for line in lines():
        VALIDATOR.validate(line)


@pytest.mark.parametrize(
    "change",
    [{"type": "step.vanished"}, {"seq": 0}, {"prev": "x"}, {"at": "yesterday"}, {"crc": None}, {"more": 1}],
    ids=json.dumps,
)
def test_other_lines_are_not(change: dict[str, Any]) -> None:
    line = lines()[2]
    assert VALIDATOR.is_valid(line)
    assert not VALIDATOR.is_valid(line | change)

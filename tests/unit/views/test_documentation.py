"""docs/journal.md names every fact, with the members that it has."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, NotRequired, get_args, get_origin, get_type_hints

import pytest

from wfrun.core import events

PAGE = (Path(__file__).parents[3] / "docs/journal.md").read_text()
ROW = re.compile(r"^\| `([a-z]+\.[a-z]+)` \| `([^`]*)` \|", re.MULTILINE)
TOLD: dict[str, str] = dict(ROW.findall(PAGE))


def members(told: str) -> tuple[set[str], set[str]]:
    """All that a row of the table names, and of those the ones that may be missing."""
    optional = re.search(r"\[(.*)\]", told)
    return set(re.findall(r"\w+", told)), set(re.findall(r"\w+", optional[1])) if optional else set()


@pytest.mark.parametrize("event", get_args(events.Event), ids=lambda event: event.__name__)
def test_every_fact_is_told_with_its_members(event: Any) -> None:
    hints = get_type_hints(event, localns={"Json": Any}, include_extras=True)
    (name,) = get_args(hints.pop("type"))
    missing = {key for key, hint in hints.items() if get_origin(hint) is NotRequired}
    assert members(TOLD[name]) == (set(hints), missing)


def test_nothing_is_told_that_is_not_there() -> None:
    known = {get_args(get_type_hints(event)["type"])[0] for event in get_args(events.Event)}
    assert set(TOLD) == known

"""What proofs of journals are put in: how two facts differ, and why one is unfounded."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Any

from wfrun.core.values import Json, canonical

# Within one turn of the journal the clock is asked more than once, and only the first answer is recorded.
SLACK = timedelta(seconds=5)

_ENVELOPE = ("seq", "at", "prev")


class Unfounded(Exception):
    """A record that cannot have come about, and why. `expected` and `recorded` are what differs, where it is known."""

    def __init__(self, message: str, expected: Json = None, recorded: Json = None) -> None:
        super().__init__(message)
        self.expected = expected
        self.recorded = recorded


def compare(fresh: Mapping[str, Any] | None, record: Mapping[str, Any], but: Collection[str] = ()) -> None:
    """Raises Unfounded, with all that differs, unless the record says what it has to say."""
    expected = {} if fresh is None else fresh
    names = [name for name in sorted({*expected, *record}) if name not in _ENVELOPE and name not in but]
    wrong = [name for name in names if _text(expected.get(name)) != _text(record.get(name))]
    if wrong:
        wanted = {name: expected.get(name) for name in wrong}
        found = {name: record.get(name) for name in wrong}
        raise Unfounded(f"{', '.join(wrong)} would have come out differently", wanted, found)


def _text(value: Any) -> str:
    """An error is known by its type and step: its words may be better ones in a later version."""
    if isinstance(value, dict) and str(value.get("type", "")).startswith("expression.") and "message" in value:
        value = {key: item for key, item in value.items() if key != "message"}
    return canonical(value)

"""Values on their way out of an expression: back to JSON, or to text."""

from __future__ import annotations

from wfrun.core.expression.kinds import Value, is_duration, is_instant
from wfrun.core.expression.times import render_duration, render_instant
from wfrun.core.values import Json, canonical


def export(value: Value) -> Json:
    """The value as JSON: instants as RFC 3339, durations as ISO 8601. Nothing is copied that need not be."""
    if type(value) is list:
        return [export(item) for item in value] if _has_time(value) else value
    if type(value) is dict:
        return {key: export(item) for key, item in value.items()} if _has_time(value) else value
    return _time(value) if _is_time(value) else value


def render(value: Value) -> str:
    """The value inside a text: a string as it is, everything else as its JSON text."""
    exported = export(value)
    return exported if isinstance(exported, str) else canonical(exported)


def _is_time(value: Value) -> bool:
    return is_instant(value) or is_duration(value)


def _time(value: Value) -> str:
    return render_instant(value) if is_instant(value) else render_duration(value)


def _has_time(value: Value) -> bool:
    if type(value) is list:
        return any(_has_time(item) for item in value)
    if type(value) is dict:
        return any(_has_time(item) for item in value.values())
    return _is_time(value)

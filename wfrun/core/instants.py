"""RFC 3339 instants as they stand in journals."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

# `2026-01-31T09:30:` and then `00.000000Z`: two instants of the same minute differ only in what follows.
_MINUTE = 17
_LENGTH = 27


def parse_instant(text: str) -> datetime:
    """An RFC 3339 instant as aware UTC; without a zone it is taken for UTC. Raises ValueError."""
    value = datetime.fromisoformat(text)
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def format_instant(value: datetime) -> str:
    """The one form that journals use, so that instants sort as text: UTC with microseconds and a Z."""
    return value.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def elapsed_ms(start: str, end: str) -> int:
    """Milliseconds from one instant to another. Clocks may be set back between two records: then 0."""
    if start[:_MINUTE] == end[:_MINUTE] and len(start) == len(end) == _LENGTH:
        return max(0, (_microseconds(end) - _microseconds(start)) // 1_000)
    return max(0, (parse_instant(end) - parse_instant(start)) // timedelta(milliseconds=1))


def _microseconds(instant: str) -> int:
    return int(instant[17:19] + instant[20:26])

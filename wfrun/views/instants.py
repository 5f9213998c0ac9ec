"""RFC 3339 instants as they stand in journals, and how people are told about time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from wfrun.errors import UsageError

DAY, HOUR, MINUTE, SECOND = 86_400_000, 3_600_000, 60_000, 1_000


def parse_instant(text: str) -> datetime:
    """An RFC 3339 instant as aware UTC. Raises ValueError."""
    value = datetime.fromisoformat(text)
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def format_instant(value: datetime) -> str:
    """The one form that journals use, so that instants sort as text: UTC with microseconds and a Z."""
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def elapsed_ms(start: str, end: str) -> int:
    """Milliseconds from one instant to another. Clocks may be set back between two records: then 0."""
    return max(0, (parse_instant(end) - parse_instant(start)) // timedelta(milliseconds=1))


def duration_words(milliseconds: int) -> str:
    """`850ms`, `2.4s`, `3m 05s`, `4h 12m`, `2d 03h`: two units at most."""
    if milliseconds < SECOND:
        return f"{milliseconds}ms"
    if milliseconds < MINUTE:
        return f"{milliseconds // 100 / 10}s"
    for big, small, names in ((HOUR, SECOND, "ms"), (DAY, MINUTE, "hm")):
        if milliseconds < big:
            unit = MINUTE if names == "ms" else HOUR
            return f"{milliseconds // unit}{names[0]} {milliseconds % unit // small:02}{names[1]}"
    return f"{milliseconds // DAY}d {milliseconds % DAY // HOUR:02}h"


def since_instant(text: str, now: datetime) -> str:
    """What `--since` means: an age (`2h`, `7d`) before `now`, or a date or instant. Raises UsageError."""
    from wfrun.core.expression import parse_duration
    from wfrun.errors import ExpressionError

    try:
        return format_instant(parse_instant(text))
    except ValueError:
        pass
    try:
        return format_instant(now - timedelta(milliseconds=parse_duration(text)))
    except (ExpressionError, OverflowError) as error:
        raise UsageError(
            "usage.since", f"`{text}` is neither an age nor an instant", hint="write 2h, 7d or 2026-11-23T09:00:00Z"
        ) from error

"""How people are told about time, and how they tell it."""

from __future__ import annotations

from datetime import datetime, timedelta

from wfrun.core.instants import format_instant, parse_instant
from wfrun.errors import UsageError

DAY, HOUR, MINUTE, SECOND = 86_400_000, 3_600_000, 60_000, 1_000


def clock(instant: str) -> str:
    """`2026-11-23 09:00:00Z`: UTC, so that it is the same for everyone who looks."""
    return f"{instant[:10]} {instant[11:19]}Z"


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

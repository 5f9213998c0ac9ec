"""Instants and durations: reading, writing, arithmetic bounds.

Instants are RFC 3339 (a date alone is its midnight in UTC). Durations are `1h30m` with the units ms s m h d w, or the
part of ISO 8601 that has a fixed length: `PT1H30M`, `P1D`, `P2W`; years and months have none and are refused.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from wfrun.core.expression.kinds import Value, a_kind, type_error, value_error

_UNITS = {"w": 604_800_000, "d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1_000, "ms": 1}
# Patterns as text: `re` compiles and keeps them when they are first needed.
_SHORT = (
    r"(?:([0-9]{1,9})w)?(?:([0-9]{1,9})d)?(?:([0-9]{1,9})h)?(?:([0-9]{1,9})m)?"
    r"(?:([0-9]{1,9})s)?(?:([0-9]{1,9})ms)?"
)
_ISO = (
    r"P(?:([0-9]{1,9})W)?(?:([0-9]{1,9})D)?"
    r"(?:T(?=[0-9])(?:([0-9]{1,9})H)?(?:([0-9]{1,9})M)?(?:([0-9]{1,9})(?:\.([0-9]{1,6}))?S)?)?"
)
_INSTANT = (
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:[Tt ]([0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.([0-9]{1,9}))?([Zz]|[+-][0-9]{2}:[0-9]{2}))?"
)
# A hundred years: past every timeout, within every calendar.
_MAX_MS = 36_525 * 86_400_000
_DURATION_HINT = "durations are written 30s, 5m, 24h, 2d, 1h30m, PT24H, P1D"


def parse_duration(value: str | int | float) -> int:
    """Milliseconds of a duration as workflows write it; a bare integer is milliseconds already.

    Raises ExpressionError (`expression.value`) for anything else, for negative ones, and beyond a hundred years.
    """
    if type(value) is str:
        return _bounded(_read(value))
    if type(value) is int or (type(value) is float and value.is_integer()):
        return _bounded(int(value))
    raise value_error(f"{a_kind(value)} is not a duration", hint=_DURATION_HINT)


def _bounded(milliseconds: int) -> int:
    if milliseconds < 0:
        raise value_error("a duration cannot be negative here")
    if milliseconds > _MAX_MS:
        raise value_error("a duration cannot be longer than a hundred years")
    return milliseconds


def _read(text: str) -> int:
    iso = text.startswith("P")
    match = re.fullmatch(_ISO if iso else _SHORT, text)
    if match is None and re.search("[0-9]{10}", text) and re.fullmatch("([0-9]+(ms|[smhdw]))+", text):
        raise value_error("a duration cannot be longer than a hundred years, or have a number of ten digits")
    if match is None or not any(match.groups()):
        raise value_error("this is not a duration", hint=_hint(text))
    amounts = match.groups()
    if iso:
        amounts = (*amounts[:5], (amounts[5] or "")[:3].ljust(3, "0"))
    return sum(int(amount) * unit for amount, unit in zip(amounts, _UNITS.values(), strict=True) if amount)


def _hint(text: str) -> str:
    if text.isdigit():
        return f"give the unit: {text}ms, {text}s, {text}m"
    if re.match(r"P[^T]*[0-9](Y|M)", text):
        return "years and months have no fixed length: write days"
    return _DURATION_HINT


def to_duration(value: Value) -> timedelta:
    """The function `duration`: as `parse_duration`, and a `-` before it is allowed."""
    if isinstance(value, timedelta):
        return value
    if type(value) is str and value.startswith("-"):
        return -timedelta(milliseconds=parse_duration(value[1:]))
    if type(value) is int and value < 0:
        return -timedelta(milliseconds=parse_duration(-value))
    return timedelta(milliseconds=parse_duration(value))


def to_instant(value: Value) -> datetime:
    """The function `instant`: reads RFC 3339, or a date. Leap seconds are taken as the second before."""
    if isinstance(value, datetime):
        return value
    if type(value) is not str:
        raise type_error(f"instant() reads a text, not {a_kind(value)}")
    match = re.fullmatch(_INSTANT, value)
    if match is None:
        raise value_error("this is not an instant", hint="instants are written 2030-01-31T09:30:00Z or 2030-01-31")
    return _build(*match.groups())


def _build(date: str, time: str | None, fraction: str | None, zone: str | None) -> datetime:
    if time and time.endswith(":60"):
        time = time[:-2] + "59"
    micros = (fraction or "")[:6].ljust(6, "0")
    offset = "+00:00" if zone is None or zone in "Zz" else zone
    try:
        return datetime.fromisoformat(f"{date}T{time or '00:00:00'}.{micros}{offset}").astimezone(UTC)
    except (ValueError, OverflowError):
        raise value_error("there is no such day or time", hint="years are 0001 to 9999, hours 00 to 23") from None


def render_instant(instant: datetime) -> str:
    """RFC 3339 in UTC, with a fraction only where there is one."""
    text = instant.replace(tzinfo=None).isoformat()
    return (text.rstrip("0") if "." in text else text) + "Z"


def render_duration(duration: timedelta) -> str:
    """ISO 8601 with days, hours, minutes and seconds: `P1DT2H`, `PT0.5S`, `-PT5M`, `PT0S`."""
    sign = "-" if duration.days < 0 else ""
    size = abs(duration)
    minutes, seconds = divmod(size.seconds, 60)
    hours, minutes = divmod(minutes, 60)
    fraction = f".{size.microseconds:06}".rstrip("0") if size.microseconds else ""
    days = f"{size.days}D" if size.days else ""
    clock = f"{hours}H" * bool(hours) + f"{minutes}M" * bool(minutes)
    clock += f"{seconds}{fraction}S" if seconds or fraction else ""
    return f"{sign}P{days}" + (f"T{clock}" if clock else "" if days else "T0S")

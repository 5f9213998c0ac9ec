"""Instants and durations: reading, arithmetic, comparison, and the text they become."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from wfrun.core.expression import parse_duration
from wfrun.errors import ExpressionError

SECOND, MINUTE, HOUR, DAY = 1_000, 60_000, 3_600_000, 86_400_000


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [
        ("30s", 30 * SECOND),
        ("5m", 5 * MINUTE),
        ("24h", DAY),
        ("2d", 2 * DAY),
        ("1w", 7 * DAY),
        ("1h30m", HOUR + 30 * MINUTE),
        ("1d12h", DAY + 12 * HOUR),
        ("1m500ms", MINUTE + 500),
        ("500ms", 500),
        ("0s", 0),
        ("PT24H", DAY),
        ("P1D", DAY),
        ("P2W", 14 * DAY),
        ("P1DT2H3M4S", DAY + 2 * HOUR + 3 * MINUTE + 4 * SECOND),
        ("PT0.5S", 500),
        ("PT1.25S", 1_250),
        ("PT3.123456S", 3_123),
        ("PT0S", 0),
        (1500, 1_500),
        (1500.0, 1_500),
        (0, 0),
    ],
)
def test_durations(text: str | float, milliseconds: int) -> None:
    assert parse_duration(text) == milliseconds


@pytest.mark.parametrize(
    ("value", "part"),
    [
        ("", "30s, 5m"),
        ("5", "5ms, 5s, 5m"),
        ("5 m", "30s, 5m"),
        ("m", "30s, 5m"),
        ("30m1h", "30s, 5m"),
        ("1.5h", "30s, 5m"),
        ("-5m", "30s, 5m"),
        ("P", "30s, 5m"),
        ("PT", "30s, 5m"),
        ("P1DT", "30s, 5m"),
        ("P1Y", "write days"),
        ("P6M", "write days"),
        ("PT1H ", "30s, 5m"),
        ("٣s", "30s, 5m"),
        ("99999999w", "hundred years"),
        ("9" * 5000 + "s", "hundred years"),
        (-1, "negative"),
        (1.5, "30s, 5m"),
        (10**20, "hundred years"),
        (True, "a boolean is not a duration"),
        (None, "null is not a duration"),
    ],
)
def test_no_durations(value: Any, part: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse_duration(value)
    assert caught.value.code == "expression.value"
    assert part in f"{caught.value.message} ({caught.value.hint})"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("instant('2030-01-31T09:30:00Z')", "2030-01-31T09:30:00Z"),
        ("instant('2030-01-31T09:30:00.250+02:00')", "2030-01-31T07:30:00.25Z"),
        ("instant('2030-01-31')", "2030-01-31T00:00:00Z"),
        ("instant('2030-01-31t09:30:00.123456789z')", "2030-01-31T09:30:00.123456Z"),
        ("instant('2016-12-31T23:59:60Z')", "2016-12-31T23:59:59Z"),
        ("instant(instant('2030-01-31'))", "2030-01-31T00:00:00Z"),
        ("instant($.started) + duration('36h')", "2030-01-02T12:00:00Z"),
        ("duration('1d') + instant($.started)", "2030-01-02T00:00:00Z"),
        ("instant($.started) - duration('1s')", "2029-12-31T23:59:59Z"),
        ("now() - instant($.started)", "P1DT3H4M5S"),
        ("instant($.started) - now()", "-P1DT3H4M5S"),
        ("now() > instant($.started)", True),
        ("now() == instant('2030-01-02T04:04:05+01:00')", True),
        ("now() == '2030-01-02T03:04:05Z'", False),
        ("now() - instant($.started) > duration('24h')", True),
        ("today() <= now() and now() < today() + duration('1d')", True),
        ("duration('1h') + duration('30m')", "PT1H30M"),
        ("duration('1h') - duration('90m')", "-PT30M"),
        ("duration('1h') * 1.5", "PT1H30M"),
        ("2 * duration('5m')", "PT10M"),
        ("duration('1h') / 4", "PT15M"),
        ("duration('1h') / duration('1s')", 3600),
        ("duration('1h') / duration('90m')", 2 / 3),
        ("-duration('5m')", "-PT5M"),
        ("abs(-duration('5m'))", "PT5M"),
        ("duration('-5m')", "-PT5M"),
        ("duration(-1500)", "-PT1.5S"),
        ("duration(1500)", "PT1.5S"),
        ("duration('P1D') == duration('24h')", True),
        ("duration('0s')", "PT0S"),
        ("duration(duration('5m'))", "PT5M"),
        ("string(duration('5m')) + '!'", "PT5M!"),
        ("format('by {}', instant('2030-01-31'))", "by 2030-01-31T00:00:00Z"),
        ("{at: now(), in: [duration('1h')], n: 1}", {"at": "2030-01-02T03:04:05Z", "in": ["PT1H"], "n": 1}),
        ("toJson([today()])", '["2030-01-02T00:00:00Z"]'),
        ("unique([instant('2030-01-01'), instant($.started)])", ["2030-01-01T00:00:00Z"]),
        ("now() in [now()]", True),
    ],
)
def test_values(evaluate: Callable[..., Any], text: str, expected: Any) -> None:
    assert evaluate(text) == expected


@pytest.mark.parametrize(
    ("text", "code", "part"),
    [
        ("instant('yesterday')", "value", "2030-01-31T09:30:00Z"),
        ("instant('2030-02-30')", "value", "no such day"),
        ("instant('2030-01-01T25:00:00Z')", "value", "no such day or time"),
        ("instant('0000-01-01')", "value", "no such day"),
        ("instant('0001-01-01T00:00:00+14:00')", "value", "no such day"),
        ("instant('2030-01-01T00:00:00')", "value", "not an instant"),
        ("instant(5)", "type", "reads a text"),
        ("duration('soon')", "value", "30s, 5m"),
        ("duration(null)", "value", "null is not a duration"),
        ("now() + now()", "type", "an instant and an instant"),
        ("now() + 5", "type", "an instant and a number"),
        ("duration('1h') - now()", "type", "a duration and an instant"),
        ("now() < duration('1h')", "type", "no order"),
        ("now() < '2030'", "type", "no order"),
        ("instant('9999-12-31') + duration('1d')", "limit", "years 1 to 9999"),
        ("duration('1h') * 1e12", "limit", "out of range"),
        ("duration('1h') / 0", "value", "division by zero"),
        ("duration('1h') / duration('0s')", "value", "division by zero"),
        ("-now()", "type", "needs a number"),
    ],
)
def test_refused(failure: Callable[..., ExpressionError], text: str, code: str, part: str) -> None:
    error = failure(text)
    assert error.code == f"expression.{code}", error
    assert part in f"{error.message} ({error.hint})"


def test_a_difference_can_be_read_again(evaluate: Callable[..., Any]) -> None:
    assert evaluate("duration(string(now() - instant('2030-01-02T03:04:01.123456Z')))") == "PT3.876S"


def test_a_number_too_long_is_told_as_such() -> None:
    with pytest.raises(ExpressionError, match="cannot be longer than a hundred years"):
        parse_duration("999999999999d")
